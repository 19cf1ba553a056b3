"""The tables of this plugin: customers and what they have ordered, answered, collected, and were merged from."""

from typing import Final

from crm.tables import Column, Table

_WHO: Final = Column("customer", "string", "id of the customer", mask="name")
_EXTRAS: Final = Column(
    "extras", "string", "columns that no field is for, as a JSON object of texts", mask="hidden", secret=True
)
_ORIGINAL: Final = Column(
    "original",
    "string",
    "values as they came in, where they were brought into form, as a JSON object",
    mask="hidden",
    secret=True,
)
_SOURCE: Final = Column("source", "string", "the file or system that the row came from")

CUSTOMERS: Final = Table(
    "customers",
    "The customers: one row a person, once `crm customers dedupe` has merged those who are the same.",
    (
        _WHO,
        Column("name", "string", "full name", mask="name"),
        Column("given", "string", "given name, where it came by itself", mask="name"),
        Column("family", "string", "family name, where it came by itself", mask="name"),
        Column("sex", "string", "f, m, or as it came"),
        Column("birth", "date", "date of birth", mask="date"),
        Column("idnumber", "string", "number of the identity card or passport", mask="number", secret=True),
        Column("phone", "string", "phone number in E.164, such as +8613800138000", mask="phone", secret=True),
        Column("email", "string", "e-mail address in small letters", mask="email", secret=True),
        Column("address", "string", "street and house", mask="address"),
        Column("city", "string", "city"),
        Column("region", "string", "province, state or region"),
        Column("postcode", "string", "postal code", mask="number"),
        Column("country", "string", "country, as two letters (ISO 3166) where it is known"),
        Column("language", "string", "language, such as zh or en"),
        Column("zone", "string", "time zone, such as Asia/Shanghai"),
        Column("company", "string", "where the customer works"),
        Column("registered", "date", "since when the customer is one"),
        Column("login", "string", "name by which the web site knows the customer", mask="name"),
        Column("note", "string", "what else is known", mask="hidden"),
        _EXTRAS,
        _ORIGINAL,
        _SOURCE,
    ),
    owner="customers",
    store="records",
    by_date=False,
    key=("customer",),
    person="customer",
)

ORDERS: Final = Table(
    "orders",
    "What customers have ordered: a row for each line of an order.",
    (
        Column("order_id", "string", "id of the order"),
        Column("line", "int32", "line of the order, from 1"),
        _WHO,
        Column("ts", "timestamp", "when it was ordered"),
        Column("item", "string", "what was ordered"),
        Column("category", "string", "to which category the item belongs"),
        Column("quantity", "float64", "how much of it"),
        Column("amount", "float64", "what the line costs in all; negative for a return"),
        Column("currency", "string", "currency, as three letters (ISO 4217)"),
        Column("status", "string", "paid, shipped, returned ..., as it came"),
        Column("channel", "string", "where it was ordered: web, shop, phone ..."),
        _EXTRAS,
        _ORIGINAL,
        _SOURCE,
    ),
    owner="customers",
    store="records",
    by_date=False,
    key=("order_id", "line"),
    indexes=(("customer",),),
    person="customer",
)

SURVEYS: Final = Table(
    "surveys",
    "What customers have answered when they were asked.",
    (
        _WHO,
        Column("ts", "timestamp", "when it was answered"),
        Column("question", "string", "nps (0 to 10) or csat (1 to 5), or another name"),
        Column("score", "float64", "the answer"),
        Column("comment", "string", "what was said to it", mask="hidden"),
        _EXTRAS,
        _ORIGINAL,
        _SOURCE,
    ),
    owner="customers",
    store="records",
    by_date=False,
    key=("customer", "question", "ts"),
    person="customer",
)

POINTS: Final = Table(
    "points",
    "The ledger of points: nothing in it is changed, only added.",
    (
        Column("entry", "int64", "number of the entry, from 1"),
        _WHO,
        Column("ts", "timestamp", "when"),
        Column("points", "int64", "how many; negative for what was spent, taken back or has expired", unit="points"),
        Column("reason", "string", "order, redeem, adjust or expire, and what was said to it"),
        Column("order_id", "string", "the order that earned them"),
    ),
    owner="customers",
    store="records",
    by_date=False,
    key=("entry",),
    indexes=(("customer",),),
    person="customer",
)

MERGES: Final = Table(
    "merges",
    "Which records were put together, with all that they held before, so that it can be undone.",
    (
        Column("merge", "int64", "number of the merge, from 1"),
        Column("ts", "timestamp", "when"),
        _WHO,
        Column("merged", "string", "id of the record that was put to it", mask="name"),
        Column("probability", "float64", "how likely they are of one person; null where a person has said so"),
        Column(
            "record", "string", "the row of the record that was put to it, as a JSON object", mask="hidden", secret=True
        ),
        Column("origins", "string", "which record each value is from, as a JSON object", mask="hidden"),
        Column("undone", "timestamp", "when it was undone; null while it holds"),
    ),
    owner="customers",
    store="records",
    by_date=False,
    key=("merge",),
    indexes=(("customer",), ("merged",)),
    person="customer",
    others=("merged",),
)

APART: Final = Table(
    "apart",
    "Pairs of records that look like one person's, and of which a person has said that they are not.",
    (
        _WHO,
        Column("other", "string", "id of the other record, which is the greater one", mask="name"),
        Column("ts", "timestamp", "when it was said"),
    ),
    owner="customers",
    store="records",
    by_date=False,
    key=("customer", "other"),
    person="customer",
    others=("other",),
)

IMPORTS: Final = Table(
    "imports",
    "Which files were imported, when, and what became of their rows.",
    (
        Column("run", "int64", "number of the import, from 1"),
        Column("ts", "timestamp", "when"),
        Column("table", "string", "into which table"),
        Column("source", "string", "the file"),
        Column("rows", "int64", "rows of the file", unit="rows"),
        Column("new", "int64", "rows that were added", unit="rows"),
        Column("changed", "int64", "rows that were changed", unit="rows"),
        Column("same", "int64", "rows that changed nothing", unit="rows"),
        Column("repeated", "int64", "rows whose key an earlier row of the file has", unit="rows"),
        Column("rejected", "int64", "rows that were not taken", unit="rows"),
    ),
    owner="customers",
    store="records",
    by_date=False,
    key=("run",),
)

TABLES: Final = (CUSTOMERS, ORDERS, SURVEYS, POINTS, MERGES, APART, IMPORTS)
