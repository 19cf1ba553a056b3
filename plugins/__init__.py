"""The built-in plugins, each registered through the same hooks as a third party's."""

DEFAULT_PLUGINS = (
    "plugins.logs",
    "plugins.paths",
    "plugins.customers",
    "plugins.catalog",
    "plugins.interest",
    "plugins.recommend",
    "plugins.push",
    "plugins.tickets",
    "plugins.report",
    "plugins.completion",
    "plugins.query",
    "plugins.config",
    "plugins.workspace",
    "plugins.audit",
    "plugins.backup",
    "plugins.manage",
    "plugins.readers",
    "plugins.writers",
)
"""Modules of the built-in plugins, in the order in which their hooks are called."""
