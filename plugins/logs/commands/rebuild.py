"""`crm logs rebuild`."""

import click

from crm.app import App, pass_app


@click.command(name="rebuild")
@pass_app
def command(app: App) -> None:
    """Make hits and sessions anew by the rules now in force.

    Page, kind and robot of every stored hit, all sessions, and the tables of all miners are made again by the
    configuration. `crm logs mine` does so by itself when the rules have changed; this is for when a plugin or
    a table's content is in doubt. Lines that were rejected or filtered are not read again: `crm logs drop`
    the source and mine it once more.

    \b
    Examples:
      crm logs rebuild
    """
    from plugins.logs import summary, words
    from plugins.logs.mining import Mine

    workspace = app.workspace()
    with workspace.lock():
        result = Mine.of(app).rebuild()
    for line in summary.rebuilt(result, workspace.lake):
        app.note(line)
    if failure := words.miner_failure(result.failed):
        raise failure
