"""What every plugin stands on: hooks, table contracts, workspace, configuration and output.

This is the one package that plugin authors import. Importing it loads neither Polars nor a database driver.
"""

from crm.hookspecs import HOOK_API, CommandRef, Miner, Writer, hookimpl
from crm.tables import Column, Table
from logparse.spec import LogFormat

__version__ = "0.1.0"

__all__ = [
    "HOOK_API",
    "Column",
    "CommandRef",
    "LogFormat",
    "Miner",
    "Table",
    "Writer",
    "__version__",
    "hookimpl",
]
