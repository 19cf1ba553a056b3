"""Churn: a logistic regression and gradient boosting, both calibrated, and the better one, or their mean.

Sources: gradient boosting: Friedman (2001), by histograms as in LightGBM (Ke and others 2017), from scikit-learn;
calibration: Platt (1999), "Probabilistic outputs for support vector machines", on scores of rows that a model has not
seen; folds that keep the shares of classes: Kohavi (1995).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from scipy.special import expit
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from threadpoolctl import threadpool_limits

from crm.learning.separation import Floats, Ints
from plugins.customers.churn_features import Feature, described, design
from plugins.customers.churn_measures import log_loss

KINDS: Final = ("logistic", "boosting")
"""The models."""

CANDIDATES: Final = (*KINDS, "average")
"""What may be chosen: one of them, or the mean of their calibrated scores."""

BOOSTING: Final[dict[str, Any]] = {
    "learning_rate": 0.05,
    "max_iter": 150,
    "max_leaf_nodes": 8,
    "min_samples_leaf": 20,
    "l2_regularization": 1.0,
    "early_stopping": False,
}

PENALTY: Final = 1.0
"""C of the logistic regression: the inverse of how much large weights cost."""

_FAR: Final = 30.0
"""Log-odds beyond this are as good as sure; kept in so that sums stay finite."""


@dataclass(frozen=True)
class Line:
    """Log-odds = slope * score + offset: what makes probabilities of a model's scores."""

    slope: float
    offset: float

    def __call__(self, scores: Floats) -> Floats:
        """Calibrated log-odds; shape (rows,)."""
        return np.clip(self.slope * scores + self.offset, -_FAR, _FAR)


@dataclass(frozen=True)
class Churn:
    """A fitted model.

    Attributes:
        features: What it looks at, with the statistics of the rows that it was learnt from.
        weights: Of the logistic regression, for the columns of `churn_features.design`.
        intercept: Of the logistic regression.
        boosting: The gradient boosting.
        lines: The calibration of each candidate.
        chosen: Which candidate counts.
    """

    features: tuple[Feature, ...]
    weights: Floats
    intercept: float
    boosting: Any
    lines: dict[str, Line]
    chosen: str

    def scores(self, values: Floats) -> Floats:
        """The scores of both models before calibration, as log-odds; shape (rows, 2)."""
        return _scores(self.features, self.weights, self.intercept, self.boosting, values)

    def log_odds(self, values: Floats, candidate: str | None = None) -> Floats:
        """Calibrated log-odds of churn; shape (rows,).

        Args:
            values: Rows, as `churn_features.matrix` gives them.
            candidate: One of `CANDIDATES`; that which was chosen if None.
        """
        return calibrated(self.scores(values), self.lines, candidate or self.chosen)

    def probabilities(self, values: Floats, candidate: str | None = None) -> Floats:
        """Probabilities of churn; shape (rows,)."""
        return np.asarray(expit(self.log_odds(values, candidate)))


def calibrated(scores: Floats, lines: dict[str, Line], candidate: str) -> Floats:
    """The calibrated log-odds of a candidate; shape (rows,)."""
    each = [lines[kind](scores[:, at]) for at, kind in enumerate(KINDS)]
    return each[KINDS.index(candidate)] if candidate in KINDS else lines[candidate](np.mean(each, axis=0))


def learnt(features: Sequence[Feature], values: Floats, labels: Ints, validated: "Validated", seed: int) -> Churn:
    """A model of all rows; how it is calibrated and which candidate counts is known from cross-validation.

    Args:
        features: What to look at.
        values: Rows, as `churn_features.matrix` gives them; shape (rows, features).
        labels: 1 for who churned, else 0; shape (rows,).
        validated: What cross-validation of the same rows has found.
        seed: Where chance begins.
    """
    known = described(features, values)
    with threadpool_limits(limits=1):
        weights, intercept, boosting = _fitted(known, values, labels, seed)
    lines = lines_of(validated.scores, labels)
    return Churn(known, weights, intercept, boosting, lines, validated.chosen)


@dataclass(frozen=True)
class Validated:
    """What cross-validation has found; each row is judged by models that have not seen it.

    Attributes:
        scores: Scores of both models before calibration; shape (rows, 2).
        probabilities: Calibrated probabilities of each candidate; the calibration has not seen the row either.
        folds: The fold of each row, from 0; shape (rows,).
        chosen: The candidate with the smallest log loss, of equals the first.
    """

    scores: Floats
    probabilities: dict[str, Floats]
    folds: Ints
    chosen: str


def cross_validated(features: Sequence[Feature], values: Floats, labels: Ints, folds: int, seed: int) -> Validated:
    """Judge each row by models of all folds but its own; folds keep the share of who churned.

    Args:
        features: What to look at.
        values: Rows, as `churn_features.matrix` gives them; shape (rows, features).
        labels: 1 for who churned, else 0; shape (rows,).
        folds: How many, 2 or more, and no more than the rarer class has rows.
        seed: Where chance begins.
    """
    scores, fold_of = np.zeros((len(labels), len(KINDS))), np.zeros(len(labels), dtype=np.int64)
    splits = StratifiedKFold(folds, shuffle=True, random_state=seed).split(values, labels)
    with threadpool_limits(limits=1):  # a sum in another order would be another sum
        for number, (others, own) in enumerate(splits):
            known = described(features, values[others])
            fitted = _fitted(known, values[others], labels[others], seed)
            scores[own], fold_of[own] = _scores(known, *fitted, values[own]), number
        found = _honest(scores, labels, fold_of)
    losses = {candidate: round(log_loss(labels, each), 12) for candidate, each in found.items()}
    return Validated(scores, found, fold_of, min(losses, key=lambda each: losses[each]))


def _honest(scores: Floats, labels: Ints, fold_of: Ints) -> dict[str, Floats]:
    """Calibrated probabilities, each fold calibrated by the others."""
    found = {candidate: np.zeros(len(labels)) for candidate in CANDIDATES}
    for fold in np.unique(fold_of):
        own = fold_of == fold
        lines = lines_of(scores[~own], labels[~own])
        for candidate, probabilities in found.items():
            probabilities[own] = expit(calibrated(scores[own], lines, candidate))
    return found


def lines_of(scores: Floats, labels: Ints) -> dict[str, Line]:
    """The calibration of each candidate, from scores of rows that the models have not seen."""
    lines = {kind: _line(scores[:, at], labels) for at, kind in enumerate(KINDS)}
    means = sum(lines[kind](scores[:, at]) for at, kind in enumerate(KINDS)) / len(KINDS)
    return lines | {"average": _line(means, labels)}


def _line(scores: Any, labels: Ints) -> Line:
    """The line of scores with the greatest likelihood; two rows are added, so that nobody is ever sure (Platt)."""
    middle = float(np.mean(scores))
    extended = np.concatenate([scores, [middle, middle]])
    with threadpool_limits(limits=1):
        model = LogisticRegression(C=1e6).fit(extended[:, None], np.concatenate([labels, [0, 1]]))
    return Line(float(model.coef_[0, 0]), float(model.intercept_[0]))


def _fitted(features: Sequence[Feature], values: Floats, labels: Ints, seed: int) -> tuple[Floats, float, Any]:
    """Weights and intercept of the logistic regression, and the boosting."""
    linear = LogisticRegression(C=PENALTY, max_iter=1000).fit(design(features, values), labels)
    words = [at for at, each in enumerate(features) if each.kind == "word"]
    boosting = HistGradientBoostingClassifier(**BOOSTING, categorical_features=words or None, random_state=seed)
    nowhere = np.isnan(values).all(axis=0)  # scikit-learn has no bins for a column that a fold has no value of
    return linear.coef_[0], float(linear.intercept_[0]), boosting.fit(np.where(nowhere, 0.0, values), labels)


def _scores(features: Sequence[Feature], weights: Floats, intercept: float, boosting: Any, values: Floats) -> Floats:
    with threadpool_limits(limits=1):
        linear = design(features, values) @ weights + intercept
        return np.stack([linear, boosting.decision_function(values)], axis=1)
