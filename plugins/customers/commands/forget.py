"""`crm customers forget`."""

from typing import TYPE_CHECKING

import click

from crm import stdin
from crm.app import App, pass_app
from crm.errors import NothingFound, UsageError
from crm.output import table_output

if TYPE_CHECKING:
    import polars as pl

    from crm.workspace import Workspace


@click.command(name="forget")
@click.argument("who", nargs=-1, required=True, metavar="WHO...")
@click.option("--yes", is_flag=True, help="Do not ask.")
@table_output(columns="table rows")
@pass_app
def command(app: App, who: tuple[str, ...], yes: bool) -> "pl.DataFrame":
    """Erase all that is known of a customer, for good.

    WHO is an id, or a login, phone number, e-mail address or id number in any writing; also a login that only the logs
    know. The person's rows go from all tables of the records, and sessions and hits from the logs' tables, whose
    files are written anew; sums such as views of a page stay. It is told how many rows that concerns in each table.

    The audit log keeps that it was done, and `crm customers forgotten` keyed hashes: imports reject the person from
    then on. Files outside of the workspace, such as logs, exports and backups, are yours to clean. On a terminal this
    asks first; elsewhere it needs --yes.

    \b
    Examples:
      crm customers forget K0017
      crm customers forget wang.fang 138-0013-8000 --yes
    """
    import polars as pl

    from crm.access import require
    from crm.erasing import scrub
    from crm.forgetting import forget, replay
    from crm.messages import counted

    require(app, "forget")
    workspace = app.workspace()
    names = _names(workspace, who)
    if not yes:
        _ask(len(who))
    tables: dict[str, int] = {}
    with workspace.lock():
        gone = [forget(workspace, [name]) for name in names] or [replay(workspace)]
        clean = scrub(workspace)
    for each in gone:
        tables |= {name: tables.get(name, 0) + rows for name, rows in each.tables.items()}
        if each.shared:
            app.warn(f"{counted(each.shared, 'login')} of this person is also somebody else's: visits under it stay")
    if not names:
        app.note("forgotten before; what has come back since is erased again")
    if not clean:
        app.warn("somebody is reading the records; erased values may lie in their log until this is called again")
    app.note("logs, exports, backups, and models that were trained before are yours to clean, or to train again")
    rows = sorted(tables.items())
    return pl.DataFrame(rows, {"table": pl.String, "rows": pl.Int64}, orient="row")


def _names(workspace: "Workspace", who: tuple[str, ...]) -> list[str]:
    """The ids of the customers who are meant, or names as the tables have them; not those forgotten already.

    Raises:
        NothingFound: nobody is known by one.
    """
    from crm.forgetting import is_named
    from crm.forgotten import was_forgotten
    from crm.whose import customer_of

    names: list[str] = []
    for number, each in enumerate(who, start=1):
        try:
            with workspace.records.engine.connect() as connection:
                names.append(customer_of(workspace, connection, each))
        except NothingFound as error:
            if is_named(workspace, each):
                names.append(each)
            elif not was_forgotten(workspace, each):
                raise NothingFound(f"WHO number {number}: {error}" if len(who) > 1 else str(error)) from None
    return list(dict.fromkeys(names))


def _ask(count: int) -> None:
    """Ask a person whether to go on.

    Raises:
        UsageError: there is nobody to ask.
        click.Abort: the answer is no.
    """
    from crm.messages import counted

    if not stdin.asks_a_person():
        raise UsageError("this erases people for good; say --yes where nobody can be asked")
    click.confirm(f"Erase all that is known of {counted(count, 'customer')}, for good?", abort=True, err=True)
