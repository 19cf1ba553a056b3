"""Sessions by the section of the site in which they begin: an example of a plugin."""

from typing import TYPE_CHECKING

from crm import Column, CommandRef, LogFormat, Miner, Table, hookimpl

if TYPE_CHECKING:
    import msgspec

    from crm.config import Config

crm_hook_api = 1

SECTION_VISITS = Table(
    name="section_visits",
    help="Sessions by the section of their entry page, per day.",
    columns=(
        Column("date", "date", "UTC day on which the sessions begin"),
        Column("section", "string", "beginning of the entry page's path"),
        Column("sessions", "int64", "sessions that begin in this section", unit="sessions"),
        Column("views", "int64", "views of these sessions, anywhere on the site", unit="views"),
    ),
    owner="sections",
)

SHOP_TIMED = LogFormat(
    name="shop_timed",
    syntax="nginx",
    pattern=(
        '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent '
        '"$http_referer" "$http_user_agent" $request_time'
    ),
    help="nginx's combined format, then the time that the request took.",
)


@hookimpl
def register_commands() -> list[CommandRef]:
    """`crm sections list`."""
    return [
        CommandRef("sections", "Where on the site sessions begin."),
        CommandRef("sections list", "List the sections by their sessions.", f"{__name__}.commands:list_sections"),
    ]


@hookimpl
def log_formats() -> list[LogFormat]:
    """The log format of our shop."""
    return [SHOP_TIMED]


@hookimpl
def tables() -> list[Table]:
    """The table that our miner writes."""
    return [SECTION_VISITS]


@hookimpl
def config_sections() -> dict[str, type["msgspec.Struct"]]:
    """The section `sections` of the configuration."""
    from crm_example_plugin.settings import SectionSettings

    return {"sections": SectionSettings}


@hookimpl
def miners(config: "Config") -> list[Miner]:
    """Counts sessions by section whenever `crm logs mine` finds new ones."""
    from crm_example_plugin.mining import section_visits
    from crm_example_plugin.settings import SectionSettings

    depth = config.get("sections", SectionSettings).depth
    return [
        Miner(
            name="sections",
            tables=(SECTION_VISITS.name,),
            mine=lambda sessions, _changed: {SECTION_VISITS.name: section_visits(sessions, depth)},
        )
    ]
