"""A plugin's functions held against the hooks' specifications, in words."""

import inspect
from collections.abc import Iterator, Sequence

import pluggy

from crm import hookspecs
from crm.hookspecs import PROJECT
from crm.nearest import did_you_mean, one_of
from plugins.manage.findings import Finding


def hooks() -> dict[str, tuple[str, ...]]:
    """The names of the arguments of each hook."""
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(hookspecs)
    callers = ((name, getattr(manager.hook, name)) for name in dir(manager.hook) if not name.startswith("_"))
    return {name: tuple(caller.spec.argnames) for name, caller in callers if caller.spec is not None}


def of_module(module: object) -> Iterator[Finding]:
    """What is wrong with how a module, or an object, implements hooks."""
    known, manager = hooks(), pluggy.PluginManager(PROJECT)
    any_hook = False
    for attribute in dir(module):
        function = getattr(module, attribute, None)
        options = manager.parse_hookimpl_opts(module, attribute)
        if options is None:
            if attribute in known and inspect.isfunction(function) and _is_own(function, module):
                yield Finding(
                    "error", attribute, "is called like a hook, and nobody asks it without the mark @hookimpl"
                )
            continue
        any_hook = True
        name = options.get("specname") or attribute
        if name not in known:
            why = f"there is no hook `{name}`{did_you_mean(name, known)}; there are: {one_of(known)}"
            yield Finding("error", attribute, why)
        elif options.get("wrapper") or options.get("hookwrapper"):
            yield Finding("error", attribute, "is a wrapper, and hooks cannot be wrapped")
        else:
            yield from _arguments(attribute, name, known[name], function)
    if not any_hook:
        yield Finding("error", "hooks", "it implements none, so it adds nothing; mark a function with @hookimpl")


def _is_own(function: object, module: object) -> bool:
    """Whether a function is defined where it is looked at, not imported from elsewhere."""
    return getattr(function, "__module__", None) == getattr(module, "__name__", None)


def _arguments(attribute: str, hook: str, known: Sequence[str], function: object) -> Iterator[Finding]:
    parameters = inspect.signature(function).parameters  # type: ignore[arg-type]  # pluggy has seen that it is callable
    for parameter in parameters.values():
        if parameter.name == "self" or parameter.name in known:
            continue
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            yield Finding("error", attribute, f"takes `{parameter}`; a hook names each argument that it wants")
        elif parameter.default is parameter.empty:
            has = f"it has: {one_of(known)}" if known else "it has none"
            near = did_you_mean(parameter.name, known)
            yield Finding(
                "error", attribute, f"takes `{parameter.name}`, which the hook `{hook}` does not give{near}; {has}"
            )
