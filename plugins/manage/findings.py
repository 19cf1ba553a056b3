"""What can be wrong with a plugin."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["error", "warning"]


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        level: An error keeps something from working; a warning is what users will stumble over.
        where: What it is about: a hook, a command, an option, a table ...
        what: What is wrong with it, and what to do.
    """

    level: Level
    where: str
    what: str
