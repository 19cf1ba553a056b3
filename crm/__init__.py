"""What every plugin stands on: hooks, table contracts, workspace, configuration and output.

This is the one package that plugin authors import. Importing it loads neither Polars nor a database driver.
"""

from typing import TYPE_CHECKING

from crm.content import Content, Read
from crm.delivery import GiveUpError, Message, TryAgainError
from crm.hookspecs import (
    HOOK_API,
    Algorithm,
    Channel,
    CommandRef,
    Mined,
    Miner,
    Reader,
    TicketClassifier,
    Writer,
    hookimpl,
)
from crm.recommending import Allowed
from crm.tables import Column, Table
from logparse.spec import LogFormat

if TYPE_CHECKING:
    from crm.app import App, pass_app
    from crm.output import table_output

__version__ = "0.1.0"

__all__ = [
    "HOOK_API",
    "Algorithm",
    "Allowed",
    "App",
    "Channel",
    "Column",
    "CommandRef",
    "Content",
    "GiveUpError",
    "LogFormat",
    "Message",
    "Mined",
    "Miner",
    "Read",
    "Reader",
    "Table",
    "TicketClassifier",
    "TryAgainError",
    "Writer",
    "__version__",
    "hookimpl",
    "pass_app",
    "table_output",
]

_LATER = {"App": "crm.app", "pass_app": "crm.app", "table_output": "crm.output"}


def __getattr__(name: str) -> object:
    """Import what needs click only when it is asked for: a plugin's hooks do without."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_LATER[name]), name)
