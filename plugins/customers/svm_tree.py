"""More than two classes by a binary tree of support vector machines.

Sources: support vector machines: Cortes and Vapnik (1995), "Support-vector networks", solved by LIBSVM, Chang and Lin
(2011); the tree: `crm.learning.separation`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.svm import SVC
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from crm.learning.separation import STRATEGIES, Floats, Ints, children, distances, sides, tree

KERNELS: Final = ("linear", "rbf")

TOLERANCE: Final = 1e-6
"""How exactly a machine is solved: four decimals of its weights are right."""

_CELLS: Final = 4_000_000
"""Of how many pairs of a row and a support vector the kernel is held in memory at once."""


@dataclass(frozen=True)
class Machine:
    """One support vector machine of a tree, as it is learnt: f(x) = sum of dual * k(vector, x) + intercept.

    Attributes:
        vectors: Its support vectors; shape (vectors, features).
        dual: Their weights; shape (vectors,).
        intercept: b.
    """

    vectors: Floats
    dual: Floats
    intercept: float


class SVMTreeClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Tells classes apart by a binary tree of support vector machines, one at each node.

    A chain takes one class off at each node, the one that lies farthest from its nearest class; a balanced tree parts
    the classes of a node into halves. Two classes need one machine, whatever the strategy. A machine takes the first
    side where f(x) > 0, else the second.

    Args:
        strategy: `chain` or `balanced`.
        kernel: `linear`, or `rbf`: exp(-gamma |x - y|^2).
        C: What a row on the wrong side costs, above 0.
        gamma: Of `rbf`: a number above 0; `scale` for 1 / (features * variance of all values), `auto` for
            1 / features. One value holds for the whole tree.

    Attributes:
        classes_: The classes in order; shape (classes,).
        n_features_in_: How many features there are.
        gamma_: The gamma that was used.
        sides_: Which side of each node each class is on, 1 the first, -1 the second, 0 none; shape (nodes, classes).
            A node comes before those below it.
        children_: What comes behind the first and the second side of each node: the number of another node, or
            -1 - the number of a class; shape (nodes, 2).
        n_support_: How many support vectors each node has; shape (nodes,).
        support_vectors_: The support vectors, node after node; shape (sum of n_support_, features).
        dual_coef_: Their weights; shape (sum of n_support_,).
        intercept_: b of each node; shape (nodes,).
        n_rows_: How many rows each node has learnt from; shape (nodes,).
    """

    def __init__(
        self,
        *,
        strategy: str = "chain",
        kernel: str = "linear",
        C: float = 1.0,  # noqa: N803 - the name it has everywhere
        gamma: float | str = "scale",
    ) -> None:
        self.strategy = strategy
        self.kernel = kernel
        self.C = C
        self.gamma = gamma

    def fit(self, X: Any, y: Any) -> Self:  # noqa: N803 - scikit-learn's name
        """Learn from rows and their classes.

        Args:
            X: Numbers of shape (rows, features).
            y: The class of each row; shape (rows,).

        Raises:
            ValueError: a parameter is wrong, there is only one class, or a value is missing or no number.
        """
        self._check()
        points, labels = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(labels)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError("the rows are of 1 class, and there must be 2 at least to tell apart")
        self.gamma_ = self._gamma(points)
        nodes = tree(distances(points, codes, len(self.classes_)), self.strategy)
        self.sides_, self.children_ = sides(nodes, len(self.classes_)), children(nodes)
        parts = [self.sides_[:, codes][node] for node in range(len(nodes))]
        self._keep([self._machine(points[part != 0], part[part != 0]) for part in parts])
        self.n_rows_ = np.array([np.count_nonzero(part) for part in parts])
        return self

    def predict(self, X: Any) -> Any:  # noqa: N803 - scikit-learn's name
        """The class of each row; shape (rows,). A row asks only the machines on its way down the tree."""
        check_is_fitted(self)
        points = validate_data(self, X, dtype=np.float64, reset=False)
        at = np.zeros(len(points), dtype=np.int64)
        for node, machine in enumerate(self.machines()):
            here = np.flatnonzero(at == node)
            at[here] = np.where(self._values(machine, points[here]) > 0, *self.children_[node])
        return self.classes_[-1 - at]

    def decision_function(self, X: Any) -> Floats:  # noqa: N803 - scikit-learn's name
        """How far each row is on the side of each class.

        Returns:
            Of two classes f(x), above 0 for the second one; shape (rows,). Of more, for each class the smallest value
            of the machines on the way to it, above 0 for the class that is predicted only; shape (rows, classes).
        """
        check_is_fitted(self)
        points = validate_data(self, X, dtype=np.float64, reset=False)
        if len(self.classes_) == 2:
            return self._values(next(self.machines()), points)
        found: Floats = np.full((len(points), len(self.classes_)), np.inf)
        for side, machine in zip(self.sides_, self.machines(), strict=True):
            values = self._values(machine, points)
            values = np.where(values == 0, -np.finfo(np.float64).tiny, values)  # 0 is the second side's, as in predict
            for code in np.flatnonzero(side):
                found[:, code] = np.minimum(found[:, code], side[code] * values)
        return found

    def machines(self) -> Iterator[Machine]:
        """The machines, in the order of the nodes."""
        ends = np.cumsum(self.n_support_)
        for start, end, intercept in zip(ends - self.n_support_, ends, self.intercept_, strict=True):
            yield Machine(self.support_vectors_[start:end], self.dual_coef_[start:end], float(intercept))

    def _check(self) -> None:
        """See that parameters make sense."""
        for name, known in (("strategy", tuple(STRATEGIES)), ("kernel", KERNELS)):
            if getattr(self, name) not in known:
                raise ValueError(f"{name} is {getattr(self, name)!r}, and must be one of {', '.join(known)}")
        if not 0 < self.C < np.inf:
            raise ValueError(f"C is {self.C!r}, and must be a number above 0")
        if self.gamma not in ("scale", "auto") and not (not isinstance(self.gamma, str) and 0 < self.gamma < np.inf):
            raise ValueError(f"gamma is {self.gamma!r}, and must be a number above 0, scale or auto")

    def _gamma(self, points: Floats) -> float:
        if not isinstance(self.gamma, str):
            return float(self.gamma)
        variance = float(points.var()) if self.gamma == "scale" else 1.0
        return 1 / (points.shape[1] * variance) if variance else 1.0

    def _machine(self, points: Floats, side: Ints) -> Machine:
        """Learn to tell rows of side 1 from those of side -1."""
        svm = SVC(kernel=self.kernel, C=self.C, gamma=self.gamma_, tol=TOLERANCE, cache_size=400).fit(points, side)
        return Machine(svm.support_vectors_, svm.dual_coef_[0], float(svm.intercept_[0]))

    def _keep(self, machines: list[Machine]) -> None:
        """Keep machines as plain arrays, which can be stored without any code in them."""
        self.n_support_ = np.array([len(machine.vectors) for machine in machines])
        self.support_vectors_ = np.concatenate([machine.vectors for machine in machines])
        self.dual_coef_ = np.concatenate([machine.dual for machine in machines])
        self.intercept_ = np.array([machine.intercept for machine in machines])

    def _values(self, machine: Machine, points: Floats) -> Floats:
        """The value f(x) of each row; shape (rows,)."""
        if self.kernel == "linear":
            return np.asarray(points @ (machine.dual @ machine.vectors) + machine.intercept)
        found = np.empty(len(points))
        step = max(1, _CELLS // max(1, len(machine.vectors)))
        for start in range(0, len(points), step):
            block = points[start : start + step]
            kernel = np.exp(-self.gamma_ * _squares(block, machine.vectors))
            found[start : start + step] = kernel @ machine.dual + machine.intercept
        return found


def _squares(points: Floats, vectors: Floats) -> Floats:
    """The squared distance of each row and each vector; shape (rows, vectors)."""
    lengths = (points**2).sum(axis=1)[:, None] + (vectors**2).sum(axis=1)
    return np.asarray(np.maximum(lengths - 2 * points @ vectors.T, 0))
