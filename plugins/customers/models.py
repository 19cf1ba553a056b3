"""Files of models: one line of JSON that says what is in it, and the model as skops stores it, without pickle.

A file is believed only if its digest is right, it holds no types but ours and those that skops calls safe, and its
parts fit each other. The digest finds damage and careless changes; who can write the file can also make a new digest.
"""

import hashlib
import warnings
from collections.abc import Collection
from typing import Any, Final, TypeVar

import msgspec
import skops.io
from sklearn.pipeline import Pipeline

from plugins.customers.features import SCALINGS
from plugins.customers.quantify import Quantifier
from plugins.customers.svm_tree import SVMTreeClassifier

FORMAT: Final = 1

TRUSTED: Final = tuple(f"{each.__module__}.{each.__qualname__}" for each in (Quantifier, SVMTreeClassifier))
"""The types of ours that a file may hold."""


class NoModelError(ValueError):
    """What is read is no model, or one that cannot be believed."""


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
    about = headed(head, About, "crm_model", FORMAT, "classify train")
    if signed(about, body) != about:
        raise NoModelError("is damaged, or was changed after it was written")
    model = loaded(body, TRUSTED)
    if not _fits(model, about):
        raise NoModelError("holds something else than a model of classes")
    return about, model


S = TypeVar("S", bound=msgspec.Struct)


def headed(head: bytes, kind: type[S], field: str, known: int, command: str) -> S:
    """What the first line of a file says of its model.

    Args:
        head: The line.
        kind: What it should be.
        field: The field with the version of the file's format.
        known: The version that can be read.
        command: The command of `crm customers` that writes such files.

    Raises:
        NoModelError: it is something else, or of another version.
    """
    try:
        version = msgspec.json.decode(head, type=dict[str, Any]).get(field)
    except (msgspec.DecodeError, UnicodeDecodeError):
        version = None
    if type(version) is not int:
        raise NoModelError(f"is no model that `crm customers {command}` wrote")
    if version != known:
        raise NoModelError(f"is a model in format {version}, and this version of the program reads {known}")
    try:
        return msgspec.json.decode(head, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise NoModelError("is damaged, or was changed after it was written") from None


def signed(about: S, body: bytes) -> S:
    """What a file says of its model with the right digest, in its field `sha256`."""
    bare = msgspec.structs.replace(about, sha256="")
    digest = hashlib.sha256(msgspec.json.encode(bare) + b"\n" + body).hexdigest()
    return msgspec.structs.replace(bare, sha256=digest)


def loaded(body: bytes, trusted: Collection[str]) -> Any:
    """What skops finds, once it is known to hold nothing that we do not know.

    Args:
        body: As skops has written it.
        trusted: Types that it may hold besides those that skops calls safe.

    Raises:
        NoModelError: it holds others, or cannot be read.
    """
    try:
        unknown = set(skops.io.get_untrusted_types(data=body)) - set(trusted)
        if unknown:
            raise NoModelError(f"holds types that no model of ours has: {', '.join(sorted(unknown))}")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of another version of scikit-learn; the arrays mean the same
            return skops.io.loads(body, trusted=list(trusted))
    except NoModelError:
        raise
    except Exception as error:  # whatever a file that was made up makes skops stumble over
        raise NoModelError(f"cannot be read: {type(error).__name__}") from None


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
