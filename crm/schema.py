"""Contracts as the schemas of Polars and Delta Lake."""

from functools import cache
from typing import TYPE_CHECKING

import polars as pl

from crm.tables import ColumnType, Table

if TYPE_CHECKING:
    from deltalake import Schema

POLARS: dict[ColumnType, pl.DataType] = {
    "boolean": pl.Boolean(),
    "int8": pl.Int8(),
    "int16": pl.Int16(),
    "int32": pl.Int32(),
    "int64": pl.Int64(),
    "float64": pl.Float64(),
    "string": pl.String(),
    "date": pl.Date(),
    "timestamp": pl.Datetime("us", "UTC"),
    "list[string]": pl.List(pl.String()),
    "list[timestamp]": pl.List(pl.Datetime("us", "UTC")),
}

DELTA: dict[ColumnType, str] = {
    "boolean": "boolean",
    "int8": "byte",
    "int16": "short",
    "int32": "integer",
    "int64": "long",
    "float64": "double",
    "string": "string",
    "date": "date",
    "timestamp": "timestamp",
}


def polars_schema(table: Table) -> dict[str, pl.DataType]:
    """Column names and Polars types, in the contract's order."""
    return {column.name: POLARS[column.type] for column in table.columns}


@cache
def delta_schema(table: Table) -> "Schema":
    """The table's schema for Delta Lake."""
    from deltalake import Field, Schema
    from deltalake.schema import ArrayType, PrimitiveType

    def kind(name: ColumnType) -> ArrayType | PrimitiveType:
        if name == "list[string]":
            return ArrayType(PrimitiveType("string"), contains_null=True)
        if name == "list[timestamp]":
            return ArrayType(PrimitiveType("timestamp"), contains_null=True)
        return PrimitiveType(DELTA[name])

    return Schema([Field(column.name, kind(column.type), nullable=True) for column in table.columns])
