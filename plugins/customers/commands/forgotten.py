"""`crm customers forgotten`."""

from typing import TYPE_CHECKING

import click

from crm.app import App, pass_app
from crm.errors import NothingFound, UsageError
from crm.output import table_output
from crm.reading import current_file, table_input

if TYPE_CHECKING:
    import polars as pl

    from crm.workspace import Workspace
