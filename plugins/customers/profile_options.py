"""What commands about profiles of customers share: as of which moment, and which columns may be looked at."""

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import UTC, datetime
from functools import wraps
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

import click

from crm.access import AccessConfig
from crm.errors import UsageError
from crm.filters import When
from crm.reading import current_file

if TYPE_CHECKING:
    import polars as pl

    from crm.app import App
    from plugins.customers.loading import Loaded

P = ParamSpec("P")
R = TypeVar("R")

_META: Final = "customers.as_of"


class WhenType(click.ParamType[When]):
    """A moment: a date is its beginning."""

    name = "when"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> When:
        """Read it; what is none is a usage error."""
        try:
            return value if isinstance(value, When) else When.parse(value)
        except ValueError as error:
            self.fail(f"{error}.", param, ctx)


def as_of_option(default: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Add `--as-of`; stands above `table_output`.

    Args:
        default: What counts without it, in words.
    """

    def add(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def command(*args: P.args, **kwargs: P.kwargs) -> R:
            click.get_current_context().meta[_META] = kwargs.pop("as_of")
            return function(*args, **kwargs)

        click.option(
            "--as-of",
            type=WhenType(),
            metavar="WHEN",
            help=f"Only what happened before counts: a date, an ISO time, 7d for as long ago.  [default: {default}]",
        )(command)
        return command

    return add


def given_moment() -> datetime | None:
    """The moment that the user has named with `--as-of`, in UTC."""
    from zoneinfo import ZoneInfo

    from crm.output import current

    said = click.get_current_context().meta.get(_META)
    return said.span(ZoneInfo(current().tz), datetime.now(UTC))[0] if said is not None else None


def check_moment() -> None:
    """See that `--as-of` is not given for a file.

    Raises:
        UsageError: it is.
    """
    if current_file() is not None and given_moment() is not None:
        raise UsageError("--as-of is about the workspace, and --input names a file")


def workspace_profiles(app: "App", as_of: datetime, needs: Collection[str] | None) -> "pl.LazyFrame":
    """The profiles of the workspace's customers.

    Args:
        app: The run of the program.
        as_of: The moment.
        needs: Columns that matter, as in `loading.loaded`.
    """
    from plugins.customers.loading import loaded

    return profiles_of(app, loaded(app.workspace(), needs), as_of)


def profiles_of(app: "App", known: "Loaded", as_of: datetime) -> "pl.LazyFrame":
    """The profiles that the configuration's tiers and the output's zone give."""
    from crm.output import current
    from plugins.customers.config import CustomersConfig

    return known.profiles(as_of, current().tz, app.config.get("customers", CustomersConfig))


def workspace_rows(app: "App", names: Sequence[str], said: str = "--features") -> "pl.DataFrame":
    """`customer` and some columns of the profiles of the workspace's customers, as of the moment that the user names.

    Args:
        app: The run of the program.
        names: The columns.
        said: Where they are named.

    Raises:
        UsageError: a column is not there, or is one of the user's own that may be personal.
    """
    from plugins.customers.features import check_columns

    profiles = workspace_profiles(app, given_moment() or datetime.now(UTC), names)
    refuse_hidden(app, said, names, profiles.collect_schema().names())
    frame = profiles.collect()
    check_columns(frame, names, said)
    return frame.select("customer", *names)


def words_of(texts: Iterable[str]) -> set[str]:
    """The words of some conditions, among which are all columns that they name."""
    return {word for text in texts for word in re.findall(r"\w+", text)}


def own_columns(app: "App", columns: Iterable[str]) -> set[str]:
    """Columns of a profile that no field is for, and that the configuration does not show (`access.shown`)."""
    from plugins.customers.profiles import EXTRA, FIELDS

    shown = app.config.get("access", AccessConfig).shown
    fields = {*FIELDS, *(column.name for column in app.tables["customers"].columns)}
    return {each for each in columns if each not in fields and each.removeprefix(EXTRA) not in shown}


def refuse_hidden(app: "App", said: str, names: Iterable[str], columns: Iterable[str]) -> None:
    """See that no column is one of the user's own that may be personal.

    Args:
        app: The run of the program.
        said: Where the columns are named.
        names: The columns, or all words, that are named.
        columns: All columns of the profiles.

    Raises:
        UsageError: one is.
    """
    hidden = sorted(own_columns(app, columns) & set(names))
    if hidden:
        raise UsageError(
            f"{said}: the column `{hidden[0]}` is one of your own, and masked; if it is not personal, name it under "
            "`access.shown` in the configuration"
        )
