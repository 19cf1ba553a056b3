"""Rows of a file -> rows with the fields of a table, each value in one way of writing, and what could not be read.

Columns are looked at whole to find out how they are written (which of 3/2/2026 is the day, what the decimal point is);
then rows are worked on in pieces, so that memory stays within bounds. Bringing rows into form twice changes nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Final

import polars as pl

from crm import objects as packing
from crm.errors import Unusable
from crm.intake import dates as days
from crm.intake import emails, kinds, numbers, objects, phones, texts, words
from crm.intake.fields import Field, Kind
from crm.intake.kinds import Reading, Way
from crm.intake.mapping import EXTRAS, Mapping
from crm.messages import counted
from crm.nearest import one_of

ORIGINAL: Final = "original"

_PIECE: Final = 100_000
_FAULTS: Final = {"row": pl.Int64(), "column": pl.String(), "reason": pl.String()}


@dataclass(frozen=True)
class Normalised:
    """The rows of a file, brought into form.

    Attributes:
        frame: As many rows; the fields in their order, each in the type of its kind, null where the file has nothing;
            then `extras` and `original`, JSON objects as in `crm.objects`.
        faults: `row` (index from 0), `column` (as in the file) and `reason` of values that cannot be read.
        notes: Sentences on how columns were understood, where they can be understood in two ways.
        warnings: Sentences on values that were left out although their rows are good.
    """

    frame: pl.DataFrame
    faults: pl.DataFrame
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def normalised(
    frame: pl.DataFrame,
    mapping: Mapping,
    fields: Sequence[Field],
    *,
    region: str = "CN",
    dates: days.Order | None = None,
    zone: str = "UTC",
) -> Normalised:
    """Bring the rows of a file into form.

    Args:
        frame: The rows as they came; columns of any type.
        mapping: Which column is which field.
        fields: The fields of the table.
        region: Country of phone numbers that name none, as two letters.
        dates: What comes first in 3/2/2026; None to look at each column.
        zone: Time zone of times that name none.

    Raises:
        Unusable: the file has no column for a field that no row can be without.
    """
    _complete(mapping, fields)
    frame, mapping = _with_constants(frame, mapping)
    known = [each for each in fields if each.name in mapping.columns and each.kind != "json"]
    ways, notes = {}, []
    for each in known:
        column = mapping.columns[each.name]
        ways[each.name], note = _way(each, frame[column], Way(region, zone), dates)
        notes += [f"column `{column}`: {note}"] if note else []
    pieces = [_piece(frame[at : at + _PIECE], mapping, fields, ways, at) for at in range(0, frame.height or 1, _PIECE)]
    lost = pl.concat([piece.lost for piece in pieces])
    return Normalised(
        pl.concat([piece.frame for piece in pieces], rechunk=False),
        pl.concat([piece.faults for piece in pieces]),
        (*notes, *_missing(known)),
        tuple(_lost(lost)),
    )


def _with_constants(frame: pl.DataFrame, mapping: Mapping) -> tuple[pl.DataFrame, Mapping]:
    """The rows with a column for each field that has the same value in all of them."""
    names = {name: f"{name} of all rows" for name in mapping.constants}
    more = [pl.lit(text).alias(names[name]) for name, text in mapping.constants.items()]
    return frame.with_columns(more), replace(mapping, columns={**mapping.columns, **names})


def _complete(mapping: Mapping, fields: Sequence[Field]) -> None:
    """See that every field that is required has a column."""
    known = {*mapping.columns, *mapping.constants}
    missing = [each.name for each in fields if each.required and each.name not in known]
    if missing:
        raise Unusable(
            f"no column is known to be {one_of(f'`{name}`' for name in missing)}; say which it is in a map file, under "
            f"`columns:` as `COLUMN: {missing[0]}`, or under `set:` what it is in all rows"
        )


def _missing(known: Iterable[Field]) -> list[str]:
    """Which packages are not there that would read more."""
    found = {each.kind for each in known}
    return [
        f"{package} is not installed, so unusual {what} stay as they are: pip install 'crm-toolkit[match]'"
        for kind, module, package, what in (
            ("phone", "phonenumbers", phones.PACKAGE, "phone numbers"),
            ("email", "email_validator", emails.PACKAGE, "e-mail addresses"),
        )
        if kind in found and not find_spec(module)
    ]


def _way(field: Field, values: pl.Series, way: Way, told: days.Order | None) -> tuple[Way, str]:
    """How a column is written, and what is to be said of it."""
    if field.kind not in ("date", "timestamp", "number", "integer") or values.dtype != pl.String:
        return way, ""
    distinct = texts.clean(values.unique())
    if field.kind in ("number", "integer"):
        point = numbers.decimal_point(distinct)
        return replace(way, point=point), "the comma is before the decimals" if point == "," else ""
    if told is not None:
        return replace(way, order=told), ""
    order = days.order_of(distinct)
    if order is None:
        return way, "3/2/2026 is taken for 3 February; if it is 2 March, write `dates: month-first` into a map file"
    note = "3/2/2026 is 2 March, as other dates there have the month first" if order == "month-first" else ""
    return replace(way, order=order), note


@dataclass(frozen=True)
class _Piece:
    frame: pl.DataFrame
    faults: pl.DataFrame
    lost: pl.DataFrame


def _piece(rows: pl.DataFrame, mapping: Mapping, fields: Sequence[Field], ways: dict[str, Way], first: int) -> _Piece:
    """Some rows, the first of which has this index."""
    readings = _readings(rows, mapping, fields, ways)
    values = {name: reading.values for name, reading in readings.items()}
    values[EXTRAS], wrong = _extras(rows, mapping, fields)
    values[ORIGINAL], wrong_too = _original(rows, mapping, fields, readings)
    order = [*(each for each in fields if each.kind != "json"), Field(EXTRAS, "json"), Field(ORIGINAL, "json")]
    frame = pl.DataFrame(
        [values.get(each.name, _nothing(rows.height, kinds.type_of(each.kind))).alias(each.name) for each in order]
    ).rechunk()  # where columns are cut at different rows, every later step would copy all of them
    faults = _no_objects(mapping, {EXTRAS: wrong, ORIGINAL: wrong_too}, first)
    lost: list[pl.DataFrame] = []
    for each in (field for field in fields if field.name in readings):
        reading, column = readings[each.name], mapping.columns[each.name]
        unread = _fault_rows(reading.given & reading.values.is_null(), column, reading.reasons, first)
        (lost if each.kind in kinds.LENIENT else faults).append(unread)
        if each.required:
            faults.append(_fault_rows(~reading.given, column, "is missing", first))
    none = pl.DataFrame(schema=_FAULTS)
    return _Piece(frame, pl.concat([none, *faults]).sort("row", maintain_order=True), pl.concat([none, *lost]))


def _readings(
    rows: pl.DataFrame, mapping: Mapping, fields: Sequence[Field], ways: dict[str, Way]
) -> dict[str, Reading]:
    found = {name: kinds.read(_kind(name, fields), rows[mapping.columns[name]], way) for name, way in ways.items()}
    abroad = [found[each.name].values for each in fields if each.kind == "country" and each.name in found]
    for each in fields:
        if each.kind == "region" and each.name in found:
            home = ways[each.name].region in words.CHINA
            country = abroad[0] if abroad else _nothing(rows.height, pl.String())
            chinese = country.is_in(words.CHINA).fill_null(value=home)
            found[each.name] = kinds.in_regions(found[each.name], rows[mapping.columns[each.name]], chinese)
    return found


def _kind(name: str, fields: Sequence[Field]) -> Kind:
    return next(each.kind for each in fields if each.name == name)


def _extras(rows: pl.DataFrame, mapping: Mapping, fields: Sequence[Field]) -> tuple[pl.Series, pl.Series | None]:
    """The columns that no field is for, with those that an export has put together; and which cells are no object."""
    names = texts.unguarded(pl.Series(mapping.extras, dtype=pl.String))
    if names.n_unique() < len(names):
        names = pl.Series(mapping.extras)
    left = [_kept(rows[column]).alias(name) for column, name in zip(mapping.extras, names, strict=True)]
    return _with_own(rows, mapping, fields, EXTRAS, _packed(left, rows.height))


def _kept(values: pl.Series) -> pl.Series:
    """A column of clean text; null where empty."""
    return texts.clean(texts.as_texts(values))


def _original(
    rows: pl.DataFrame, mapping: Mapping, fields: Sequence[Field], readings: dict[str, Reading]
) -> tuple[pl.Series, pl.Series | None]:
    """Values as they came where they have changed, with those of an import before; and which cells are no object."""
    changed = [
        texts.as_texts(rows[mapping.columns[name]]).set(reading.same, None).alias(name)
        for name, reading in readings.items()
        if not reading.same.all()
    ]
    return _with_own(rows, mapping, fields, ORIGINAL, _packed(changed, rows.height))


def _packed(columns: Sequence[pl.Series], height: int) -> pl.Series:
    return packing.packed(pl.DataFrame(columns)) if columns else _nothing(height, pl.String())


def _with_own(
    rows: pl.DataFrame, mapping: Mapping, fields: Sequence[Field], name: str, own: pl.Series
) -> tuple[pl.Series, pl.Series | None]:
    """Objects, and those of the column that the file has for them: what is new counts."""
    if name not in mapping.columns or _kind(name, fields) != "json":
        return own, None
    given, empty = objects.objects(rows[mapping.columns[name]])
    wrong = given.is_null() & ~empty
    return (given if own.null_count() == own.len() else packing.merged(own, given)), wrong


def _no_objects(mapping: Mapping, wrong: dict[str, pl.Series | None], first: int) -> list[pl.DataFrame]:
    return [
        _fault_rows(flags, mapping.columns[name], "is no JSON object", first)
        for name, flags in wrong.items()
        if flags is not None
    ]


def _nothing(height: int, kind: pl.DataType) -> pl.Series:
    return pl.Series([None], dtype=kind).new_from_index(0, height)


def _fault_rows(flags: pl.Series, column: str, reasons: pl.Series | str, first: int) -> pl.DataFrame:
    """A fault for each row that is flagged."""
    at = flags.arg_true()
    why = reasons.gather(at) if isinstance(reasons, pl.Series) else pl.Series([reasons]).new_from_index(0, at.len())
    return pl.DataFrame([(at.cast(pl.Int64) + first).alias("row"), _same(column, at.len()), why.alias("reason")])


def _same(text: str, height: int) -> pl.Series:
    return pl.Series("column", [text]).new_from_index(0, height)


def _lost(lost: pl.DataFrame) -> list[str]:
    """How many values of which columns were none, and one of their rows."""
    counts = lost.group_by("column", "reason", maintain_order=True).agg(pl.len().alias("values"), pl.col("row").min())
    return [
        f"column `{column}`: {counted(number, 'value')} {reason if number == 1 else reason.replace('is', 'are', 1)}, "
        f"the first in row {row + 1:,}: the field stays empty, the text is kept in `original`"
        for column, reason, number, row in counts.iter_rows()
    ]
