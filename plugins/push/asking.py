"""A campaign's file -> what it names, looked up: members of segments and tiers, channels, the recommender."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Final

import polars as pl

from crm import segments
from crm.catalog import SEPARATOR
from crm.consents import agreed
from crm.errors import Unusable, UsageError
from crm.filters import matching, wrong
from crm.nearest import did_you_mean
from crm.parameters import made
from crm.people import owners
from crm.structs import MistakeError
from plugins.push.audience import Way
from plugins.push.campaign import known as check_known
from plugins.push.candidates import Asked
from plugins.push.composing import templates_of
from plugins.push.pool import CATEGORIES
from plugins.push.tier_config import TIER
from plugins.push.ways import channels_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crm.app import App
    from crm.hookspecs import Channel
    from crm.recommending import Recommender
    from crm.workspace import Workspace
    from plugins.push.campaign import Campaign
    from plugins.push.loading import Known

_WHERE: Final = "region = '广东' and sex = 'f'"


def asked(app: "App", campaign: "Campaign", said: str, at: datetime, known: "Known") -> Asked:
    """Look up what a campaign names.

    Args:
        app: The run of the program.
        campaign: The campaign.
        said: Its file, for what is said of mistakes.
        at: As of which moment.
        known: What the workspace knows.

    Raises:
        Unusable: it names something that is not there; the nearest is named.
        UsageError: its condition is none.
    """
    from plugins.push.config import PushConfig

    check_known(said, "template", [campaign.template], sorted({name for name, *_ in templates_of(app).known()}))
    _warn_of_items(app, campaign, said, known.items)
    zone = app.config.get("push", PushConfig).zone
    workspace = app.workspace()
    begins = campaign.send_at.at(zone, at) if campaign.send_at is not None else at
    return Asked(
        campaign,
        at,
        max(at, begins),
        _ways(workspace, campaign, said, channels_of(app), known),
        _members(workspace, said, "segment", [campaign.segment] if campaign.segment else []),
        _members(workspace, said, "tier", campaign.tier),
        _where(app, campaign, said, known.customers),
        zone,
        workspace.key,
        _recommender(app, campaign, said),
    )


def _warn_of_items(app: "App", campaign: "Campaign", said: str, items: pl.DataFrame) -> None:
    """Say what of the campaign's part of the catalogue is not there: today, or because it is misspelt."""
    part = campaign.items
    categories = pl.concat([items[name] for name in CATEGORIES]).drop_nulls().unique().sort().to_list()
    tags = items["tags"].explode().drop_nulls().unique().sort().to_list()
    for key, thing, names, there in (
        ("categories", "category", [each.strip(SEPARATOR) for each in part.categories], categories),
        ("tags", "tag", part.tags, tags),
        ("ids", "item", part.ids, items["item"].to_list()),
    ):
        for name in names:
            if name not in there:
                near = did_you_mean(name, there)
                app.warn(f"{said}: `items.{key}`: the catalogue has no {thing} `{name}`{near}")


def _ways(
    workspace: "Workspace", campaign: "Campaign", said: str, channels: "Mapping[str, Channel]", known: "Known"
) -> tuple[Way, ...]:
    check_known(said, "channels", campaign.channels, channels)
    names = campaign.channels or tuple(sorted(channels))
    return tuple(
        Way(
            name,
            agreed(known.consents, channels[name].consent or name),
            _reached(workspace, channels[name].field),
        )
        for name in names
    )  # fmt: skip


def _reached(workspace: "Workspace", field: str | None) -> pl.Series | None:
    """Who has an address; it is looked at without being opened."""
    if field is None:
        return None
    table = workspace.records.table("customers")
    if field not in table.c:
        raise Unusable(f"a channel needs the field `{field}` of customers, and there is none")
    has = table.c[field].is_not(None) & (table.c[field] != "")
    return workspace.records.frame("customers", columns=["customer"], where=has)["customer"]


def _members(workspace: "Workspace", said: str, key: str, names: "Iterable[str]") -> pl.Series | None:
    """The customers in one of some segments, or tiers; None without any."""
    names = list(names)
    if not names:
        return None
    rows = workspace.records.frame(segments.SEGMENT_MEMBERS.name)
    tier = rows["segment"].str.starts_with(TIER)
    mine = rows.filter(tier).with_columns(pl.col("segment").str.strip_prefix(TIER)) if key == "tier" else rows
    there = mine if key == "tier" else rows.filter(~tier)
    check_known(said, key, names, there["segment"].unique().sort())
    people = mine.filter(pl.col("segment").is_in(names))["who"]
    found = owners(workspace, people)["who"].unique()
    return found.alias("customer")


def _where(app: "App", campaign: "Campaign", said: str, customers: pl.DataFrame) -> pl.Series | None:
    """Who fulfils the condition, which sees personal columns masked; None without one."""
    if campaign.where is None:
        return None
    name = f"{said}: `where`"
    try:
        found = matching(app, customers.lazy(), campaign.where, name, _WHERE).select("customer").collect()
    except pl.exceptions.PolarsError as error:
        raise UsageError(wrong(error, name)) from error
    if found.is_empty() and not customers.is_empty():
        app.note(f"{name} is true of nobody; personal fields, ids too, are masked in it: a segment can name people")
    return found["customer"]


def _recommender(app: "App", campaign: "Campaign", said: str) -> "Recommender":
    """The recommender that the campaign names, with its parameters."""
    algorithms = app.host.recommenders()
    check_known(said, "algorithm", [campaign.algorithm], algorithms)
    try:
        return made(algorithms[campaign.algorithm], campaign.parameters, "parameters")
    except MistakeError as mistake:
        raise Unusable(f"{said}: {mistake}") from None
    except (TypeError, ValueError) as error:
        raise Unusable(f"{said}: `parameters`: {campaign.algorithm} does not take them: {error}") from error
