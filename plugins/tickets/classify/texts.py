"""Fault texts as numbers: runs of characters, or words of Latin letters, weighted by how much they tell.

A run of up to four characters is one 64-bit key, made of the places of its characters in an alphabet, so that counting
is sorting. Source of the weights: Salton and Buckley (1988), "Term-weighting approaches in automatic text retrieval":
(1 + log tf) (1 + log((1 + n) / (1 + df))), each text's weights brought to length 1.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import sparse

from crm.learning.separation import Floats, Ints

Keys = npt.NDArray[np.uint64]

LONGEST: Final = 4
"""A key of 64 bits holds four places of 16 bits each."""
_MOST: Final = 2**16 - 1
_WORD: Final = r"[\p{Latin}0-9]+(?:[-'][\p{Latin}0-9]+)*"
_BETWEEN: Final = " "
_LETTER: Final = r"\p{Latin}"
_CUT: Final = "\1"
"""Stands for Latin letters, which are part of words and of no run."""


@dataclass(frozen=True)
class Lexicon:
    """What is known of texts.

    Attributes:
        alphabet: Code points of the characters that count, ascending.
        runs: For each length from 1, the keys of runs, ascending.
        words: Words and pairs of neighbouring words, ascending.
        weights: How much each of all these tells: runs by length, then words; shape (features,).
    """

    alphabet: npt.NDArray[np.uint32]
    runs: tuple[Keys, ...]
    words: pl.Series
    weights: Floats

    def names(self, places: Ints) -> list[str]:
        """The runs and words at some places."""
        lengths = [*(len(each) for each in self.runs), len(self.words)]
        ends = np.cumsum(lengths)
        found = []
        for place in places:
            block = int(np.searchsorted(ends, place, side="right"))
            inner = int(place - ends[block] + lengths[block])
            found.append(self.words[inner] if block == len(self.runs) else self._run(block + 1, inner))
        return found

    def _run(self, length: int, place: int) -> str:
        key = int(self.runs[length - 1][place])
        return "".join(chr(self.alphabet[(key >> 16 * at & 0xFFFF) - 1]) for at in reversed(range(length)))


def plain(texts: pl.Series) -> pl.Series:
    """Texts in one form: full and half width alike, small letters, one blank where there is white space, no null."""
    one = texts.cast(pl.String).fill_null("").str.normalize("NFKC").str.to_lowercase()
    return one.str.replace_all(r"[\s\x00\x01]+", " ").str.strip_chars()


def learnt(texts: pl.Series, longest: int, rarest: int) -> Lexicon:
    """The runs and words of texts.

    Args:
        texts: As `plain` gives them.
        longest: Of how many characters runs are, at most; 1 to 4.
        rarest: In how many texts a run of three characters or more must be to count.
    """
    points, _ = _points(texts)
    characters, counts = np.unique(points[points > ord(_CUT)], return_counts=True)
    alphabet = np.sort(characters[np.argsort(-counts, kind="stable")[:_MOST]])
    runs, spread = [], []
    for length, rows, keys in _runs(texts, alphabet, longest):
        first = _distinct(keys, rows)
        known, texts_with = np.unique(keys[first], return_counts=True)
        kept = texts_with >= (rarest if length > 2 else 1)
        runs.append(known[kept])
        spread.append(texts_with[kept])
    words = _words(texts).unique().group_by("word").len().sort("word")
    frequencies = np.concatenate([*spread, words["len"].to_numpy()]).astype(np.float64)
    weights = 1 + np.log((1 + len(texts)) / (1 + frequencies))
    return Lexicon(alphabet, tuple(runs), words["word"], weights)


def _distinct(keys: Keys, rows: Ints) -> Ints:
    """One place of each pair of a key and a row."""
    order = np.lexsort((rows, keys))
    new = np.ones(len(keys), dtype=bool)
    new[1:] = (np.diff(keys[order]) != 0) | (np.diff(rows[order]) != 0)
    return order[new]


def weighed(texts: pl.Series, lexicon: Lexicon) -> sparse.csr_array:
    """The weights of the runs and words in each text; shape (texts, features), rows of length 1 or 0."""
    shape = (len(texts), len(lexicon.weights))
    rows, places = [], []
    start = 0
    for length, here, keys in _runs(texts, lexicon.alphabet, len(lexicon.runs)):
        known = lexicon.runs[length - 1]
        at, there = _found(known, keys)
        rows.append(here[there])
        places.append(at[there] + start)
        start += len(known)
    words = _words(texts).join(
        pl.DataFrame({"word": lexicon.words}).with_row_index("place"), on="word", maintain_order="left"
    )
    rows.append(words["row"].to_numpy().astype(np.int64))
    places.append(words["place"].to_numpy().astype(np.int64) + start)
    every, where = np.concatenate(rows), np.concatenate(places)
    found = sparse.coo_array((np.ones(len(every)), (every, where)), shape=shape).tocsr()
    found.sum_duplicates()
    found.data = (1 + np.log(found.data)) * lexicon.weights[found.indices]
    return unit(found)


def unit(found: sparse.csr_array) -> sparse.csr_array:
    """Rows brought to length 1; empty ones stay."""
    lengths = np.sqrt(_sums(found.data**2, found.indptr))
    found.data /= np.repeat(np.where(lengths > 0, lengths, 1.0), np.diff(found.indptr))
    return found


def _sums(values: Floats, starts: Ints) -> Floats:
    """The sum of each row's values."""
    running = np.concatenate(([0.0], np.cumsum(values)))
    return np.asarray(running[starts[1:]] - running[starts[:-1]])


def _points(texts: pl.Series) -> tuple[npt.NDArray[np.uint32], Ints]:
    """Code points of all texts, a 0 behind each, and the number of the text of each."""
    bare = texts.str.replace_all(_LETTER, _CUT)
    data = ("\0".join(bare.to_list()) + "\0").encode("utf-32-le", "surrogatepass") if len(texts) else b""
    points = np.frombuffer(data, dtype="<u4")
    ends = points == 0
    return points, np.cumsum(ends) - ends


def _runs(texts: pl.Series, alphabet: npt.NDArray[np.uint32], longest: int) -> Iterator[tuple[int, Ints, Keys]]:
    """For each length: the text and the key of each run all of whose characters are known."""
    points, rows = _points(texts)
    at, there = _found(alphabet, points)
    places = np.where(there, at + 1, 0).astype(np.uint64)
    keys, whole = np.zeros(len(places), dtype=np.uint64), np.ones(len(places), dtype=bool)
    for length in range(1, longest + 1):
        count = max(0, len(places) - length + 1)
        last = places[length - 1 :]
        keys = (keys[:count] << np.uint64(16)) | last
        whole = whole[:count] & (last > 0)
        yield length, rows[:count][whole], keys[whole]


def _found(known: npt.NDArray[np.generic], asked: npt.NDArray[np.generic]) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Where each value stands among ascending ones, and whether it does."""
    if not len(known):
        return np.zeros(len(asked), dtype=np.int64), np.zeros(len(asked), dtype=bool)
    at = np.minimum(np.searchsorted(known, asked), len(known) - 1)
    return at, known[at] == asked


def _words(texts: pl.Series) -> pl.DataFrame:
    """`row` and `word` of every word of Latin letters and digits, and of every two neighbours."""
    each = pl.DataFrame({"word": texts}).with_row_index("row").with_columns(pl.col("word").str.extract_all(_WORD))
    single = each.explode("word", empty_as_null=True).drop_nulls()
    following = pl.col("word").shift(-1).over("row")
    pairs = single.select("row", (pl.col("word") + _BETWEEN + following).alias("word")).drop_nulls()
    return pl.concat([single, pairs])


def joined(frame: pl.DataFrame, columns: Sequence[str]) -> pl.Series:
    """Some columns of texts as one, in one form."""
    texts = [plain(frame[column]) for column in columns]
    return pl.select(pl.concat_str(texts, separator=_BETWEEN)).to_series().str.strip_chars()
