"""Files of models of churn: a line of JSON with all that is plain, and the boosting as skops stores it, without pickle.

As `crm.learning.modelfiles` says, a file is believed only if its digest is right, it holds no types but those that such
a model has, and its parts fit each other.
"""

import hashlib
from collections.abc import Sequence
from typing import Any, Final, Literal

import msgspec
import numpy as np
import skops.io
from sklearn.ensemble import HistGradientBoostingClassifier

from crm.learning.modelfiles import NoModelError, headed, loaded, signed
from crm.learning.separation import Floats, Ints
from plugins.customers.churn import CANDIDATES, Churn, Line
from plugins.customers.churn_features import Feature, owners

FORMAT: Final = 1

TRUSTED: Final = (
    "functools.partial",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.utils.validation.check_array",
)
"""What a boosting consists of that skops does not call safe by itself: its trees, and a check of its input."""


class AboutChurn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a file says of its model, and all of it but the boosting.

    Attributes:
        crm_churn: The version of the file's format.
        created: When it was learnt, in UTC, ISO 8601.
        crm: The version of this program that wrote it.
        sklearn: The version of scikit-learn.
        source: Whether it was learnt from the workspace or a file.
        told: What churn means: the label and its value, or the horizon.
        as_of: The cut-off, of a model of the workspace.
        horizon_days: In how many days behind it nobody who stays is without an order.
        active_days: In how many days before it a customer has ordered.
        features: What it looks at.
        weights: Of the logistic regression.
        intercept: Of the logistic regression.
        lines: Slope and offset that calibrate each candidate.
        chosen: Which candidate counts.
        rows: How many rows it was learnt from.
        churned: How many of them had churned.
        fingerprint: SHA-256 of them.
        metrics: How good it is, by cross-validation.
        sha256: Of all of this, with this field empty, and the boosting.
    """

    crm_churn: int
    created: str
    crm: str
    sklearn: str
    source: Literal["workspace", "file"]
    told: str
    as_of: str
    horizon_days: float
    active_days: float
    features: tuple[Feature, ...]
    weights: tuple[float, ...]
    intercept: float
    lines: dict[str, tuple[float, float]]
    chosen: Literal["logistic", "boosting", "average"]
    rows: int
    churned: int
    fingerprint: str
    metrics: dict[str, float]
    sha256: str = ""


def packed(about: AboutChurn, boosting: Any) -> bytes:
    """A model as the bytes of a file."""
    body: bytes = skops.io.dumps(boosting)
    return msgspec.json.encode(signed(about, body)) + b"\n" + body


def unpacked(data: bytes) -> tuple[AboutChurn, Churn]:
    """The model in the bytes of a file, and what is said of it.

    Raises:
        NoModelError: they are no model, or one that cannot be believed.
    """
    head, _, body = data.partition(b"\n")
    about = headed(head, AboutChurn, "crm_churn", FORMAT, "customers churn train")
    if signed(about, body) != about:
        raise NoModelError("is damaged, or was changed after it was written")
    boosting = loaded(body, TRUSTED)
    if not _fits(about, boosting):
        raise NoModelError("holds something else than a model of churn")
    lines = {name: Line(*pair) for name, pair in about.lines.items()}
    weights = np.asarray(about.weights)
    return about, Churn(about.features, weights, about.intercept, boosting, lines, about.chosen)


def _fits(about: AboutChurn, boosting: Any) -> bool:
    """Whether the boosting is one of these features, and the rest is as long as it should be."""
    try:
        return (
            isinstance(boosting, HistGradientBoostingClassifier)
            and boosting.n_features_in_ == len(about.features)
            and boosting.classes_.tolist() == [0, 1]
            and len(about.weights) == len(owners(about.features))
            and set(about.lines) == set(CANDIDATES)
            and all(len(each.shares) == len(each.words) for each in about.features)
            and all(_is_tree(each.nodes, len(about.features)) for turn in boosting._predictors for each in turn)
        )
    except (AttributeError, TypeError, ValueError):
        return False


def _is_tree(nodes: Any, features: int) -> bool:
    """Whether a tree's nodes lead to nodes behind them and ask for features that there are: its walk ends, and inside.

    The trees are walked by compiled code that looks neither at lengths nor for circles.
    """
    inner = nodes[nodes["is_leaf"] == 0]
    at = np.flatnonzero(nodes["is_leaf"] == 0)
    below = all(((inner[side] > at) & (inner[side] < len(nodes))).all() for side in ("left", "right"))
    asked = inner["feature_idx"]
    return bool(len(nodes) and below and ((asked >= 0) & (asked < features)).all())


def fingerprint(features: Sequence[Feature], values: Floats, labels: Ints) -> str:
    """SHA-256 of what was learnt from: names and words of features, their values, and who churned."""
    digest = hashlib.sha256(msgspec.json.encode([(each.name, each.kind, each.words) for each in features]))
    digest.update(np.ascontiguousarray(values, dtype="<f8").tobytes())
    digest.update(labels.astype("<i8").tobytes())
    return digest.hexdigest()
