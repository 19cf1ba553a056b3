"""What a user may set."""

from typing import Annotated

import msgspec


class SectionSettings(msgspec.Struct, frozen=True):
    """How pages are put into sections."""

    depth: Annotated[int, msgspec.Meta(ge=1, description="Parts of the path that make a section.")] = 1
