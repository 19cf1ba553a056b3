"""Tickets of a file as quality looks at them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import polars as pl

from crm.errors import Unusable, UsageError
from crm.filters import Filters
from crm.intake import dates, numbers
from crm.messages import counted
from crm.nearest import no_column, one_of
from crm.output import current
from crm.schema import polars_schema
from plugins.tickets.quality.source import ALWAYS, JOINED, MONEY, worth

if TYPE_CHECKING:
    from crm.app import App

_SAID: Final = {
    pl.Float64: "numbers",
    pl.Datetime: "times such as 2026-03-02 10:00",
    pl.Date: "dates such as 2026-03-02",
}


def tickets_of(
    app: "App", table: pl.DataFrame, filters: Filters, columns: Sequence[str], needed: Sequence[str]
) -> pl.DataFrame:
    """Tickets of a file, with `opened`, `day`, `state`, `loss` and `settled` besides what is asked for.

    Its columns are called as those of the table of tickets; it may have `fault_cause`, `sold` and `state` too.

    Args:
        app: The run of the program.
        table: What the file holds.
        filters: Which tickets.
        columns: Which columns are asked for; null where the file lacks one.
        needed: Which of them it may not lack.

    Raises:
        UsageError: a column is not there.
        Unusable: most values of a column cannot be read.
    """
    for name in needed:
        if name not in table.columns:
            raise UsageError(f"--input: {no_column(name, table.columns)}")
    kinds = {**polars_schema(JOINED), "fault_cause": pl.String(), "sold": pl.Date()}
    wanted = dict.fromkeys([*columns, *ALWAYS, "sold", "produced"])
    read = [_typed(app, table[name], kinds[name]) for name in wanted if name in table.columns]
    lacking = {name: kinds[name] for name in wanted if name not in table.columns}
    if missed := [name for name in columns if name in lacking and name not in ("sold", "produced")]:
        app.warn(f"the file lacks {counted(len(missed), 'column')} that could tell more: {one_of(missed)}")
    whole = table.drop(each.name for each in read).with_columns(read)
    whole = whole.with_columns(pl.lit(None, dtype=kind).alias(name) for name, kind in lacking.items())
    found = filters.rows(app, whole.lazy(), "opened").collect()
    _tell_negative(app, found)
    return worth(found)


def _tell_negative(app: "App", found: pl.DataFrame) -> None:
    """Say how many rows lower the sums; an import would set them aside."""
    below = found.filter(pl.any_horizontal(pl.col(MONEY) < 0)).height
    if below:
        app.warn(f"--input: {counted(below, 'row')} with money that is less than nothing; sums are the lower for it")


def _typed(app: "App", values: pl.Series, kind: pl.DataType) -> pl.Series:
    """The values as the table of tickets has them."""
    if values.dtype.base_type() == kind.base_type() and kind != pl.String:
        return values.dt.replace_time_zone("UTC") if _naive(values) else values.cast(kind)
    if values.dtype.is_nested() or values.dtype in (pl.Binary, pl.Object):
        raise UsageError(
            f"--input: the column `{values.name}` holds {values.dtype}; one text or number a row is expected"
        )
    texts = values.cast(pl.String).str.strip_chars().replace("", None)
    found = _read(texts, kind)
    strange = int((found.is_null() & texts.is_not_null()).sum())
    if 2 * strange > texts.len() - texts.null_count():
        raise Unusable(f"--input: most values of the column `{values.name}` are no {_SAID[kind.base_type()]}")
    if strange:
        said = f"{counted(strange, 'value')} of the column `{values.name}` left out"
        app.warn(f"--input: {said}: cannot be read as {_SAID[kind.base_type()]}")
    return found.alias(values.name)


def _naive(values: pl.Series) -> bool:
    return isinstance(values.dtype, pl.Datetime) and values.dtype.time_zone is None


def _read(texts: pl.Series, kind: pl.DataType) -> pl.Series:
    if kind == pl.Float64:
        return numbers.numbers(texts, numbers.decimal_point(texts))
    if kind == pl.Date:
        return dates.dates(texts, dates.order_of(texts) or "day-first")
    if kind.base_type() == pl.Datetime:
        return dates.moments(texts, dates.order_of(texts) or "day-first", current().tz)
    return texts
