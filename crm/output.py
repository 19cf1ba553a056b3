"""What every command that prints a table shares: format, file, columns, limit, time zone and masks.

    @click.command()
    @table_output()
    @click.pass_obj
    def pages(app: App) -> pl.LazyFrame:
        ...

The command returns a table; the decorator adds the options and prints it. Large tables are streamed.
"""

import io
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, ParamSpec, TypeAlias, cast

import click

from crm.access import require
from crm.nearest import no_column, one_of
from crm.output_options import NAMES, known_writers, options

if TYPE_CHECKING:
    import polars as pl

    from crm.app import App
    from crm.hookspecs import Writer
    from crm.tables import Table

    Frame: TypeAlias = pl.DataFrame | pl.LazyFrame

P = ParamSpec("P")
_META = "crm.output"
_PERSONAL = "crm.output.personal"
_IMPERSONAL = "crm.output.impersonal"


@dataclass(frozen=True)
class Output:
    """The output options of the command that runs.

    `tz` is the zone in which times print; `columns` is None for all; `limit` is None for all rows.
    """

    writer: "Writer"
    file: Path | None
    limit: int | None
    columns: tuple[str, ...] | None
    tz: str
    unmask: bool


def current() -> Output:
    """The output options of the running command, for one that needs them itself (days begin in `tz`, say).

    Raises:
        LookupError: the command that runs is not decorated with `table_output`.
    """
    options = click.get_current_context().meta.get(_META)
    if not isinstance(options, Output):
        raise LookupError("the running command has no table_output")
    return options


def table_output(
    default_format: str = "table", *, columns: str = ""
) -> "Callable[[Callable[P, Frame | None]], Callable[P, None]]":
    """Make a function that returns a table into a command that prints it, and add the output options.

    The function gets its own arguments only; None means that it has printed for itself. Mistakes in the
    options are usage errors (exit code 2), found before the function runs where possible.

    Args:
        default_format: The name of the format where the user names none.
        columns: The names of all columns that the table may have, in their order, with spaces between them: `--help`
            shows them, and shells complete them. `hits.*` stands for those of the table hits, `...` at the end for more
            that depend on what is asked.
    """

    def decorate(function: "Callable[P, Frame | None]") -> Callable[P, None]:
        @wraps(function)
        def command(*args: P.args, **kwargs: P.kwargs) -> None:
            context = click.get_current_context()
            app = context.obj
            given = {name: kwargs.pop(f"output_{name}") for name in NAMES}
            output = _chosen(app, default_format, given)
            if output.unmask:
                require(app, "unmask")
            context.meta[_META] = output
            frame = function(*args, **kwargs)
            if frame is not None:
                show(app, frame, output)

        for option in reversed(options(default_format, columns.split())):
            option(command)
        return command

    return decorate


def show(
    app: "App",
    frame: "Frame",
    output: Output,
    *,
    once: bool = False,
    masked: bool = False,
    finish: "Callable[[pl.LazyFrame], pl.LazyFrame] | None" = None,
) -> None:
    """Print a table as `output` says: its columns and rows, masked, in its zone and format, to its file.

    Args:
        app: The run of the program.
        frame: The table.
        output: How to print it.
        once: It can be read only once (a stream), so its rows are not counted for the audit log.
        masked: Whoever made it has masked it already, or has recorded that it is not.
        finish: What is done to the table once it is masked.

    Raises:
        click.UsageError: `--columns` names a column that the table lacks.
        Unusable: the file cannot be written.
        BrokenPipeError: the reader of stdout has gone.
    """
    from crm import cells, masks

    lazy = _selected(frame.lazy(), output.columns)
    if output.limit is not None:
        lazy = lazy.head(output.limit)
    personal = personal_now(app)
    if masked:
        pass
    elif output.unmask:
        _audit(app, lazy, personal, counted=not once)
    else:
        lazy = masks.apply(lazy, personal)
    lazy = finish(lazy) if finish is not None else lazy
    app.rest()
    counter = _Counter()
    lazy = cells.in_zone(lazy, output.tz).pipe(counter.count)
    with _target(output.file) as out:
        if out.isatty() and not output.writer.binary:
            lazy = cells.safe_for_terminal(lazy)
        _write(output.writer, lazy, out)
    if counter.rows == 0:
        app.note("no rows")


def personal_columns(tables: "Iterable[Table]") -> Mapping[str, str]:
    """The columns that any table's contract calls personal, each with the name of its mask."""
    return {column.name: column.mask for table in tables for column in table.columns if column.mask}


def also_personal(columns: Mapping[str, str]) -> None:
    """Columns of the table that the running command prints are personal, though no contract says so.

    Args:
        columns: Column and the name of its mask.
    """
    meta = click.get_current_context().meta
    meta[_PERSONAL] = {**meta.get(_PERSONAL, {}), **columns}


def impersonal() -> None:
    """The table that the running command prints is about no people, so names of its columns say nothing personal."""
    click.get_current_context().meta[_IMPERSONAL] = True


def personal_now(app: "App") -> Mapping[str, str]:
    """The personal columns for the running command: those of all contracts, and what it has named itself."""
    if click.get_current_context().meta.get(_IMPERSONAL):
        return {}
    own: Mapping[str, str] = click.get_current_context().meta.get(_PERSONAL, {})
    return {**own, **personal_columns(app.tables.values())}


def _selected(frame: "pl.LazyFrame", columns: tuple[str, ...] | None) -> "pl.LazyFrame":
    if columns is None:
        return frame
    known = frame.collect_schema().names()
    for column in columns:
        if column not in known:
            raise click.BadParameter(f"{no_column(column, known, len(known))}.", param_hint="--columns")
    return frame.select(columns)


def _audit(app: "App", frame: "pl.LazyFrame", personal: Mapping[str, str], *, counted: bool) -> None:
    """Record who sees what unmasked, before the first row goes out; nothing where no column is personal."""
    import polars as pl

    shown = [column for column in frame.collect_schema().names() if column in personal]
    if not shown:
        return
    from crm.audit import record

    count = frame.select(pl.len()).collect().item() if counted else None
    command = click.get_current_context().command_path
    record(app, "unmask", f"{command}: {one_of(shown)}", count)


class _Counter:
    """Counts the rows that stream through a table; the table is never counted in a pass of its own."""

    def __init__(self) -> None:
        self.rows = 0

    def count(self, frame: "pl.LazyFrame") -> "pl.LazyFrame":
        def add(batch: "pl.DataFrame") -> "pl.DataFrame":
            self.rows += batch.height
            return batch

        return frame.map_batches(add, streamable=True)


def _target(file: Path | None) -> AbstractContextManager[BinaryIO]:
    """The file, or stdout after what has been printed to it as text."""
    from crm.atomic import replacing
    from crm.errors import Unusable

    if file is not None:
        return replacing(file)
    if sys.stdout is None:
        raise Unusable("standard output is closed; write the table to a file: -o FILE")
    sys.stdout.flush()
    return nullcontext(sys.stdout.buffer)


class _Watched(io.RawIOBase):
    """A stream that remembers why writing failed: Polars raises its own exception, without the reason.

    It also writes all that it is given, which stdout does not when Python runs unbuffered.
    """

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self.error: OSError | None = None

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self._out.isatty()

    def write(self, data: Any) -> int:
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[self._out.write(rest) :]
        except OSError as error:
            error.filename = error.filename or getattr(self._out, "name", None)
            self.error = error
            raise
        return len(data)


def _write(writer: "Writer", frame: "pl.LazyFrame", out: BinaryIO) -> None:
    watched = _Watched(out)
    try:
        writer.write(frame, cast("BinaryIO", watched))
    except Exception:
        if watched.error is not None:
            raise watched.error from None
        raise
    out.flush()


def _chosen(app: "App", default_format: str, given: Mapping[str, Any]) -> Output:
    """Check the options against each other and against the writers there are."""
    from crm.config import OutputConfig

    file = given["file"]
    writer = _writer(known_writers(app), given["format"], file, default_format)
    if writer.binary and file is None and sys.stdout is not None and sys.stdout.isatty():
        raise click.UsageError(f"{writer.name} is no text for a terminal; write it to a file: -o FILE.")
    if writer.check is not None:
        writer.check()
    return Output(
        writer=writer,
        file=file,
        limit=given["limit"],
        columns=given["columns"],
        tz=given["tz"] or app.config.get("output", OutputConfig).tz,
        unmask=given["unmask"],
    )


def _writer(writers: "Mapping[str, Writer]", name: str | None, file: Path | None, default: str) -> "Writer":
    """The writer that `-f` and the ending of `-o` agree on."""
    by_ending = {ending: writer for writer in writers.values() for ending in writer.endings}
    ended = by_ending.get(file.suffix.lower()) if file is not None else None
    if name is not None:
        if ended is not None and ended.name != name:
            raise click.UsageError(f"-f {name} contradicts the ending of {file}, which means {ended.name}.")
        return writers[name]
    if file is None:
        return writers[default]
    if ended is None:
        raise click.BadParameter(
            f"the ending of {file} names no format; known are {one_of(sorted(by_ending))}, or give -f.",
            param_hint="-o/--output",
        )
    return ended
