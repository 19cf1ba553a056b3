"""Options that several commands of the group share, and what they mean."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from crm.completing import completing
from crm.errors import Unusable, UsageError
from crm.nearest import did_you_mean, one_of
from crm.options import CHARSET, DURATION, TZ, in_folder

if TYPE_CHECKING:
    from crm.app import App
    from logparse.spec import LogFormat
    from plugins.logs.config import LogsConfig

F = TypeVar("F", bound=Callable[..., Any])

_META = "plugins.logs.options"

ENGINES = ("local", "spark")
"""The values of `--engine`."""


def log_format(function: F) -> F:
    """`--log-format`."""
    return click.option(
        "--log-format",
        metavar="NAME|PATTERN|auto",
        shell_complete=completing(_names),
        help="A format's name (see `crm logs formats`), an Apache LogFormat or nginx log_format string, another "
        "pattern, or auto.  [default: logs.format of the configuration, else auto]",
    )(function)


def _names(app: "App", _context: click.Context, _begin: str) -> "Iterator[str]":
    """The values of `--log-format` that are no patterns."""
    from plugins.logs.config import LogsConfig

    yield "auto"
    yield from (known.name for known in known_formats(app, app.config.get("logs", LogsConfig)))


def charset(function: F) -> F:
    """`--charset`."""
    return click.option(
        "--charset",
        type=CHARSET,
        metavar="NAME",
        help="Charset of the logs, such as gbk or big5.  [default: logs.charset of the configuration, else utf-8]",
    )(function)


def log_tz(function: F) -> F:
    """`--log-tz`."""
    return click.option(
        "--log-tz",
        type=TZ,
        metavar="NAME",
        help="Time zone of times without an offset.  [default: logs.tz of the configuration, else UTC]",
    )(function)


def _keep(context: click.Context, param: click.Parameter, value: str | None) -> None:
    context.meta[f"{_META}.{param.name}"] = value


def given_engine() -> tuple[str | None, str | None]:
    """What the command that runs was given as `--engine` and `--master`; None for what it was not."""
    meta = click.get_current_context().meta
    return meta.get(f"{_META}.engine"), meta.get(f"{_META}.master")


def engine(function: F) -> F:
    """`--engine` and `--master`; the command gets them by `given_engine`."""
    function = click.option(
        "--master",
        metavar="URL",
        expose_value=False,
        callback=_keep,
        help="With the engine spark, the cluster: spark://HOST:PORT, yarn, k8s://URL, or local[N].  "
        "[default: logs.spark.master of the configuration, else Spark's own]",
    )(function)
    return click.option(
        "--engine",
        type=OneOf(ENGINES),
        expose_value=False,
        callback=_keep,
        help="Where logs are worked on: this machine, or a cluster of Apache Spark.  "
        "[default: logs.engine of the configuration, else local]",
    )(function)


def chosen_format(app: "App", given: str | None, config: "LogsConfig") -> "tuple[list[LogFormat], LogFormat | None]":
    """The formats that can be detected, and the one to use; None for auto.

    Raises:
        UsageError: the option names none.
        Unusable: the configuration names none.
    """
    from logparse.errors import FormatError
    from plugins.logs.opening import choose_format

    known = known_formats(app, config)
    try:
        return known, choose_format(given or config.format, known)
    except FormatError as error:
        if given:
            raise UsageError(f"--log-format: {error}") from error
        raise Unusable(f"logs.format: {error}") from error


def known_formats(app: "App", config: "LogsConfig") -> "list[LogFormat]":
    """The formats that have a name, in the order in which `auto` tries them: first those of the configuration.

    Raises:
        Unusable: one of the configuration cannot be compiled.
    """
    own = config.log_formats()
    names = {known.name for known in own}
    return [*own, *(known for known in app.host.log_formats().values() if known.name not in names)]


def session_rules(function: F) -> F:
    """The options that cut sessions; each comes before the configuration's section `logs.sessions`."""
    for option in reversed(
        (
            click.option("--idle", type=DURATION, help="A longer gap between two hits ends a session: 30m."),
            click.option("--max-length", type=DURATION, help="Longest time from a session's first hit to its last."),
            click.option("--max-hits", type=click.IntRange(min=1), help="Most hits in one session."),
            click.option(
                "--new-referrer/--no-new-referrer",
                default=None,
                help="A view that comes from another site than before begins a session.",
            ),
        )
    ):
        function = option(function)
    return function


@dataclass(frozen=True)
class Limit:
    """How many lines may be rejected: a number, or a share of all that are not blank."""

    text: str
    number: float
    is_share: bool

    def is_exceeded(self, rejected: int, lines: int) -> bool:
        """Whether so many rejected lines, of so many, are too many."""
        return rejected > (self.number * lines if self.is_share else self.number)

    def __str__(self) -> str:
        return self.text


class _LimitType(click.ParamType[Limit]):
    name = "limit"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Limit:
        """Take `20` or `1%`."""
        if isinstance(value, Limit):
            return value
        match = re.fullmatch(r"(\d+(?:\.\d+)?)%|(\d+)", str(value), re.ASCII)
        if not match:
            self.fail(f"`{value}` is neither a number of lines such as 20 nor a share such as 1%.", param, ctx)
        share, number = match.groups()
        if share and float(share) > 100:
            self.fail(f"`{value}` is no share; write one from 0% to 100%, or a number of lines such as 20.", param, ctx)
        return Limit(str(value), float(share) / 100 if share else float(number), share is not None)


def max_rejects(function: F) -> F:
    """`--max-rejects`."""
    return click.option(
        "--max-rejects",
        type=_LimitType(),
        metavar="N|N%",
        help="More rejected lines than this, or than this share of the new lines, make the exit code 3.  "
        "[default: no limit]",
    )(function)


def rejects(function: F) -> F:
    """`--rejects`."""
    return click.option(
        "--rejects",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        callback=in_folder,
        help="Write every rejected line, with its place and the reason, as NDJSON.",
    )(function)


class OneOf(click.Choice[str]):
    """A choice of words whose error message names the nearest one."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Take the word if it is one of them."""
        if value not in self.choices:
            self.fail(
                f"no `{value}`{did_you_mean(str(value), self.choices)}; there are: {one_of(self.choices)}.",
                param,
                ctx,
            )
        return str(value)
