"""Classes of customers: learnt by support vector machines, predicted, and how well.

Folds that keep the shares of classes: Kohavi (1995), "A study of cross-validation and bootstrap".
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from crm.errors import Unusable, UsageError
from crm.learning.separation import Floats, Ints
from plugins.customers.features import SCALINGS, Points, check_columns, complete, evenly, numbers_or_sentence, points
from plugins.customers.quantify import Quantifier, Scale
from plugins.customers.svm_tree import SVMTreeClassifier

MOST_CLASSES: Final = 100
"""Of a column with more different values it is unlikely that they are classes."""

LEAST: Final = 100
"""So many rows of each class are learnt from, if there are, also where far fewer would be its share."""


@dataclass(frozen=True)
class Settings:
    """How to learn: see `SVMTreeClassifier`, `SCALINGS` and `Quantifier`."""

    strategy: str
    kernel: str
    cost: float
    gamma: float | str
    scaling: str
    scales: Mapping[str, Scale]

    def steps(self) -> list[tuple[str, Any]]:
        """What makes classes of numbers, not yet fitted."""
        svm = SVMTreeClassifier(strategy=self.strategy, kernel=self.kernel, C=self.cost, gamma=self.gamma)
        return [("scale", SCALINGS[self.scaling]()), ("classify", svm)]


@dataclass(frozen=True)
class Examples:
    """Rows whose class is known.

    Attributes:
        features: The columns that count.
        label: The column of the class.
        points: The rows that have a class and all features.
        classes: The classes, ascending; shape (classes,).
        codes: The class of each point, as a place in `classes`; shape (points,).
        unlabelled: How many rows have all features, but no class.
        known: How many points there were before some were taken.
    """

    features: tuple[str, ...]
    label: str
    points: Points
    classes: tuple[str, ...]
    codes: Ints
    unlabelled: int
    known: int

    @property
    def sizes(self) -> Ints:
        """How many points each class has; shape (classes,)."""
        return np.bincount(self.codes, minlength=len(self.classes))

    def labels(self) -> Any:
        """The class of each point; shape (points,)."""
        return np.array(self.classes)[self.codes]


def examples(
    frame: pl.DataFrame, features: Sequence[str], label: str, scales: Mapping[str, Scale], most: int
) -> Examples:
    """The rows of a table whose class is known, at most `most`, evenly taken of each class.

    Raises:
        UsageError: there is no such column, the label is a feature, or is no column of classes.
        Unusable: there are not two classes, or a text of a feature is no number.
    """
    check_columns(frame, [label], "--label")
    if label in features:
        raise UsageError(f"--label {label} is among --features, where it would tell itself")
    found = points(frame, features, scales)
    named = frame[label].cast(pl.String).str.strip_chars().replace("", None).gather(found.rows)
    kept = found.rows[named.is_not_null().to_numpy()], found.values[named.is_not_null().to_numpy()]
    names = named.drop_nulls()
    classes = tuple(names.unique().sort().to_list())
    _check_classes(label, classes)
    codes = names.replace_strict(list(classes), range(len(classes)), return_dtype=pl.Int64).to_numpy()
    taken = _taken(codes, len(classes), most)
    part = Points(kept[1][taken], kept[0][taken], frame.height)
    return Examples(tuple(features), label, part, classes, codes[taken], named.null_count(), len(codes))


def _check_classes(label: str, classes: Sequence[str]) -> None:
    if len(classes) < 2:
        found = f"only the class `{classes[0]}`" if classes else "no class"
        raise Unusable(f"column `{label}` has {found} in the rows that have all features, and two at least are needed")
    if len(classes) > MOST_CLASSES:
        raise UsageError(f"--label: column `{label}` has {len(classes):,} different values, too many for classes")


def _taken(codes: Ints, classes: int, most: int) -> Ints:
    """Which rows to take: all, or of each class its share of `most` and no fewer than `LEAST`; ascending."""
    if len(codes) <= most:
        return np.arange(len(codes))
    each = [np.flatnonzero(codes == code) for code in range(classes)]
    shares = [max(LEAST, len(rows) * most // len(codes)) for rows in each]
    return np.sort(np.concatenate([rows[evenly(len(rows), share)] for rows, share in zip(each, shares, strict=True)]))


def learnt(known: Examples, settings: Settings) -> Pipeline:
    """A model of all examples, which takes a table of the features as they stand in a file, and gives classes."""
    scales = {column: dict(scale) for column, scale in settings.scales.items()}
    quantifier = Quantifier(scales)
    quantifier.n_features_in_ = len(known.features)
    quantifier.feature_names_in_ = np.array(known.features, dtype=object)
    with threadpool_limits(limits=1):  # a sum in another order would be another sum
        fitted = Pipeline(settings.steps()).fit(known.points.values, known.labels())
    return Pipeline([("quantify", quantifier), *fitted.steps])


def cross_validated(known: Examples, settings: Settings, folds: int, seed: int) -> tuple[Ints, Ints]:
    """Predict each example by a model of all folds but its own; folds keep the shares of the classes.

    Args:
        known: The examples.
        settings: How to learn.
        folds: How many folds, 2 or more, and no more than the smallest class has rows.
        seed: Where chance begins.

    Returns:
        The place in `known.classes` that is predicted for each example, and its fold from 0; both of shape (points,).
    """
    predicted, fold_of = np.zeros_like(known.codes), np.zeros_like(known.codes)
    values, codes = known.points.values, known.codes
    splits = StratifiedKFold(folds, shuffle=True, random_state=seed).split(values, codes)
    with threadpool_limits(limits=1):
        for number, (others, own) in enumerate(splits):
            model = Pipeline(settings.steps()).fit(values[others], codes[others])
            predicted[own], fold_of[own] = model.predict(values[own]), number
    return predicted, fold_of


def of_classes(known: Examples, predicted: Ints) -> pl.DataFrame:
    """One row a class: rows of it, rows predicted as it, both; precision, recall, F1.

    Precision = correct / predicted, null where nothing is predicted; recall = correct / rows; F1 = 2 correct / (rows +
    predicted), their harmonic mean.
    """
    table = confusion(known, predicted)
    correct = np.diag(table)
    frame = pl.DataFrame(
        {"class": known.classes, "rows": known.sizes, "predicted": table.sum(axis=0), "correct": correct}
    )
    rows, said, right = pl.col("rows"), pl.col("predicted"), pl.col("correct")
    return frame.with_columns(
        precision=pl.when(said > 0).then(right / said), recall=right / rows, f1=2 * right / (rows + said)
    )


def of_folds(known: Examples, predicted: Ints, fold_of: Ints) -> pl.DataFrame:
    """One row a fold: its rows, how many of them are predicted right, and their share."""
    frame = pl.DataFrame({"fold": fold_of + 1, "correct": predicted == known.codes})
    counts = frame.group_by("fold").agg(rows=pl.len().cast(pl.Int64), correct=pl.col("correct").sum().cast(pl.Int64))
    return counts.sort("fold").with_columns(accuracy=pl.col("correct") / pl.col("rows"))


def of_pairs(known: Examples, predicted: Ints) -> pl.DataFrame:
    """The confusion matrix, one row a cell: class, predicted class, rows; and the share of the class's rows."""
    table, classes = confusion(known, predicted), len(known.classes)
    names = np.array(known.classes)
    frame = pl.DataFrame({"class": names.repeat(classes), "predicted": np.tile(names, classes), "rows": table.ravel()})
    return frame.with_columns(share=table.ravel() / known.sizes.repeat(classes))


def confusion(known: Examples, predicted: Ints) -> Ints:
    """How many rows of each class are predicted as each; shape (classes, classes)."""
    count = len(known.classes)
    return np.bincount(known.codes * count + predicted, minlength=count**2).reshape(count, count)


def nodes(model: Pipeline, features: Sequence[str]) -> pl.DataFrame:
    """One row a machine of a model: the classes of both sides, rows, support vectors, b and, if linear, weights."""
    svm: SVMTreeClassifier = model[-1]
    sides = [[", ".join(map(str, svm.classes_[side == sign])) for side in svm.sides_] for sign in (1, -1)]
    columns: dict[str, Any] = {
        "node": np.arange(1, len(svm.sides_) + 1),
        "positive": sides[0],
        "negative": sides[1],
        "rows": svm.n_rows_,
        "support_vectors": svm.n_support_,
        "b": svm.intercept_,
    }
    if svm.kernel == "linear":
        weights = np.stack([machine.dual @ machine.vectors for machine in svm.machines()])
        columns |= {f"w_{name}": weights[:, at] for at, name in enumerate(features)}
    return pl.DataFrame(columns)


def asked(model: Pipeline, frame: pl.DataFrame) -> Points:
    """The rows of a table that a model can judge.

    Raises:
        UsageError: the table lacks a column that the model needs.
        Unusable: a text is neither a word that the model knows nor a number.
    """
    names = model[0].feature_names_in_.tolist()
    check_columns(frame, names, "the model needs all columns that it was trained with")
    return complete(numbers_or_sentence(frame.select(names), model[0].scales))


def predictions(model: Pipeline, found: Points) -> tuple[pl.Series, pl.Series]:
    """The class of each row of a table, and its score, null where a feature is missing.

    Returns:
        Classes, and of two classes f(x), above 0 for the second one; of more, the smallest value of the machines on
        the way to the class.
    """
    svm: SVMTreeClassifier = model[-1]
    if not len(found.rows):
        return found.spread(pl.Series([], dtype=pl.String)), found.spread(pl.Series([], dtype=pl.Float64))
    with threadpool_limits(limits=1):
        values = svm.decision_function(model[1].transform(found.values))
    two = values.ndim == 1
    best: Ints = (values > 0).astype(np.int64) if two else values.argmax(axis=1)
    scores: Floats = values if two else values.max(axis=1)
    return found.spread(pl.Series(svm.classes_[best].astype(str), dtype=pl.String)), found.spread(scores)


def fingerprint(known: Examples) -> str:
    """SHA-256 of what was learnt from: features as numbers, classes and their order."""
    digest = hashlib.sha256("\0".join((*known.features, "", known.label, *known.classes)).encode())
    digest.update(np.ascontiguousarray(known.points.values, dtype="<f8").tobytes())
    digest.update(known.codes.astype("<i8").tobytes())
    return digest.hexdigest()
