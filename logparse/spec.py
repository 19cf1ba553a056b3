"""What a log format is before it is compiled: plain data."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Syntax = Literal["apache", "nginx", "named", "w3c", "csv", "json"]


@dataclass(frozen=True)
class LogFormat:
    """A named log format.

    Attributes:
        name: What it is called.
        syntax: How `pattern` is written.
        pattern: An Apache `LogFormat` string ("apache"), the string of an nginx `log_format` ("nginx"), a template
            of the engine's roles ("named"), or the header that counts until a log brings its own: a `#Fields:`
            line ("w3c"), the line of the columns' names ("csv"). Of "json" it follows from `keys`.
        help: One line on what writes it.
        keys: Of "json", the path of keys of each role; of "csv" and "w3c", the column of each role whose name the
            engine does not know. Of several, the first that a line has.
    """

    name: str
    syntax: Syntax
    pattern: str = ""
    help: str = ""
    keys: Mapping[str, str | Sequence[str]] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if self.syntax == "json" and self.keys and not self.pattern:
            text = json.dumps(self.keys, ensure_ascii=False, default=list)
            object.__setattr__(self, "pattern", text)
