"""Commands of the group `plugins`."""

from typing import TYPE_CHECKING

import click

from crm.app import App, pass_app
from crm.errors import CrmError
from crm.output import impersonal, table_output

if TYPE_CHECKING:
    import polars as pl


@click.command(name="list")
@table_output(columns="name distribution version hooks state reason")
@pass_app
def list_plugins(app: App) -> "pl.DataFrame":
    """List the plugins with their state.

    Built-in plugins come first, then installed ones by name, then single files. A plugin is loaded,
    blocked (by `block` in the section `plugins` of the configuration, or by the environment variable
    CRM_BLOCK_PLUGINS) or failed. The reason also tells what of a loaded plugin was left out.

    \b
    Examples:
      crm plugins list
      crm plugins list --columns name,state,reason
    """
    import polars as pl

    impersonal()
    _ask_every_hook(app)
    rows = [
        (
            plugin.name,
            plugin.distribution,
            plugin.version,
            ", ".join(plugin.hooks),
            plugin.state,
            plugin.reason,
        )
        for plugin in app.host.plugins
    ]
    columns = ("name", "distribution", "version", "hooks", "state", "reason")
    return pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")


def _ask_every_hook(app: App) -> None:
    """Make failures show: a plugin is asked only when something needs its answer."""
    host = app.host
    for ask in (host.commands, host.tables, host.log_formats, host.writers, host.config_sections):
        ask()
    try:
        config = app.config
    except CrmError as error:
        app.warn(f"the miners are not asked, because the configuration cannot be used: {error}")
    else:
        host.miners(config)
