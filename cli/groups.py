"""Groups of commands that are imported only when they are called.

The help of a group is written from the `CommandRef`s of the plugins; a command's module is imported when
the command itself is called or asked for its own help.
"""

import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import click

from crm.app import App
from crm.nearest import did_you_mean
from crm.plugins import Command, Plugin

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_OWNER = "crm.plugin"


def plugin_in_charge(ctx: click.Context) -> Plugin | None:
    """The plugin of the command that was called, or None before a command is found."""
    plugin = ctx.meta.get(_OWNER)
    return plugin if isinstance(plugin, Plugin) else None


def before_command(error: click.NoSuchOption, words: Sequence[str]) -> click.NoSuchOption:
    """The error for an option that a command lacks, with where it stands if it is one of the program itself.

    Args:
        error: What click says of it.
        words: The command line.
    """
    name, context = error.option_name, error.ctx
    if context is None or context.parent is None:
        return error
    root = context.find_root()
    options = (each for each in root.command.get_params(root) if isinstance(each, click.Option))
    option = next((each for each in options if name in each.opts), None)
    at = max((at for at, word in enumerate(words) if word.startswith(name)), default=None)
    if option is None or at is None:
        return error
    alone = words[at] == name and not (option.is_flag or option.count)
    given = shlex.join(words[at : at + 1 + alone])
    _, _, path = context.command_path.partition(" ")
    message = f"No such option {name!r} here: it stands before the command: {root.info_name} {given} {path}"
    return click.NoSuchOption(name, message, ctx=context)


_NUMBERS: Final = {
    "integer": "whole number",
    "integer range": "whole number",
    "float": "number",
    "float range": "number",
}
"""What a person calls click's types."""


def plainly(error: click.BadParameter) -> click.BadParameter:
    """The error for a value that is no number, without click's name of the type."""
    kind = error.param.type.name if error.param is not None else ""
    said = f"is not a valid {kind}."
    if kind not in _NUMBERS or not error.message.endswith(said):
        return error
    message = f"{error.message.removesuffix(said)}is no {_NUMBERS[kind]}."
    return click.BadParameter(message, error.ctx, error.param, error.param_hint)


class LazyGroup(click.Group):
    """A group whose commands are those of the plugins whose path begins with the group's own words."""

    def __init__(self, *, path: str = "", **attributes: object) -> None:
        super().__init__(**attributes)  # type: ignore[arg-type]  # click's own keyword arguments
        self.path = path

    def app(self, ctx: click.Context) -> App:
        """The app of this run."""
        return ctx.ensure_object(App)

    def children(self, ctx: click.Context) -> Mapping[str, Command]:
        """The commands and groups right below this one, by the last word of their path, sorted."""
        above = self.path.split()
        paths = ((path.split(), command) for path, command in self.app(ctx).host.commands().items())
        return dict(sorted((words[-1], command) for words, command in paths if words[:-1] == above))

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the commands, sorted."""
        return list(self.children(ctx))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        command = self.children(ctx).get(cmd_name)
        if command is None:
            return None
        if command.ref.target is None:
            return LazyGroup(name=cmd_name, path=command.ref.path, help=command.ref.help)
        loaded = self.app(ctx).host.load_command(command)
        if not ctx.resilient_parsing:
            return loaded
        from crm.completing import with_values  # for the shell alone

        return with_values(loaded)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is called, and remember whose it is."""
        children = self.children(ctx)
        command = children.get(args[0])
        if command is not None:
            ctx.meta[_OWNER] = command.plugin
        elif not ctx.resilient_parsing:
            ctx.fail(f"No such command {args[0]!r}{self._meant(ctx, args[0])}.")
        return super().resolve_command(ctx, args)

    def _meant(self, ctx: click.Context, word: str) -> str:
        """What may be meant: a command of this name below, else one here whose name is like it."""
        above = f"{self.path} ".lstrip()
        paths = [path.removeprefix(above) for path in self.app(ctx).host.commands() if path.startswith(above)]
        below = sorted(path for path in paths if path.endswith(f" {word}"))[:3]
        if not below:
            return did_you_mean(word, self.children(ctx))
        return f" (did you mean {' or '.join(f'`{path}`' for path in below)}?)"

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing them."""
        rows = [(name, command.ref.help) for name, command in self.children(ctx).items()]
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        """Complete the name of a command or option without importing the commands."""
        from click.shell_completion import CompletionItem

        names = [
            CompletionItem(name, help=command.ref.help)
            for name, command in self.children(ctx).items()
            if name.startswith(incomplete)
        ]
        return names + click.Command.shell_complete(self, ctx, incomplete)
