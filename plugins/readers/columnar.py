"""parquet: columns as they were written."""

import io

import polars as pl

from crm.content import Content, Read
from crm.errors import Unusable


def read_parquet(content: Content) -> Read:
    """The table of a Parquet file.

    Raises:
        UsageError: the user has named an encoding, a separator or a sheet.
        Unusable: it is no Parquet that can be read.
    """
    content.without(encoding=content.encoding, separator=content.separator, sheet=content.sheet)
    try:
        return Read(pl.read_parquet(io.BytesIO(content.data)))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise Unusable(f"{content.name}: it is no Parquet that can be read: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    return str(error).splitlines()[0][:200]
