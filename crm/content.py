"""What a reader of files is given, and what it gives back. Polars is imported only when a reader works."""

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import count
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
        empty: The numbers of rows without anything in them, which are left out of the frame; None for none.
    """

    frame: "pl.DataFrame"
    rejects: "pl.DataFrame | None" = None
    said: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    empty: "pl.Series | None" = None

    def plainly_named(self) -> "Read":
        """The same, without columns whose names Polars takes for a pattern of names: `*`, and `^…$`."""
        taken, new, said = set(self.frame.columns), {}, []
        for number, name in enumerate(self.frame.columns, start=1):
            if name != "*" and not (name.startswith("^") and name.endswith("$")):
                continue
            wanted = (f"column_{number}{'_' * times}" for times in count())
            new[name] = next(each for each in wanted if each not in taken)
            taken.add(new[name])
            said.append(f"the name `{name}` stands for several columns; column {number} is called `{new[name]}`")
        if not new:
            return self
        return replace(self, frame=self.frame.rename(new), warnings=(*self.warnings, *said))

    def numbers(self) -> "pl.Series":
        """The row of the file that each row of the frame was, counted as in `rejects`."""
        import polars as pl

        none = pl.Series("row", [], pl.Int64)
        rejected = none if self.rejects is None else self.rejects["row"].cast(pl.Int64)
        left_out = pl.concat([rejected, none if self.empty is None else self.empty])
        every = pl.int_range(1, self.frame.height + left_out.len() + 1, eager=True).alias("row")
        return every.filter(~every.is_in(left_out.implode()))

    def without_empty(self) -> "Read":
        """The same without rows that have nothing in any column, such as spreadsheets write behind the last one."""
        import polars as pl

        rows = self.frame.select(pl.int_range(pl.len(), dtype=pl.UInt32)).to_series()
        for column in self.frame:  # the first column leaves few or none
            values = column.gather(rows)
            bare = values.is_null()
            if values.dtype == pl.String:
                bare = bare | (values.str.strip_chars() == "").fill_null(True)
            rows = rows.filter(bare)
            if rows.is_empty():
                return self
        if rows.is_empty():
            return self
        whole = pl.Series([True], dtype=pl.Boolean).new_from_index(0, self.frame.height).scatter(rows, False)
        empty = self.numbers().gather(rows).rename("row")
        return replace(self, frame=self.frame.filter(whole), empty=empty)
