"""Files that analyses read: which of their columns are personal, by the headers that an import would know."""

from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from crm.app import App


def people_table(app: "App") -> "pl.DataFrame":
    """The table that `--input` names; its personal columns print masked, whatever language their headers are in."""
    from crm.output import also_personal
    from crm.reading import current_table

    table = current_table(app)
    also_personal(personal_among(app, table.columns))
    return table


def personal_among(app: "App", columns: Iterable[str]) -> dict[str, str]:
    """Which columns are personal, each with the name of its mask: by their names, the configuration, or their headers.

    A column of ids is personal only where it is called as in the tables: a file's records must be called something.
    """
    from crm.access import AccessConfig
    from crm.output import personal_columns

    access = app.config.get("access", AccessConfig)
    known = {**access.personal, **personal_columns(app.tables.values())}
    masks = {name: known.get(name) or (None if name in access.shown else _by_header(name)) for name in columns}
    return {name: mask for name, mask in masks.items() if mask}


def _by_header(column: str) -> str | None:
    """The mask of the field that a column is for, also of a second one, such as `phone_2`."""
    from crm.intake.fields import plain
    from crm.intake.mapping import without_owner

    header = plain(column)
    ways = (header, without_owner(header), header.rstrip("0123456789"))
    return next((_headers()[way] for way in ways if way in _headers()), None)


@cache
def _headers() -> dict[str, str]:
    """All headers of personal fields but the id, with the names of masks."""
    from crm.intake.fields import plain
    from plugins.customers.contracts import CUSTOMERS
    from plugins.customers.fields import CUSTOMER_FIELDS

    masks = {column.name: column.mask for column in CUSTOMERS.columns if column.mask and column.name != "customer"}
    return {
        plain(header): mask
        for field in CUSTOMER_FIELDS
        if (mask := masks.get(field.name)) is not None
        for header in (field.name, *field.headers)
    }
