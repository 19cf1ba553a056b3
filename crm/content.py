"""What a reader of files is given, and what it gives back. Polars is imported only when a reader works."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from crm.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

    from crm.encodings import Text

REJECT_COLUMNS: Final = ("row", "line", "reason", "text")
"""Columns of `Read.rejects`: the row counted from 1 without the header, the line of the file on which it begins
(null where a format has no lines), why it was left out, and all that the file says of it."""


@dataclass(frozen=True)
class Content:
    """A file as a reader gets it: its bytes, unpacked, and what the user has said of them.

    Attributes:
        name: What the file is called, for messages.
        data: Its bytes.
        encoding: The encoding that the user has named; None to detect it.
        separator: The separator that the user has named; None to detect it.
        sheet: The sheet of a workbook that the user has named; None for the first.
    """

    name: str
    data: bytes
    encoding: str | None = None
    separator: str | None = None
    sheet: str | None = None

    @cached_property
    def text(self) -> "Text":
        """The bytes as text in UTF-8.

        Raises:
            Unusable: they are no text, or none in the encoding that the user has named.
        """
        from crm.encodings import decoded

        return decoded(self.data, self.name, self.encoding)

    def without(self, **options: str | None) -> None:
        """See that the user has not named what this format does not know.

        Raises:
            UsageError: an option is given.
        """
        for option, value in options.items():
            if value is not None:
                raise UsageError(f"{self.name}: --{option} does not apply to this format")


@dataclass(frozen=True)
class Read:
    """What a reader has made of a file.

    Attributes:
        frame: The rows that could be read.
        rejects: The rows that could not, in order, with the columns `REJECT_COLUMNS`; None for none.
        said: What was found out about the file and is not as a matter of course: "encoding gb18030".
        warnings: Sentences about what was changed or left out, apart from rejects.
    """

    frame: "pl.DataFrame"
    rejects: "pl.DataFrame | None" = None
    said: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def numbers(self) -> "pl.Series":
        """The row of the file that each row of the frame was, counted as in `rejects`."""
        import polars as pl

        left_out = self.rejects["row"] if self.rejects is not None else pl.Series("row", [], pl.Int64)
        every = pl.int_range(1, self.frame.height + left_out.len() + 1, eager=True).alias("row")
        return every.filter(~every.is_in(left_out.implode()))
