"""Tables, code and sentences as Markdown."""

from collections.abc import Iterable, Sequence


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    cells = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(_cell(text) for text in row)} |\n" for row in cells)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", r"\|")


def code(texts: Iterable[str], between: str = ", ") -> str:
    """Words as code, in one line."""
    return between.join(f"`{text}`" for text in texts)


def capital(text: str) -> str:
    """A help text as the cell of a table: a capital at its beginning, no full stop at its end."""
    return text[:1].upper() + text[1:].removesuffix(".")
