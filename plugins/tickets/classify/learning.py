"""Models of quality classes: learnt from tickets whose class is known, chosen by cross-validation, asked for others.

Folds that keep the shares of classes: Kohavi (1995), "A study of cross-validation and bootstrap".
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from threadpoolctl import threadpool_limits

from crm.learning.separation import Floats, Ints
from plugins.tickets.classify import features
from plugins.tickets.classify.calibration import Calibration, calibrated, decisions
from plugins.tickets.classify.features import Columns, Features

if TYPE_CHECKING:
    from crm.hookspecs import TicketClassifier

LONGEST: Final = 2
"""Of how many characters runs are: longer ones made no difference on texts of a line or two."""
RAREST: Final = 2
INNER: Final = 3
"""Folds by which parameters are chosen and probabilities calibrated."""
MOST_CHOOSING: Final = 4_000
"""Of more rows, so many are drawn to choose parameters by."""


@dataclass(frozen=True)
class Known:
    """Rows whose class is known.

    Attributes:
        frame: Columns that are looked at; a row each.
        classes: The classes, ascending.
        codes: The class of each row, as a place in `classes`; shape (rows,).
        columns: What is looked at.
    """

    frame: pl.DataFrame
    classes: tuple[str, ...]
    codes: Ints
    columns: Columns

    @property
    def sizes(self) -> Ints:
        """How many rows each class has; shape (classes,)."""
        return np.bincount(self.codes, minlength=len(self.classes))

    def part(self, rows: Ints) -> "Known":
        """Some of the rows."""
        return Known(self.frame[rows], self.classes, self.codes[rows], self.columns)


@dataclass(frozen=True)
class Candidate:
    """A classifier with parameters."""

    classifier: "TicketClassifier"
    parameters: Mapping[str, object] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What it is called in tables."""
        said = ", ".join(f"{name}={value}" for name, value in self.parameters.items())
        return f"{self.classifier.name} ({said})" if said else self.classifier.name

    def make(self, seed: int) -> Any:
        """The estimator, not fitted."""
        import inspect

        given = dict(self.parameters)
        if "random_state" in inspect.signature(self.classifier.make).parameters:
            given["random_state"] = seed
        return self.classifier.make(**given)


@dataclass(frozen=True)
class Model:
    """What tells classes of tickets.

    Attributes:
        features: What makes numbers of tickets.
        estimator: What tells classes by them; its classes are places in `classes`.
        calibration: What makes probabilities of its values.
        classes: The classes.
    """

    features: Features
    estimator: Any
    calibration: Calibration
    classes: tuple[str, ...]

    def probabilities(self, rows: Any) -> Floats:
        """How likely each class is, of rows of the matrix of features; shape (rows, classes)."""
        with threadpool_limits(limits=1):
            return self.calibration.probabilities(decisions(self.estimator, rows))


def candidates(classifiers: "Sequence[TicketClassifier]") -> list[Candidate]:
    """Classifiers with all values of their parameters that are tried."""
    return [
        Candidate(each, dict(zip(each.parameters, values, strict=True)))
        for each in classifiers
        for values in product(*each.parameters.values())
    ]


def split(codes: Ints, folds: int, seed: int, groups: Ints | None = None) -> Iterator[tuple[Ints, Ints]]:
    """Rows to learn from and to predict, fold by fold; folds keep the shares of classes, and groups together."""
    if groups is None:
        yield from StratifiedKFold(folds, shuffle=True, random_state=seed).split(np.zeros(len(codes)), codes)
    else:
        kind = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
        yield from kind.split(np.zeros(len(codes)), codes, groups)


def inner_folds(known: Known) -> int:
    """How many folds the smallest class allows: at most `INNER`, less than 2 for none."""
    return min(INNER, int(known.sizes.min()))


def out_of_fold(
    known: Known, tried: Sequence[Candidate], folds: int, seed: int, groups: Ints | None = None
) -> tuple[list[Floats], Ints]:
    """The values of each candidate for rows that it has not learnt from.

    Returns:
        Of each candidate, values of shape (rows, classes); and the fold of each row, from 0.
    """
    values = [np.zeros((len(known.codes), len(known.classes))) for _ in tried]
    fold_of = np.zeros(len(known.codes), dtype=np.int64)
    with threadpool_limits(limits=1):  # a sum in another order would be another sum
        for number, (others, own) in enumerate(split(known.codes, folds, seed, groups)):
            made = features.learnt(known.frame[others], known.columns, LONGEST, RAREST)
            rows, asked = made.matrix(known.frame[others]), made.matrix(known.frame[own])
            fold_of[own] = number
            for candidate, found in zip(tried, values, strict=True):
                estimator = candidate.make(seed).fit(rows, known.codes[others])
                found[own] = decisions(estimator, asked)
    return values, fold_of


def chosen(known: Known, tried: Sequence[Candidate], seed: int) -> tuple[Candidate, list[tuple[Candidate, float]]]:
    """The candidate that is right most often by cross-validation, of equal ones the first; and how often each is.

    Shares are of at most `MOST_CHOOSING` rows; of a single candidate, or of a class with one row, there are none.
    """
    if len(tried) == 1 or inner_folds(known) < 2:
        return tried[0], []
    some = known.part(_drawn(known.codes, MOST_CHOOSING, seed))
    folds = inner_folds(some)
    if folds < 2:
        return tried[0], []
    values, _ = out_of_fold(some, tried, folds, seed)
    shares = [float((each.argmax(axis=1) == some.codes).mean()) for each in values]
    return tried[int(np.argmax(shares))], list(zip(tried, shares, strict=True))


def _drawn(codes: Ints, most: int, seed: int) -> Ints:
    """Rows, ascending: all, or about `most` that keep the shares of classes and two of each class at least."""
    if len(codes) <= most:
        return np.arange(len(codes))
    order = np.random.default_rng(seed).permutation(len(codes))
    order = order[np.argsort(codes[order], kind="stable")]
    sizes = np.bincount(codes)
    wanted = np.minimum(sizes, np.maximum(2, np.ceil(sizes * most / len(codes)).astype(np.int64)))
    rank = np.arange(len(codes)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return np.sort(order[rank < np.repeat(wanted, sizes)])


def learnt(known: Known, candidate: Candidate, seed: int) -> Model:
    """A model of all rows, calibrated by cross-validation."""
    folds = inner_folds(known)
    calibration = Calibration(1.0, np.zeros(len(known.classes)))
    if folds >= 2:
        (values,), _ = out_of_fold(known, [candidate], folds, seed)
        calibration = calibrated(values, known.codes)
    made = features.learnt(known.frame, known.columns, LONGEST, RAREST)
    with threadpool_limits(limits=1):
        estimator = candidate.make(seed).fit(made.matrix(known.frame), known.codes)
    return Model(made, estimator, calibration, known.classes)


@dataclass(frozen=True)
class Judged:
    """What cross-validation says of each row.

    Attributes:
        probabilities: Shape (rows, classes).
        fold_of: The fold of each row, from 0; shape (rows,).
        used: The candidate of each fold.
    """

    probabilities: Floats
    fold_of: Ints
    used: tuple[Candidate, ...]


def cross_validated(
    known: Known, tried: Sequence[Candidate], folds: int, seed: int, groups: Ints | None = None
) -> Judged:
    """Judge each row by a model that was chosen, calibrated and learnt without it."""
    probabilities = np.zeros((len(known.codes), len(known.classes)))
    fold_of, used = np.zeros(len(known.codes), dtype=np.int64), []
    for number, (others, own) in enumerate(split(known.codes, folds, seed, groups)):
        part = known.part(others)
        best, _ = chosen(part, tried, seed)
        model = learnt(part, best, seed)
        fold_of[own] = number
        probabilities[own] = model.probabilities(model.features.matrix(known.frame[own]))
        used.append(best)
    return Judged(probabilities, fold_of, tuple(used))
