"""`crm interest want`, `unwant` and `forget-stance`."""

from typing import TYPE_CHECKING, Any, Final

import click

from crm.access import require
from crm.app import App, pass_app
from crm.completing import stored
from crm.errors import NothingFound, UsageError
from crm.messages import counted
from crm.output import current, table_output
from plugins.interest.options import level_option

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    import polars as pl

_KEYS: Final = click.argument(
    "keys", metavar="KEY...", nargs=-1, required=True, shell_complete=stored("catalog", "item")
)


def _said(function: "Callable[..., Any]") -> "Callable[..., Any]":
    """The arguments and options of what a customer says."""
    for option in (
        click.option(
            "--at", metavar="WHEN", help="When it was said: a date, a time, 7d for as long ago.  [default: now]"
        ),
        click.option("--source", metavar="TEXT", help="Where it was said: a form, a call.  [default: command line]"),
        level_option,
        _KEYS,
        click.argument("who"),
    ):
        function = option(function)
    return function


@click.command(name="want")
@_said
@table_output(columns="level key stance ts source")
@pass_app
def want(
    app: App, who: str, keys: tuple[str, ...], level: str | None, source: str | None, at: str | None
) -> "pl.DataFrame":
    """Store what a customer wants to hear about.

    WHO is an id, or a login, phone number, e-mail address or id number in any writing. KEY is the path of a category
    (food/grain/rice), the id of an item, or a tag. It stands beside what is inferred from what the customer does; the
    last word about a key counts. The table has all that the customer has said.

    \b
    Examples:
      crm interest want K0017 food/grain/rice
      crm interest want wang.fang 1011 1012 --source "order form" --at 2026-03-01
      crm interest want K0017 food --level 1
    """
    return _store(app, who, keys, level, source, at, "wanted")


@click.command(name="unwant")
@_said
@table_output(columns="level key stance ts source")
@pass_app
def unwant(
    app: App, who: str, keys: tuple[str, ...], level: str | None, source: str | None, at: str | None
) -> "pl.DataFrame":
    """Store what a customer does not want to hear about.

    WHO is an id, or a login, phone number, e-mail address or id number in any writing. KEY is the path of a category
    (food/grain/rice), the id of an item, or a tag. The last word about a key counts. The table has all that the
    customer has said.

    \b
    Examples:
      crm interest unwant K0017 baby
      crm interest unwant wang.fang digital/phone --source call
    """
    return _store(app, who, keys, level, source, at, "unwanted")


@click.command(name="forget-stance")
@click.argument("who")
@_KEYS
@level_option
@table_output(columns="level key stance ts source")
@pass_app
def forget_stance(app: App, who: str, keys: tuple[str, ...], level: str | None) -> "pl.DataFrame":
    """Take back what a customer has said to want, or not.

    WHO and KEY are as in `crm interest want`. What is inferred from what the customer does stays. The table has what
    the customer has said about other keys.

    \b
    Examples:
      crm interest forget-stance K0017 baby
      crm interest forget-stance wang.fang digital/phone food/grain/rice
    """
    from plugins.interest.finding import keys_of
    from plugins.interest.saying import said, take_back, whom

    require(app, "import")
    _, ids = whom(app, who)
    known = said(app, ids)
    if not known.height:
        raise NothingFound("this customer has said nothing about what is wanted")
    chosen = keys_of(known.select("level", "key"), keys, level)
    take_back(app, ids, chosen)
    app.note(f"{counted(chosen.height, 'word')} taken back")
    return said(app, ids)


def _store(
    app: App, who: str, keys: tuple[str, ...], level: str | None, source: str | None, at: str | None, stance: str
) -> "pl.DataFrame":
    from crm.interest.building import catalogue_of
    from plugins.interest.finding import keys_of, known_keys
    from plugins.interest.saying import said, say, whom

    require(app, "import")
    moment = _moment(at)
    customer, ids = whom(app, who)
    chosen = keys_of(known_keys(app, catalogue_of(app)), keys, level)
    later = say(app, customer, chosen, stance, source or "command line", moment)
    if later:
        app.note(f"what the customer has said later about {counted(later, 'key')} stays")
    return said(app, ids)


def _moment(at: str | None) -> "datetime":
    """When it was said.

    Raises:
        UsageError: it is no time, or has not come yet.
    """
    from datetime import UTC, datetime
    from zoneinfo import ZoneInfo

    from crm.filters import When

    now = datetime.now(UTC)
    if at is None:
        return now
    try:
        moment = When(at).span(ZoneInfo(current().tz), now)[0]
    except ValueError as error:
        raise UsageError(f"--at: {error}") from None
    if moment > now:
        raise UsageError(f"--at {at} has not come yet")
    return moment
