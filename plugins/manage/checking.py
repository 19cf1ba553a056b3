"""What is wrong with a plugin that is written, before anybody installs it."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from crm import __version__
from crm.config import load
from crm.discovery import DISTRIBUTION, read_settings
from crm.hookspecs import HOOK_API
from crm.plugins import PluginHost
from crm.registry import BROKEN
from plugins.manage import helping, signatures, starting
from plugins.manage.findings import Finding
from plugins.manage.locating import Located

if TYPE_CHECKING:
    from crm.app import App

_API = "crm_hook_api"

_ASKED = (
    "commands",
    "tables",
    "log_formats",
    "writers",
    "readers",
    "recommenders",
    "push_channels",
    "ticket_classifiers",
)
"""The plugin host's methods that tell what plugins add, and find out whose names are taken."""


def findings(app: "App", plugin: Located) -> list[Finding]:
    """All that is wrong with a plugin, errors first.

    Args:
        app: The run of the program, whose other plugins the names are held against.
        plugin: The plugin.
    """
    found, slow = list(_project(plugin.project)), list[Finding]()
    try:
        slow += _start(plugin)
    except TimeoutError:
        what = f"does not end within {starting.PATIENCE:g} s when it is imported: nothing may be left running then"
        return _sorted([*found, Finding("error", f"module {plugin.module[0]}", what)])
    try:
        module = plugin.candidate.load()
    except BROKEN as error:
        what = f"cannot be imported: {type(error).__name__}: {' '.join(str(error).split())}".rstrip(": ")
        return _sorted([*found, *slow, Finding("error", plugin.candidate.name, what)])
    found += [*_api(module), *signatures.of_module(module)]
    loaded = replace(plugin.candidate, load=lambda: module)
    if not any(each.level == "error" for each in found):
        found += _together(app, replace(plugin, candidate=loaded))
    return _sorted([*found, *slow])


def _sorted(found: Sequence[Finding]) -> list[Finding]:
    return sorted(dict.fromkeys(found), key=lambda each: each.level != "error")


def _project(project: Mapping[str, Any]) -> Iterator[Finding]:
    """What the package says of itself."""
    if not project:
        return
    where = "pyproject.toml"
    needs = [str(each) for each in project.get("dependencies", ())]
    if not any(each.startswith(DISTRIBUTION) for each in needs):
        yield Finding("warning", where, f"its dependencies lack {DISTRIBUTION}, so pip cannot see what it needs")
    for key in ("description", "requires-python"):
        if key not in project:
            yield Finding("warning", where, f"`project` has no `{key}`")


def _start(plugin: Located) -> Iterator[Finding]:
    """How long every start of the program waits for it."""
    name, folder = plugin.module
    start = starting.start_of(name, folder)
    if start is None:
        return  # that it cannot be imported is told where it is tried
    if start.heavy:
        yield Finding(
            "warning",
            f"module {name}",
            f"imports {', '.join(start.heavy)} at every start of the program; import it in the functions that need it",
        )
    if start.milliseconds > starting.LIMIT_MS:
        took = f"{start.milliseconds:,.0f} ms to be imported, and every start waits for it"
        yield Finding("error", f"module {name}", f"takes {took}; {starting.LIMIT_MS:.0f} ms are allowed")


def _api(module: object) -> Iterator[Finding]:
    api = getattr(module, _API, None)
    if api is None:
        yield Finding("warning", _API, f"is not set: `{_API} = {HOOK_API}` says for which hooks it is written")
    elif api != HOOK_API:
        yield Finding("error", _API, f"is {api!r}, and this program has hook API {HOOK_API}")


def _together(app: "App", plugin: Located) -> Iterator[Finding]:
    """What goes wrong beside all other plugins: names that are taken, answers of the wrong kind, missing help."""
    settings = read_settings(app.config_file, os.environ)
    host = PluginHost(app.builtins, __version__, settings, lambda _sentence, _error: None, [plugin.candidate])
    mine = host.plugins[-1]
    for hook in _ASKED:
        getattr(host, hook)()
    sections = host.config_sections()
    if mine.state == "loaded":
        host.miners(load(app.config_file, sections, lenient=True))  # with the section that it may bring itself
    for reason in mine.reasons:
        yield Finding("error", "beside others", reason)
    if mine.state == "loaded":
        yield from helping.of_plugin(host, mine)
