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
    named = {name: _as_stored(name, said) for name, said in consents.items()}
    return {name: replace(each, consent=named.get(name, each.consent)) for name, each in channels.items()}


def _as_stored(name: str, said: str) -> str:
    """The name of a consent as imports and `customers consent` write it: `E-Mail` is `email`.

    Raises:
        Unusable: there is none, or it is the one to all, which no channel can need.
    """
    import polars as pl

    from crm.consents import ANY
    from crm.intake.texts import clean
    from crm.intake.words import channels

    found = channels(clean(pl.Series([said], dtype=pl.String)))[0]
    if not found or found == ANY:
        raise Unusable(f"`push.consents.{name}` names no channel of consents, such as email")
    return str(found)
