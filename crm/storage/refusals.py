"""What an object store, or the system, refuses to Delta Lake, in one sentence."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from crm.errors import Damaged

if TYPE_CHECKING:
    from crm.storage.places import Place

_SYSTEM: Final = re.compile(r"\(os error (\d+)\)")
"""How Delta Lake names what the system has refused."""


@contextmanager
def telling(place: "Place", what: str) -> Iterator[None]:
    """Tell what is refused within the block.

    Args:
        place: Where the lake is.
        what: What it cannot be: read, written.

    Raises:
        Damaged: it has refused something.
    """
    try:
        yield
    except OSError as error:
        system = _SYSTEM.search(str(error))
        if error.errno is not None or (place.options is None and not system):
            raise
        from crm.storage.remote import why

        reason = os.strerror(int(system[1])) if system and place.options is None else why(error)
        raise Damaged(f"the lake {place.name} cannot be {what}: {reason}") from error
