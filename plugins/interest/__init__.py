"""The group `interest`: what people are interested in."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from crm.hookspecs import CommandRef, Miner, hookimpl
from crm.tables import Table

if TYPE_CHECKING:
    import msgspec

    from crm.config import Config

_COMMANDS: tuple[tuple[str, str, str], ...] = (
    ("interest build", "build:command", "Work out what everybody is interested in, and keep it as a table."),
    ("interest show", "show:command", "Show what somebody is interested in, and why."),
    ("interest export", "export:command", "Export the interests of everybody."),
    ("interest summary", "summary:command", "List what people are interested in, all together."),
    ("interest want", "stances:want", "Store what a customer wants to hear about."),
    ("interest unwant", "stances:unwant", "Store what a customer does not want to hear about."),
    ("interest forget-stance", "stances:forget_stance", "Take back what a customer has said to want, or not."),
)
_GROUPS = (("interest", "Work out what people are interested in."),)


@hookimpl
def register_commands() -> Sequence[CommandRef]:
    """The group and its commands."""
    return [
        *(CommandRef(path, line) for path, line in _GROUPS),
        *(CommandRef(path, line, f"{__name__}.commands.{target}") for path, target, line in _COMMANDS),
    ]


@hookimpl
def tables() -> Sequence[Table]:
    """Behaviour, interests and subscriptions."""
    from crm.interest.contracts import BEHAVIOUR, INTERESTS, SUBSCRIPTIONS

    return [BEHAVIOUR, INTERESTS, SUBSCRIPTIONS]


@hookimpl
def config_sections() -> "Mapping[str, type[msgspec.Struct]]":
    """The section `interest`."""
    from crm.interest.config import InterestConfig

    return {"interest": InterestConfig}


@hookimpl
def miners(config: "Config") -> Sequence[Miner]:
    """The miner of behaviour."""
    from crm.site import SiteConfig
    from plugins.interest.mining import miner_of

    return [miner_of(config.get("site", SiteConfig))]
