"""`crm logs drop`."""

import fnmatch
import os
from typing import TYPE_CHECKING

import click

from crm import stdin
from crm.app import App, pass_app
from crm.cells import visible
from crm.errors import UsageError

if TYPE_CHECKING:
    import polars as pl


@click.command(name="drop")
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
@click.option("--all", "everything", is_flag=True, help="Forget every source.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_app
def command(app: App, sources: tuple[str, ...], everything: bool, yes: bool) -> None:
    """Forget a source, so that it can be read again.

    SOURCE is what `crm logs status` shows of it: its number, its path, or a glob in quotes for several paths. Its
    hits go, all sessions and tables are made anew without them, and the next `crm logs mine` reads the log from its
    beginning, if it still lies there: in another format, say. On a terminal this asks first; elsewhere it needs
    --yes.

    \b
    Examples:
      crm logs drop 3
      crm logs drop '/var/log/nginx/shop.log*' --yes
      crm logs drop --all --yes
    """
    from crm.messages import counted
    from plugins.logs import history
    from plugins.logs.mining import Mine
    from plugins.logs.words import miner_failure

    if everything == bool(sources):
        raise UsageError("name the sources to forget, or --all; `crm logs status` lists them")
    workspace = app.workspace()
    known = history.by_source(history.rows(workspace))
    wanted = known if everything else _named(known, sources)
    if not wanted.height:
        app.note("no source is left to forget")
        return
    if not yes:
        _ask(wanted)
    with workspace.lock():
        mine = Mine.of(app)
        gone = mine.drop(None if everything else wanted["source"].to_list())
    app.note(f"forgot {counted(wanted.height, 'source')} with {counted(gone, 'hit')}")
    for note in mine.notes:
        app.note(note)
    if failure := miner_failure(mine.failed):
        raise failure


def _named(known: "pl.DataFrame", sources: tuple[str, ...]) -> "pl.DataFrame":
    """The rows of the named sources.

    Raises:
        UsageError: one of them is not there.
    """
    import polars as pl

    wanted: set[int] = set()
    for source in sources:
        found = {number for number, name in known.select("source", "name").iter_rows() if _means(source, number, name)}
        if not found:
            raise UsageError(f"there is no source {source}; `crm logs status` lists them")
        wanted |= found
    return known.filter(pl.col("source").is_in(wanted))


def _means(given: str, number: int, name: str) -> bool:
    """Whether what the user gives is the number of a source, its name, or a glob of names."""
    if given.isdecimal():
        return int(given) == number
    whole = os.path.abspath(given)
    return name in (given, whole, os.path.realpath(given)) or fnmatch.fnmatchcase(name, whole)


def _ask(wanted: "pl.DataFrame") -> None:
    """Ask a person whether to go on.

    Raises:
        UsageError: there is nobody to ask.
        click.Abort: the answer is no.
    """
    from crm.messages import counted

    if not stdin.asks_a_person():
        raise UsageError("this forgets hits for good; say --yes where nobody can be asked")
    for source, name, hits in wanted.select("source", "name", "hits").iter_rows():
        click.echo(f"source {source}, {visible(name)}: {counted(hits, 'hit')}", err=True)
    click.confirm(f"Forget {counted(wanted.height, 'source')}?", abort=True, err=True)
