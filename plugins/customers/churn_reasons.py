"""Why a model thinks that a customer churns: what each feature adds to the log-odds, compared with a usual customer.

Of the logistic regression it is the weight times how far the standardised feature is from its mean; of the boosting the
difference to the score of the same customer with this feature at its usual value (the median, or the most frequent
word): the explanation by omission of Robnik-Sikonja and Kononenko (2008), "Explaining classifications for individual
instances". Of the average it is the mean of both. All are in calibrated log-odds.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

from crm.learning.separation import Floats
from plugins.customers.churn import KINDS, Churn
from plugins.customers.churn_features import Feature, design, owners

LEAST: Final = 0.05
"""What adds less to the log-odds is no reason."""


def contributions(model: Churn, values: Floats) -> Floats:
    """What each feature adds to the calibrated log-odds; shape (rows, features).

    Args:
        model: The model.
        values: Rows, as `churn_features.matrix` gives them.
    """
    if model.chosen in KINDS:
        return _of(model, model.chosen, values)
    each: Floats = np.mean([_of(model, kind, values) for kind in KINDS], axis=0)
    return model.lines[model.chosen].slope * each


def _of(model: Churn, kind: str, values: Floats) -> Floats:
    slope = model.lines[kind].slope
    return slope * (_logistic(model, values) if kind == "logistic" else _boosting(model, values))


def _logistic(model: Churn, values: Floats) -> Floats:
    each = design(model.features, values) * model.weights
    found = np.zeros(values.shape)
    for column, feature in enumerate(owners(model.features)):
        found[:, feature] += each[:, column]
    return found


def _boosting(model: Churn, values: Floats) -> Floats:
    whole = model.boosting.decision_function(values)
    found = np.zeros(values.shape)
    changed = values.copy()
    for at, feature in enumerate(model.features):
        changed[:, at] = feature.usual
        found[:, at] = whole - model.boosting.decision_function(changed)
        changed[:, at] = values[:, at]
    return found


def reasons(model: Churn, values: Floats, most: int) -> pl.Series:
    """The features that add or take the most, each with its value and what it adds: `last_order_days 210 +0.83`.

    Args:
        model: The model.
        values: Rows, as `churn_features.matrix` gives them.
        most: How many of a row at most.

    Returns:
        A list of texts for each row, the largest first.
    """
    with threadpool_limits(limits=1):
        added = contributions(model, values)
    order = np.argsort(-np.abs(added).round(9), axis=1, kind="stable")[:, :most]
    rows = [
        [_text(model.features[at], values[row, at], added[row, at]) for at in best if abs(added[row, at]) >= LEAST]
        for row, best in enumerate(order)
    ]
    return pl.Series("reasons", rows, dtype=pl.List(pl.String))


def _text(feature: Feature, value: float, added: float) -> str:
    if np.isnan(value):
        shown = "missing"
    elif feature.kind == "word":
        shown = feature.words[int(value)]
    else:
        shown = f"{value:.6g}"
    return f"{feature.name} {shown} {added:+.2f}"


def weights_of(model: Churn) -> pl.DataFrame:
    """What was learnt of each feature, one row each word or number, the heaviest first.

    `weight` is what one standard deviation more, or having this word, adds to the log-odds of the logistic regression;
    `mean` and `spread` (standard deviation) are those of the rows that were learnt from, of a word its share.
    """
    names = _columns(model.features)
    frame = pl.DataFrame({"feature": [name for name, _, _, _ in names], "value": [word for _, word, _, _ in names]})
    frame = frame.with_columns(
        weight=model.weights,
        mean=np.array([mean for _, _, mean, _ in names]),
        spread=np.array([spread for _, _, _, spread in names]),
    )
    return frame.sort(pl.col("weight").abs(), descending=True, maintain_order=True)


def _columns(features: Sequence[Feature]) -> list[tuple[str, str | None, float, float]]:
    """Feature, word, mean and spread of each column of `design`."""
    rows: list[tuple[str, str | None, float, float]] = []
    for each in features:
        if each.kind == "number":
            rows.append((each.name, None, each.mean, each.spread))
        rows += [
            (each.name, word, share, (share * (1 - share)) ** 0.5)
            for word, share in zip(each.words, each.shares, strict=True)
        ]
        if each.missing:
            rows.append((each.name, "(missing)", each.missing, (each.missing * (1 - each.missing)) ** 0.5))
    return rows
