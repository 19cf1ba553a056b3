"""What a log format is before it is compiled: a name and a pattern, both plain data."""

from dataclasses import dataclass
from typing import Literal

Syntax = Literal["apache", "nginx"]


@dataclass(frozen=True)
class LogFormat:
    """A named log format.

    `pattern` is an Apache `LogFormat` string or the string of an nginx `log_format`, as `syntax` says.
    """

    name: str
    syntax: Syntax
    pattern: str
    help: str = ""
