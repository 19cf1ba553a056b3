"""`crm tickets classify train`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from crm.access import require
from crm.app import App, pass_app
from crm.errors import UsageError
from crm.filters import filtered_like
from crm.output import table_output
from crm.reading import current_file, table_or_workspace
from plugins.tickets.classify.options import current_learning, learning

if TYPE_CHECKING:
    import polars as pl

    from plugins.tickets.classify.learning import Candidate, Known, Model


@click.command(name="train")
@click.option(
    "--model",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    metavar="FILE",
    help="Write the model to this file.",
)
@learning
@filtered_like("part_category = 'brakes'")
@table_or_workspace
@table_output(columns="classifier parameters accuracy chosen")
@pass_app
def command(app: App, model: Path) -> "pl.DataFrame":
    """Learn to tell quality classes of tickets.

    From the tickets of the workspace whose class a person has said (`crm centre classes import FILE`, or the answers of
    `crm tickets classify review`), or from the rows of a file. Texts count by their runs of one and two characters and
    their words, codes one by one, numbers in units of their spread. Customers and dealers are not looked at.

    One row a classifier with its parameters: the accuracy by cross-validation with three folds, on 4,000 rows at most,
    and which was chosen. Its decision values for rows that it has not learnt from then make probabilities.

    \b
    Examples:
      crm tickets classify train --model quality.model
      crm tickets classify train --model quality.model --classifier linear-svm \\
          --since 2025-06-01
      crm tickets classify train --model cat.model --input reviews.csv \\
          --text review --label cat
    """
    from plugins.tickets.classify.learning import chosen, learnt

    if (app.workspace_path / "version").exists():
        require(app, "analyse")
    _check_place(model)
    known, tried, seed = current_learning(app)
    best, shares = chosen(known, tried, seed)
    fitted = learnt(known, best, seed)
    accuracy = next((share for each, share in shares if each is best), None)
    _save(model, known, best, fitted, {} if accuracy is None else {"cross_validated_accuracy": accuracy})
    _warn_of_rare(app, known)
    app.note(f"{model}: {best.name}, learnt {len(known.classes):,} classes from {len(known.codes):,} rows")
    return _table(best, shares or [(each, None) for each in tried[:1]])


def _warn_of_rare(app: App, known: "Known") -> None:
    """Say so where a class is too rare for cross-validation."""
    from plugins.tickets.classify.learning import inner_folds

    if inner_folds(known) < 2:
        name = known.classes[int(known.sizes.argmin())]
        app.warn(f"class `{name}` has one row only: no classifiers were compared, and confidence is a guess")


def _check_place(model: Path) -> None:
    """See that the model can be written, before time is spent on it."""
    given = current_file()
    if given is not None and model.exists() and given.path.exists() and model.samefile(given.path):
        raise UsageError(f"--model {model} is the file that --input reads, and would be overwritten")
    if not model.parent.is_dir():
        raise UsageError(f"--model: there is no folder {model.parent}")


def _table(best: "Candidate", shares: "list[tuple[Candidate, float]] | list[tuple[Candidate, None]]") -> "pl.DataFrame":
    import polars as pl

    rows = [
        {
            "classifier": each.classifier.name,
            "parameters": ", ".join(f"{name}={value}" for name, value in each.parameters.items()) or None,
            "accuracy": share,
            "chosen": each is best,
        }
        for each, share in shares
    ]
    kinds = {"classifier": pl.String, "parameters": pl.String, "accuracy": pl.Float64, "chosen": pl.Boolean}
    return pl.DataFrame(rows, schema=kinds)


def _save(file: Path, known: "Known", best: "Candidate", fitted: "Model", metrics: dict[str, float]) -> None:
    """Write the model, whole or not at all."""
    from datetime import UTC, datetime

    import sklearn

    from crm import __version__
    from crm.atomic import replacing
    from plugins.tickets.classify.files import FORMAT, AboutClasses, fingerprint, packed

    made = fitted.features
    about = AboutClasses(
        crm_classes=FORMAT,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        crm=__version__,
        sklearn=sklearn.__version__,
        classifier=best.classifier.name,
        used=best.name,
        texts=known.columns.texts,
        codes=known.columns.codes,
        numbers=known.columns.numbers,
        known=tuple(tuple(each.to_list()) for each in made.codes),
        classes=known.classes,
        scale=fitted.calibration.scale,
        offsets=tuple(fitted.calibration.offsets.tolist()),
        lapse=fitted.calibration.lapse,
        rows=len(known.codes),
        fingerprint=fingerprint(known),
        metrics=metrics,
    )
    with replacing(file) as out:
        out.write(packed(about, fitted))
