"""The tables of interest models."""

from typing import Final

from crm.tables import Column, Table

BEHAVIOUR: Final = Table(
    "behaviour",
    "What visitors have done on the web site that tells of interests, by the UTC date on which their sessions began.",
    (
        Column("date", "date", "UTC date of the session's start"),
        Column("visitor", "int64", "who"),
        Column("customer", "string", "the login of the session, as in `sessions`", mask="name"),
        Column("kind", "string", "view, search or cart"),
        Column("what", "string", "the page that was viewed, the term that was looked for, or the page put in the cart"),
        Column("count", "int64", "how often"),
        Column("dwell_s", "float64", "time on the page, each view up to ten minutes, summed", unit="seconds"),
    ),
    owner="interest",
    person="customer",
)

INTERESTS: Final = Table(
    "interests",
    "What customers and visitors are interested in, as `crm interest build` has last worked it out.",
    (
        Column("who", "string", "a customer, or `visitor:` and the id of a visitor", mask="name"),
        Column("level", "string", "1, 2 or 3 for a category of this level, item, or tag"),
        Column("key", "string", "the category's path, the item's id, or the tag"),
        Column("weight", "float64", "how much: a share of all that is known of them, shrunk for little evidence"),
        Column("events", "int64", "on how many events this rests"),
        Column("newest", "date", "UTC date of the newest of them"),
        Column("stance", "string", "what they have said themselves: wanted, unwanted, or null"),
        Column("as_of", "date", "to which date ages are counted"),
    ),
    owner="interest",
    by_date=False,
    person="who",
)

SUBSCRIPTIONS: Final = Table(
    "subscriptions",
    "What customers have said that they want to hear about, or do not.",
    (
        Column("customer", "string", "id of the customer", mask="name"),
        Column("level", "string", "1, 2 or 3 for a category of this level, item, or tag"),
        Column("key", "string", "the category's path, the item's id, or the tag"),
        Column("stance", "string", "wanted or unwanted"),
        Column("ts", "timestamp", "when it was said"),
        Column("source", "string", "where it was said: a form, a message, a person"),
    ),
    owner="crm",
    store="records",
    by_date=False,
    key=("customer", "level", "key"),
    person="customer",
)

KINDS: Final = ("view", "dwell", "search", "cart", "order", "opened", "clicked", "converted", "dismissed")
"""The kinds of events that interests are made of; `dwell` counts minutes, all others count events."""
