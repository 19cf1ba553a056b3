"""Options that the commands of the group share: where sessions come from, and what they count as."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

import click

from crm.filters import current_filters, filtered_like
from crm.options import with_robots
from plugins.paths.support import Support

if TYPE_CHECKING:
    from crm.app import App
    from plugins.paths.patterns import Kind
    from plugins.paths.source import Source

P = ParamSpec("P")
R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., Any])

EXAMPLE: Final = "views > 3 and entry like '/c/%'"
"""A condition on sessions."""

_META: Final = "paths.source"
_NAMES: Final = ("input", "input_format", "segment", "with_robots", "by", "complete", "max_views")


def from_sessions(function: Callable[P, R]) -> Callable[P, R]:
    """Add the options that say which sessions a command is about; stands above `table_output`."""

    @wraps(function)
    def command(*args: P.args, **kwargs: P.kwargs) -> R:
        context = click.get_current_context()
        context.meta[_META] = {name: kwargs.pop(name) for name in _NAMES}
        with context.obj.working(context.command_path):
            return function(*args, **kwargs)

    for option in reversed(_OPTIONS):
        option(command)
    return filtered_like(EXAMPLE)(command)


def current_source(app: "App") -> "Source":
    """The sessions that the user of the running command wants.

    Raises:
        LookupError: the command that runs is not decorated with `from_sessions`.
        UsageError: options contradict each other.
    """
    from plugins.paths.source import Source

    options = click.get_current_context().meta.get(_META)
    if not isinstance(options, dict):
        raise LookupError("the running command has no options of sessions")
    if options["input_format"] is not None and options["input"] is None:
        raise click.UsageError("--input-format is about a file: name it with --input.")
    return Source(
        app,
        options["input"],
        options["input_format"],
        current_filters(),
        options["segment"],
        options["with_robots"],
        options["by"] == "category",
        options["complete"],
        options["max_views"],
    )


_OPTIONS: Final[tuple[Callable[[Any], Any], ...]] = (
    click.option(
        "--input",
        type=click.Path(allow_dash=True, path_type=Path),
        metavar="FILE",
        help="Read sessions from a file, or - for standard input, instead of the workspace.",
    ),
    click.option(
        "--input-format",
        type=click.Choice(("sessions", "spmf", "baskets")),
        help="sessions: CSV or Parquet with session, page and perhaps ts, visitor, referrer; spmf: `1 -1 2 -1 -2`; "
        "baskets: items of a basket a line, with commas.  [default: by the file's ending, else sessions]",
    ),
    click.option("--segment", metavar="NAME", help="Only sessions of the members of this segment."),
    with_robots,
    click.option(
        "--by",
        type=click.Choice(("page", "category")),
        default="page",
        show_default=True,
        help="What a view counts as; site.categories of the configuration gives pages their categories.",
    ),
    click.option(
        "--complete",
        is_flag=True,
        help="Add views that referrers show, though they came from a cache: of the back button, or of another tab.",
    ),
    click.option(
        "--max-views",
        type=click.IntRange(min=1),
        metavar="N",
        help="Take the first N views of a session.  [default: paths.max_views of the configuration, else 500]",
    ),
)


class SupportType(click.ParamType[Support]):
    """`0.01`, `1%` or `50`; its value is a `Support`."""

    name = "support"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Support:
        """Read it; what is none is a usage error."""
        try:
            return value if isinstance(value, Support) else Support.parse(value)
        except ValueError as error:
            self.fail(f"{error}.", param, ctx)


class LiftType(click.ParamType[float]):
    """A finite number of 0 or more."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read it; what is none is a usage error."""
        try:
            found = float(value)
        except ValueError:
            found = -1
        if not 0 <= found < float("inf"):
            self.fail(f"`{value}` is no number of 0 or more.", param, ctx)
        return found


LIFT = LiftType()


def min_support(default: str) -> Callable[[F], F]:
    """`--min-support`."""
    return click.option(
        "--min-support",
        type=SupportType(),
        default=default,
        show_default=True,
        metavar="SHARE|N",
        help="In how many sessions at least: a share (0.01, 1%) or a number (50).",
    )


def kinds(what: str) -> Callable[[F], F]:
    """`--closed` and `--maximal`; `what` are patterns or sets."""

    def add(function: F) -> F:
        closed = click.option(
            "--closed", is_flag=True, help=f"Only {what} that no larger one contains in as many sessions."
        )
        maximal = click.option("--maximal", is_flag=True, help=f"Only {what} that no larger frequent one contains.")
        return closed(maximal(function))

    return add


def kind_of(*, closed: bool, maximal: bool) -> "Kind":
    """What the two options mean.

    Raises:
        UsageError: both are given.
    """
    if closed and maximal:
        raise click.UsageError("--closed and --maximal exclude each other: every maximal one is closed.")
    return "closed" if closed else "maximal" if maximal else "frequent"


def top(what: str) -> Callable[[F], F]:
    """`--top`; `what` are patterns or sets."""
    return click.option("--top", type=click.IntRange(1, 10**9), metavar="K", help=f"The K most frequent {what}.")


max_items = click.option("--max-items", type=click.IntRange(min=1), metavar="N", help="Most pages of a set.")
