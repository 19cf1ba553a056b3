"""The options of commands that print a table: `-f -o -n --columns --tz --unmask`."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crm.options import TZ, FormatType

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from crm.app import App
    from crm.hookspecs import Writer


NAMES = ("format", "file", "limit", "columns", "tz", "unmask")
"""What they are called in the arguments of a command, after `output_`."""


ALL_OF = ".*"
"""Behind the name of a table: all of its columns."""
MORE = "..."
"""Stands for columns that depend on what is asked."""


def options(default_format: str, columns: Sequence[str]) -> list[Callable[[Any], Any]]:
    """The options, for the format without -f and the columns that there may be."""
    said = (f"those of `crm tables {name[:-2]}`" if name.endswith(ALL_OF) else name for name in columns)
    known = f"  [of {', '.join(said)}]" if columns else ""
    return [
        click.option(
            "-f",
            "--format",
            "output_format",
            type=FormatType(known_writers),
            help=f"Format of the table.  [default: {default_format}]",
        ),
        click.option("-o", "--output", "output_file", type=_File(), help="File to write; its ending picks the format."),
        click.option("-n", "--limit", "output_limit", type=click.IntRange(min=0), metavar="N", help="At most N rows."),
        click.option(
            "--columns",
            "output_columns",
            type=_Columns(columns),
            metavar="A,B,...",
            help=f"These columns, in this order.{known}",
        ),
        click.option(
            "--tz",
            "output_tz",
            type=TZ,
            metavar="NAME",
            help="Time zone of the times, such as Asia/Shanghai.",
        ),
        click.option(
            "--unmask",
            "output_unmask",
            is_flag=True,
            help="Show personal values in full (goes into the audit log).",
        ),
    ]


def known_writers(app: "App | None") -> "Mapping[str, Writer]":
    """The formats of `--format` by name; none while the program's options are not read yet."""
    return app.host.writers() if app is not None else {}


class _Columns(click.ParamType[tuple[str, ...]]):
    """Names separated by commas, none twice.

    Args:
        known: The columns that there may be, with `ALL_OF` and `MORE`; empty for those of the tables that the command
            names.
    """

    name = "a,b,c"

    def __init__(self, known: Sequence[str]) -> None:
        self.known = known

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        columns = tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else tuple(value)
        if not all(columns):
            self.fail("write the names of columns separated by commas.", param, ctx)
        for at, column in enumerate(columns):
            if column in columns[:at]:
                self.fail(f"column `{column}` is named twice.", param, ctx)
        return columns

    def shell_complete(
        self,
        ctx: click.Context,
        param: click.Parameter,
        incomplete: str,
    ) -> "list[CompletionItem]":
        from crm.completing import columns_of, completing, in_list

        def names(app: "App", context: click.Context, begin: str) -> Iterator[str]:
            return in_list(columns_of(app, context, self.known), begin)

        return completing(names)(ctx, param, incomplete)


class _File(click.ParamType["Path | None"]):
    """A file to write, or `-` (None) for stdout."""

    name = "file"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path | None:
        path = Path(value)
        if value == "-":
            return None
        if path.is_dir():
            self.fail(f"{path} is a folder.", param, ctx)
        if not path.parent.is_dir():
            self.fail(f"there is no folder {path.parent}.", param, ctx)
        return path
