"""The commands of `crm config`."""

from pathlib import Path

import click

from crm.app import CONFIG_NAME, App, pass_app


@click.command()
@click.option(
    "--key-file",
    type=click.Path(path_type=Path),
    help="Fix the pseudonym key: a file that holds 32 bytes in hex and that only you can read.",
)
@pass_app
def init(app: App, key_file: Path | None) -> None:
    """Write a commented crm.yaml into the workspace.

    Every setting is in it with its default, commented out. A file that exists is left as it is. With the same
    key, visitors get the same ids in another workspace.

    \b
    Examples:
      crm config init
      crm config init --key-file crm.key
    """
    from crm.config import CORE
    from plugins.config.files import read_key, write_new
    from plugins.config.text import template

    key = read_key(key_file) if key_file is not None else None
    file = app.workspace_path / CONFIG_NAME
    if key is not None and not file.exists():
        from crm.workspace import write_key

        write_key(app.workspace_path, key)
    write_new(file, template({**CORE, **app.host.config_sections()}))
    app.note(f"wrote {file}")


@click.command()
@click.option("--changed", is_flag=True, help="Only what differs from the default.")
@pass_app
def show(app: App, changed: bool) -> None:
    """Print the configuration in force as YAML; passwords are hidden.

    \b
    Examples:
      crm config show
      crm config show --changed
    """
    from plugins.config.text import as_yaml

    click.echo(as_yaml(app.config, changed=changed), nl=False)


@click.command()
@pass_app
def check(app: App) -> None:
    """Check the configuration file; exit code 4 and a sentence that says where it is wrong.

    Beside keys and values, what sections say of themselves is tried: a log format is compiled, for example.
    A name in plugins.block that no plugin has is warned of, and so is a folder of plugins that is not there.

    \b
    Examples:
      crm config check
      crm -c new.yaml config check
    """
    from plugins.config.checks import try_sections, without_effect

    path = app.config.path
    try_sections(app.config, app.host)
    for sentence in without_effect(app.config, app.host):
        app.warn(sentence)
    click.echo(f"OK: {path}" if path else "OK: no configuration file, everything is at its default")
