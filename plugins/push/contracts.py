"""The tables of this plugin: who belongs to which arm of a campaign, and whom nothing could be offered."""

from typing import Final

from crm.tables import Column, Table

_WHO: Final = Column("customer", "string", "id of the customer", mask="name")

ARMS: Final = Table(
    "campaign_arms",
    "To which arm of a campaign customers belong: those who are written to, and those who are not, to compare.",
    (
        Column("campaign", "string", "name of the campaign"),
        _WHO,
        Column("arm", "string", "treated or control"),
        Column("ts", "timestamp", "since when"),
    ),
    owner="push",
    store="records",
    by_date=False,
    key=("campaign", "customer"),
    person="customer",
)

MISSES: Final = Table(
    "misses",
    "Customers for whom a campaign found nothing: what they want is not in the catalogue, or not now.",
    (
        Column("campaign", "string", "name of the campaign"),
        _WHO,
        Column("level", "string", "level of the interest: 3, 2 or 1; empty where none is known"),
        Column("key", "string", "what was looked for: the path of a category; empty where no interest is known"),
        Column("weight", "float64", "how much the customer is interested in it"),
        Column(
            "reason", "string", "why there is nothing: no item, none offered now, all had already, no interest known"
        ),
        Column("ts", "timestamp", "when it was looked for last"),
    ),
    owner="push",
    store="records",
    by_date=False,
    key=("campaign", "customer", "level", "key"),
    person="customer",
)

TABLES: Final = (ARMS, MISSES)
