"""Which channels promise a receipt, and how soon."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from crm.units import Duration

if TYPE_CHECKING:
    from crm.hookspecs import Channel
    from plugins.push.config import PushConfig

WITHIN: Final = Duration(minutes=10)
"""How soon a message that was pulled is to be acknowledged, unless the configuration says otherwise."""


def promised(config: "PushConfig", channels: "Mapping[str, Channel]") -> dict[str, Duration]:
    """How soon messages are to be acknowledged, by channel; those of other channels need not be."""
    waiting = {name: WITHIN for name, each in channels.items() if each.open is None}
    return waiting | config.acknowledge_within
