"""Which pairs of records are worth comparing: those that share a key, such as a phone or a birth date and a name.

A pair of one person that shares none is missed, so there are many keys, and each stands for other mistakes. Blocks of
records that share a key grow with the square of their size, so the largest ones are skipped: a name that thousands
have says nothing, and other keys find their pairs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from plugins.customers.normalising import NAMES

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Hashes = npt.NDArray[np.uint64]

LARGEST: Final = 200
"""Most records of a block."""
PAIRS_A_RECORD: Final = 20
"""So many pairs a record may come from one key: the smallest blocks first."""
FEW: Final = 1_000_000
"""So many pairs may come from one key in any case."""
_ODD: Final = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Candidates:
    """The pairs to compare.

    Attributes:
        left: The earlier record of each pair; shape (pairs,), sorted, then by `right`.
        right: The later one.
        skipped: How many blocks were too large, by key.
    """

    left: Ints
    right: Ints
    skipped: Mapping[str, int]


def _sound(text: pl.Expr) -> pl.Expr:
    """What is left of a name when it is heard badly: the first letter, and the consonants after it, none doubled.

    Letters that sound alike are one, much as in Soundex (Russell 1918), but only the first three count.
    """
    for pattern, sign in _ALIKE:
        text = text.str.replace_all(pattern, sign)
    first, rest = text.str.slice(0, 1), text.str.slice(1).str.replace_all(r"[aeiouyhw]", "")
    return first + rest.str.slice(0, 2)


_ALIKE: Final = (
    (r"ph", "f"),
    (r"[ck]h?|q", "k"),
    (r"[zx]", "s"),
    (r"[dt]+h?", "t"),
    (r"[vb]", "b"),
    (r"[mn]g?", "n"),
    (r"[jg]", "j"),
    (r"ss+", "s"),
    (r"kk+", "k"),
    (r"ll+", "l"),
    (r"rr+", "r"),
    (r"nn+", "n"),
)


def _both_sounds() -> pl.Expr:
    """Both names by their sound, in the order of the alphabet: the same if they are swapped."""
    sounds = [pl.col("given_sound"), pl.col("family_sound")]
    known = pl.all_horizontal(sound.is_not_null() for sound in sounds)
    return pl.when(known).then(pl.min_horizontal(sounds) + "|" + pl.max_horizontal(sounds))


def _with_sounds(values: pl.DataFrame) -> pl.DataFrame:
    """The table with the sounds of its names (`given_sound`, `family_sound`), each worked out once."""
    for name in NAMES:
        read = f"{name}_read"
        if read in values.columns:
            known = values.select(read).unique().with_columns(_sound(pl.col(read)).alias(f"{name}_sound"))
            values = values.join(known, on=read, how="left", maintain_order="left")
    return values


def _part(name: str, needs: str, value: pl.Expr) -> "_Part":
    return _Part(name, tuple(needs.split()), value)


@dataclass(frozen=True)
class _Part:
    """Something a key is made of, and the columns that it is worked out from."""

    name: str
    needs: tuple[str, ...]
    value: pl.Expr


_COLUMNS: Final = ("idnumber", "phone", "email", "birth", "postcode", "city", "number")
_PARTS: Final = (
    *(_part(name, name, pl.col(name)) for name in _COLUMNS),
    _part("names", "given_sound family_sound", _both_sounds()),
    _part("given", "given_sound", pl.col("given_sound")),
    _part("family", "family_sound", pl.col("family_sound")),
    _part("birth year", "birth", pl.col("birth").str.slice(0, 4)),
    _part("birthday", "birth", pl.col("birth").str.slice(4)),
    _part("address", "address", pl.col("address").str.slice(0, 8)),
    _part("end of the address", "address", pl.col("address").str.tail(8)),
    _part("address2", "address2", pl.col("address2").str.slice(0, 8)),
    _part("end of the phone", "phone", pl.col("phone").str.tail(4)),
    _part("begin of the phone", "phone", pl.col("phone").str.slice(0, 7)),
    _part("begin of the e-mail", "email", pl.col("email").str.extract(r"^([^@]+)@")),
    _part("begin of the id number", "idnumber", pl.col("idnumber").str.slice(0, 6)),
)

KEYS: Final = (
    ("idnumber",),
    ("phone",),
    ("email",),
    ("birth",),
    ("birth", "given"),
    ("birth", "family"),
    ("names",),
    ("names", "postcode"),
    ("names", "city"),
    ("names", "birth year"),
    ("names", "birthday"),
    ("names", "end of the phone"),
    ("names", "begin of the phone"),
    ("names", "begin of the id number"),
    ("given", "address"),
    ("family", "address"),
    ("given", "postcode"),
    ("family", "postcode"),
    ("begin of the e-mail",),
    ("address", "number"),
    ("end of the address", "birth year"),
    ("address", "address2"),
)
"""What two records must share; a key whose parts a table lacks is left out."""


def candidates(values: pl.DataFrame, keys: Sequence[tuple[str, ...]] = KEYS) -> Candidates:
    """The pairs of records that share a key, each once.

    Args:
        values: What `normalising.normalised` gives.
        keys: The parts of each key.
    """
    records, skipped = values.height, {}
    parts = _hashed(values)
    found: list[Ints] = [np.empty(0, dtype=np.int64)]
    for key in keys:
        if not set(key) <= parts.keys():
            continue
        members, sizes = _blocks([parts[name] for name in key])
        kept = sizes <= _largest(sizes, records)
        if not kept.all():
            skipped[" + ".join(key)] = int((~kept).sum())
        members = members[np.repeat(kept, sizes)]
        left, right = pairs_within(sizes[kept])
        found.append(members[left] * records + members[right])
    both = _distinct(np.concatenate(found))
    return Candidates(both // max(records, 1), both % max(records, 1), skipped)


def _distinct(numbers: Ints) -> Ints:
    """The numbers in order, each once."""
    numbers.sort()
    return numbers[np.append(True, numbers[1:] != numbers[:-1])] if len(numbers) else numbers


def _hashed(values: pl.DataFrame) -> dict[str, tuple[Hashes, Flags]]:
    """The parts of keys that the table has columns for: a hash of each value, and whether there is one."""
    values = _with_sounds(values)
    known = [part for part in _PARTS if set(part.needs) <= set(values.columns)]
    frame = values.select(part.value.alias(part.name) for part in known)
    return {name: (frame[name].hash(1).to_numpy(), frame[name].is_not_null().to_numpy()) for name in frame.columns}


def _blocks(parts: Sequence[tuple[Hashes, Flags]]) -> tuple[Ints, Ints]:
    """The records that share a key, block by block, in order within each; and the sizes of the blocks.

    Two keys that have one hash, which hardly happens, bring some pairs more.
    """
    records = np.flatnonzero(np.all([known for _, known in parts], axis=0))
    key = np.zeros(len(records), dtype=np.uint64)
    for hashes, _ in parts:
        key = key * _ODD + hashes[records]
    order = np.argsort(key, kind="stable")
    key, records = key[order], records[order]
    if not len(key):
        return records, records
    sizes = np.diff(np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1], [True]])))
    shared = sizes > 1
    return records[np.repeat(shared, sizes)], sizes[shared]


def _largest(sizes: Ints, records: int) -> int:
    """The size up to which blocks are taken, so that all their pairs are not too many."""
    count = np.bincount(np.minimum(sizes, LARGEST + 1), minlength=LARGEST + 2)[: LARGEST + 1]
    size = np.arange(len(count))
    total = np.cumsum(count * (size * (size - 1) // 2))
    return int(np.searchsorted(total, max(FEW, PAIRS_A_RECORD * records), side="right")) - 1


def pairs_within(sizes: Ints) -> tuple[Ints, Ints]:
    """The places of all pairs within blocks that lie one behind the other; each pair (pairs,), earlier and later."""
    ends = np.repeat(np.cumsum(sizes), sizes)
    place = np.arange(len(ends), dtype=np.int64)
    behind = ends - place - 1
    left = np.repeat(place, behind)
    first = np.repeat(np.cumsum(behind) - behind, behind)
    return left, left + 1 + np.arange(len(left), dtype=np.int64) - first
