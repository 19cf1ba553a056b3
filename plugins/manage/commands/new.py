"""`crm plugins new`."""

from pathlib import Path

import click

from crm.app import App, pass_app
from crm.errors import UsageError
from plugins.manage.scaffolding import PARTS, Names, Part, scaffold


@click.command(name="new")
@click.argument("name")
@click.option(
    "--with",
    "parts",
    type=click.Choice(PARTS),
    multiple=True,
    default=("command", "miner", "log-format"),
    show_default="command, miner and log-format",
    help="What it shall bring; may be given several times.",
)
@click.option(
    "--into",
    "folder",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder of the package, which is made.  [default: crm-NAME]",
)
@pass_app
def command(app: App, name: str, parts: tuple[Part, ...], folder: Path | None) -> None:
    """Write the package of a new plugin.

    It is complete: it can be installed, its tests pass, and what it brings works, so you can change it step by step
    into your own. NAME is what its command is called, such as hours; the package is then crm-hours. The files that
    were written are printed.

    \b
    Examples:
      crm plugins new hours
      crm plugins new crm-report-lines --with command --with file-format \\
          --into plugins/report-lines
    """
    names = Names.of(name)
    taken = {path.split()[0] for path in app.host.commands()} | {plugin.name for plugin in app.host.plugins}
    endings = {ending for writer in app.host.writers().values() for ending in writer.endings}
    if names.plugin in taken or f".{names.name}" in endings:
        what = "command or plugin" if names.plugin in taken else "format of files"
        raise UsageError(f"there is a {what} `{names.plugin}` already; give the new one another name")
    target = folder or Path(names.distribution)
    for file in scaffold(target, names, parts):
        click.echo(target / file)
    app.note(f"next: pip install -e '{target}[test]' && pytest {target} && crm plugins check {target}")
