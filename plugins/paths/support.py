"""A minimum support, as users write it."""

import re
from dataclasses import dataclass
from typing import Final

_WRITTEN: Final = re.compile(
    r"(?P<count>\d+)|(?P<percent>\d+(?:\.\d*)?)%|(?P<share>\d*\.\d+|\d+\.|\d+(?:\.\d*)?e-?\d+)", re.ASCII
)


@dataclass(frozen=True)
class Support:
    """A share of the sessions (`0.01`, `1%`), or their number (`50`).

    Attributes:
        number: The share, or the number.
        is_share: Whether it is a share.
    """

    number: float
    is_share: bool = True

    @classmethod
    def parse(cls, text: str) -> "Support":
        """What the text writes.

        Raises:
            ValueError: it is no support, or none that a pattern could have.
        """
        found = _WRITTEN.fullmatch(text)
        if not found:
            raise ValueError(f"`{text}` is neither a share of the sessions such as 0.01 or 1% nor a number such as 50")
        number = float(found[found.lastgroup or 0]) / (100 if found["percent"] else 1)
        if number <= 0:
            raise ValueError("support must be more than 0: a share such as 0.01 or 1%, or a number such as 50")
        if not found["count"] and number > 1:
            raise ValueError(
                f"`{text}` is a share of more than all sessions; a number of sessions has no point and no %"
            )
        return cls(number, not found["count"])

    def count(self, sessions: int) -> int:
        """In how many sessions a pattern must be to reach it, of so many; at least 1."""
        if not self.is_share:
            return int(self.number)
        exact = self.number * sessions
        near = round(exact)
        return max(1, near if abs(exact - near) <= 1e-9 * sessions else int(exact) + 1)
