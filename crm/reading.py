"""What every command that reads a table from a file shares: the file, its format, encoding, separator and sheet.

    @click.command()
    @table_file
    @table_output()
    @pass_app
    def value(app: App) -> pl.DataFrame:
        return work_out(current_table(app))

Columns of text formats (csv, tsv, vcard) are all text; other formats have types. `table_or_workspace` makes the file
an option that may be left out, `table_argument` makes it the command's argument.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

import click

from crm.errors import Unusable, UsageError
from crm.messages import counted
from crm.nearest import one_of
from crm.options import FormatType

if TYPE_CHECKING:
    import polars as pl

    from crm.app import App
    from crm.content import Read
    from crm.hookspecs import Reader

P = ParamSpec("P")
R = TypeVar("R")

STDIN: Final = Path("-")

_META: Final = "crm.reading"
_NAMES: Final = ("path", "format", "encoding", "separator", "sheet")
_SHOWN: Final = 3
"""So many rows that were left out are told one by one."""
_PACKED: Final = (".gz", ".zst", ".bz2", ".xz")
_DEFAULT: Final = "csv"
_BEGIN: Final = 1024
_OTHERS: Final = {
    b"%PDF": "a PDF",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"SQLite format 3": "an SQLite database",
    b"\x7fELF": "a program",
    b"{\\rtf": "a text document",
}
"""What is known to be no table, by its first bytes."""


@dataclass(frozen=True)
class TableFile:
    """A file that holds a table, and what the user has said of it.

    Attributes:
        path: Where it is, `-` for standard input.
        format: The name of a reader; None to go by the file's ending and its first bytes.
        encoding: The encoding of its text; None to detect it.
        separator: What stands between fields; None to detect it.
        sheet: The sheet of a workbook; None for the first.
    """

    path: Path
    format: str | None = None
    encoding: str | None = None
    separator: str | None = None
    sheet: str | None = None

    @property
    def name(self) -> str:
        """What it is called in messages."""
        return "standard input" if self.path == STDIN else str(self.path)


def table_file(function: Callable[P, R]) -> Callable[P, R]:
    """Add the options that say which file a command reads; stands above `table_output`."""
    return _reading(function, _input(required=True))


def table_or_workspace(function: Callable[P, R]) -> Callable[P, R]:
    """The same for a command that reads the workspace where no file is named; `current_file` is None then."""
    return _reading(function, _input(required=False))


def table_argument(function: Callable[P, R]) -> Callable[P, R]:
    """The same for a command whose argument is the file."""
    return _reading(function, click.argument("table_path", metavar="FILE", type=_PATH))


def _reading(function: Callable[P, R], file: Callable[[Any], Any]) -> Callable[P, R]:
    @wraps(function)
    def command(*args: P.args, **kwargs: P.kwargs) -> R:
        context = click.get_current_context()
        given: dict[str, Any] = {name: kwargs.pop(f"table_{name}") for name in _NAMES}
        context.meta[_META] = _given(given)
        with context.obj.working(context.command_path):
            return function(*args, **kwargs)

    for option in (*reversed(_OPTIONS), file):
        option(command)
    return command


def _given(given: Mapping[str, Any]) -> TableFile | None:
    """The file that is named; None for none.

    Raises:
        UsageError: something is said of a file that is not named.
    """
    if given["path"] is not None:
        return TableFile(**given)
    for name, value in given.items():
        if value is not None:
            option = "--input-format" if name == "format" else f"--{name}"
            raise UsageError(f"{option} is about a file, and none is named with --input")
    return None


def current_table(app: "App") -> "pl.DataFrame":
    """The table that the user of the running command has named; what was found out and left out is told.

    Raises:
        LookupError: the command that runs is not decorated with `table_file`.
        UsageError: an option does not apply to the format.
        Unusable: the file cannot be read, or most of its rows cannot.
    """
    file = current_file()
    if file is None:
        raise LookupError("no file is named")
    found = read_table(file, app.host.readers())
    tell(app, file.name, found)
    rejected = found.rejects.height if found.rejects is not None else 0
    if rejected > found.frame.height:
        every = rejected + found.frame.height
        raise Unusable(f"{file.name}: {rejected:,} of {counted(every, 'row')} cannot be read; is it of another format?")
    return found.frame


def current_file() -> TableFile | None:
    """The file that the user of the running command has named; None where it is the workspace that is read.

    Raises:
        LookupError: the command that runs is not decorated with `table_file` or its like.
    """
    meta = click.get_current_context().meta
    if _META not in meta:
        raise LookupError("the running command has no table_file")
    file: TableFile | None = meta[_META]
    return file


def read_table(file: TableFile, readers: "Mapping[str, Reader]") -> "Read":
    """The table in a file.

    Args:
        file: Which, and what the user has said of it.
        readers: The formats that there are, by name.

    Raises:
        UsageError: an option does not apply to the format.
        Unusable: the file cannot be read.
    """
    from crm.content import Content

    data = _unpacked(file)
    reader = _reader(file, data, readers)
    content = Content(file.name, data, file.encoding, file.separator, file.sheet)
    return reader.read(content).plainly_named()


def tell(app: "App", name: str, found: "Read") -> None:
    """Say on stderr what a reader has found out, and what it has left out."""
    if found.said:
        app.note(f"{name}: {', '.join(found.said)}")
    for sentence in found.warnings:
        app.warn(f"{name}: {sentence}")
    if found.rejects is not None and found.rejects.height:
        rejects = found.rejects
        some = [f"line {line:,} {reason}" for line, reason in rejects.select("line", "reason").head(_SHOWN).iter_rows()]
        more = "; and others" if rejects.height > _SHOWN else ""
        app.warn(f"{name}: {counted(rejects.height, 'row')} left out: {'; '.join(some)}{more}", rows=rejects.height)


def _unpacked(file: TableFile) -> bytes:
    """The bytes of a file, unpacked if they are compressed."""
    from crm.stdin import given
    from logparse.compression import MAGIC_BYTES, Unpacked, kind_of
    from logparse.errors import UnreadableSource

    if file.path == STDIN:
        data = given().buffer.read()
    else:
        try:
            data = file.path.read_bytes()
        except OSError as error:
            raise Unusable(f"{file.name}: cannot be read: {error.strerror or error}") from error
    kind = kind_of(data[:MAGIC_BYTES])
    if kind is None:
        return data
    import io

    try:
        return Unpacked(io.BytesIO(data), kind).read()
    except UnreadableSource as error:
        raise Unusable(f"{file.name}: {error}") from error


def _reader(file: TableFile, data: bytes, readers: "Mapping[str, Reader]") -> "Reader":
    """The reader that the user has named; else that of the first bytes, where they are no text; else that of the
    file's ending; else that of the first bytes.

    Raises:
        Unusable: it is something well known that holds no table.
    """
    if file.format is not None:
        return readers[file.format]
    begin = _begin(data)
    by_bytes = next((reader for reader in readers.values() if begin.startswith(reader.begins)), None)
    if by_bytes is not None and by_bytes.binary:
        return by_bytes
    other = next((what for magic, what in _OTHERS.items() if data.startswith(magic)), None)
    if other is not None:
        raise Unusable(f"{file.name}: it is {other}; formats that can be read are {one_of(readers)}")
    ending = _ending(file.path)
    by_ending = next((reader for reader in readers.values() if ending in reader.endings), None)
    return by_ending or by_bytes or readers[_DEFAULT]


def _begin(data: bytes) -> bytes:
    """The first bytes of a file, of a text behind its byte-order mark and white space."""
    return data[:_BEGIN].removeprefix(b"\xef\xbb\xbf").lstrip()


def _ending(path: Path) -> str:
    """The ending of a file's name that tells its format, below that of a compression."""
    name = path.name.lower()
    return Path(next((name.removesuffix(each) for each in _PACKED if name.endswith(each)), name)).suffix


def _known(app: "App | None") -> "Mapping[str, Reader]":
    """The formats of `--input-format` by name; none while the program's options are not read yet."""
    return app.host.readers() if app is not None else {}


_PATH: Final = click.Path(allow_dash=True, path_type=Path)


def _input(*, required: bool) -> Callable[[Any], Any]:
    help_text = "Read this file, or - for standard input; it may be compressed."
    return click.option(
        "--input",
        "table_path",
        type=_PATH,
        required=required,
        metavar="FILE",
        help=help_text if required else f"{help_text}  [default: the workspace]",
    )


_OPTIONS: Final[tuple[Callable[[Any], Any], ...]] = (
    click.option(
        "--input-format",
        "table_format",
        type=FormatType(_known),
        help="Format of the file.  [default: by its ending, else by its first bytes]",
    ),
    click.option(
        "--encoding",
        "table_encoding",
        metavar="NAME",
        help="Encoding of the file's text: utf-8, gb18030, big5, windows-1252 and others.  [default: detected]",
    ),
    click.option(
        "--separator",
        "table_separator",
        metavar="SIGN",
        help="What stands between the fields of csv: one character, or `tab`.  [default: detected]",
    ),
    click.option("--sheet", "table_sheet", metavar="NAME", help="Sheet of a workbook.  [default: the first]"),
)
