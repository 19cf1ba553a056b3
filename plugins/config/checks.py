"""What `crm config check` finds beyond wrong keys and values."""

from collections.abc import Iterator

from crm.config import Config
from crm.nearest import did_you_mean
from crm.plugin_settings import PluginSettings
from crm.plugins import PluginHost


def try_sections(config: Config, host: PluginHost) -> None:
    """Let the sections that have a method `check` check themselves against what plugins bring.

    Raises:
        Unusable: a value cannot be used.
    """
    for section in config.sections.values():
        check = getattr(type(section), "check", None)
        if callable(check):
            check(section, host)


def without_effect(config: Config, host: PluginHost) -> Iterator[str]:
    """Settings of plugins that do nothing, each as a sentence."""
    settings = config.get("plugins", PluginSettings)
    names = [plugin.name for plugin in host.plugins]
    for name in settings.block:
        if name not in names:
            yield f"plugins.block: there is no plugin `{name}`{did_you_mean(name, names)}"
