"""What every command works with: the plugins, the configuration, the workspace, and words on stderr."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

import click

from crm import __version__
from crm.discovery import read_settings
from crm.errors import Unusable
from crm.messages import Level, as_json, say, traceback_of
from crm.plugins import PluginHost
from crm.ticker import Ticker

if TYPE_CHECKING:
    from crm.config import Config
    from crm.tables import Table
    from crm.workspace import Workspace

P = ParamSpec("P")
R = TypeVar("R")

CONFIG_NAME = "crm.yaml"
"""The configuration file of a workspace."""

USUAL = Path(".crm")
"""The workspace's folder where none is named."""


class App:
    """One run of the program; click hands it to commands as the context's object (see `pass_app`).

    Args:
        builtins: Modules of the built-in plugins.
        workspace: The workspace's folder, which need not exist.
        config: The configuration file that the user named; None for the one in the workspace.
        verbosity: -1 quiet, 0 normal, 1 verbose, 2 very verbose.
        log_json: Messages are JSON, one object a line.
    """

    def __init__(
        self,
        builtins: Sequence[str],
        workspace: Path,
        config: Path | None = None,
        verbosity: int = 0,
        *,
        log_json: bool = False,
    ) -> None:
        self.builtins = builtins
        self.workspace_path = workspace
        self.verbosity = verbosity
        self.log_json = log_json
        self._config = config
        self._ticker: Ticker | None = None
        self._unsaid = ""
        self._mistake: Unusable | None = None

    @property
    def places(self) -> list[str]:
        """The words before a command that name this workspace and configuration, where they are not the usual ones."""
        words = [] if self.workspace_path == USUAL else ["-w", str(self.workspace_path)]
        return [*words, *([] if self._config is None else ["-c", str(self._config)])]

    @property
    def config_file(self) -> Path | None:
        """The configuration file: the one that the user named, else that of the workspace if there is one."""
        if self._config is not None:
            return self._config
        file = self.workspace_path / CONFIG_NAME
        return file if file.is_file() else None

    @cached_property
    def host(self) -> PluginHost:
        """The plugins."""
        settings = read_settings(self.config_file, os.environ)
        self._unsaid = f"{settings.problem}; only the built-in plugins are loaded" if settings.problem else ""
        return PluginHost(self.builtins, __version__, settings, self._report)

    @cached_property
    def config(self) -> "Config":
        """The whole configuration, checked; raises `crm.errors.Unusable` when it is wrong.

        While a plugin is blocked or broken, sections that nobody knows are let pass: one may be its own.
        """
        from crm.config import load

        sections = self.host.config_sections()
        lenient = any(plugin.state != "loaded" for plugin in self.host.plugins)
        try:
            return load(self.config_file, sections, lenient=lenient)
        except Unusable as error:
            self._mistake = error
            raise

    @contextmanager
    def run(self) -> Iterator[None]:
        """Warn, when the run ends, that plugins of the user are missing; not if it ends with what is wrong there."""
        try:
            yield
        except Unusable as error:
            if error is self._mistake:
                self._unsaid = ""
            raise
        finally:
            if self._unsaid:
                self.warn(self._unsaid)

    @cached_property
    def tables(self) -> Mapping[str, "Table"]:
        """The contracts of all tables by name, with the columns personal that the configuration adds."""
        from crm.access import AccessConfig
        from crm.tables import with_personal

        personal = self.config.get("access", AccessConfig).personal
        tables = self.host.tables()
        return {name: with_personal(table, personal) for name, table in tables.items()} if personal else tables

    def workspace(self, *, create: bool = False) -> "Workspace":
        """Open the workspace.

        Args:
            create: Make the workspace if there is none.

        Raises:
            Unusable: There is none, or it cannot be used.
        """
        from crm.lake_config import LakeConfig
        from crm.protection import ProtectionConfig, RecordsConfig
        from crm.workspace import Workspace

        return Workspace.open(
            self.workspace_path,
            self.tables,
            create=create,
            note=self.note,
            where=self.config.get("records", RecordsConfig),
            protection=self.config.get("protection", ProtectionConfig),
            lake=self.config.get("lake", LakeConfig),
        )

    def note(self, text: str) -> None:
        """Tell the user something on stderr, unless `-q` is given."""
        if self.verbosity >= 0:
            self._say("info", "note", text)

    def warn(self, text: str, **fields: object) -> None:
        """Warn the user on stderr."""
        self._say("warning", "warning", text, **fields)

    def debug(self, text: str, event: str = "debug", **fields: object) -> None:
        """Tell what happens inside on stderr, with `-v`; the fields are for `--log-json`."""
        if self.verbosity > 0:
            self._say("debug", event, text, **fields)

    def event(self, event: str, **fields: object) -> None:
        """Log what a person is told elsewhere: only with `--log-json`, and not with `-q`."""
        if self.log_json and self.verbosity >= 0:
            say(as_json("info", event, **fields))

    @contextmanager
    def working(self, text: str | Callable[[], str]) -> Iterator[None]:
        """Say on a terminal for how long something has been under way, until it ends or its output begins.

        Args:
            text: What is under way, or what says so at any moment.
        """
        with Ticker(text, quiet=self.verbosity < 0 or self.log_json) as self._ticker:
            yield

    def rest(self) -> None:
        """Output begins: nothing more is said of how long the work takes."""
        if self._ticker is not None:
            self._ticker.stop()

    def _say(self, level: Level, event: str, text: str, **fields: object) -> None:
        if self._ticker is not None:
            self._ticker.clear()
        if self.log_json:
            say(as_json(level, event, text, **fields))
        else:
            say(f"crm: warning: {text}" if level == "warning" else text)

    def _report(self, sentence: str, error: BaseException | None) -> None:
        trace = traceback_of(error) if error is not None and self.verbosity > 0 else ""
        self.warn(sentence, **({"traceback": trace} if trace and self.log_json else {}))
        if trace and not self.log_json:
            say(trace)


def pass_app(function: Callable[Concatenate[App, P], R]) -> Callable[P, R]:
    """Give a click command the `App` as its first argument."""
    return click.make_pass_decorator(App)(function)
