"""`crm plugins check`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from crm.app import App, pass_app
from crm.errors import Unusable
from crm.messages import counted
from crm.output import current, impersonal, show, table_output

if TYPE_CHECKING:
    import polars as pl

    from plugins.manage.findings import Finding


@click.command(name="check")
@click.argument("path", type=click.Path(path_type=Path))
@table_output(columns="plugin level where what")
@pass_app
def command(app: App, path: Path) -> None:
    """Say what is wrong with a plugin.

    PATH is the folder of a package, or a single file. It need not be installed; where it is, the one at PATH is looked
    at. Its functions are held against the hooks, its names against those of all other plugins, and everything that it
    brings is asked for help. It is imported, so check only what you would run.

    An error keeps something from working; a warning is what users will stumble over. With an error the exit code is 4.

    \b
    Examples:
      crm plugins check .
      crm plugins check .crm/plugins/hours.py
      crm plugins check crm-hours -f json
    """
    from plugins.manage.apart import findings_apart
    from plugins.manage.locating import located

    located(path)
    found = findings_apart(app, path)
    impersonal()
    if found or current().writer.name != "table":  # a program reads an empty list, a person a sentence
        show(app, _table(found), current())
    errors = sum(one.level == "error" for _, one in found)
    if errors:
        raise Unusable(f"{path} has {counted(errors, 'error')}")
    app.note(f"no errors, {counted(len(found), 'warning')}" if found else "nothing is wrong")


def _table(found: "list[tuple[str, Finding]]") -> "pl.DataFrame":
    import polars as pl

    rows = [(name, each.level, each.where, each.what) for name, each in found]
    return pl.DataFrame(rows, schema=dict.fromkeys(("plugin", "level", "where", "what"), pl.String), orient="row")
