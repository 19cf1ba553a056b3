"""Text as wide as it looks: Chinese characters take two columns of a terminal, combining marks none."""

from collections.abc import Sequence

ELLIPSIS = "…"


def width(text: str) -> int:
    """How many columns `text` takes; it must hold no control characters."""
    if text.isascii():
        return len(text)
    from wcwidth import wcswidth

    return max(0, wcswidth(text))


def shorten(text: str, limit: int) -> str:
    """`text` in at most `limit` (1 or more) columns, its end replaced by `…` where it is longer."""
    if width(text) <= limit:
        return text
    end = min(len(text), limit - 1)
    while width(text[:end]) >= limit:
        end -= 1
    return text[:end] + ELLIPSIS


def fit(widths: Sequence[int], least: Sequence[int], room: int) -> list[int]:
    """Shrink columns until they fit into `room`: the widest first, none under its `least`.

    Args:
        widths: How wide each column would like to be.
        least: How narrow it may become; its own width where it must not shrink.
        room: Columns of the terminal for all of them, without what separates them. Where even the least
            widths do not fit, they are the result.
    """
    low, high = 0, max(widths, default=0)
    while low < high:  # the largest cap under which all fit
        cap = (low + high + 1) // 2
        if sum(_capped(widths, least, cap)) <= room:
            low = cap
        else:
            high = cap - 1
    return _capped(widths, least, low)


def _capped(widths: Sequence[int], least: Sequence[int], cap: int) -> list[int]:
    return [min(wide, max(narrow, cap)) for wide, narrow in zip(widths, least, strict=True)]
