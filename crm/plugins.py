"""The plugin host: all that the plugins bring, with a type and a name each.

What plugins bring is put together in their order: built-ins, installed plugins by name, single files by
name. Where two claim the same name, the first keeps it and the later plugin's entry is left out; it is
named on stderr and in `crm plugins list`.
"""

import importlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast, get_args

from crm.discovery import (
    DISTRIBUTION,
    Candidate,
    Settings,
    builtin_candidates,
    entry_point_candidates,
    file_candidates,
)
from crm.errors import CrmError
from crm.hookspecs import PROJECT, Algorithm, Channel, CommandRef, Miner, Reader, TicketClassifier, Writer
from crm.registry import BROKEN, Plugin, Registry, Report, mark_failed
from crm.tables import ColumnType, Table
from logparse.spec import LogFormat, Syntax

if TYPE_CHECKING:
    import click
    import msgspec

    from crm.config import Config

__all__ = ["Command", "Plugin", "PluginError", "PluginHost"]


class _Named(Protocol):
    @property
    def name(self) -> str: ...


T = TypeVar("T")
N = TypeVar("N", bound=_Named)
F = TypeVar("F", Reader, Writer)

_PATH = re.compile(r"[a-z0-9][a-z0-9_-]*( [a-z0-9][a-z0-9_-]*)*")


class PluginError(CrmError):
    """A plugin's command cannot be imported."""

    exit_code = 1


@dataclass(frozen=True)
class Command:
    """A command or a group of commands, and the plugin that it came from."""

    ref: CommandRef
    plugin: Plugin


class PluginHost:
    """All plugins of one run of the program.

    Args:
        builtins: Modules that are a part of the program.
        version: The program's version, which is also that of the built-ins.
        settings: What is blocked, and the folder of single files.
        report: Called once for every failure and every entry that is left out.
        checked: More plugins, which come last; each stands for an installed one of its name.
    """

    def __init__(
        self,
        builtins: Sequence[str],
        version: str,
        settings: Settings,
        report: Report,
        checked: Sequence[Candidate] = (),
    ) -> None:
        self._registry = Registry(settings, report)
        self._own = Plugin(PROJECT, DISTRIBUTION, version, builtin=True)
        self._owners: dict[tuple[str, str], Plugin] = {}
        self._kept: dict[str, Any] = {}
        names = {candidate.name for candidate in checked}
        others = chain(entry_point_candidates(), () if settings.folder is None else file_candidates(settings.folder))
        for candidate in chain(
            builtin_candidates(builtins, version), (each for each in others if each.name not in names), checked
        ):
            self._registry.load(candidate)

    @property
    def plugins(self) -> Sequence[Plugin]:
        """Every plugin that was found, in order, also the blocked and the failed ones."""
        return self._registry.plugins

    def commands(self) -> Mapping[str, Command]:
        """Commands and groups by their path ("logs mine"); the groups above a command are always there."""
        return self._once("commands", self._commands)

    def tables(self) -> Mapping[str, Table]:
        """Table contracts by name."""
        return self._once("tables", lambda: self._named("table", "tables", Table, _table_problem))

    def log_formats(self) -> Mapping[str, LogFormat]:
        """Log formats by name; one whose pattern cannot be compiled is left out."""
        return self._once("log_formats", lambda: self._named("log format", "log_formats", LogFormat, _format_problem))

    def writers(self) -> Mapping[str, Writer]:
        """File formats of tables by name; an ending belongs to one of them only."""
        return self._once("writers", lambda: self._by_ending("writer", "writers", Writer))

    def readers(self) -> Mapping[str, Reader]:
        """File formats that tables are read from by name; an ending belongs to one of them only."""
        return self._once("readers", lambda: self._by_ending("reader", "readers", Reader))

    def config_sections(self) -> Mapping[str, type["msgspec.Struct"]]:
        """Sections of the configuration by name, also those that are there without any plugin."""
        return self._once("config_sections", self._sections)

    def miners(self, config: "Config") -> Sequence[Miner]:
        """What `crm logs mine` runs, in the order of the plugins.

        A miner that writes a table without a contract is left out: the table could not be kept.
        """
        tables = self.tables()

        def problem(miner: Miner) -> str:
            unknown = [name for name in miner.tables if name not in tables]
            return f"there is no table {unknown[0]!r}" if unknown else ""

        return list(self._named("miner", "miners", Miner, problem, config=config).values())

    def recommenders(self) -> Mapping[str, Algorithm]:
        """Recommenders by name."""
        return self._once("recommenders", lambda: self._named("recommender", "recommenders", Algorithm))

    def push_channels(self) -> Mapping[str, Channel]:
        """Ways by which messages go out, by name."""
        return self._once("push_channels", lambda: self._named("channel", "push_channels", Channel))

    def ticket_classifiers(self) -> Mapping[str, TicketClassifier]:
        """Ways to tell quality classes of tickets apart, by name."""
        return self._once(
            "ticket_classifiers", lambda: self._named("ticket classifier", "ticket_classifiers", TicketClassifier)
        )

    def owner(self, kind: str, name: str) -> Plugin | None:
        """The plugin that brought a "table", "log format", "writer", "reader", "section", "miner" ... of this name."""
        return self._owners.get((kind, name))

    def fail(self, plugin: Plugin, doing: str, error: BaseException) -> None:
        """Mark a plugin as failed and say so, once; its hooks are asked no more."""
        self._registry.fail(plugin, doing, error)

    def load_command(self, command: Command) -> "click.Command":
        """Import a command on its first use.

        Raises:
            PluginError: It cannot be imported, or is not a click command.
        """
        import click

        module, _, attribute = (command.ref.target or "").partition(":")
        try:
            found = getattr(importlib.import_module(module), attribute)
            if not isinstance(found, click.Command):
                raise TypeError(f"{command.ref.target} is not a click command")
        except BROKEN as error:
            reason = mark_failed(command.plugin, f"its command {command.ref.path!r} cannot be imported", error)
            raise PluginError(f"{command.plugin} failed: {reason}") from error
        return found

    def _once(self, what: str, ask: Callable[[], Mapping[str, T]]) -> Mapping[str, T]:
        if what not in self._kept:
            self._kept[what] = ask()
        return cast("Mapping[str, T]", self._kept[what])

    def _named(
        self,
        kind: str,
        hook: str,
        type_: type[N],
        problem: Callable[[N], str] = lambda _: "",
        **given: object,
    ) -> dict[str, N]:
        """The items of a hook by their names, without those that clash or have a problem."""

        def check(answer: object) -> Iterator[tuple[N, str]]:
            return ((item, problem(item)) for item in _all_of(type_, answer))

        found: dict[str, N] = {}
        for plugin, (item, wrong) in self._registry.ask(hook, check, **given):
            if wrong:
                self._registry.leave_out(plugin, f"{kind} {item.name!r}", wrong)
            elif self._claim(kind, item.name, plugin, taken=item.name in found):
                found[item.name] = item
        return found

    def _claim(self, kind: str, name: str, plugin: Plugin, *, taken: bool) -> bool:
        if taken:
            other = self._owners[kind, name]
            self._registry.leave_out(plugin, f"{kind} {name!r}", f"{other} has one of this name")
        else:
            self._owners[kind, name] = plugin
        return not taken

    def _commands(self) -> dict[str, Command]:
        found: dict[str, Command] = {}
        below: dict[str, str] = {}

        def check(answer: object) -> Sequence[CommandRef]:
            return _all_of(CommandRef, answer)

        for plugin, ref in self._registry.ask("register_commands", check):
            wrong = _command_problem(ref, found, below)
            if wrong:
                self._registry.leave_out(plugin, f"command {ref.path!r}", wrong)
            else:
                found.setdefault(ref.path, Command(ref, plugin))
                for parent in _parents(ref.path):
                    below.setdefault(parent, ref.path)
        for command in list(found.values()):
            for parent in _parents(command.ref.path):
                found.setdefault(parent, Command(CommandRef(parent, f"Commands of {command.plugin}."), command.plugin))
        return found

    def _by_ending(self, kind: str, hook: str, type_: type[F]) -> dict[str, F]:
        """The file formats of a hook by their names, each with the endings that none before it has."""
        formats: dict[str, F] = {}
        endings: dict[str, F] = {}
        for name, item in self._named(kind, hook, type_).items():
            for ending in item.endings:
                if ending in endings:
                    why = f"{self._owners[kind, endings[ending].name]} has it"
                    self._registry.leave_out(self._owners[kind, name], f"ending {ending!r}", why)
            free = tuple(ending for ending in item.endings if ending not in endings)
            formats[name] = replace(item, endings=free)
            endings.update(dict.fromkeys(free, item))
        return formats

    def _sections(self) -> dict[str, type["msgspec.Struct"]]:
        import msgspec

        from crm.config import CORE

        def check(answer: object) -> list[tuple[str, type[msgspec.Struct]]]:
            if not isinstance(answer, Mapping):
                raise TypeError(f"it returned {type(answer).__name__} instead of a mapping")
            for section in answer.values():
                if not (isinstance(section, type) and issubclass(section, msgspec.Struct)):
                    raise TypeError(f"it returned {section!r} instead of a msgspec struct")
                msgspec.convert({}, section)  # types that msgspec knows, and defaults everywhere
            return list(answer.items())

        found: dict[str, type[msgspec.Struct]] = dict(CORE)
        self._owners.update({("section", name): self._own for name in CORE})
        for plugin, (name, section) in self._registry.ask("config_sections", check):
            if self._claim("section", name, plugin, taken=name in found):
                found[name] = section
        return found


def _all_of(type_: type[T], answer: object) -> list[T]:
    if not isinstance(answer, Sequence):
        raise TypeError(f"it returned {type(answer).__name__} instead of a list")
    for item in answer:
        if not isinstance(item, type_):
            raise TypeError(f"it returned {item!r} instead of a {type_.__name__}")
    return list(answer)


def _parents(path: str) -> list[str]:
    words = path.split(" ")
    return [" ".join(words[:n]) for n in range(1, len(words))]


def _command_problem(ref: CommandRef, found: Mapping[str, Command], below: Mapping[str, str]) -> str:
    """Why a command cannot stand beside those found before; a group may be named by many plugins.

    Args:
        ref: The command.
        found: Those found before, by their paths.
        below: The first command below each group.
    """
    if not _PATH.fullmatch(ref.path):
        return "a command is called by words of lower-case letters, digits and dashes"
    for parent in _parents(ref.path):
        if parent in found and found[parent].ref.target is not None:
            return f"{parent!r} is a command of {found[parent].plugin}, not a group"
    same = found.get(ref.path)
    if same is not None and (ref.target is not None or same.ref.target is not None):
        return f"{same.plugin} has one of this name"
    if ref.target is not None and ref.path in below:
        return f"{found[below[ref.path]].plugin} has the command {below[ref.path]!r}"
    return ""


def _format_problem(known: LogFormat) -> str:
    """Why no log could be read with a format."""
    from logparse.errors import FormatError
    from logparse.pattern import compile_pattern

    if known.syntax not in get_args(Syntax):
        return f"there is no syntax {known.syntax!r}"
    try:
        compile_pattern(known)
    except FormatError as error:
        return str(error)
    return ""


def _table_problem(table: Table) -> str:
    """Why a table could not be kept as its contract says."""
    names = [column.name for column in table.columns]
    types = [column.type for column in table.columns]
    unknown = [type_ for type_ in types if type_ not in get_args(ColumnType)]
    if not names or len(set(names)) < len(names):
        return "its columns need names, each its own"
    if unknown:
        return f"there is no column type {unknown[0]!r}"
    if table.store == "lake" and table.by_date and (names[0], types[0]) != ("date", "date"):
        return "a table by date begins with a column `date` of the type date"
    return ""
