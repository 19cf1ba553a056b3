"""The section `push` of the configuration."""

from typing import Annotated

import msgspec
from msgspec import Meta

from crm.units import Zone


class PushConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What is sent to customers, and how."""

    zone: Annotated[Zone, Meta(description="Time zone of customers of whom none is known, for quiet hours.")] = Zone(
        "UTC"
    )
