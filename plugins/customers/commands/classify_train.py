"""`crm customers classify train`."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from crm.access import require
from crm.app import App, pass_app
from crm.errors import UsageError
from crm.output import table_output
from crm.reading import current_file, table_or_workspace
from plugins.customers.learning_options import current_learning, learning
from plugins.customers.profile_options import as_of_option

if TYPE_CHECKING:
    import polars as pl

    from plugins.customers.classes import Examples, Settings

_WHERE: Final = {"accuracy": "on these rows", "cross_validated_accuracy": "cross-validated"}


@click.command(name="train")
@click.option(
    "--model",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    metavar="FILE",
    help="Write the model to this file.",
)
@click.option(
    "--folds",
    type=click.IntRange(min=0),
    default=5,
    show_default=True,
    metavar="N",
    help="Measure it by cross-validation with N folds; 0 to leave that out.",
)
@learning
@as_of_option("now")
@table_or_workspace
@table_output(columns="node positive negative rows support_vectors b ...")
@pass_app
def command(app: App, model: Path, folds: int) -> "pl.DataFrame":
    """Learn to tell classes of customers apart.

    The rows are the workspace's customers, with the columns of their profiles, or those of a file with a row a
    customer; the class of each is known. Words become numbers (--quantify), features comparable
    (--scaling), and a support vector machine finds the border between two classes; of more classes, a tree of machines,
    ordered by how far apart the classes lie. Rows that lack a feature or the class are left out.

    One row a machine: it tells the classes of its positive side, where f(x) = w x + b is above 0, from those of its
    negative side, and was learnt from `rows`. `w_...` are the weights of the scaled features, with --kernel linear.

    The model's file also holds its columns, classes, date, versions, a fingerprint of the rows, and its accuracy: on
    these rows, and by cross-validation.

    \b
    Examples:
      crm customers classify train --label tier --features age,orders,spent \\
          --model tier.model
      crm customers classify train --input customers.csv --label grade \\
          --features income,age --model grade.model
      crm customers classify train --input customers.csv --label grade \\
          --features income --folds 0 --model grade.model
      crm customers classify train --input cars.csv --label state \\
          --features price,doors --kernel rbf --C 100 --model m
    """
    from plugins.customers.classes import learnt, nodes

    if (app.workspace_path / "version").exists():
        require(app, "analyse")
    _check_place(model)
    known, settings = current_learning(app)
    fitted = learnt(known, settings)
    right = fitted[1:].predict(known.points.values) == known.labels()
    metrics = {"accuracy": float(right.mean())} | _validated(app, known, settings, folds)
    _save(model, known, fitted, metrics)
    shares = ", ".join(f"{value:.4f} {_WHERE[name]}" for name, value in metrics.items())
    app.note(f"{model}: learnt {len(known.classes):,} classes from {len(known.codes):,} rows; accuracy {shares}")
    return nodes(fitted, known.features)


def _check_place(model: Path) -> None:
    """See that the model can be written, before time is spent on it."""
    given = current_file()
    if given is not None and model.exists() and given.path.exists() and model.samefile(given.path):
        raise UsageError(f"--model {model} is the file that --input reads, and would be overwritten")
    if not model.parent.is_dir():
        raise UsageError(f"--model: there is no folder {model.parent}")


def _validated(app: App, known: "Examples", settings: "Settings", folds: int) -> dict[str, float]:
    """The accuracy by cross-validation, with no more folds than the smallest class has rows."""
    from plugins.customers.classes import cross_validated

    used = min(folds, int(known.sizes.min()))
    if used < 2:
        if folds:
            app.note("not cross-validated: a class has one row only, or --folds is 1")
        return {}
    if used < folds:
        app.note(f"cross-validated with {used} folds: the smallest class has no more rows")
    predicted, _ = cross_validated(known, settings, used, seed=0)
    return {"cross_validated_accuracy": float((predicted == known.codes).mean())}


def _save(file: Path, known: "Examples", fitted: object, metrics: dict[str, float]) -> None:
    """Write the model, whole or not at all."""
    from datetime import UTC, datetime

    import sklearn

    from crm import __version__
    from crm.atomic import replacing
    from plugins.customers.classes import fingerprint
    from plugins.customers.models import FORMAT, About, packed

    about = About(
        crm_model=FORMAT,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        crm=__version__,
        sklearn=sklearn.__version__,
        label=known.label,
        columns=known.features,
        classes=known.classes,
        rows=len(known.codes),
        fingerprint=fingerprint(known),
        metrics=metrics,
    )
    with replacing(file) as out:
        out.write(packed(about, fitted))
