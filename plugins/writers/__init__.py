"""The file formats of `-f/--format`: table, csv, tsv, json, ndjson, md, parquet, xlsx."""

from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, BinaryIO

from crm.errors import UsageError
from crm.hookspecs import Writer, hookimpl

if TYPE_CHECKING:
    import polars as pl


def _later(module: str, function: str) -> "Callable[[pl.LazyFrame, BinaryIO], None]":
    """A writer whose module is imported when the first table is written: `--help` lists formats, too."""

    def write(frame: "pl.LazyFrame", out: BinaryIO) -> None:
        getattr(import_module(f"plugins.writers.{module}"), function)(frame, out)

    return write


def _check_excel() -> None:
    if find_spec("xlsxwriter") is None:
        raise UsageError("xlsx needs another package: pip install 'crm-toolkit[excel]'")


@hookimpl
def writers() -> Sequence[Writer]:
    """The built-in formats, in the order in which `--help` names them."""
    return [
        Writer("table", (".txt",), _later("grid", "write_table"), "aligned columns for people"),
        Writer("csv", (".csv",), _later("delimited", "write_csv"), "RFC 4180, UTF-8, a header line"),
        Writer("tsv", (".tsv", ".tab"), _later("delimited", "write_tsv"), r"tab, newline and \ escaped by \ "),
        Writer("json", (".json",), _later("objects", "write_json"), "one array of objects"),
        Writer("ndjson", (".ndjson", ".jsonl"), _later("objects", "write_ndjson"), "one object a line"),
        Writer("md", (".md", ".markdown"), _later("grid", "write_markdown"), "a Markdown table"),
        Writer("parquet", (".parquet",), _later("columnar", "write_parquet"), "typed columns", binary=True),
        Writer("xlsx", (".xlsx",), _later("excel", "write_xlsx"), "an Excel workbook", True, _check_excel),
    ]
