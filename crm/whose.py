"""WHO of a command -> the customer who is meant: by id (also one before a merge), login, phone, e-mail or id number."""

from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from crm.errors import NothingFound, UsageError
from crm.identities import FORMER, find

if TYPE_CHECKING:
    from crm.workspace import Workspace

CUSTOMERS: Final = "customers"
MERGES: Final = "merges"
_KINDS: Final = (FORMER, "login", "phone", "email", "idnumber")


def customer_of(workspace: "Workspace", connection: sa.Connection, who: str, region: str = "CN") -> str:
    """The id of the customer who is meant.

    Args:
        workspace: The workspace.
        connection: To its records.
        who: An id, or anything that a customer is known by, in any writing.
        region: Country of a phone number that names none.

    Raises:
        NothingFound: nobody is known by it.
        UsageError: several are.
    """
    table = workspace.records.table(CUSTOMERS)
    texts = list(dict.fromkeys((who, who.strip())))
    own = connection.execute(sa.select(table.c.customer).where(table.c.customer.in_(texts))).scalars().first()
    if own is not None:
        return str(own)
    found = {each for text in forms(who, region) for each in find(workspace, connection, _KINDS, text)}
    if not found:
        raise NothingFound("no customer is known by this id, login, phone, e-mail or id number")
    if len(found) > 1:
        raise UsageError(f"{len(found)} customers are known by this; name one by its id (`crm customers list`)")
    return found.pop()


def forms(who: str, region: str) -> list[str]:
    """The text as each kind of identity would be stored."""
    import polars as pl

    from crm.intake.emails import emails
    from crm.intake.phones import phones
    from crm.intake.texts import clean

    text = clean(pl.Series([who], dtype=pl.String))
    forms = [text[0], text.str.to_uppercase()[0], phones(text, region)[0], emails(text)[0]]
    return list(dict.fromkeys(form for form in forms if form is not None))


def all_ids(workspace: "Workspace", connection: sa.Connection, customer: str) -> list[str]:
    """The id of a customer, and those that the customer had before merges."""
    if MERGES not in workspace.records.contracts:
        return [customer]
    table, found = workspace.records.table(MERGES), [customer]
    for each in found:  # it grows while it is gone through
        rows = sa.select(table.c.merged).where(table.c.customer == each, table.c.undone.is_(None))
        found += [str(old) for old in connection.execute(rows).scalars() if old not in found]
    return found
