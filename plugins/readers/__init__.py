"""The file formats of `--input-format`: csv, tsv, json, ndjson, yaml, parquet, xlsx, vcard."""

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Final

from crm.content import Content, Read
from crm.hookspecs import Reader, hookimpl

_ARRAY: Final = tuple(b"[" + behind for behind in (b"{", b"]", b" ", b"\n", b"\r", b"\t"))
_WORKBOOK: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
"""A zip archive, and the container of older Excel."""
_CARD: Final = (b"BEGIN:VCARD", b"begin:vcard", b"Begin:vCard")


def _later(module: str, function: str) -> Callable[[Content], Read]:
    """A reader whose module is imported when the first file is read: `--help` lists formats, too."""

    def read(content: Content) -> Read:
        found: Read = getattr(import_module(f"plugins.readers.{module}"), function)(content)
        return found

    return read


@hookimpl
def readers() -> Sequence[Reader]:
    """The built-in formats, in the order in which `--help` names them."""
    return [
        Reader("csv", (".csv",), _later("delimited", "read_csv"), "a header line, then a row a line"),
        Reader("tsv", (".tsv", ".tab"), _later("delimited", "read_tsv"), r"tabs; tab, newline and \ escaped by \ "),
        Reader("json", (".json",), _later("objects", "read_json"), "one array of objects", begins=_ARRAY),
        Reader("ndjson", (".ndjson", ".jsonl"), _later("objects", "read_ndjson"), "one object a line", begins=(b'{"',)),
        Reader("yaml", (".yaml", ".yml"), _later("yamls", "read_yaml"), "one list of mappings"),
        Reader("parquet", (".parquet",), _later("columnar", "read_parquet"), "typed columns", True, (b"PAR1",)),
        Reader("xlsx", (".xlsx", ".xlsm"), _later("excel", "read_xlsx"), "a sheet of a workbook", True, _WORKBOOK),
        Reader("vcard", (".vcf", ".vcard"), _later("vcard", "read_vcard"), "cards, a row each", begins=_CARD),
    ]
