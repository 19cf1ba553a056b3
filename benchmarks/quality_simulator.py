"""Tickets of a year without any quality problem, or with one, drawn cell by cell; a part of `quality_alarms.py`.

Every cell (batch and part, fault of a part, fault and month, dealer and labour code) has a true rate of its own, gamma
with the mean 1 and a coefficient of variation that is given. It shares no code with `sample_data/generate_tickets.py`.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

MODELS: Final = 12
BATCHES: Final = 18
"""Batches a model."""
PARTS: Final = 60
CATEGORIES: Final = 10
FAULTS: Final = 8
"""Faults a category; each of its parts can have all of them."""
DEALERS: Final = 30
VEHICLES: Final = 60_000
MONTHS: Final = 12
BEGIN: Final = date(2025, 1, 1)
CAUSES: Final = ("design", "material", "assembly", "wear", "handling")
_GRID: Final = 30.0
"""Batches are made, and sold, so many days apart."""


@dataclass(frozen=True)
class Lifts:
    """Problems to plant: how many times the usual rate a cell has; 1 for none.

    Attributes:
        batch: Of the first batch of the third model and its most usual part.
        dealer: Of the second dealer and the labour code that is most usual with it.
        rise: Of the most usual fault at the end of the year, as a multiple of its rate at the beginning.
    """

    batch: float = 1.0
    dealer: float = 1.0
    rise: float = 1.0


def simulated(
    seed: int, variation: float, lifts: Lifts | None = None, count: int = 20_000
) -> tuple[pl.DataFrame, pl.DataFrame, dict[str, str]]:
    """Draw a year.

    Args:
        seed: Of the chance.
        variation: The coefficient of variation of the true rates of cells.
        lifts: Problems to plant; None for none.
        count: How many tickets there are, about.

    Returns:
        Tickets and vehicles with the columns that early warnings look at, and the names of the planted cells by kind.
    """
    rng, lifts = np.random.default_rng(seed), lifts or Lifts()
    cars = _vehicles(rng)
    batch, part, cell = _failures(rng, cars, variation, count, lifts.batch)
    fault, month, top = _faults(rng, part, variation, lifts.rise)
    dealer, labour, often = _dealers(rng, part, variation, lifts.dealer)
    vehicle = _which(rng, cars, batch)
    first = cars["sold"].to_numpy()[vehicle]
    day = np.datetime64(BEGIN) + (month * 365 // MONTHS + rng.integers(0, 30, len(month))).astype("timedelta64[D]")
    tickets = pl.DataFrame(
        {
            "ticket": pl.Series(np.arange(len(batch))).cast(pl.String),
            "dealer": _names("D", dealer),
            "vin": cars["vin"].gather(vehicle),
            "model": _names("M", batch // BATCHES),
            "batch": _names("B", batch),
            "part": _names("P", part),
            "part_category": _names("C", part % CATEGORIES),
            "fault_code": _names("F", fault),
            "fault_cause": pl.Series(CAUSES).gather(fault % len(CAUSES)),
            "labour_code": _names("L", labour),
            "day": np.maximum(day, first),
            "sold": first,
        }
    )
    planted = {"batch and part": cell, "dealer and labour": often, "fault rises": top}
    return tickets, cars, planted


def _names(letter: str, numbers: Ints) -> pl.Series:
    return (letter + pl.Series(numbers).cast(pl.String).str.pad_start(3, "0")).rename("")


def _vehicles(rng: np.random.Generator) -> pl.DataFrame:
    """Vehicles; the earliest batches were sold a year before the tickets begin."""
    batch = rng.integers(0, MODELS * BATCHES, VEHICLES)
    sold = np.datetime64(BEGIN - timedelta(days=365)) + (
        batch % BATCHES * _GRID + rng.integers(0, 60, VEHICLES)
    ).astype("timedelta64[D]")
    gone = pl.Series("gone", [None], dtype=pl.Date).extend_constant(None, VEHICLES - 1)
    vin = pl.Series("vin", np.arange(VEHICLES)).cast(pl.String)
    model = _names("M", batch // BATCHES)
    return pl.DataFrame({"vin": vin, "batch": _names("B", batch), "model": model, "sold": sold, "gone": gone})


def _rates(rng: np.random.Generator, shape: tuple[int, ...], variation: float) -> Floats:
    return rng.gamma(1 / variation**2, variation**2, shape) if variation else np.ones(shape)


def _failures(
    rng: np.random.Generator, cars: pl.DataFrame, variation: float, count: int, lift: float
) -> tuple[Ints, Ints, str]:
    """The batch and the part of each ticket: Poisson by time in service."""
    days = (np.datetime64(BEGIN) + 365 - np.maximum(cars["sold"].to_numpy(), np.datetime64(BEGIN))).astype(float)
    number = cars["batch"].str.tail(3).cast(pl.Int64).to_numpy()
    time = np.bincount(number, np.maximum(days, 0), MODELS * BATCHES)
    usual = rng.gamma(1.5, 1.0, (MODELS, PARTS))
    odds = time[:, None] * np.repeat(usual, BATCHES, axis=0)
    means = count * odds / odds.sum() * _rates(rng, odds.shape, variation)
    bad = (2 * BATCHES, int(usual[2].argmax()))
    means[bad] *= lift
    number = rng.poisson(means).ravel()
    both = np.repeat(np.arange(number.size), number)
    return both // PARTS, both % PARTS, f"B{bad[0]:03d} / P{bad[1]:03d}"


def _drawn(rng: np.random.Generator, odds: Floats, row: Ints) -> Ints:
    """A column for each row number, by the odds of its row."""
    sums = np.cumsum(odds / odds.sum(axis=1, keepdims=True), axis=1)
    return np.minimum((sums[row] < rng.random(len(row))[:, None]).sum(axis=1), odds.shape[1] - 1)


def _faults(rng: np.random.Generator, part: Ints, variation: float, rise: float) -> tuple[Ints, Ints, str]:
    """The fault of each ticket, and the month (from 0)."""
    faults = CATEGORIES * FAULTS
    usual = rng.gamma(1.5, 1.0, faults)
    months = _rates(rng, (faults, MONTHS), variation) * np.linspace(1.0, 1.4, MONTHS)
    top = int(usual.argmax())
    months[top] *= np.linspace(1.0, rise, MONTHS)
    own = np.array([np.arange(FAULTS) + each % CATEGORIES * FAULTS for each in range(PARTS)])
    odds = usual[own] * _rates(rng, own.shape, variation)
    fault = own[part, _drawn(rng, odds, part)]
    return fault, _drawn(rng, months, fault), f"F{top:03d}"


def _dealers(rng: np.random.Generator, part: Ints, variation: float, lift: float) -> tuple[Ints, Ints, str]:
    """The dealer and the labour code of each ticket; a part has two codes."""
    labour = 2 * part + (rng.random(len(part)) < 0.3)
    size = rng.lognormal(0, 0.4, DEALERS)
    odds = size * _rates(rng, (2 * PARTS, DEALERS), variation)
    often = int(np.bincount(labour).argmax())
    odds[often, 1] *= lift
    return _drawn(rng, odds, labour), labour, f"D001 / L{often:03d}"


def _which(rng: np.random.Generator, cars: pl.DataFrame, batch: Ints) -> Ints:
    """A vehicle of each batch."""
    number = cars["batch"].str.tail(3).cast(pl.Int64).to_numpy()
    order = np.argsort(number, kind="stable")
    ends = np.cumsum(np.bincount(number, minlength=MODELS * BATCHES))
    begin = ends - np.bincount(number, minlength=MODELS * BATCHES)
    return order[begin[batch] + (rng.random(len(batch)) * (ends - begin)[batch]).astype(int)]
