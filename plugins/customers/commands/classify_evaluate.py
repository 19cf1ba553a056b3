"""`crm customers classify evaluate`."""

from typing import TYPE_CHECKING

import click

from crm.app import App, pass_app
from crm.errors import UsageError
from crm.output import table_output
from crm.reading import table_or_workspace
from plugins.customers.learning_options import current_learning, learning, seed_option
from plugins.customers.profile_options import as_of_option

if TYPE_CHECKING:
    import polars as pl

    from plugins.customers.classes import Examples


@click.command(name="evaluate")
@click.option(
    "--folds",
    type=click.IntRange(min=2),
    default=5,
    show_default=True,
    metavar="N",
    help="How many parts: each is predicted by a model that has learnt from all others.",
)
@seed_option
@click.option(
    "--by",
    type=click.Choice(("class", "fold", "pair")),
    default="class",
    show_default=True,
    help="One row a class, a fold, or a pair of class and predicted class: the confusion matrix.",
)
@learning
@as_of_option("now")
@table_or_workspace
@table_output(columns="class rows predicted correct precision recall f1 fold accuracy share")
@pass_app
def command(app: App, folds: int, seed: int, by: str) -> "pl.DataFrame":
    """Measure how well classes are told apart.

    Cross-validation: rows are dealt into folds that keep the shares of the classes, and each fold is predicted by a
    model that has learnt from the others, scaling and all. The options are those of `crm customers classify train`.

    `predicted` rows are predicted as the class, `correct` ones rightly so; `precision` is correct / predicted, `recall`
    correct / rows, `f1` the harmonic mean of both. `accuracy` is the share of all rows whose class is predicted. With
    --by pair, `share` is that of the class's rows.

    \b
    Examples:
      crm customers classify evaluate --input customers.csv --label grade \\
          --features income,age
      crm customers classify evaluate --input customers.csv --label grade \\
          --features income,age --kernel rbf --by pair
    """
    from plugins.customers.classes import cross_validated, of_classes, of_folds, of_pairs

    known, settings = current_learning(app)
    _check_folds(known, folds)
    predicted, fold_of = cross_validated(known, settings, folds, seed)
    classes = of_classes(known, predicted)
    rows, right = len(known.codes), int(classes["correct"].sum())
    app.note(
        f"{rows:,} rows, {len(known.classes):,} classes, {folds} folds: accuracy {right / rows:.4f} ({right:,} right), "
        f"mean F1 of the classes {float(classes['f1'].to_numpy().mean()):.4f}"
    )
    tables = {"class": lambda: classes, "fold": lambda: of_folds(known, predicted, fold_of)}
    return tables.get(by, lambda: of_pairs(known, predicted))()


def _check_folds(known: "Examples", folds: int) -> None:
    """See that each fold can have a row of each class."""
    least = int(known.sizes.argmin())
    if known.sizes[least] < folds:
        raise UsageError(
            f"--folds {folds}: class `{known.classes[least]}` has only {known.sizes[least]:,} of the rows; take fewer "
            "folds, or leave the class out"
        )
