"""The classes of tickets by a model: class, confidence, and what spoke for it."""

import numpy as np
import polars as pl

from plugins.tickets.classify.learning import Model
from plugins.tickets.classify.machines import evidence
from plugins.tickets.classify.reasons import reasons
from plugins.tickets.classify.source import completed

_ROWS = 20_000
"""So many rows are worked on at a time."""


def predictions(model: Model, frame: pl.DataFrame, *, told: bool = True) -> pl.DataFrame:
    """The class of each row.

    Args:
        model: What tells classes.
        frame: Rows; columns of codes and numbers may lack.
        told: Whether to say what spoke for the class.

    Returns:
        `class`, `confidence` (its probability) and, if told, `reasons`; a row each.
    """
    parts = [_part(model, part, told) for part in frame.iter_slices(_ROWS)]
    kinds = {"class": pl.String, "confidence": pl.Float64} | ({"reasons": pl.String} if told else {})
    return pl.concat(parts) if parts else pl.DataFrame(schema=kinds)


def _part(model: Model, frame: pl.DataFrame, told: bool) -> pl.DataFrame:
    rows = model.features.matrix(completed(frame, model.features.columns))
    probabilities = model.probabilities(rows)
    codes = probabilities.argmax(axis=1)
    found = pl.DataFrame(
        {
            "class": pl.Series(model.classes).gather(codes),
            "confidence": np.take_along_axis(probabilities, codes[:, None], 1)[:, 0],
        }
    )
    if not told:
        return found
    says = evidence(model.estimator)
    why = pl.Series([None], dtype=pl.String).new_from_index(0, frame.height)
    if says is not None:
        why = reasons(model.features, rows, codes, says)
    return found.with_columns(why.alias("reasons"))
