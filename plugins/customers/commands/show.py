"""`crm customers show`."""

from typing import TYPE_CHECKING

import click

from crm.app import App, pass_app
from crm.output import also_personal, current, personal_now, table_output

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import polars as pl

    from crm.workspace import Workspace


@click.command(name="show")
@click.argument("who")
@table_output(columns="about what value")
@pass_app
def command(app: App, who: str) -> "pl.DataFrame":
    """Show all that is known of a customer.

    WHO is an id, or a login, phone number, e-mail address or id number in any writing. The portrait tells the basics,
    consumption, behaviour on the web site, interests, loyalty, risk, and last contacts; what is not known is left out.

    \b
    Examples:
      crm customers show K0017
      crm customers show 138-0013-8000 --unmask
      crm customers show wang.fang -f json
    """
    from datetime import UTC, datetime

    from crm.whose import all_ids, customer_of
    from plugins.customers.portrait import portrait

    workspace = app.workspace()
    with workspace.records.engine.connect() as connection:
        customer = customer_of(workspace, connection, who)
        ids = all_ids(workspace, connection, customer)
    now = datetime.now(UTC)
    sections = {"basics": _basics(app, workspace, customer, ids)}
    sections |= _doings(app, workspace, customer, ids, now)
    return portrait(sections)


def _basics(app: App, workspace: "Workspace", customer: str, ids: "Sequence[str]") -> "list[tuple[str, object]]":
    """The customer's own row, masked unless the user wants it in full."""
    import polars as pl

    from crm import masks
    from crm.access import AccessConfig
    from crm.audit import record
    from crm.exporting import with_extras

    table = workspace.records.table("customers")
    row = with_extras(workspace.records.frame("customers", where=table.c.customer == customer))
    row = row.with_columns(pl.lit(", ".join(ids[1:]) or None, dtype=pl.String).alias("merged"))
    access = app.config.get("access", AccessConfig)
    known = {column.name for column in app.tables["customers"].columns} | set(access.shown) | {"merged"}
    also_personal({each: access.personal.get(each, "hidden") for each in row.columns if each not in known})
    if current().unmask:
        record(app, "unmask", f"{click.get_current_context().command_path}: a customer", 1)
    else:
        row = masks.apply(row.lazy(), personal_now(app)).collect()
    return list(row.drop("original").row(0, named=True).items())


def _doings(
    app: App, workspace: "Workspace", customer: str, ids: "Sequence[str]", now: "datetime"
) -> "dict[str, list[tuple[str, object]]]":
    """What the customer has done, said and been given, in the zone of the output."""
    from crm.cells import in_zone
    from plugins.customers import portrait

    records, zone = workspace.records, current().tz

    def rows(name: str) -> "pl.DataFrame":
        """The rows of a table that are the customer's, as which id ever."""
        person = app.tables[name].person
        found = records.frame(name, where=records.table(name).c[person].in_(list(ids)))
        return in_zone(found.lazy(), zone).collect()

    def known(name: str) -> "pl.DataFrame | None":
        """The same of a table that is another plugin's, and may not be there."""
        return rows(name) if name in app.tables else None

    orders = rows("orders")
    visits = _visits(workspace, customer, ids)
    segments = rows("segment_members")["segment"].unique().sort().to_list()
    sections = {
        "consumption": portrait.consumption(orders, now),
        "behaviour": portrait.behaviour(in_zone(visits.lazy(), zone).collect()),
        "interests": [*_interests(app, customer), *_categories(app, visits, orders)],
        "loyalty": [*_standing(app, orders, rows("points"), now), *portrait.answers(rows("surveys"))],
        "risk": portrait.risk(orders, now),
        "contacts": [*portrait.consents(rows("consents")), *portrait.contacts(*map(known, ("outbox", "feedback")))],
    }
    return sections | {"segments": [(name, "member") for name in segments]}


def _visits(workspace: "Workspace", customer: str, ids: "Sequence[str]") -> "pl.DataFrame":
    """The sessions that carry the customer's id or login, robots left out."""
    import polars as pl

    from plugins.customers.merges import logins

    names = [*ids, *logins(workspace, customer)]
    seen = workspace.scan("sessions").filter(pl.col("customer").is_in(names), pl.col("bot").is_null())
    return seen.select("start", "duration_s", "views", "path").collect()


def _interests(app: App, customer: str) -> "list[tuple[str, object]]":
    """What the customer is interested in most, and what it has said itself."""
    from crm.interest.building import current as interests_of
    from crm.interest.contracts import INTERESTS
    from plugins.customers import portrait

    if INTERESTS.name not in app.tables:
        return []
    return portrait.interests(interests_of(app, who=customer))


def _categories(app: App, visits: "pl.DataFrame", orders: "pl.DataFrame") -> "list[tuple[str, object]]":
    """The categories that the customer looks at and buys from most."""
    from crm.site import SiteConfig
    from plugins.customers.portrait import favourites

    pages = visits["path"].explode(empty_as_null=False)
    viewed = app.config.get("site", SiteConfig).category_of(pages)
    return [("categories viewed", favourites(viewed)), ("categories bought", favourites(orders["category"]))]


def _standing(app: App, orders: "pl.DataFrame", points: "pl.DataFrame", now: "datetime") -> "list[tuple[str, object]]":
    """The tier that the customer has reached, and the points that are left."""
    import polars as pl

    from crm.cells import in_zone
    from plugins.customers.config import CustomersConfig
    from plugins.customers.standing import standings

    config = app.config.get("customers", CustomersConfig)
    own = [in_zone(rows.with_columns(pl.lit("").alias("customer")).lazy(), "UTC") for rows in (orders, points)]
    found = standings(own[0], own[1], now, config.tiers, config.tier_months).collect()
    tier = found["tier"][0] if found.height else None
    return [("tier", tier), ("points", int(points["points"].sum()) if points.height else None)]
