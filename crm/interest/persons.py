"""WHO of a command -> the person who is meant, be it a customer, a login or a visitor."""

from typing import TYPE_CHECKING, Final

import polars as pl

from crm.errors import NothingFound, UsageError
from crm.interest.contracts import BEHAVIOUR
from crm.interest.events import people
from crm.people import owners
from crm.segments import VISITOR
from crm.segments import members as names_of
from crm.whose import CUSTOMERS, customer_of

if TYPE_CHECKING:
    from crm.app import App

_VISITS: Final = {"visitor": pl.Int64(), "who": pl.String()}
_INT64: Final = 1 << 63


def person(app: "App", who: str, known: pl.Series | None = None) -> str:
    """Who is meant, as interests and events name people.

    Args:
        app: The run of the program.
        who: An id, or anything that a customer is known by; a login that is no customer's; or `visitor:` and the id of
            a visitor, which means the customer as whom this visitor has logged in.
        known: Names that stand for themselves where no customer has them; None for those that logs know.

    Raises:
        NothingFound: nobody is known by it.
        UsageError: several customers are.
    """
    workspace = app.workspace()
    if who.startswith(VISITOR):
        return _of_visitor(app, who.removeprefix(VISITOR))
    try:
        if CUSTOMERS not in app.tables:
            raise NothingFound("nobody is known by this id or login")
        with workspace.records.engine.connect() as connection:
            return customer_of(workspace, connection, who)
    except NothingFound:
        if who in (people(workspace)["who"] if known is None else known):
            return who
        raise


def members(app: "App", segment: str) -> pl.Series:
    """The members of a segment as interests and events name people: each once, sorted.

    Customers who were merged are one; a visitor who has logged in as one customer is this customer.

    Raises:
        UsageError: there is no such segment.
    """
    workspace = app.workspace()
    rows = names_of(workspace, segment).alias("customer").to_frame()
    rows = rows.join(owners(workspace, rows["customer"]), on="customer", how="left")
    visits = people(workspace) if BEHAVIOUR.name in app.tables else pl.DataFrame(schema=_VISITS)
    name = pl.format(f"{VISITOR}{{}}", "visitor").alias("customer")
    one = visits.select(name, pl.col("who").alias("login")).unique().unique("customer", keep="none")
    found = rows.join(one, on="customer", how="left").select(pl.coalesce("who", "login", "customer").alias("who"))
    return found["who"].unique().sort()


def _of_visitor(app: "App", text: str) -> str:
    visitor = int(text) if text.isdecimal() and int(text) < _INT64 else None
    rows = people(app.workspace()) if BEHAVIOUR.name in app.tables else pl.DataFrame(schema=_VISITS)
    found = rows.filter(pl.col("visitor") == visitor)["who"].unique() if visitor is not None else rows["who"].head(0)
    alone = f"{VISITOR}{visitor}"
    if not len(found):
        raise NothingFound('there is no such visitor; `crm query "select visitor from behaviour"` lists visitors')
    if alone in found:
        return alone
    if len(found) > 1:
        raise UsageError("this visitor has logged in as several customers; name one of them")
    app.note("this visitor has logged in, so what is shown is all of the customer")
    return str(found[0])
