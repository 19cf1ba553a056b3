"""What people have done, as events: views, searches, carts, orders, and what became of messages.

`events` are counts by day, of which interests are made; `interactions` are single events with their times, of items,
of which recommenders learn. Whose an event is, and which item a page is of, is looked up when they are read.
"""

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

import polars as pl

from crm.feedback import FEEDBACK
from crm.identities import current_ids
from crm.interest.config import InterestConfig
from crm.interest.contracts import BEHAVIOUR, KINDS
from crm.interest.orders import ORDERS, orders
from crm.outbox import OUTBOX
from crm.people import whose
from crm.site import SiteConfig
from crm.whose import all_ids

if TYPE_CHECKING:
    import sqlalchemy as sa

    from crm.app import App
    from crm.workspace import Workspace

SECTION: Final = "interest"
SESSIONS: Final = "sessions"
_CODE: Final = pl.Categorical()
_KIND: Final = pl.Enum(KINDS)
_TIME: Final = pl.Datetime("us", "UTC")
_MINUTE: Final = 60.0

EVENTS: Final = {
    "who": _CODE,
    "date": pl.Date(),
    "kind": _KIND,
    "item": _CODE,
    "category": _CODE,
    "term": _CODE,
    "what": _CODE,
    "count": pl.Float64(),
}
"""Columns of `events`: `what` is the page, the term, the order or the message."""

INTERACTIONS: Final = {
    "who": pl.String(),
    "item": pl.String(),
    "kind": pl.String(),
    "ts": _TIME,
    "weight": pl.Float64(),
}
_SINGLE: Final = {name: kind for name, kind in INTERACTIONS.items() if name != "weight"} | {"count": pl.Float64()}


def settings(app: "App") -> InterestConfig:
    """The section `interest`; its defaults where the plugin that has it is not loaded."""
    section = app.config.sections.get(SECTION)
    return section if isinstance(section, InterestConfig) else InterestConfig()


def newest(app: "App") -> date | None:
    """The UTC date of the newest event of anybody; None if there is none."""
    import sqlalchemy as sa

    workspace = app.workspace()
    found: list[date] = []
    if BEHAVIOUR.name in app.tables:
        files = workspace.lake.files(BEHAVIOUR.name).filter(pl.col("rows") > 0)
        found += files["date"].drop_nulls().to_list()
    with workspace.records.engine.connect() as connection:
        for name in (ORDERS, FEEDBACK.name):
            if name in app.tables:
                last = connection.execute(sa.select(sa.func.max(workspace.records.table(name).c.ts))).scalar()
                found += [last.date()] if isinstance(last, datetime) else []
    return max(found, default=None)


def events(app: "App", items: pl.DataFrame, as_of: date | None = None, who: str | None = None) -> pl.DataFrame:
    """All that people have done, by day; see `EVENTS`.

    Args:
        app: The run of the program.
        items: The catalogue as `crm.catalog.items` gives it.
        as_of: Nothing later counts: neither events nor returns; None for all.
        who: Of this one alone, as `crm.people.whose` names people; None for everybody.
    """
    workspace = app.workspace()
    parts = [pl.DataFrame(schema=EVENTS)]
    if BEHAVIOUR.name in app.tables:
        parts += _behaviour(app, workspace, as_of, who)
    ids = _ids(app, workspace, who)
    if ORDERS in app.tables:
        parts.append(_by_day(orders(workspace, items, _behind(as_of), ids)))
    if FEEDBACK.name in app.tables:
        parts.append(_by_day(_feedback(workspace, as_of, ids)))
    return pl.concat(parts)


def _ids(app: "App", workspace: "Workspace", who: str | None) -> list[str] | None:
    """All ids that a customer has had."""
    if who is None:
        return None
    if "identities" not in app.tables:
        return [who]
    with workspace.records.engine.connect() as connection:
        return all_ids(workspace, connection, who)


def _behind(as_of: date | None) -> datetime | None:
    """The first moment that does not count."""
    return None if as_of is None else datetime.combine(as_of + timedelta(days=1), time())


def _by_day(rows: pl.DataFrame) -> pl.DataFrame:
    """Single events (`who`, `ts`, `kind`, `item`, `category`, `what`, `count`) as `EVENTS`."""
    named = rows.with_columns(pl.col("ts").dt.date().alias("date"), pl.lit(None, dtype=pl.String).alias("term"))
    return named.select(pl.col(name).cast(kind) for name, kind in EVENTS.items())


def people(workspace: "Workspace", table: str = BEHAVIOUR.name) -> pl.DataFrame:
    """Whose the rows of a table of the web site are: `visitor`, `customer` (the login), `who`, each pair once."""
    pairs = workspace.scan(table).select("visitor", "customer").unique().collect()
    return whose(workspace, pairs.sort("visitor", "customer"))


def _behaviour(app: "App", workspace: "Workspace", as_of: date | None, who: str | None) -> list[pl.DataFrame]:
    """Counts by day of what was viewed, looked for and put into the cart, and the minutes on pages."""
    named = people(workspace)
    named = named if who is None else named.filter(who=who)
    rows = workspace.scan(BEHAVIOUR.name)
    rows = rows if as_of is None else rows.filter(pl.col("date") <= as_of)
    found = (
        rows.join(named.with_columns(pl.col("who").cast(_CODE)).lazy(), on=["visitor", "customer"], nulls_equal=True)
        .select("who", "date", pl.col("kind", "what").cast(_CODE), pl.col("count").cast(pl.Float64), "dwell_s")
        .collect()
    )
    things = _things(app.config.get("site", SiteConfig), found)
    found = found.join(things, on=["kind", "what"])
    minutes = found.filter(kind="view").filter(pl.col("dwell_s") > 0)
    minutes = minutes.with_columns(pl.lit("dwell", dtype=_KIND).alias("kind"), pl.col("dwell_s") / _MINUTE)
    return [
        found.select(pl.col(name).cast(kind) for name, kind in EVENTS.items()),
        minutes.drop("count")
        .rename({"dwell_s": "count"})
        .select(pl.col(name).cast(kind) for name, kind in EVENTS.items()),
    ]


def _things(site: SiteConfig, rows: pl.DataFrame) -> pl.DataFrame:
    """Each distinct `kind` and `what`, and the `item` and `category` of a page, or the `term`."""
    known = rows.select("kind", "what").unique()
    texts = known["what"].cast(pl.String)
    term = (known["kind"].cast(pl.String) == "search").alias("is_term")
    nothing = pl.lit(None, dtype=pl.String)
    named = known.with_columns(
        term, texts.alias("text"), site.item_of(texts).alias("item"), site.category_of(texts).alias("category")
    )
    return named.select(
        "kind",
        "what",
        pl.when("is_term").then(nothing).otherwise("item").cast(_CODE).alias("item"),
        pl.when("is_term").then(nothing).otherwise("category").cast(_CODE).alias("category"),
        pl.when("is_term").then("text").otherwise(nothing).cast(_CODE).alias("term"),
    )


def _feedback(workspace: "Workspace", as_of: date | None, ids: list[str] | None) -> pl.DataFrame:
    """What customers have done with messages: each event of an item, or in equal shares of all items of the message."""
    table = workspace.records.table(FEEDBACK.name)
    where = _until(table, table.c.event.in_(KINDS), as_of, ids)
    columns = ["message", "event", "ts", "item", "customer"]
    rows = workspace.records.frame(FEEDBACK.name, columns=columns, where=where)
    rows = rows.filter(pl.col("customer").is_not_null(), pl.col("ts").is_not_null()).with_columns(
        pl.when(pl.col("item") != "").then("item").alias("item"), current_ids(workspace, rows["customer"]).alias("who")
    )
    whole = rows.filter(pl.col("item").is_null()).drop("item").join(_items_of_messages(workspace, rows), on="message")
    shared = whole.with_columns((1 / pl.col("item").list.len()).alias("count")).explode("item", empty_as_null=True)
    single = rows.filter(pl.col("item").is_not_null()).with_columns(pl.lit(1.0).alias("count"))
    return pl.concat([single, shared.select(single.columns)]).select(
        "who",
        "ts",
        pl.col("event").alias("kind"),
        "item",
        pl.lit(None, dtype=pl.String).alias("category"),
        pl.col("message").alias("what"),
        "count",
    )


def _until(
    table: "sa.Table", where: "sa.ColumnElement[bool]", as_of: date | None, ids: list[str] | None
) -> "sa.ColumnElement[bool]":
    if ids is not None:
        where = where & table.c.customer.in_(ids)
    behind = _behind(as_of)
    return where if behind is None else where & (table.c.ts < behind)


def _items_of_messages(workspace: "Workspace", rows: pl.DataFrame) -> pl.DataFrame:
    """The items of the messages of which rows of feedback name none: `message`, `item` (a list that is not empty)."""
    asked = rows.filter(pl.col("item").is_null()).select("message").unique()
    if not asked.height or OUTBOX.name not in workspace.tables:
        return pl.DataFrame(schema={"message": pl.String, "item": pl.List(pl.String)})
    known = workspace.records.frame(OUTBOX.name, columns=["message", "items"]).join(asked, on="message", how="semi")
    found = known.select("message", pl.col("items").str.json_decode(pl.List(pl.String)).alias("item"))
    return found.filter(pl.col("item").list.len() > 0)


def interactions(app: "App", as_of: date | None = None) -> pl.DataFrame:
    """Single events of items, for recommenders, in order of time.

    A cart has the time of the last view of its page in the sessions of that day. `weight` is that of the kind in the
    configuration, so it is negative for what was dismissed; a message about n items counts for each with a share of it.

    Args:
        app: The run of the program.
        as_of: Nothing later; None for all.

    Returns:
        `who`, `item`, `kind` (view, cart, order, opened, clicked, converted or dismissed), `ts`, `weight`.
    """
    from crm.catalog import CATALOG
    from crm.catalog import items as catalogue

    workspace = app.workspace()
    weights = settings(app).weights.by_kind()
    parts = [pl.DataFrame(schema=_SINGLE)]
    if BEHAVIOUR.name in app.tables:
        parts += _visits(app, workspace, as_of)
    if ORDERS in app.tables and CATALOG.name in app.tables:
        parts.append(orders(workspace, catalogue(workspace), _behind(as_of), None))
    if FEEDBACK.name in app.tables:
        parts.append(_feedback(workspace, as_of, None))
    rows = pl.concat([part.select(pl.col(name).cast(kind) for name, kind in _SINGLE.items()) for part in parts])
    weight = pl.col("kind").replace_strict(list(weights), list(weights.values()), return_dtype=pl.Float64)
    found = rows.filter(pl.col("item").is_not_null()).with_columns((weight * pl.col("count")).alias("weight"))
    # A page is viewed before its item is put into the cart, be it within the same second.
    order = ["ts", pl.col("kind").cast(_KIND), "who", "item", "weight"]
    return found.select(*INTERACTIONS).sort(order)


def _visits(app: "App", workspace: "Workspace", as_of: date | None) -> list[pl.DataFrame]:
    """Views and carts of items with their times."""
    site = app.config.get("site", SiteConfig)
    named = people(workspace).lazy()
    until = pl.lit(True) if as_of is None else pl.col("date") <= as_of
    sessions = workspace.scan(SESSIONS).filter(until, pl.col("bot").is_null())
    pages = sessions.select(pl.col("path").explode(empty_as_null=False)).unique().collect()["path"]
    known = pl.DataFrame({"page": pages, "item": site.item_of(pages)}).filter(pl.col("item").is_not_null()).lazy()
    each = sessions.select("date", "visitor", "customer", pl.col("path").alias("page"), pl.col("times").alias("ts"))
    views = each.explode("page", "ts", empty_as_null=False).join(known, on="page").collect()
    last = views.group_by("date", "visitor", "customer", "page").agg(pl.col("ts", "item").sort_by("ts").last())
    keys = ["date", "visitor", "customer", "page"]
    carts = workspace.scan(BEHAVIOUR.name).filter(until, pl.col("kind") == "cart").rename({"what": "page"})
    found = carts.join(last.lazy(), on=keys, nulls_equal=True).with_columns(pl.col("count").cast(pl.Float64)).collect()
    both = {"view": views.with_columns(pl.lit(1.0).alias("count")), "cart": found}
    return [
        rows.lazy()
        .join(named, on=["visitor", "customer"], nulls_equal=True)
        .select("who", "item", pl.lit(kind).alias("kind"), "ts", "count")
        .collect()
        for kind, rows in both.items()
    ]
