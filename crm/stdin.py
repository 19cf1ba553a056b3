"""Standard input: there is none where the caller has closed it, and nobody behind it where it is no terminal."""

import sys
from typing import TextIO

from crm.errors import Unusable


def given() -> TextIO:
    """Standard input.

    Raises:
        Unusable: there is none.
    """
    if sys.stdin is None:
        raise Unusable("standard input is closed; connect it with < or a pipe")
    return sys.stdin


def asks_a_person() -> bool:
    """Whether a question would be answered by somebody at a terminal."""
    return sys.stdin is not None and sys.stdin.isatty()
