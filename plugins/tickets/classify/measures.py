"""How well classes are told: by class, by pair, by fold, by how sure the model is.

Sources: expected calibration error: Naeini, Cooper and Hauskrecht (2015); accuracy at a coverage: El-Yaniv and Wiener
(2010), "On the foundations of noise-free selective classification".
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import polars as pl

from crm.learning.separation import Floats, Ints

BINS: Final = 10
SHARES: Final = (1.0, 0.95, 0.9, 0.8, 0.7, 0.5)
"""Coverages that are shown."""


def confusion(codes: Ints, predicted: Ints, count: int) -> Ints:
    """How many rows of each class are predicted as each; shape (classes, classes)."""
    return np.bincount(codes * count + predicted, minlength=count**2).reshape(count, count)


def of_classes(classes: Sequence[str], codes: Ints, predicted: Ints) -> pl.DataFrame:
    """One row a class: rows of it, rows predicted as it, both; precision, recall, F1.

    Precision = correct / predicted, null where nothing is predicted; recall = correct / rows; F1 = 2 correct / (rows +
    predicted), their harmonic mean.
    """
    table = confusion(codes, predicted, len(classes))
    frame = pl.DataFrame(
        {"class": classes, "rows": table.sum(axis=1), "predicted": table.sum(axis=0), "correct": np.diag(table)}
    )
    rows, said, right = pl.col("rows"), pl.col("predicted"), pl.col("correct")
    return frame.with_columns(
        precision=pl.when(said > 0).then(right / said), recall=right / rows, f1=2 * right / (rows + said)
    )


def of_pairs(classes: Sequence[str], codes: Ints, predicted: Ints) -> pl.DataFrame:
    """The confusion matrix, one row a cell: class, predicted class, rows; and the share of the class's rows."""
    count = len(classes)
    table = confusion(codes, predicted, count)
    names = np.array(classes)
    frame = pl.DataFrame({"class": names.repeat(count), "predicted": np.tile(names, count), "rows": table.ravel()})
    return frame.with_columns(share=table.ravel() / table.sum(axis=1).repeat(count))


def of_folds(classes: Sequence[str], codes: Ints, predicted: Ints, fold_of: Ints, used: Sequence[str]) -> pl.DataFrame:
    """One row a fold: its rows, how many are predicted right, their share, the mean F1, and what was used."""
    rows = []
    for fold, name in enumerate(used):
        here = fold_of == fold
        right = int((predicted == codes)[here].sum())
        f1 = macro(of_classes(classes, codes[here], predicted[here]))
        count = int(here.sum())
        rows.append(
            {"fold": fold + 1, "rows": count, "correct": right, "accuracy": right / count, "f1": f1, "used": name}
        )
    return pl.DataFrame(rows)


def macro(table: pl.DataFrame) -> float:
    """The mean F1 of the classes."""
    return float(table["f1"].to_numpy().mean())


def of_coverage(codes: Ints, probabilities: Floats, confidence: float) -> pl.DataFrame:
    """What is right among the rows that the model is surest of: at a confidence, and at shares of all rows.

    `confidence` is the least of the rows that are left to the model, `rows` how many these are, `coverage` their share,
    `correct` and `accuracy` of them, `persons` how many rows go to a person.
    """
    sure = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == codes
    order = np.argsort(-sure, kind="stable")
    running = np.concatenate(([0], np.cumsum(right[order])))
    total = len(codes)
    cuts = [("confidence", int((sure >= confidence).sum()))]
    cuts += [(f"{share:.0%}", int(np.ceil(round(share * total, 6)))) for share in SHARES]
    rows = [
        {
            "at": name,
            "confidence": confidence if name == "confidence" else float(sure[order[count - 1]]) if count else None,
            "rows": count,
            "coverage": count / total,
            "correct": int(running[count]),
            "accuracy": running[count] / count if count else None,
            "persons": total - count,
        }
        for name, count in cuts
    ]
    return pl.DataFrame(rows)


def of_confidence(codes: Ints, probabilities: Floats) -> pl.DataFrame:
    """One row a tenth of the scale of confidence: rows, mean confidence, share that is right, and their distance."""
    sure = probabilities.max(axis=1)
    frame = pl.DataFrame({"sure": sure, "right": probabilities.argmax(axis=1) == codes})
    bins = frame.with_columns((pl.col("sure") * BINS).floor().clip(0, BINS - 1).cast(pl.Int64).alias("bin"))
    found = bins.group_by("bin").agg(
        rows=pl.len().cast(pl.Int64), confidence=pl.col("sure").mean(), accuracy=pl.col("right").mean()
    )
    begin, end = pl.col("bin") / BINS, (pl.col("bin") + 1) / BINS
    return found.sort("bin").select(
        begin.alias("from"), end.alias("to"), "rows", "confidence", "accuracy",
        distance=(pl.col("accuracy") - pl.col("confidence")).abs(),
    )  # fmt: skip


def calibration_error(table: pl.DataFrame) -> float:
    """The mean distance of confidence and accuracy over all rows, of what `of_confidence` gives."""
    return float(np.average(table["distance"].to_numpy(), weights=table["rows"].to_numpy()))
