"""What tables hold, in a form that two workspaces, or a workspace and its backup, can be compared by."""

import hashlib
from collections.abc import Iterator
from typing import Final

import polars as pl
import sqlalchemy as sa
from deltalake import DeltaTable

from crm.lake import delta_table
from crm.records import Records
from crm.storage.places import Place
from plugins.backup.manifest import Contents

LOG: Final = "_delta_log"


def of_records(records: Records, name: str, connection: sa.Connection) -> Contents:
    """Rows of a table of records, and the hash of what they hold, secrets as they are kept.

    Whichever database they are in and in which order, equal rows give equal hashes.
    """
    contract = records.contracts[name]
    order = contract.key or [column.name for column in contract.columns]
    sha256, rows = hashlib.sha256(), 0
    for part in records.batches(name, order=order, connection=connection, raw=True):
        # Texts are quoted and nulls are not, so no two different rows have the same text.
        sha256.update(part.write_csv(include_header=False, quote_style="non_numeric").encode())
        rows += part.height
    return Contents("records", rows, sha256.hexdigest())


def lake_tables(lake: Place) -> Iterator[tuple[str, DeltaTable]]:
    """The Delta tables of a lake with their names, also of those whose plugin is not there.

    Raises:
        Unusable: the log of one is damaged.
    """
    for name in lake.folders():
        table = delta_table(lake, name)
        if table is not None:
            yield name, table


def data_files(table: DeltaTable) -> list[tuple[str, int, int]]:
    """The data files of a Delta table as it is now, sorted: path, bytes, rows."""
    actions = pl.DataFrame(table.get_add_actions(flatten=True))
    return sorted(actions.select("path", "size_bytes", "num_records").rows())


def of_lake(table: DeltaTable) -> Contents:
    """Rows and version of a Delta table; what is in its files, their sums say."""
    return Contents("lake", sum(rows or 0 for _, _, rows in data_files(table)), version=table.version())
