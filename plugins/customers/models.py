"""Files of models of classes of customers; how they are stored and believed: `crm.learning.modelfiles`."""

from typing import Any, Final

import msgspec
import skops.io
from sklearn.pipeline import Pipeline

from crm.learning.modelfiles import NoModelError, headed, loaded, signed
from plugins.customers.features import SCALINGS
from plugins.customers.quantify import Quantifier
from plugins.customers.svm_tree import SVMTreeClassifier

FORMAT: Final = 1

TRUSTED: Final = tuple(f"{each.__module__}.{each.__qualname__}" for each in (Quantifier, SVMTreeClassifier))
"""The types of ours that a file may hold."""


class About(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a file says of its model.

    Attributes:
        crm_model: The version of the file's format.
        created: When it was learnt, in UTC, ISO 8601.
        crm: The version of this program that wrote it.
        sklearn: The version of scikit-learn.
        label: The column of the class.
        columns: The features.
        classes: The classes.
        rows: How many rows it was learnt from.
        fingerprint: SHA-256 of them.
        metrics: How good it is, by name.
        sha256: Of all of this, with this field empty, and the model.
    """

    crm_model: int
    created: str
    crm: str
    sklearn: str
    label: str
    columns: tuple[str, ...]
    classes: tuple[str, ...]
    rows: int
    fingerprint: str
    metrics: dict[str, float]
    sha256: str = ""


def packed(about: About, model: Pipeline) -> bytes:
    """A model and what is said of it, as the bytes of a file."""
    body: bytes = skops.io.dumps(model)
    return msgspec.json.encode(signed(about, body)) + b"\n" + body


def unpacked(data: bytes) -> tuple[About, Pipeline]:
    """The model in the bytes of a file, and what is said of it.

    Raises:
        NoModelError: they are no model, or one that cannot be believed.
    """
    head, _, body = data.partition(b"\n")
    about = headed(head, About, "crm_model", FORMAT, "customers classify train")
    if signed(about, body) != about:
        raise NoModelError("is damaged, or was changed after it was written")
    model = loaded(body, TRUSTED)
    if not _fits(model, about):
        raise NoModelError("holds something else than a model of classes")
    return about, model


def _fits(model: Any, about: About) -> bool:
    """Whether it is what we store, and is about the columns and classes that the file says."""
    if not isinstance(model, Pipeline) or [name for name, _ in model.steps] != ["quantify", "scale", "classify"]:
        return False
    quantifier, scaler, svm = (step for _, step in model.steps)
    if not isinstance(quantifier, Quantifier) or not isinstance(svm, SVMTreeClassifier):
        return False
    if type(scaler) not in SCALINGS.values():
        return False
    try:
        return (
            tuple(quantifier.feature_names_in_) == about.columns
            and svm.n_features_in_ == len(about.columns)
            and tuple(svm.classes_.tolist()) == about.classes
            and svm.support_vectors_.shape == (svm.n_support_.sum(), len(about.columns))
            and svm.sides_.shape == (len(about.classes) - 1, len(about.classes))
        )
    except (AttributeError, TypeError):
        return False
