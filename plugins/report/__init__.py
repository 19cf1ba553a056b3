"""The command `report`: one page to look at, made of what other commands print."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from crm.hookspecs import CommandRef, hookimpl

if TYPE_CHECKING:
    import msgspec


@hookimpl
def register_commands() -> Sequence[CommandRef]:
    """The command."""
    return [
        CommandRef("report", "Write a report to look at: one HTML file with charts.", f"{__name__}.command:command")
    ]


@hookimpl
def config_sections() -> "Mapping[str, type[msgspec.Struct]]":
    """The section `report`."""
    from plugins.report.config import ReportConfig

    return {"report": ReportConfig}
