"""How alike two records are, field by field: exact, close, different, or missing in one of them.

Names and places are compared by Jaro-Winkler (Winkler 1990), e-mail addresses, codes and dates by the number of
mistyped characters (optimal string alignment: Damerau 1964). Needs the extra `match` (RapidFuzz).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from crm.errors import UsageError
from plugins.customers.linkage_columns import FIELDS, Kind
from plugins.customers.normalising import NAMES

Ints = npt.NDArray[np.int64]
Levels = npt.NDArray[np.int8]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

LEVELS: Final = ("different", "close", "exact")
"""The levels by number; a missing value is `MISSING`."""
DIFFERENT, CLOSE, EXACT, MISSING = 0, 1, 2, -1

USUAL: Final = 20
"""So many pairs of strangers count as seen before any are, and in so large a share of them values are equal."""
EQUAL: Final = 0.02

CHUNK: Final = 1 << 20
"""So many pairs are compared at once."""

_ALIKE: Final[dict[Kind, tuple[str, float]]] = {
    "name": ("JaroWinkler", 0.88),
    "text": ("JaroWinkler", 0.90),
    "email": ("OSA", 1),
    "code": ("OSA", 1),
    "date": ("OSA", 1),
    "phone": ("OSA", 1),
    "id": ("OSA", 1),
}
"""How values are compared, and from which likeness, or up to how many mistakes, they are close; others never are."""


@dataclass(frozen=True)
class Coded:
    """A column as numbers.

    Attributes:
        codes: The value of each record; -1 where it is missing. Shape (records,).
        texts: The distinct values, sorted; shape (values,), of objects.
    """

    codes: Ints
    texts: npt.NDArray[np.object_]

    @classmethod
    def of(cls, series: pl.Series) -> "Coded":
        """Number the values of a column of text in the order of their characters."""
        distinct = series.drop_nulls().unique().sort()
        ranks = pl.DataFrame({"text": distinct, "code": np.arange(len(distinct), dtype=np.int64)})
        found = series.alias("text").to_frame().join(ranks, on="text", how="left", maintain_order="left")
        return cls(found["code"].fill_null(-1).to_numpy(), np.array(distinct.to_list(), dtype=object))


class Comparison:
    """The values of a table, ready to be compared pair by pair.

    Args:
        values: What `normalising.normalised` gives.

    Attributes:
        fields: What is compared, in order.

    Raises:
        UsageError: RapidFuzz is not installed.
    """

    def __init__(self, values: pl.DataFrame) -> None:
        kinds = {field.name: field.kind for field in FIELDS}
        self.fields: tuple[str, ...] = tuple(name for name in values.columns if name in kinds)
        self.kinds = [kinds[name] for name in self.fields]
        self.coded = [Coded.of(values[name]) for name in self.fields]
        reads = [f"{name}_read" for name in NAMES if f"{name}_read" in values.columns]
        both = Coded.of(pl.concat([values[name].alias("read") for name in reads])) if reads else None
        self.texts = both.texts if both else np.empty(0, dtype=object)
        parts = np.split(both.codes, len(reads)) if both else []
        self.reads = dict(zip((name.removesuffix("_read") for name in reads), parts, strict=True))
        self.joined = _joined(values)
        _rapidfuzz()

    def chance(self, records: Ints) -> Floats:
        """How often each level comes between any two of these records; shape (fields, levels).

        From how often values are equal among all their pairs, and from what is usual, which counts as much as `USUAL`
        pairs: a table of two records says little.
        """
        found = np.empty((len(self.fields), len(LEVELS)))
        for at, coded in enumerate(self.coded):
            codes = coded.codes[records]
            count = np.bincount(codes[codes >= 0], minlength=1).astype(np.float64)
            equal, pairs = (count * (count - 1)).sum() / 2, count.sum() * (count.sum() - 1) / 2
            exact = (equal + USUAL * EQUAL) / (max(pairs, 0) + USUAL)
            found[at] = (1 - exact) * (1 - EQUAL), (1 - exact) * EQUAL, exact
        return found

    def levels(self, left: Ints, right: Ints) -> Levels:
        """The level of each field.

        Args:
            left: The records on one side; shape (pairs,).
            right: Those on the other.

        Returns:
            Shape (pairs, fields): the number of a level in `LEVELS`, or `MISSING`.
        """
        found = np.empty((len(left), len(self.fields)), dtype=np.int8)
        for start in range(0, len(left), CHUNK):
            part = slice(start, start + CHUNK)
            found[part] = np.stack([*self._columns(left[part], right[part])], axis=1)
        return found

    def _columns(self, left: Ints, right: Ints) -> Iterator[Levels]:
        names = self._names(left, right)
        for field, kind, coded in zip(self.fields, self.kinds, self.coded, strict=True):
            if field in names:
                yield names[field]
            else:
                yield _compared(coded, coded.codes[left], coded.codes[right], kind)

    def _names(self, left: Ints, right: Ints) -> dict[str, Levels]:
        """The levels of the names; in the other order where they agree better so."""
        straight = {name: self._name(name, name, left, right) for name in self.reads}
        if len(straight) < len(NAMES):
            return straight
        given, family = NAMES
        crossed = {given: self._name(given, family, left, right), family: self._name(family, given, left, right)}
        better = _worth(crossed) > _worth(straight)
        found = {name: np.where(better, crossed[name], straight[name]) for name in NAMES}
        one, other = self.joined
        turned = (one[left] >= 0) & ((one[left] == other[right]) | (other[left] == one[right]))
        return {name: np.where(turned, np.maximum(level, CLOSE), level) for name, level in found.items()}

    def _name(self, one: str, other: str, left: Ints, right: Ints) -> Levels:
        """The level of one name of the left records with another of the right ones."""
        a, b = (self.coded[self.fields.index(name)] for name in (one, other))
        same = _same_text(a, b)[a.codes[left]] == b.codes[right] if one != other else a.codes[left] == b.codes[right]
        reads = Coded(np.empty(0, dtype=np.int64), self.texts)
        found = _compared(reads, self.reads[one][left], self.reads[other][right], "name")
        found[(found == EXACT) & ~same] = CLOSE  # read alike, written otherwise
        return found


def _joined(values: pl.DataFrame) -> tuple[Ints, Ints]:
    """The names of each record as they are read in one piece, in either order, as numbers; -1 where one is missing.

    A swapped Chinese name is divided at another place: 平虎张 is taken for the given name 虎张 of the family 平.
    """
    if not {"given_read", "family_read"} <= set(values.columns):
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    given, family = pl.col("given_read"), pl.col("family_read")
    both = values.select((given + family).alias("one"), (family + given).alias("other"))
    one, other = np.split(Coded.of(pl.concat([both["one"], both["other"].alias("one")])).codes, 2)
    return one, other


def _same_text(one: Coded, other: Coded) -> Ints:
    """The number that each value of a column has in another one; -2 where it has none. Shape (values + 1,)."""
    if not len(other.texts):
        return np.full(len(one.texts) + 1, -2)
    at = np.searchsorted(other.texts, one.texts) if len(one.texts) else np.empty(0, dtype=np.int64)
    at = np.minimum(at, len(other.texts) - 1)
    return np.append(np.where(other.texts[at] == one.texts, at, -2), -2)  # the last stands for a missing one, -1


def _worth(levels: dict[str, Levels]) -> Levels:
    """How well both names agree: at least closely, or nothing; the better the more."""
    both = np.minimum(*levels.values())
    return np.where(both >= CLOSE, np.add(*levels.values()), 0).astype(np.int8)


def _compared(coded: Coded, a: Ints, b: Ints, kind: Kind) -> Levels:
    """The levels of two columns of values by their numbers."""
    found = np.where(a == b, EXACT, DIFFERENT).astype(np.int8)
    found[(a < 0) | (b < 0)] = MISSING
    rows = np.flatnonzero(found == DIFFERENT)
    if kind in _ALIKE and len(rows):
        found[rows[_close(coded.texts[a[rows]], coded.texts[b[rows]], kind)]] = CLOSE
    return found


def _close(a: npt.NDArray[np.object_], b: npt.NDArray[np.object_], kind: Kind) -> Flags:
    """Which values beside each other are close; shape (pairs,)."""
    process, distance = _rapidfuzz()
    how, limit = _ALIKE[kind]
    if how == "OSA":
        found = process.cpdist(a, b, scorer=distance.OSA.distance, score_cutoff=limit, dtype=np.uint8, workers=-1)
        close: Flags = found <= limit
        return close | _swapped(a, b) if kind == "date" else close
    scorer = distance.JaroWinkler.similarity
    likeness = process.cpdist(a, b, scorer=scorer, score_cutoff=limit, dtype=np.float32, workers=-1)
    near: Flags = likeness > 0
    return near


def _swapped(a: npt.NDArray[np.object_], b: npt.NDArray[np.object_]) -> Flags:
    """Which dates are the same but for the order of month and day."""
    one, other = (pl.Series(side, dtype=pl.String) for side in (a, b))
    turned = one.str.replace(r"^(\d{4})(\d\d)(\d\d)$", "$1$3$2")
    return (turned == other).to_numpy()


def _rapidfuzz() -> Any:
    """The modules of RapidFuzz.

    Raises:
        UsageError: it is not installed.
    """
    try:
        from rapidfuzz import distance, process
    except ImportError:
        raise UsageError("comparing records needs another package: pip install 'crm-toolkit[match]'") from None
    return process, distance


def packed(levels: Levels) -> Ints:
    """The levels of each pair as one number, from which `unpacked` makes them again; shape (pairs,)."""
    base = len(LEVELS) + 1
    found = np.zeros(len(levels), dtype=np.int64)
    for at in range(levels.shape[1]):
        found = found * base + (levels[:, at] - MISSING)
    return found


def unpacked(numbers: Ints, fields: int) -> Levels:
    """The levels; shape (pairs, fields)."""
    base = len(LEVELS) + 1
    powers = base ** np.arange(fields - 1, -1, -1, dtype=np.int64)
    return (numbers[:, None] // powers[None, :] % base + MISSING).astype(np.int8)


def names_of(levels: Levels, fields: Sequence[str]) -> list[pl.Series]:
    """The levels in words, a column a field."""
    words = pl.Series([*LEVELS, "missing"])
    return [words[levels[:, at].astype(np.int64) % len(words)].alias(field) for at, field in enumerate(fields)]
