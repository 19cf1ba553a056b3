"""`crm logs status`."""

from typing import TYPE_CHECKING

import click

from crm.app import App, pass_app
from crm.output import impersonal, table_output

if TYPE_CHECKING:
    import polars as pl


@click.command(name="status")
@table_output(columns="source name format charset tz lines hits filtered rejected blank offset first last last_run")
@pass_app
def command(app: App) -> "pl.DataFrame":
    """Show the sources that were mined and where their lines went.

    A source is a log, known by its first lines whatever its file is called now; `name` is where it was read
    last, `charset` and `tz` how it was read (`tz` is empty where its times have an offset), `offset` how many
    bytes of it (uncompressed) have been read, `first` the time of its first hit, `last` the latest time of a
    hit, `last_run` when a run last read lines of it. For every source, lines = hits + filtered + rejected +
    blank; the sums, by reason, are told on stderr, and so is the version of the list by which robots are named.

    \b
    Examples:
      crm logs status
      crm logs status -f json --columns source,name,last_run
    """
    from plugins.logs import history, words

    impersonal()
    workspace = app.workspace()
    ledger = history.rows(workspace)
    sources = history.by_source(ledger)
    for line in words.account_in_words(history.total(ledger)):
        app.note(line)
    robots = history.robots_list(workspace)
    if robots:
        app.note(f"robots by name: {robots}")
    return sources
