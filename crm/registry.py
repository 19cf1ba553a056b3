"""Loads plugins and calls their hooks, each plugin on its own: one that raises does not stop the others."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal, TypeVar

import pluggy

from crm import hookspecs
from crm.discovery import Candidate, Settings
from crm.hookspecs import HOOK_API, PROJECT

State = Literal["loaded", "blocked", "failed"]
Report = Callable[[str, BaseException | None], None]
"""Tells the user about a plugin: a sentence, and the error behind it."""

T = TypeVar("T")

BROKEN = (Exception, SystemExit)
"""What a broken plugin may raise: a module that calls `sys.exit` must not end the program."""


@dataclass(eq=False)
class Plugin:
    """A plugin and what became of it.

    Attributes:
        name: What `block` calls it.
        distribution: Where it was installed from; for a single file its path.
        version: The distribution's version; empty for a single file.
        builtin: Whether it is a part of this program.
        state: `loaded`, `blocked` (by the configuration or the environment) or `failed`.
        hooks: The hooks that it implements.
        reasons: Why it was blocked, why it failed, and which of its entries were left out.
    """

    name: str
    distribution: str
    version: str
    builtin: bool = False
    state: State = "loaded"
    hooks: tuple[str, ...] = ()
    reasons: list[str] = field(default_factory=list)

    @property
    def reason(self) -> str:
        """All reasons in one line."""
        return "; ".join(self.reasons)

    def __str__(self) -> str:
        return f"plugin {self.name!r} of {f'{self.distribution} {self.version}'.rstrip()}"


class Registry:
    """The plugins in their order, with their states.

    Args:
        settings: Which plugins are blocked.
        report: Called once for every failure and every entry that is left out.
    """

    def __init__(self, settings: Settings, report: Report) -> None:
        self.plugins: list[Plugin] = []
        self._settings = settings
        self._report = report
        self._modules: dict[Plugin, object] = {}
        self._manager = pluggy.PluginManager(PROJECT)
        self._manager.add_hookspecs(hookspecs)

    def load(self, candidate: Candidate) -> None:
        """Load a plugin, unless it is blocked."""
        plugin = Plugin(candidate.name, candidate.distribution, candidate.version, candidate.builtin)
        self.plugins.append(plugin)
        reason = self._blocked(plugin)
        if reason:
            plugin.state = "blocked"
            plugin.reasons.append(reason)
            return
        try:
            self._register(plugin, candidate.load())
        except BROKEN as error:
            self.fail(plugin, "it cannot be loaded", error)

    def ask(self, hook: str, check: Callable[[object], Iterable[T]], **given: object) -> Iterator[tuple[Plugin, T]]:
        """What the plugins answer, item by item.

        `check` takes a plugin's answer apart and raises if it is malformed. A plugin that raises is marked
        as failed and gives nothing. Only the arguments that an implementation names are passed to it.
        """
        implementations = getattr(self._manager.hook, hook).get_hookimpls()
        for plugin, module in self._modules.items():
            if plugin.state != "loaded":
                continue
            try:
                items = [
                    item
                    for implementation in implementations
                    if implementation.plugin is module
                    for item in check(implementation.function(*(given[name] for name in implementation.argnames)))
                ]
            except BROKEN as error:
                self.fail(plugin, f"its hook {hook!r} does not work", error)
            else:
                yield from ((plugin, item) for item in items)

    def fail(self, plugin: Plugin, doing: str, error: BaseException) -> None:
        """Mark a plugin as failed and say so, once; its hooks are asked no more."""
        if plugin.state != "failed":
            self._report(f"{plugin} failed: {mark_failed(plugin, doing, error)}", error)

    def leave_out(self, plugin: Plugin, entry: str, why: str) -> None:
        """Note that something of a plugin is not used, and say so, once."""
        reason = f"its {entry} is left out: {why}"
        if reason not in plugin.reasons:
            plugin.reasons.append(reason)
            self._report(f"{plugin}: {reason}", None)

    def _blocked(self, plugin: Plugin) -> str:
        if plugin.name in self._settings.block:
            return "its name is blocked"
        return "" if plugin.builtin else self._settings.problem

    def _register(self, plugin: Plugin, module: object) -> None:
        if module is None:
            raise TypeError("it is None instead of a module")
        if self._manager.has_plugin(plugin.name):
            raise ValueError(f"another plugin is called {plugin.name!r}")
        api = getattr(module, "crm_hook_api", HOOK_API)
        if api != HOOK_API:
            raise ValueError(f"it was written for hook API {api!r}, and this is hook API {HOOK_API}")
        if self._manager.is_registered(module):
            raise ValueError(f"it is the module that the plugin {self._manager.get_name(module)!r} is")
        hooks = tuple(self._hooks(module))
        self._manager.register(module, plugin.name)
        plugin.hooks = hooks
        self._modules[plugin] = module

    def _hooks(self, module: object) -> Iterator[str]:
        """Names of the hooks that a module implements; pluggy itself checks their arguments."""
        for attribute in dir(module):
            options = self._manager.parse_hookimpl_opts(module, attribute)
            if options is None:
                continue
            name = options.get("specname") or attribute
            if not hasattr(self._manager.hook, name):
                raise ValueError(f"there is no hook {name!r}")
            if options.get("wrapper") or options.get("hookwrapper"):
                raise ValueError(f"its hook {name!r} is a wrapper, and hooks cannot be wrapped")
            yield name


def mark_failed(plugin: Plugin, doing: str, error: BaseException) -> str:
    """Set the plugin's state to failed and return the reason, which is one line."""
    reason = f"{doing}: {type(error).__name__}: {' '.join(str(error).split())}".rstrip(": ")
    plugin.state = "failed"
    plugin.reasons.append(reason)
    return reason
