"""Linear support vector machines on sparse rows: one a class against all others, or a tree of them.

Sources: Cortes and Vapnik (1995), "Support-vector networks"; solved by LIBLINEAR, Fan, Chang, Hsieh, Wang and Lin
(2008); features weighted by naive Bayes: Wang and Manning (2012), "Baselines and bigrams: simple, good sentiment and
topic classification"; naive Bayes of the other classes: Rennie, Shih, Teevan and Karger (2003), "Tackling the poor
assumptions of naive Bayes text classifiers"; the tree: `crm.learning.separation`.
"""

import warnings
from typing import Any, Final, Self

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.svm import LinearSVC
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from crm.learning.separation import STRATEGIES, Floats, Ints, children, sides, tree

TOLERANCE: Final = 1e-3
_SMOOTHING: Final = 0.1
"""What is added to the sum of each feature in a class before logarithms are taken."""
_BAYES_COST: Final = 0.2
"""By what C is multiplied for the machine of weighted features, which are several times as large."""


class _Sparse(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """What takes sparse rows."""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


class LinearSVM(_Sparse):
    """Each class against all others by a linear machine; of two classes there is one machine.

    With `bayes`, a second machine sees each feature multiplied by the logarithm of how much more often it is in the
    class than elsewhere, and the mean of both counts: the first is better on long texts, the second on short ones.

    Args:
        C: What a row on the wrong side costs, above 0.
        bayes: Whether there is a second machine.
        random_state: Where the order in which rows are looked at begins.

    Attributes:
        classes_: The classes in order; shape (classes,).
        n_features_in_: How many features there are.
        coef_: Weights; shape (classes, features), or (1, features) of two classes.
        intercept_: Shape (classes,) or (1,).
    """

    def __init__(self, *, C: float = 0.5, bayes: bool = True, random_state: int = 0) -> None:  # noqa: N803
        self.C = C
        self.bayes = bayes
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> Self:  # noqa: N803 - scikit-learn's name
        """Learn from rows and their classes.

        Args:
            X: Sparse or not; shape (rows, features).
            y: The class of each row; shape (rows,).

        Raises:
            ValueError: C is not above 0, or there is only one class.
        """
        rows, codes = _checked(self, X, y, self.C)
        count = len(self.classes_)
        marks = [codes == 1] if count == 2 else [codes == code for code in range(count)]
        machines = [self._machine(rows, mark) for mark in marks]
        self.coef_ = np.array([weights for weights, _ in machines])
        self.intercept_ = np.array([intercept for _, intercept in machines])
        return self

    def decision_function(self, X: Any) -> Floats:  # noqa: N803 - scikit-learn's name
        """How far each row is on the side of each class; of two, above 0 for the second, and of shape (rows,)."""
        values = _values(self, X)
        return values[:, 0] if len(self.classes_) == 2 else values

    def predict(self, X: Any) -> Any:  # noqa: N803 - scikit-learn's name
        """The class of each row; shape (rows,)."""
        values = self.decision_function(X)
        best = (values > 0).astype(np.int64) if values.ndim == 1 else values.argmax(axis=1)
        return self.classes_[best]

    def _machine(self, rows: Any, mark: Any) -> tuple[Floats, float]:
        """Weights and intercept that tell marked rows from others."""
        weights, intercept = _solved(rows, mark, self.C, self.random_state)
        if not self.bayes:
            return weights, intercept
        ratios = _ratios(rows, mark)
        weighted = rows @ sparse.diags_array(ratios, format="csr")
        second, other = _solved(weighted, mark, self.C * _BAYES_COST, self.random_state)
        return (weights + second * ratios) / 2, (intercept + other) / 2


class SVMTree(_Sparse):
    """A binary tree of linear machines, which looks at distances of classes to find its form.

    A chain takes one class off at each node, the one that lies farthest from its nearest class; a balanced tree parts
    the classes of a node into halves. The distance of classes is that of their means, as if the spread within classes
    were the same in all directions: there are far more features than rows.

    Args:
        strategy: `chain` or `balanced`.
        C: What a row on the wrong side costs, above 0.
        random_state: Where the order in which rows are looked at begins.

    Attributes:
        classes_: The classes in order; shape (classes,).
        n_features_in_: How many features there are.
        sides_: Which side of each node each class is on, 1 the first, -1 the second, 0 none; shape (nodes, classes).
        children_: What comes behind the first and the second side of each node; see `separation.children`.
        coef_: Weights of each node; shape (nodes, features).
        intercept_: Shape (nodes,).
    """

    def __init__(self, *, strategy: str = "balanced", C: float = 0.5, random_state: int = 0) -> None:  # noqa: N803
        self.strategy = strategy
        self.C = C
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> Self:  # noqa: N803 - scikit-learn's name
        """Learn from rows and their classes; arguments and errors are those of `LinearSVM.fit`."""
        if self.strategy not in STRATEGIES:
            raise ValueError(f"strategy is {self.strategy!r}, and must be one of {', '.join(STRATEGIES)}")
        rows, codes = _checked(self, X, y, self.C)
        count = len(self.classes_)
        nodes = tree(_distances(rows, codes, count), self.strategy)
        self.sides_, self.children_ = sides(nodes, count), children(nodes)
        found = []
        for side in self.sides_:
            part = side[codes]
            found.append(_solved(rows[part != 0], part[part != 0] > 0, self.C, self.random_state))
        self.coef_ = np.array([weights for weights, _ in found])
        self.intercept_ = np.array([intercept for _, intercept in found])
        return self

    def decision_function(self, X: Any) -> Floats:  # noqa: N803 - scikit-learn's name
        """How far each row is on the side of each class: the smallest value of the machines on the way to it.

        Above 0 for the class that is predicted only; of two classes f(x), above 0 for the second; shape (rows,).
        """
        values = _values(self, X)
        values = np.where(values == 0, -np.finfo(np.float64).tiny, values)  # 0 is the second side's, as in `predict`
        if len(self.classes_) == 2:
            return np.asarray(values[:, 0] * self.sides_[0, 1])
        found: Floats = np.full((len(values), len(self.classes_)), np.inf)
        for node, side in enumerate(self.sides_):
            for code in np.flatnonzero(side):
                found[:, code] = np.minimum(found[:, code], side[code] * values[:, node])
        return found

    def predict(self, X: Any) -> Any:  # noqa: N803 - scikit-learn's name
        """The class of each row; shape (rows,)."""
        values = _values(self, X)
        at = np.zeros(len(values), dtype=np.int64)
        for node, pair in enumerate(self.children_):
            here = np.flatnonzero(at == node)
            at[here] = np.where(values[here, node] > 0, *pair)
        return self.classes_[-1 - at]


def evidence(model: Any) -> Floats | None:
    """What each feature says for each class; shape (classes, features). None of a model that has no linear weights.

    Of a tree it is the mean over the machines on the way to the class.
    """
    weights = getattr(model, "coef_", None)
    if not isinstance(weights, np.ndarray) or weights.ndim != 2:
        return None
    if isinstance(model, SVMTree):
        on = model.sides_.T.astype(np.float64)
        return np.asarray(on @ weights / np.abs(on).sum(axis=1, keepdims=True))
    if len(weights) == len(model.classes_):
        return np.asarray(weights - weights.mean(axis=0))
    return np.concatenate([-weights, weights]) if len(weights) == 1 and len(model.classes_) == 2 else None


def _checked(model: Any, given: Any, labels: Any, cost: float) -> tuple[Any, Ints]:
    """Rows as a sparse matrix, and the place of the class of each."""
    if not 0 < cost < np.inf:
        raise ValueError(f"C is {cost!r}, and must be a number above 0")
    found, classes = validate_data(model, given, labels, accept_sparse="csr", dtype=np.float64)
    check_classification_targets(classes)
    model.classes_, codes = np.unique(classes, return_inverse=True)
    if len(model.classes_) < 2:
        raise ValueError("the rows are of 1 class, and there must be 2 at least to tell apart")
    return sparse.csr_array(found), codes


def _values(model: Any, given: Any) -> Floats:
    """The value of each machine; shape (rows, machines)."""
    check_is_fitted(model)
    rows = validate_data(model, given, accept_sparse="csr", dtype=np.float64, reset=False)
    return np.asarray(rows @ model.coef_.T + model.intercept_)


def _solved(rows: Any, mark: Any, cost: float, seed: int) -> tuple[Floats, float]:
    """Weights and intercept of a machine that tells marked rows from others."""
    rows = sparse.csr_matrix((rows.data, rows.indices.astype(np.int32), rows.indptr.astype(np.int32)), rows.shape)
    svm = LinearSVC(C=cost, tol=TOLERANCE, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # of the last digits, which decide nothing
        svm.fit(rows, mark)
    return svm.coef_[0], float(svm.intercept_[0])


def _ratios(rows: Any, mark: Any) -> Floats:
    """Of each feature, the logarithm of its share in marked rows over that in the others; shape (features,)."""
    sizes = abs(rows)
    inside = _SMOOTHING + np.asarray(sizes.T @ mark.astype(np.float64))
    outside = _SMOOTHING + np.asarray(sizes.T @ (~mark).astype(np.float64))
    return np.asarray(np.log((inside / inside.sum()) / (outside / outside.sum())))


def _distances(rows: Any, codes: Ints, count: int) -> Floats:
    """How far apart the means of classes are; shape (classes, classes)."""
    marks = sparse.csr_array((np.ones(len(codes)), (codes, np.arange(len(codes)))), shape=(count, len(codes)))
    means = np.asarray((marks @ rows).todense()) / np.bincount(codes, minlength=count)[:, None]
    inner = means @ means.T
    squares = np.diag(inner)[:, None] + np.diag(inner) - 2 * inner
    return np.asarray(np.sqrt(np.maximum(squares, 0)).round(9))
