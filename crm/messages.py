"""What is said on stderr: a sentence for people or, with `--log-json`, one JSON object a line for programs."""

import json
import os
from contextlib import suppress
from datetime import UTC, datetime
from typing import Literal, TextIO

import click

from crm.cells import visible

Level = Literal["debug", "info", "warning", "error"]


def say(text: str) -> None:
    """Write to stderr, with nothing in it that a terminal would obey; a run goes on when nobody reads its messages."""
    with suppress(BrokenPipeError):
        click.echo("\n".join(map(visible, text.split("\n"))), err=True)


def rewrites(stream: TextIO | None) -> bool:
    """Whether a line that is written to a stream can be taken back: on a terminal, but not on a dumb one."""
    return stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"


def counted(number: int, what: str) -> str:
    """A number of things: `1 hit`, `2,000 hits`."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def as_json(level: Level, event: str, message: str = "", /, **fields: object) -> str:
    """A message as one line of JSON: `time` (UTC), `level`, `event`, `message` if there is one, and its fields."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    head = {"time": now, "level": level, "event": event} | ({"message": message} if message else {})
    return json.dumps(head | fields, default=str)


def traceback_of(error: BaseException) -> str:
    """The traceback of an error, without its last line end."""
    import traceback

    return "".join(traceback.format_exception(error)).rstrip("\n")
