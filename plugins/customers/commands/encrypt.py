"""`crm customers encrypt`."""

from pathlib import Path

import click

from crm.app import App, pass_app


@click.command(name="encrypt")
@click.option(
    "--key-file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="NEW",
    help="Change to the key in this file, which is made if it is missing. It takes the place of the key in use.",
)
@pass_app
def command(app: App, key_file: Path | None) -> None:
    """Bring stored values into line with `protection` in the configuration.

    Id numbers, phone numbers, e-mail addresses, and texts that hold such values are encrypted if `protection.encrypt`
    is true, else decrypted; with --key-file all are put under a new key, and the old one is kept beside it for old
    backups. It is one transaction: after an interruption, call it again. What lay in the database before is
    overwritten, as far as the file system lets that happen.

    \b
    Examples:
      crm customers encrypt
      crm customers encrypt --key-file new.key
    """
    from crm.access import require
    from crm.encrypting import encrypt
    from crm.erasing import scrub
    from crm.messages import counted
    from crm.secrets import key_file as place

    require(app, "restore")
    workspace = app.workspace()
    with workspace.lock():
        changed = encrypt(workspace, key_file)
        clean = scrub(workspace)
    done = "encrypted" if workspace.protection.encrypt else "decrypted"
    for name, rows in changed.items():
        app.note(f"{name}: {done} values of {counted(rows, 'row')}")
    if not changed:
        app.note(f"all values are {done} already")
    file = place(workspace.path, workspace.protection)
    if workspace.protection.encrypt:
        app.note(f"the key is in {file}; without a copy of it, kept apart from those of the records, they are lost")
    if not clean:
        app.warn("somebody is reading the records, so old values may lie in their log until the next call of this")
