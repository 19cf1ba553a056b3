"""Files of models: one line of JSON that says what is in it, and the model as skops stores it, without pickle.

A file is believed only if its digest is right, it holds no types but known ones and those that skops calls safe, and
its parts fit each other. The digest finds damage and careless changes; who can write the file can also make a new
digest.
"""

import hashlib
import warnings
from collections.abc import Collection
from typing import Any, TypeVar

import msgspec
import skops.io


class NoModelError(ValueError):
    """What is read is no model, or one that cannot be believed."""


S = TypeVar("S", bound=msgspec.Struct)


def headed(head: bytes, kind: type[S], field: str, known: int, command: str) -> S:
    """What the first line of a file says of its model.

    Args:
        head: The line.
        kind: What it should be.
        field: The field with the version of the file's format.
        known: The version that can be read.
        command: The command that writes such files, as `customers classify train`.

    Raises:
        NoModelError: it is something else, or of another version.
    """
    try:
        version = msgspec.json.decode(head, type=dict[str, Any]).get(field)
    except (msgspec.DecodeError, UnicodeDecodeError):
        version = None
    if type(version) is not int:
        raise NoModelError(f"is no model that `crm {command}` wrote")
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
