"""What commands that show rows share: `--since`, `--until`, `--where`.

    @click.command()
    @filtered
    @table_output()
    @pass_app
    def hits(app: App) -> pl.LazyFrame:
        return current_filters().rows(app, app.workspace().scan("hits"), "ts")

Times are read in `--tz`. A condition sees personal columns as they are shown: masked, unless `--unmask` is given.
"""

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import wraps
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar
from zoneinfo import ZoneInfo

import click

from crm import sql
from crm.errors import UsageError
from crm.nearest import no_column, one_of
from crm.output import current, personal_now
from crm.units import Duration

if TYPE_CHECKING:
    import polars as pl

    from crm.app import App

P = ParamSpec("P")
R = TypeVar("R")
_META: Final = "crm.filters"
_DAY: Final = timedelta(days=1)
_WORDS: Final = ("now", "today", "yesterday")

EXAMPLE: Final = "status >= 400 and page like '/item/%'"
"""A condition on hits."""

_WHOLE: Final = re.compile(
    r"\b(?:select|over|columns)\b|\b(?:avg|corr|count|covar\w*|first|last|max|median|min|quantile\w*|std\w*|sum|var\w*|"
    r"array_agg|string_agg|listagg|row_number|(?:dense_)?rank|lag|lead|(?:first|last|nth)_value|ntile)[\"`\s]*\(",
    re.IGNORECASE,
)
"""What looks at other rows or tables than the row that it judges, or at columns by a pattern of their names."""


class When(str):
    """A time as it is written: a date, an ISO time, `7d` for as long ago, `now`, `today` or `yesterday`."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> "When":
        """The text, if it is one.

        Raises:
            ValueError: it is none.
        """
        cls(text).span(ZoneInfo("UTC"), datetime(2000, 1, 3, tzinfo=UTC))
        return cls(text)

    def span(self, zone: ZoneInfo, now: datetime) -> tuple[datetime, datetime]:
        """The first moment that is meant, and the one behind the last: of a date its whole day, of a time itself.

        Raises:
            ValueError: it is no time.
        """
        try:
            if self in _WORDS[1:]:
                return _day(now.astimezone(zone).date() - _DAY * (self == "yesterday"), zone)
            moment = now if self == "now" else self._ago(now) or self._iso(zone)
            return (moment, moment) if moment else _day(date.fromisoformat(self), zone)
        except (ValueError, OverflowError):
            raise ValueError(
                f"`{self}` is no time; write a date such as 2026-03-02, a time such as 2026-03-02T10:00, "
                f"7d for as long ago, or {one_of(_WORDS)}"
            ) from None

    def _ago(self, now: datetime) -> datetime | None:
        try:
            return now - Duration.parse(str(self))
        except ValueError:
            return None

    def _iso(self, zone: ZoneInfo) -> datetime | None:
        """A time of day; None for a mere date."""
        if not re.search(r"\d[T ]\d", self):
            return None
        found = datetime.fromisoformat(self)
        return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)


def _day(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """When a day begins and ends in a zone."""
    first, last = (datetime.combine(each, time(), zone).astimezone(UTC) for each in (day, day + _DAY))
    return first, last


class WhenType(click.ParamType[When]):
    """A time as it is written; its value is a `When`."""

    name = "when"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> When:
        """Read the time; what is none is a usage error."""
        try:
            return value if isinstance(value, When) else When.parse(value)
        except ValueError as error:
            self.fail(f"{error}.", param, ctx)


WHEN: Final = WhenType()
"""The type of options that are a moment, or a span: `When.span`."""


@dataclass(frozen=True)
class Filters:
    """The rows that the user wants to see.

    Attributes:
        since: No earlier ones; None for all.
        until: Only earlier ones; None for all.
        where: A condition in SQL; None for none.
    """

    since: datetime | None = None
    until: datetime | None = None
    where: str | None = None

    @property
    def whole_days(self) -> bool:
        """Whether the span begins and ends at midnight UTC, so that dates are enough to tell what is in it."""
        return all(at is None or at.time() == time() for at in (self.since, self.until))

    def rows(self, app: "App", frame: "pl.LazyFrame", column: str) -> "pl.LazyFrame":
        """The rows of a table that are wanted.

        Args:
            app: The run of the program.
            frame: The table.
            column: The time that `--since` and `--until` are about.
        """
        return self.matching(app, self.between(frame, column))

    def between(self, frame: "pl.LazyFrame", column: str) -> "pl.LazyFrame":
        """The rows whose time, or date where the span is of whole days, is in the span."""
        import polars as pl

        schema = frame.collect_schema()
        if schema[column] == pl.Date:
            first, behind = (at.date() if at else None for at in (self.since, self.until))
            return _between(frame, column, first, behind)
        if "date" in schema:  # whose files need not be opened at all
            first = self.since.date() if self.since else None
            behind = self.until.date() + _DAY if self.until else None
            frame = _between(frame, "date", first, behind)
        return _between(frame, column, self.since, self.until)

    def matching(self, app: "App", frame: "pl.LazyFrame") -> "pl.LazyFrame":
        """The rows that fulfil the condition, which sees personal columns masked.

        Raises:
            UsageError: it is no condition, or names a column that is not there.
        """
        return frame if self.where is None else matching(app, frame, self.where)


def matching(
    app: "App", frame: "pl.LazyFrame", condition: str, said: str = "--where", example: str | None = None
) -> "pl.LazyFrame":
    """The rows of a table that fulfil a condition, which sees personal columns masked.

    Args:
        app: The run of the program.
        frame: The table.
        condition: In SQL.
        said: Where the user has written it, for what is said of mistakes.
        example: A condition on such a table; None for that of the running command.

    Raises:
        UsageError: it is no condition, or names a column that is not there.
    """
    import polars as pl

    _check(condition, said, example)
    schema = frame.collect_schema()
    known, text = schema.names(), condition.lower().replace('""', '"').replace("``", "`")
    personal = {name: mask for name, mask in personal_now(app).items() if name in schema}
    # A name may be any text, such as the heading of a column of a file, so where its words begin says nothing.
    personal = {name: mask for name, mask in personal.items() if name.lower() in text}
    if current().unmask and personal:
        from crm.audit import record

        record(app, "unmask", f"{click.get_current_context().command_path}: {said} on {one_of(personal)}", None)
        personal = {}
    elif personal and said == "--where":
        app.note(f"--where sees {one_of(personal)} masked, unless --unmask is given")
    try:
        found = _where(frame, condition, personal)
        found.collect_schema()
    except pl.exceptions.ColumnNotFoundError as error:
        missing = re.search(r'"([^"]*)"', str(error))
        name = missing[1] if missing else ""
        raise UsageError(f"{said}: {no_column(name, known, len(known))}") from error
    except pl.exceptions.PolarsError as error:
        raise UsageError(wrong(error, said, condition)) from error
    return found


def _between(frame: "pl.LazyFrame", column: str, first: date | None, behind: date | None) -> "pl.LazyFrame":
    import polars as pl

    if first is not None:
        frame = frame.filter(pl.col(column) >= first)
    return frame if behind is None else frame.filter(pl.col(column) < behind)


def _where(frame: "pl.LazyFrame", condition: str, masks: dict[str, str]) -> "pl.LazyFrame":
    """Filter by a condition that sees some columns masked; they are whole again in what it leaves."""
    import polars as pl

    from crm import masks as known

    whole = secrets.token_hex(8)
    shown = known.apply(frame.with_columns(pl.struct(*masks).alias(whole)), masks) if masks else frame
    # The condition stands alone between its brackets, as `_check` has made sure.
    found = pl.SQLContext({"rows": shown}, eager=False).execute(f"select * from rows where (\n{condition}\n)")
    if not masks:
        return found
    return found.with_columns(pl.col(whole).struct.field(*masks)).drop(whole)


def _check(condition: str, said: str, example: str | None) -> None:
    """See that a condition is one, and judges every row by itself.

    Raises:
        UsageError: it is not.
    """
    text, depth = sql.bare(condition), 0
    for sign in text:
        depth += (sign == "(") - (sign == ")")
        if depth < 0:
            break
    if depth or ";" in text or not text.strip():
        raise UsageError(f"{said} is no condition; write one such as: {example or _example()}")
    if sql.reads_files(condition):
        raise UsageError(f"{said} cannot read files")
    if found := _WHOLE.search(text):
        word = found[0].rstrip("( ")
        raise UsageError(f"{said} judges each row by itself, without `{word}`; for more there is `crm query`")


def wrong(error: Exception, said: str = "--where", condition: str = "") -> str:
    """The sentence for a condition that Polars cannot evaluate.

    Args:
        error: What Polars says.
        said: Where the user has written it.
        condition: What the user has written, if Polars may have stumbled over how it is written.
    """
    reason = _PLACE.sub(lambda match: _placed(match, condition), sql.reason(error))
    hint = "; compare a column of texts with numbers as cast(COLUMN as double)" if _TEXT_AND_NUMBER in reason else ""
    return f"{said} cannot be evaluated: {reason}{hint}"


def _placed(match: re.Match[str], condition: str) -> str:
    """A place in a query, which is not what the user has written, as one in the condition: see `_where`."""
    found, line, column = match[1] or "", int(match[2]) - 1, match[3]
    lines = condition.count("\n") + 1
    if line > lines:
        return "found: its end"
    return f"{found}at line {line}, column {column}" if lines > 1 else f"{found}at column {column}"


_PLACE: Final = re.compile(r"(found: .*? )?at Line: (\d+), Column: (\d+)")
_TEXT_AND_NUMBER: Final = "cannot compare string with numeric"


def current_filters() -> Filters:
    """The filters of the running command.

    Raises:
        LookupError: the command that runs is not decorated with `filtered`.
        UsageError: `--since` is not before `--until`.
    """
    given = click.get_current_context().meta.get(_META)
    if not isinstance(given, dict):
        raise LookupError("the running command is not filtered")
    zone, now = ZoneInfo(current().tz), datetime.now(UTC)
    since = given["since"].span(zone, now)[0] if given["since"] else None
    until = given["until"].span(zone, now)[1] if given["until"] else None
    if since and until and since >= until:
        raise UsageError(f"--since {given['since']} is not before --until {given['until']}")
    return Filters(since, until, given["where"])


def filtered(function: Callable[P, R]) -> Callable[P, R]:
    """Add `--since`, `--until` and `--where`, of which hits are an example; stands above `table_output`."""
    return filtered_like(EXAMPLE)(function)


def filtered_like(example: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """The same with another example of a condition."""

    def add(function: Callable[P, R]) -> Callable[P, R]:
        return _filtered(function, example, _OPTIONS)

    return add


def conditional_like(example: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Add `--where` alone, for tables whose rows have no time."""

    def add(function: Callable[P, R]) -> Callable[P, R]:
        return _filtered(function, example, ())

    return add


def _example() -> str:
    given = click.get_current_context().meta.get(_META)
    return str(given["example"]) if isinstance(given, dict) else EXAMPLE


def _filtered(function: Callable[P, R], example: str, more: tuple[Callable[[Any], Any], ...]) -> Callable[P, R]:
    @wraps(function)
    def command(*args: P.args, **kwargs: P.kwargs) -> R:
        import polars as pl

        given = {name: kwargs.pop(f"filter_{name}", None) for name in ("since", "until", "where")}
        given["example"] = example
        click.get_current_context().meta[_META] = given
        try:
            return function(*args, **kwargs)
        except pl.exceptions.PolarsError as error:
            if given["where"] is None:
                raise
            raise UsageError(wrong(error)) from error

    where = click.option("--where", "filter_where", metavar="SQL", help=f"Only rows for which this is true: {example}.")
    for option in (where, *reversed(more)):
        option(command)
    return command


_OPTIONS: Final[tuple[Callable[[Any], Any], ...]] = (
    click.option(
        "--since",
        "filter_since",
        type=WhenType(),
        metavar="WHEN",
        help="Nothing earlier: a date, an ISO time, 7d for as long ago, today, yesterday; in --tz.",
    ),
    click.option(
        "--until",
        "filter_until",
        type=WhenType(),
        metavar="WHEN",
        help="Nothing later: a date counts whole, a time is the first that does not count.",
    ),
)
