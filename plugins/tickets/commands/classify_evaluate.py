"""`crm tickets classify evaluate`."""

from collections import Counter
from typing import TYPE_CHECKING

import click

from crm.app import App, pass_app
from crm.filters import filtered_like
from crm.output import impersonal, table_output
from crm.reading import table_or_workspace
from plugins.tickets.classify.options import (
    check_folds,
    confidence_option,
    current_learning,
    learning,
    least_confidence,
)

if TYPE_CHECKING:
    import polars as pl

    from crm.learning.separation import Ints
    from plugins.tickets.classify.learning import Judged, Known

_VIEWS = ("class", "pair", "fold", "coverage", "confidence")


@click.command(name="evaluate")
@click.option(
    "--by",
    type=click.Choice(_VIEWS),
    default="class",
    show_default=True,
    help="One row a class; a pair of class and predicted class: the confusion matrix; a fold; a coverage; or a tenth "
    "of the scale of confidence.",
)
@click.option(
    "--folds",
    type=click.IntRange(min=2),
    default=5,
    show_default=True,
    metavar="N",
    help="How many parts: each is predicted by a model that has learnt from all others.",
)
@click.option("--together", is_flag=True, help="Rows of the same text are in the same fold.")
@confidence_option
@learning
@filtered_like("part_category = 'brakes'")
@table_or_workspace
@table_output(
    columns=(
        "at confidence rows coverage correct accuracy persons class predicted precision recall f1 fold used "
        "share from to distance"
    )
)
@pass_app
def command(app: App, by: str, folds: int, together: bool, confidence: float | None) -> "pl.DataFrame":
    """Measure how well quality classes are told.

    Cross-validation: rows are dealt into folds that keep the shares of the classes, and each fold is predicted by a
    model that has learnt from the others; the classifier is chosen and calibrated without the fold, too. The options
    are those of `crm tickets classify train`.

    By class: `predicted` rows are predicted as it, `correct` ones rightly so; precision, recall and F1, of which the
    macro F1 is the mean. By coverage: what is right if the model keeps only the rows that it is surest of, and all
    others go to a person; first at --confidence. By confidence: how often a class of so much confidence is right; the
    mean distance of both is the calibration error (ECE).

    \b
    Examples:
      crm tickets classify evaluate
      crm tickets classify evaluate --by coverage --confidence 0.8
      crm tickets classify evaluate --input reviews.csv --text review \\
          --label cat --by pair
      crm tickets classify evaluate --classifier svm-tree --together
    """
    from plugins.tickets.classify import measures
    from plugins.tickets.classify.learning import cross_validated

    known, tried, seed = current_learning(app)
    check_folds(known.sizes.tolist(), known.classes, folds)
    impersonal()
    judged = cross_validated(known, tried, folds, seed, _groups(app, known, together))
    least = least_confidence(app, confidence)
    _tell(app, known, judged, least)
    predicted = judged.probabilities.argmax(axis=1)
    used = [each.name for each in judged.used]
    tables = {
        "class": lambda: measures.of_classes(known.classes, known.codes, predicted),
        "pair": lambda: measures.of_pairs(known.classes, known.codes, predicted),
        "fold": lambda: measures.of_folds(known.classes, known.codes, predicted, judged.fold_of, used),
        "coverage": lambda: measures.of_coverage(known.codes, judged.probabilities, least),
        "confidence": lambda: measures.of_confidence(known.codes, judged.probabilities),
    }
    return tables[by]()


def _groups(app: App, known: "Known", together: bool) -> "Ints | None":
    """A number for each text where equal ones stay together; how many are there more than once is told."""
    from plugins.tickets.classify.texts import joined

    texts = joined(known.frame, known.columns.texts)
    repeated = int(texts.is_duplicated().sum())
    if together:
        return texts.rank("dense").to_numpy().astype("int64")
    if repeated:
        app.note(
            f"{repeated:,} of {len(texts):,} rows have a text that others have too; --together keeps them in a fold"
        )
    return None


def _tell(app: App, known: "Known", judged: "Judged", least: float) -> None:
    """Say how good it is in all."""
    import numpy as np

    from plugins.tickets.classify import measures

    used = [each.name for each in judged.used]
    predicted = judged.probabilities.argmax(axis=1)
    folds = measures.of_folds(known.classes, known.codes, predicted, judged.fold_of, used)
    names = ", ".join(f"{name} in {count}" if len(set(used)) > 1 else name for name, count in Counter(used).items())
    accuracy, f1 = (float(np.mean(folds[name].to_numpy())) for name in ("accuracy", "f1"))
    app.note(
        f"{len(known.codes):,} rows, {len(known.classes):,} classes, {folds.height} folds, {names}: accuracy "
        f"{accuracy:.4f}, macro F1 {f1:.4f} (means of the folds)"
    )
    rows = {row["at"]: row for row in measures.of_coverage(known.codes, judged.probabilities, least).to_dicts()}
    at = rows["confidence"]
    told = "none is right" if at["accuracy"] is None else f"accuracy {at['accuracy']:.4f}"
    error = measures.calibration_error(measures.of_confidence(known.codes, judged.probabilities))
    app.note(
        f"confidence of {least:g} and more: {at['coverage']:.1%} of the rows, {told}; the surest 90%: accuracy "
        f"{rows['90%']['accuracy']:.4f}; calibration error {error:.4f}"
    )
