"""Commands of the group `completion`."""

import os
from pathlib import Path

import click

from crm.app import App, pass_app
from crm.errors import Unusable, UsageError
from plugins.completion.scripts import SHELLS

_SHELL = click.argument("shell", type=click.Choice(list(SHELLS)), required=False)


@click.command(name="install")
@_SHELL
@pass_app
def install(app: App, shell: str | None) -> None:
    """Install completion for a shell.

    The script goes where SHELL looks for those of the user: for bash the folder of the package bash-completion, for zsh
    ~/.zfunc, for fish its own folder of completions. Without SHELL it is that of the variable SHELL. Its path is
    printed. To take completion away again, delete the file.

    \b
    Examples:
      crm completion install
      crm completion install fish
    """
    from crm.atomic import replacing
    from plugins.completion.scripts import script

    name = _chosen(shell)
    file = SHELLS[name].place(Path.home(), os.environ)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unusable(f"the folder {file.parent} cannot be made: {error.strerror}") from error
    with replacing(file) as out:
        out.write(script(name).encode())
    click.echo(file)
    app.note(SHELLS[name].next)


@click.command(name="show")
@_SHELL
def show(shell: str | None) -> None:
    """Print the script of completion for a shell.

    For where `crm completion install` does not put it where your shell looks.

    \b
    Examples:
      crm completion show zsh > ~/.zfunc/_crm
      crm completion show fish | source
    """
    from plugins.completion.scripts import script

    click.echo(script(_chosen(shell)), nl=False)


def _chosen(shell: str | None) -> str:
    from plugins.completion.scripts import users_shell

    name = shell or users_shell()
    if name is None:
        raise UsageError(f"which shell? name one: {', '.join(SHELLS)}")
    return name
