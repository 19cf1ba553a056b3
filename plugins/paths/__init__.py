"""The group `paths`: which pages people view, and how they go from one to the next."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from crm.hookspecs import CommandRef, Miner, hookimpl
from crm.tables import Table

if TYPE_CHECKING:
    import msgspec

    from crm.config import Config

_COMMANDS = (
    ("pages", "List pages with views, sessions, entries, exits and time on page."),
    ("transitions", "List the steps from page to page with their probability."),
    ("top", "List the most frequent paths of sessions."),
    ("flows", "List on which pages sessions begin and end."),
    ("views", "List the views of sessions in order, logged or inferred."),
    ("funnel", "Count how many sessions go how far along some steps."),
    ("patterns", "Find the sequences of pages that many sessions share."),
    ("itemsets", "Find the sets of pages that many sessions share."),
    ("rules", "Find which pages imply which others in a session."),
    ("next", "Predict the next page from the last ones."),
    ("evaluate", "Measure how well the next page is predicted."),
    ("clusters", "Group sessions, visitors or pages that are alike."),
    ("times", "Count hits and visits by hour and weekday, or list time on page."),
    ("suggest-links", "Suggest links that would save clicks."),
)


@hookimpl
def register_commands() -> Sequence[CommandRef]:
    """The group and its commands."""
    group = CommandRef("paths", "Mine the paths of sessions.")
    return [
        group,
        *(
            CommandRef(f"paths {name}", line, f"{__name__}.commands.{name.replace('-', '_')}:command")
            for name, line in _COMMANDS
        ),
    ]


@hookimpl
def tables() -> Sequence[Table]:
    """Pages, transitions and top paths by date; patterns and rules of the newest sessions."""
    from plugins.paths.contracts import TABLES

    return TABLES


@hookimpl
def config_sections() -> "Mapping[str, type[msgspec.Struct]]":
    """The section `paths`."""
    from plugins.paths.config import PathsConfig

    return {"paths": PathsConfig}


@hookimpl
def miners(config: "Config") -> Sequence[Miner]:
    """The miners of these tables."""
    from plugins.paths.config import PathsConfig
    from plugins.paths.refresh import miners_of

    return miners_of(config.get("paths", PathsConfig))
