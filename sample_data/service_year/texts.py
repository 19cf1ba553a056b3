"""What dealers write of faults: many ways for one fault, some of them vague, some with slips; Chinese or English."""

from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from service_year.words import CLOSINGS, CONDITIONS, HINTS, MODES, OPENINGS, PARTS, PLACES, SLIPS

Rng = np.random.Generator
Ints = npt.NDArray[np.int64]

VAGUE: Final = 0.08
"""So many texts do not name the part."""
HINTED: Final = 0.35
"""So many say something that gives the quality class away."""
SLIPPED: Final = 0.06
"""So many have a slip."""
_NAMES: Final = tuple(MODES)


def texts(rng: Rng, part: Ints, mode: pl.Series, kind: pl.Series, abroad: npt.NDArray[np.bool_]) -> pl.Series:
    """A text for each ticket.

    Args:
        rng: The chance.
        part: Numbers of the parts.
        mode: How they fail.
        kind: The quality classes.
        abroad: Where dealers write mostly English.
    """
    count = len(part)
    english = rng.random(count) < np.where(abroad, 0.7, 0.1)
    numbers = mode.replace_strict(_NAMES, range(len(_NAMES)), return_dtype=pl.Int64).to_numpy()
    classes = kind.replace_strict(tuple(HINTS), range(len(HINTS)), return_dtype=pl.Int64).to_numpy()
    numbers = np.where(rng.random(count) < 0.03, rng.integers(0, len(_NAMES), count), numbers)
    vague, hinted = rng.random(count) < VAGUE, rng.random(count) < HINTED
    made = []
    for language, sign in enumerate(("", " ")):
        names = tuple((each.chinese, each.english)[language] for each in PARTS)
        frame = pl.DataFrame(
            {
                "opening": _pick(rng, (OPENINGS[language],), np.zeros_like(part)),
                "condition": _pick(rng, (CONDITIONS[language],), np.zeros_like(part)),
                "part": _pick(rng, names, part),
                "place": _pick(rng, (PLACES[language],), np.zeros_like(part)),
                "symptom": _pick(rng, tuple(each[language] for each in MODES.values()), numbers),
                "hint": _pick(rng, tuple(each[language] for each in HINTS.values()), classes),
                "closing": _pick(rng, (CLOSINGS[language],), np.zeros_like(part)),
            }
        )
        what = pl.when(pl.Series(vague)).then("place").otherwise("part")
        hint = pl.when(pl.Series(hinted)).then("hint").otherwise(pl.lit(""))
        words = ("opening", "condition", what, "symptom") if not sign else ("opening", what, "symptom", "condition")
        text = pl.concat_str(pl.concat_str(*words, separator=sign), hint, "closing")
        made.append(
            frame.select(
                text.str.replace_all(" +", " ").str.replace_all(" ,", ",").str.strip_chars().alias("fault_text")
            ).to_series()
        )
    chinese, western = _slipped(rng, made[0]), _typos(rng, made[1])
    return western.zip_with(pl.Series(english), chinese).rename("fault_text")


def _pick(rng: Rng, options: tuple[tuple[str, ...], ...], which: Ints) -> pl.Series:
    """One of the options of each row's list."""
    lengths = np.array([len(each) for each in options])
    begins = np.cumsum(lengths) - lengths
    spot = begins[which] + (rng.random(len(which)) * lengths[which]).astype(np.int64)
    return pl.Series([text for each in options for text in each]).gather(spot)


def _slipped(rng: Rng, found: pl.Series) -> pl.Series:
    """Chinese texts, some with a word that sounds alike."""
    wrong = found.str.replace_many([old for old, _ in SLIPS], [new for _, new in SLIPS])
    return wrong.zip_with(pl.Series(rng.random(len(found)) < SLIPPED * 1.5), found)


def _typos(rng: Rng, found: pl.Series) -> pl.Series:
    """English texts, some without one of their letters."""
    spot = pl.Series((rng.random(len(found)) * found.str.len_chars().to_numpy()).astype(np.int64))
    frame = pl.DataFrame({"text": found, "spot": spot})
    wrong = frame.select(
        pl.concat_str(pl.col("text").str.slice(0, pl.col("spot")), pl.col("text").str.slice(pl.col("spot") + 1))
    ).to_series()
    return wrong.zip_with(pl.Series(rng.random(len(found)) < SLIPPED * 1.5), found)
