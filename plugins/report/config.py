"""The section `report` of the configuration."""

from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

if TYPE_CHECKING:
    from crm.plugins import PluginHost


class ReportConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The report to look at."""

    title: Annotated[str, Meta(description="Its title.")] = "Report"
    funnel: Annotated[
        list[str], Meta(description="Steps of the funnel, as `crm paths funnel` takes them; none without it.")
    ] = msgspec.field(default_factory=list)
    without: Annotated[list[str], Meta(description="Ids of sections that are left out, such as clusters.")] = (
        msgspec.field(default_factory=list)
    )

    def check(self, _host: "PluginHost") -> None:
        """See whether there are such sections; `crm config check` asks for it.

        Raises:
            Unusable: there are not.
        """
        from plugins.report.sections import sections

        sections(self)
