"""What a plugin brings, held against what users expect: help for everything."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, get_args, get_type_hints

import click

from crm.errors import CrmError
from plugins.manage.findings import Finding

if TYPE_CHECKING:
    import msgspec

    from crm.plugins import Command, Plugin, PluginHost


def of_plugin(host: "PluginHost", plugin: "Plugin") -> Iterator[Finding]:
    """Everything of a plugin that lacks help."""
    for path, command in host.commands().items():
        if command.plugin is plugin:
            yield from _command(host, path, command)
    for kind, hook in _NAMED.items():
        for name, item in getattr(host, hook)().items():
            if host.owner(kind, name) is plugin:
                yield from _item(kind, name, item)
    for name, section in host.config_sections().items():
        if host.owner("section", name) is plugin:
            yield from _section(name, section)


def _item(kind: str, name: str, item: object) -> Iterator[Finding]:
    if not getattr(item, "help", ""):
        yield Finding("warning", f"{kind} {name}", "has no help, which lists show")
    for column in getattr(item, "columns", ()):
        if not column.help:
            yield Finding("warning", f"{kind} {name}", f"its column `{column.name}` has no help")


def _section(name: str, section: "type[msgspec.Struct]") -> Iterator[Finding]:
    for key in _undescribed(section):
        yield Finding("warning", f"section {name}", f"its setting `{key}` has no description")


def _undescribed(section: "type[msgspec.Struct]") -> Iterator[str]:
    """The settings of a section without `msgspec.Meta(description=...)`; those that are structs are their own help."""
    import msgspec

    hints = get_type_hints(section, include_extras=True)
    for field in msgspec.structs.fields(section):
        hint = hints[field.name]
        notes = [each for each in get_args(hint)[1:] if isinstance(each, msgspec.Meta)]
        if not any(note.description for note in notes) and not (
            isinstance(hint, type) and issubclass(hint, msgspec.Struct)
        ):
            yield field.encode_name


_NAMED = {
    "table": "tables",
    "log format": "log_formats",
    "writer": "writers",
    "reader": "readers",
    "recommender": "recommenders",
    "channel": "push_channels",
    "ticket classifier": "ticket_classifiers",
}
"""The plugin host's method for each kind of thing with a name and a help."""


def _command(host: "PluginHost", path: str, command: "Command") -> Iterator[Finding]:
    where, line = f"command {path}", command.ref.help
    if not line:
        yield Finding("warning", where, "its CommandRef has no help, which the list of commands shows")
    if command.ref.target is None:
        return
    try:
        loaded = host.load_command(command)
    except CrmError as error:
        yield Finding("error", where, str(error))
        return
    if loaded.help and line and not " ".join(loaded.help.split()).startswith(line.rstrip(".")):
        yield Finding("warning", where, f"its help does not begin with the line of the list: {line}")
    yield from _loaded(where, loaded)


def _loaded(where: str, command: click.Command) -> Iterator[Finding]:
    """What the help of a command lacks, and of those in it."""
    within = command.commands if isinstance(command, click.Group) else {}
    for name, each in within.items():
        yield from _loaded(f"{where} {name}", each)
    text = command.help or ""
    if not text:
        yield Finding("warning", where, "has no help: give its function a docstring")
    elif not within and "Examples:" not in text:
        yield Finding("warning", where, "its help shows no example: add a paragraph `Examples:` behind a line \\b")
    for option in command.params:
        if isinstance(option, click.Option) and not option.help and not option.hidden:
            yield Finding("warning", where, f"its option {'/'.join(option.opts)} has no help")
