"""The channels that there are, with the consents that the configuration says they need."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from crm.errors import Unusable
from crm.nearest import did_you_mean, one_of

if TYPE_CHECKING:
    from crm.app import App
    from crm.hookspecs import Channel


def channels_of(app: "App") -> "Mapping[str, Channel]":
    """All channels by name.

    Raises:
        Unusable: `push.consents` names a channel that there is not.
    """
    from plugins.push.config import PushConfig

    channels, consents = app.host.push_channels(), app.config.get("push", PushConfig).consents
    for name in consents:
        if name not in channels:
            raise Unusable(
                f"`push.consents`: no channel `{name}`{did_you_mean(name, channels)}; there are: {one_of(channels)}"
            )
    return {name: replace(each, consent=consents.get(name, each.consent)) for name, each in channels.items()}
