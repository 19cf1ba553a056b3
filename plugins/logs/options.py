"""Options that several commands of the group share."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from crm.options import DURATION

F = TypeVar("F", bound=Callable[..., Any])


def log_format(function: F) -> F:
    """`--log-format`."""
    return click.option(
        "--log-format",
        metavar="NAME|PATTERN|auto",
        help="A format's name (see `crm logs formats`), an Apache LogFormat or nginx log_format string, or auto.  "
        "[default: logs.format of the configuration, else auto]",
    )(function)


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
