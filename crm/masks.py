"""How personal values are shown: Polars expressions, one for each name of a mask.

A mask is deterministic, keeps null as null and the empty string as it is, and is idempotent: what has been
masked once (by `crm query`, say) is not masked further by the output. A value of another kind than text is
masked as its text; one that has no text (a struct, binary) is hidden whole.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import polars as pl
    from polars._typing import PolarsDataType

HIDDEN: Final = "***"

# Digits and groups are captured without checking their ranges: a text that only looks like an address
# loses at least as much as a true one.
_IPV4: Final = r"^([0-9]{1,3}\.[0-9]{1,3})\.(?:[0-9]{1,3}\.[0-9]{1,3}|\*\.\*)$"
_GROUPS: Final = r"^([0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{1,4})?|:):"
_IPV6: Final = _GROUPS + r"[0-9A-Fa-f:.]*(?:%.*)?$"
_IPV6_MASKED: Final = _GROUPS + r"\*$"


def name(value: "pl.Expr") -> "pl.Expr":
    """The first character and three stars: `张三` is shown as `张***`."""
    import polars as pl

    return pl.when(value == "").then(value).otherwise(value.str.head(1) + HIDDEN)


def address(value: "pl.Expr") -> "pl.Expr":
    """The first two octets of IPv4 (`203.0.*.*`) or groups of IPv6 (`2001:db8:*`); else as a name."""
    import polars as pl

    # Eight groups, or a `::` for the missing ones: a time of day or a MAC address is not an IPv6 address.
    whole = value.str.contains("::", literal=True) | (value.str.count_matches(":", literal=True) == 7)
    return (
        pl.when(value.str.contains(_IPV4))
        .then(value.str.extract(_IPV4) + ".*.*")
        .when(value.str.contains(_IPV6_MASKED))
        .then(value)
        .when(whole & value.str.contains(_IPV6))
        .then(value.str.extract(_IPV6) + ":*")
        .otherwise(name(value))
    )


def phone(value: "pl.Expr") -> "pl.Expr":
    """The first digits and the last two: `+8613800138000` is shown as `+861***00`; a short one is hidden."""
    return _ends(value, r"^(\+?[0-9]{3})[0-9]{3,}?([0-9]{2})$", r"^\+?[0-9]{3}\*\*\*[0-9]{2}$")


def number(value: "pl.Expr") -> "pl.Expr":
    """The first two signs and three stars of a number of six signs and more; a short one is hidden."""
    return _ends(value, r"^(\w{2})\w{4,}?()$", r"^\w{2}\*\*\*$")


def _ends(value: "pl.Expr", whole: str, shown: str) -> "pl.Expr":
    """The groups of `whole` with three stars between them; what is `shown` already stays, all else is hidden."""
    import polars as pl

    return (
        pl.when((value == "") | value.str.contains(shown))
        .then(value)
        .when(value.str.contains(whole))
        .then(value.str.extract(whole, 1) + HIDDEN + value.str.extract(whole, 2))
        .otherwise(hidden(value))
    )


def email(value: "pl.Expr") -> "pl.Expr":
    """The first letter and the domain: `wang@example.com` is shown as `w***@example.com`."""
    import polars as pl

    domain = value.str.extract(r"@([^@]*)$")
    return pl.when(domain.is_null()).then(name(value)).otherwise(value.str.head(1) + HIDDEN + "@" + domain)


def date(value: "pl.Expr") -> "pl.Expr":
    """The year: `1980-03-04` is shown as `1980-***`."""
    import polars as pl

    return (
        pl.when((value == "") | (value == HIDDEN))
        .then(value)
        .when(value.str.contains(r"^[0-9]{4}-"))
        .then(value.str.head(4) + "-" + HIDDEN)
        .otherwise(hidden(value))
    )


def hidden(value: "pl.Expr") -> "pl.Expr":
    """Three stars for any text but the empty one."""
    import polars as pl

    return pl.when(value == "").then(value).when(value.is_not_null()).then(pl.lit(HIDDEN))


_MASKS: "Final[Mapping[str, Callable[[pl.Expr], pl.Expr]]]" = {
    "address": address,
    "name": name,
    "phone": phone,
    "email": email,
    "number": number,
    "date": date,
    "hidden": hidden,
}


def masked(column: str, dtype: "pl.DataType", mask: str) -> "pl.Expr":
    """The expression that shows `column` under the mask of this name, as text or as a list of texts.

    Raises:
        KeyError: no mask has this name.
    """
    import polars as pl

    function = _MASKS[mask]
    if isinstance(dtype, pl.List):
        return pl.col(column).list.eval(_shown(pl.element(), dtype.inner, function))
    return _shown(pl.col(column), dtype, function).alias(column)


def _shown(value: "pl.Expr", dtype: "PolarsDataType", mask: "Callable[[pl.Expr], pl.Expr]") -> "pl.Expr":
    import polars as pl

    if dtype == pl.String:
        return mask(value)
    if dtype.is_nested() or dtype in (pl.Binary, pl.Object):
        return pl.when(value.is_not_null()).then(pl.lit(HIDDEN))
    return mask(value.cast(pl.String))


def apply(frame: "pl.LazyFrame", masks: Mapping[str, str]) -> "pl.LazyFrame":
    """Mask the columns of `frame` that `masks` (column: name of the mask) names; others stay as they are."""
    schema = frame.collect_schema()
    exprs = [masked(column, dtype, masks[column]) for column, dtype in schema.items() if column in masks]
    return frame.with_columns(exprs) if exprs else frame
