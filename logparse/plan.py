r"""The plan: split at the literals instead of matching, several times faster than the reference.

A line is first cut at its double quotes, then each piece at the literals that stand in it.

Why both agree. The reference is `^L0 (f0) L1 (f1) ... Ln$` with lazy groups, so among all ways to cut a line it
takes the one with the shortest f0, then the shortest f1, and so on. Where a line has just as many quotes as the
literals have, every quote belongs to a literal, so no field holds one and the pieces between the quotes can be
matched each by itself. Inside a piece the plan cuts each field at the *first* occurrence of the literal behind it,
which is the first candidate of the reference's order; the last field of a piece reaches to the literal at its end.
Where every text so found belongs to its field's pattern, that candidate is a match, and so it is the reference's.
Every other line is left to the reference. `_proof` says which patterns need a look and which hold by construction.
"""

from dataclasses import dataclass
from itertools import groupby

import polars as pl

from logparse.distinct import Distinct
from logparse.fields import BRACKETED, LOOSE, QUOTED, TARGET, TEXT
from logparse.layout import Field, Layout

PROVEN = "proven"
SAMPLE = 4096
"""So many texts tell whether they repeat."""


@dataclass(frozen=True)
class Piece:
    """What stands between two quotes: `literals[0] fields[0] literals[1] ... literals[-1]`, fields by number."""

    fields: tuple[int, ...]
    literals: tuple[str, ...]


def pieces(layout: Layout) -> list[Piece]:
    """The layout cut at its double quotes."""
    out: list[Piece] = []
    fields: list[int] = []
    literals: list[str] = []
    for number, literal in enumerate(layout.literals):
        *ended, last = literal.split('"')
        for text in ended:
            out.append(Piece(tuple(fields), (*literals, text)))
            fields, literals = [], []
        literals.append(last)
        fields.append(number)
    return [*out, Piece(tuple(fields[:-1]), tuple(literals))]


def parse(lines: pl.DataFrame, layout: Layout, data: bytes | None = None) -> pl.DataFrame:
    """The texts of all fields, for the lines that the plan can prove.

    Args:
        lines: Column `line` (text without its line end), and any others, which are kept.
        layout: The compiled pattern.
        data: The same lines as UTF-8, where that is at hand: it is cut several times faster than texts are.

    Returns:
        The other columns, `f0 ... fn` (text, some coded), `line`, and `proven` (boolean; the fields of
        other lines mean nothing).
    """
    cut = pieces(layout)
    names = [f"p{number}" for number in range(len(cut))]
    frame, proofs = _at_quotes(lines, names, data)
    if any(field.quoted for field in layout.fields) and (data is None or b"\\" in data):
        proofs.append(~lines["line"].str.contains("\\", literal=True))
    columns: list[pl.Series] = []
    for name, piece in zip(names, cut, strict=True):
        found = _fields(frame[name], piece, layout)
        columns += [column for column in found if column.name != PROVEN]
        proofs.append(found[PROVEN])
    proven = pl.select(pl.all_horizontal(proofs).fill_null(False).alias("proven"))
    return pl.concat([lines, pl.DataFrame(columns), proven], how="horizontal")


def _at_quotes(lines: pl.DataFrame, names: list[str], data: bytes | None) -> tuple[pl.DataFrame, list[pl.Series]]:
    """Add what stands between the quotes as columns of these names, and say which lines have just as many."""
    if len(names) == 1:
        return lines.with_columns(pl.col("line").alias(names[0])), []
    between = _from_bytes(data, names) if data else None
    if between is None or between.height != lines.height:
        split = lines.with_columns(pl.col("line").str.split('"').alias("pieces"))
        frame = split.with_columns(pl.col("pieces").list.to_struct(fields=names).alias("pieces")).unnest("pieces")
        return frame, [split["pieces"].list.len() == len(names)]
    # Missing pieces are empty and surplus ones gone, so a line of another number of quotes has another length.
    length = between.select(pl.sum_horizontal(pl.all().str.len_bytes())).to_series() + (len(names) - 1)
    return pl.concat([lines, between], how="horizontal"), [length == lines["line"].str.len_bytes()]


def _from_bytes(data: bytes, names: list[str]) -> pl.DataFrame | None:
    """Lines cut at their quotes, by a reader of tables whose columns are parted by quotes; None if it cannot."""
    try:
        return pl.read_csv(
            data,
            separator='"',
            quote_char=None,
            has_header=False,
            schema=dict.fromkeys(names, pl.String),
            extra_columns="ignore",
            missing_columns="insert",
            empty_string_is_null=False,
        )
    except pl.exceptions.PolarsError:
        return None


def _fields(texts: pl.Series, piece: Piece, layout: Layout) -> pl.DataFrame:
    """The fields of the texts of one piece, and `PROVEN`, whether they are right.

    Where texts repeat, each distinct one is split once; else the first field is split off, and what is left
    (a time, say, after an address) may repeat.
    """
    if not piece.fields:
        return pl.select((texts == piece.literals[0]).alias(PROVEN))
    if len(piece.fields) == 1 and not any(piece.literals):
        return _split(texts, piece, layout)
    if _repeat(texts):
        distinct = Distinct.of(texts)
        return distinct.spread_frame(_split(distinct.values, piece, layout))
    if len(piece.fields) == 1:
        return _split(texts, piece, layout)
    before, between, *after = piece.literals
    whole = pl.col("whole")
    parts = texts.to_frame("whole").select(
        whole.str.starts_with(before).alias("begins"),
        whole.str.strip_prefix(before).str.splitn(between, 2).struct.unnest(),
    )
    left = _split(parts["field_0"], Piece(piece.fields[:1], ("", "")), layout, between)
    right = _fields(parts["field_1"], Piece(piece.fields[1:], ("", *after)), layout)
    proven = pl.select((parts["begins"] & left[PROVEN] & right[PROVEN]).alias(PROVEN))
    return pl.concat([left.drop(PROVEN), right.drop(PROVEN), proven], how="horizontal")


def _repeat(texts: pl.Series) -> bool:
    """Whether it pays to look at distinct texts only, judged by the first."""
    sample = texts.head(SAMPLE)
    return sample.n_unique() * 2 < len(sample)


def _split(texts: pl.Series, piece: Piece, layout: Layout, behind: str = "") -> pl.DataFrame:
    """The fields of one piece by splits, and `PROVEN`; `behind` is a literal that is known to follow the last field."""
    whole, end = pl.col("whole"), f"f{piece.fields[-1]}"
    first, last = piece.literals[0], piece.literals[-1]
    proofs = [whole.str.starts_with(first)] if first else []
    frame = texts.to_frame("whole").with_columns((whole.str.strip_prefix(first) if first else whole).alias(end))
    for literal, numbers in _steps(piece):
        fields = [f"f{number}" for number in numbers]
        split = pl.col(end).str.splitn(literal, len(fields) + 1).struct.rename_fields([*fields, end])
        frame = frame.with_columns(split.alias("split")).drop(end).unnest("split")
    proofs.append(pl.col(end).is_not_null())
    if last:
        # What the splits have left must end with the literal by itself: they may have used up its characters.
        frame = frame.with_columns(pl.col(end).alias("tail"), pl.col(end).str.strip_suffix(last))
        proofs.append(pl.col("tail").str.ends_with(last))
    for at, number in enumerate(piece.fields):
        after = piece.literals[at + 1] if number != piece.fields[-1] else behind
        proofs.extend(_proof(layout.fields[number], after, pl.col(f"f{number}")))
    names = [f"f{number}" for number in piece.fields]
    return frame.select(*names, pl.all_horizontal(proofs).fill_null(False).alias(PROVEN))


def _steps(piece: Piece) -> list[tuple[str, list[int]]]:
    """(literal, fields before it) inside a piece, neighbours with the same literal together: one split does them."""
    inner = list(zip(piece.literals[1:-1], piece.fields[:-1], strict=True))
    return [(literal, [number for _, number in same]) for literal, same in groupby(inner, key=lambda step: step[0])]


def _proof(field: Field, after: str, text: pl.Expr) -> list[pl.Expr]:
    """What remains to be shown of one field, whose text holds no `after` (empty: it ends its piece)."""
    if field.pattern in (LOOSE, QUOTED):  # anything; quotes and escapes are counted over the whole line
        return []
    if field.pattern == TARGET and after == " ":
        return []
    if (field.pattern == TEXT and after == " ") or (field.pattern == BRACKETED and after == "]"):
        return [text != ""]
    if field.pattern == TEXT:
        return [text != "", ~text.str.contains(" ", literal=True)]
    if field.pattern == BRACKETED:
        return [text != "", ~text.str.contains("]", literal=True)]
    return [text.str.contains(f"^(?:{field.pattern})$")]
