"""Whose lake it is: a workspace that writes to a shared place leaves a mark of its key there.

A lake tells of the ledger of one workspace, run by run. Another one that was given the same place by mistake would mix
its runs in; so it is refused. The mark is the name of an empty file: where two workspaces begin at the same moment,
each sees the other's, takes its own back and is refused, without a lock.
"""

from typing import TYPE_CHECKING, Final

from crm.errors import Unusable

if TYPE_CHECKING:
    from crm.storage.places import Place

FOLDER: Final = "_owner"
"""The folder of the mark, beside those of the tables."""


def check(place: "Place", mark: str) -> bool:
    """Whether a place bears the mark of a workspace.

    Args:
        place: The place.
        mark: What tells the workspace's key from others.

    Raises:
        Unusable: it bears the mark of another, or cannot be read.
    """
    place.reach()
    found = {path.rpartition("/")[2] for path in place.names(FOLDER)}
    if found - {mark}:
        raise Unusable(
            f"the lake in {place.name} belongs to a workspace with another key; give this one a place of its own "
            "(`lake.url`), or a copy of the key of the workspace that it is"
        )
    return bool(found)


def claim(place: "Place", mark: str) -> None:
    """See that a place bears the mark of a workspace, and of no other.

    Raises:
        Unusable: it bears the mark of another, or cannot be written.
    """
    if check(place, mark):
        return
    file = f"{FOLDER}/{mark}"
    place.write(file, b"")
    try:
        check(place, mark)
    except Unusable:
        place.delete([file], folders=True)
        raise
