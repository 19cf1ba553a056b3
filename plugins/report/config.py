"""The section `report` of the configuration."""

from typing import Annotated

import msgspec
from msgspec import Meta


class ReportConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The report to look at."""

    title: Annotated[str, Meta(description="Its title.")] = "Report"
    funnel: Annotated[
        list[str], Meta(description="Steps of the funnel, as `crm paths funnel` takes them; none without it.")
    ] = msgspec.field(default_factory=list)
    without: Annotated[list[str], Meta(description="Ids of sections that are left out, such as clusters.")] = (
        msgspec.field(default_factory=list)
    )
