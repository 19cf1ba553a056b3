"""What commands about recommenders share: from where events come, and which algorithms are meant."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import wraps
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar
from zoneinfo import ZoneInfo

import click

from crm.errors import Unusable, UsageError
from crm.filters import When
from crm.messages import counted
from crm.nearest import did_you_mean, one_of
from crm.output import current
from crm.reading import TableFile, current_file, read_table, table_or_workspace, tell

if TYPE_CHECKING:
    import polars as pl

    from crm.app import App
    from crm.hookspecs import Algorithm

P = ParamSpec("P")
R = TypeVar("R")

DEFAULT: Final = "weighted"
"""The algorithm that recommends, unless the user says otherwise."""

_META: Final = "recommend.events"
_ROLES: Final = ("user", "item", "ts", "weight")


@dataclass(frozen=True)
class Known:
    """What is known.

    Attributes:
        events: `who`, `item`, `ts`, `weight`, of the workspace also `kind`; all weights are above 0.
        refused: `who`, `item`: what somebody does not want.
        items: The catalogue; of a file it is empty.
    """

    events: "pl.DataFrame"
    refused: "pl.DataFrame"
    items: "pl.DataFrame"


class MomentType(click.ParamType["When"]):
    """A date or time as `--since` takes it."""

    name = "when"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> When:
        """Read it; what is none is a usage error."""
        try:
            return value if isinstance(value, When) else When.parse(value)
        except ValueError as error:
            self.fail(f"{error}.", param, ctx)


def moment(when: When | None) -> datetime | None:
    """The moment that is meant, in UTC; a date is its beginning in the zone of the output."""
    return None if when is None else when.span(ZoneInfo(current().tz), datetime.now(UTC))[0]


def from_events(function: Callable[P, R]) -> Callable[P, R]:
    """Add the options that say which events are meant, the workspace's or a file's; stands above `table_output`."""

    @wraps(function)
    def command(*args: P.args, **kwargs: P.kwargs) -> R:
        click.get_current_context().meta[_META] = [kwargs.pop(f"events_{name}") for name in _ROLES]
        return function(*args, **kwargs)

    reading = table_or_workspace(command)
    for option in reversed(_OPTIONS):
        option(reading)
    return reading


def current_events(app: "App", until: datetime | None = None) -> Known:
    """The events of the file that the user has named, else of the workspace; rows that are none are told.

    Args:
        app: The run of the program.
        until: Events from this moment on do not count; None for all.

    Raises:
        LookupError: the command that runs is not decorated with `from_events`.
        UsageError: a column is not there, or is named without a file.
        Unusable: the file cannot be read, or there is no event.
    """
    file = current_file()
    if file is not None:
        known = before(of_file(app, file), until)
    elif any(_named()):
        raise UsageError("--user, --item, --ts and --weight are about a file, and none is named with --input")
    else:
        from plugins.recommend.stored import of_workspace

        known = of_workspace(app, until)
    if not known.events.height:
        raise Unusable(_nothing(file, until))
    return known


def _nothing(file: TableFile | None, until: datetime | None) -> str:
    """That there is no event, and what to do."""
    where = f"{file.name} has" if file is not None else "the workspace has"
    if until is not None:
        return f"{where} no event of an item before {in_zone(until)}; name a later moment"
    if file is not None:
        return f"{where} no event of an item"
    return (
        f"{where} no event of an item: `site.items` in the configuration says which pages are of items, and "
        "`crm orders import` brings orders"
    )


def in_zone(at: datetime) -> str:
    """A moment in words, in the zone of the output."""
    return at.astimezone(ZoneInfo(current().tz)).isoformat(" ", "seconds")


def before(known: Known, until: datetime | None) -> Known:
    """What is known before a moment; events without a time are."""
    import polars as pl

    if until is None:
        return known
    return replace(known, events=known.events.filter((pl.col("ts") < pl.lit(until)).fill_null(True)))


def of_file(app: "App", file: TableFile) -> Known:
    """The events in a file."""
    import polars as pl

    from plugins.recommend.source import events_of, roles

    found = read_table(file, app.host.readers())
    tell(app, file.name, found)
    read = events_of(found.frame, roles(_named()), current().tz)
    if read.left_out:
        every = counted(found.frame.height, "row")
        app.note(
            f"{file.name}: {every} = {counted(read.events.height, 'event')} + {sum(read.left_out.values()):,} left out"
        )
        for why, count in sorted(read.left_out.items()):
            app.note(f"  {count:,} {why}")
    nothing = pl.DataFrame(schema={"who": pl.String, "item": pl.String})
    return Known(read.events, nothing, nothing.select("item"))


def _named() -> list[str | None]:
    given = click.get_current_context().meta.get(_META)
    if not isinstance(given, list):
        raise LookupError("the running command has no options of events")
    return given


def algorithms_of(app: "App", names: "Sequence[str] | None") -> "Mapping[str, Algorithm]":
    """The algorithms that are meant; None for all.

    Raises:
        UsageError: there is none of this name.
    """
    known = app.host.recommenders()
    for name in names or ():
        if name not in known:
            raise UsageError(f"there is no algorithm `{name}`{did_you_mean(name, known)}; there are: {one_of(known)}")
    return {name: known[name] for name in names} if names else known


_WHAT: Final = {
    "user": "who it was  [default: user]",
    "item": "the item  [default: item]",
    "ts": "the time  [default: ts, if it is there]",
    "weight": "how much the event counts  [default: weight, if it is there; else 1]",
}
_OPTIONS: Final[tuple[Callable[[Any], Any], ...]] = tuple(
    click.option(f"--{name}", f"events_{name}", metavar="COLUMN", help=f"The file's column with {what}")
    for name, what in _WHAT.items()
)
