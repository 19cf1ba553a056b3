"""The maker's dealers, codes, seats and stock, and the vehicles in service with their batches."""

from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from service_year.words import CATEGORIES, MODES, PARTS

START: Final = np.datetime64("2025-03-01T00:00:00", "s")
END: Final = np.datetime64("2026-03-01T00:00:00", "s")
FIRST_MONTH: Final = np.datetime64("2023-03", "M")
MONTHS: Final = 35
"""So many months vehicles have been made in, a batch of each model a month."""
DEALERS: Final = 30
SMALL: Final = (7, 15, 22, 29)
"""Dealers (numbers from 0) that have few customers."""
MODELS: Final = 12
PLACES: Final = ("North Depot", "Central Depot", "South Depot")
REGIONS: Final = ("广东", "浙江", "四川", "山东", "湖北", "辽宁")
TYPES: Final = ("sedan", "sedan", "suv", "suv", "van", "pickup")
_DIGITS: Final = "一二三四五六七八九十"
_VIN_SIGNS: Final = np.array(list("0123456789ABCDEFGHJKLMNPRSTUVWXYZ"))
_VIN_VALUES: Final = np.array([*range(10), 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 7, 9, 2, 3, 4, 5, 6, 7, 8, 9])
_VIN_WEIGHTS: Final = np.array([8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2])
_VIN_BEGIN: Final = "0CR"
"""Of no maker: no country's codes begin with 0."""

Rng = np.random.Generator
Ints = npt.NDArray[np.int64]


def weights(rng: Rng) -> npt.NDArray[np.float64]:
    """Which share of the vehicles each dealer looks after."""
    size = rng.lognormal(0, 0.4, DEALERS)
    size[list(SMALL)] *= 0.08
    return size / size.sum()


def dealers(rng: Rng) -> pl.DataFrame:
    """The dealers: some regions, three groups, and each its rate of an hour of work."""
    at = np.arange(DEALERS)
    rate = np.round(rng.uniform(90, 210, DEALERS) / 5) * 5
    return pl.DataFrame(
        {
            "dealer": [f"D{number:02d}" for number in at + 1],
            "name": [f"{_chinese(number)}号店" for number in at + 1],
            "city": [f"{REGIONS[number % 6]}{_DIGITS[number // 6]}城" for number in at],
            "region": [REGIONS[number % 6] for number in at],
            "group": ["small" if number in SMALL else ("city", "country")[number % 2] for number in at],
            "rate": rate,
        }
    )


def _chinese(number: int) -> str:
    tens, ones = divmod(number, 10)
    return (_DIGITS[tens - 1] if tens > 1 else "") + ("十" if tens else "") + (_DIGITS[ones - 1] if ones else "")


def parts() -> pl.DataFrame:
    """The parts; filters and seals do not come back."""
    return pl.DataFrame(
        {
            "part": [f"P-{each.code}" for each in PARTS],
            "title": [each.chinese[0] for each in PARTS],
            "part_category": [each.category for each in PARTS],
            "price": [each.price for each in PARTS],
            "returned": [each.price >= 155 for each in PARTS],
        }
    )


OPERATIONS: Final = (("R", "更换", 1.0), ("S", "修理", 0.7))
"""What is done with a part: letter of the code, name, share of the hours."""


def labour() -> pl.DataFrame:
    """Labour codes: replace and repair each part, and look over each category."""
    rows = [
        (f"{each.code}{letter}", f"{name}{each.chinese[0]}", each.category, each.category, round(each.hours * share, 1))
        for each in PARTS
        for letter, name, share in OPERATIONS
    ]
    codes = {each.category: each.code[:2] for each in PARTS}
    rows += [(f"{codes[name]}00C", f"检查清洁 {name}", name, name, 0.8) for name in CATEGORIES]
    return pl.DataFrame(rows, ["labour_code", "title", "position", "part_category", "hours"], orient="row")


def faults() -> pl.DataFrame:
    """Fault codes: of each part the ways in which it fails; with `at`, the number of its part."""
    rows = [
        (f"{each.code}-{mode.upper()}", f"{each.chinese[0]}{MODES[mode][0][0]}", cause, each.category, at, mode)
        for at, each in enumerate(PARTS)
        for mode, cause in each.modes
    ]
    return pl.DataFrame(rows, ["fault_code", "title", "cause", "part_category", "at", "mode"], orient="row")


def seats() -> pl.DataFrame:
    """Twelve seats: seven of the first level, some with skills, three of the second, two of the third."""
    known = {2: "engine|transmission|cooling|exhaust", 3: "brakes|steering|suspension", 4: "electrics|air conditioning"}
    known |= {5: "body|electrics", 9: "engine|transmission"}
    return pl.DataFrame(
        {
            "seat": [f"S{number:02d}" for number in range(1, 13)],
            "name": [f"Agent {number:02d}" for number in range(1, 13)],
            "level": [1] * 7 + [2] * 3 + [3] * 2,
            "skills": [known.get(number) for number in range(12)],
            "state": ["offline" if number in (6, 11) else "online" for number in range(12)],
        },
        schema_overrides={"level": pl.Int32},
    )


def stock(rng: Rng) -> pl.DataFrame:
    """How many of each part lie at the sources of the centre, and of six in ten at each dealer."""
    codes = [f"P-{each.code}" for each in PARTS]
    places = [*PLACES, *(f"D{number:02d}" for number in range(1, DEALERS + 1))]
    frame = pl.DataFrame({"place": places}).join(pl.DataFrame({"part": codes}), how="cross")
    depot = frame["place"].is_in(PLACES).to_numpy()
    many = np.where(depot, rng.integers(20, 200, frame.height), rng.integers(0, 6, frame.height))
    keep = depot | (rng.random(frame.height) < 0.6)
    return frame.with_columns(quantity=pl.Series(many.astype(float))).filter(pl.Series(keep))


def vehicles(rng: Rng, count: int, share: npt.NDArray[np.float64]) -> pl.DataFrame:
    """Vehicles, with hidden columns.

    These are `home` (number of the dealer), `cell` (number of the batch), `pace` (km a day), and since and until which
    second of the year a vehicle is in service (`from`, `to`).

    Args:
        rng: The chance.
        count: How many are made; the few that are not sold before the year ends are left out.
        share: Of each dealer.
    """
    popular = rng.dirichlet(np.full(MODELS, 12.0))
    model, month = rng.choice(MODELS, count, p=popular), rng.integers(0, MONTHS, count)
    produced = (FIRST_MONTH + month).astype("datetime64[D]") + rng.integers(0, 28, count)
    sold = produced + 15 + rng.exponential(40, count).astype(int)
    life = np.where(rng.random(count) < 0.05, rng.integers(60, 900, count), 10_000)
    home, pace = rng.choice(DEALERS, count, p=share), rng.lognormal(3.5, 0.4, count)
    day = END.astype("datetime64[D]")
    leaves = np.minimum(sold + life, day)
    read = np.maximum(leaves - rng.integers(1, 180, count), sold)
    known = sold < day - 1
    frame = pl.DataFrame(
        {
            "model": pl.Series([f"M{number:02d}" for number in range(1, MODELS + 1)]).gather(model),
            "vehicle_type": pl.Series([TYPES[number % 6] for number in range(MODELS)]).gather(model),
            "batch": _batches().gather(model * MONTHS + month),
            "produced": produced,
            "sold": sold,
            "gone": np.where(leaves < day, leaves, np.datetime64("NaT", "D")),
            "mileage": np.round(pace * (read - sold).astype(int)),
            "read": read,
            "dealer": pl.Series([f"D{number:02d}" for number in range(1, DEALERS + 1)]).gather(home),
            "customer": pl.Series(rng.permutation(count)).cast(pl.String).str.pad_start(7, "0").str.replace("^", "C"),
            "home": home,
            "cell": model * MONTHS + month,
            "pace": pace,
            "from": np.maximum(sold.astype("datetime64[s]"), START).astype(np.int64),
            "to": np.maximum(np.minimum(leaves.astype("datetime64[s]"), END), START).astype(np.int64),
        }
    )
    serials = rng.permutation(10**6 if count < 10**6 else count)[:count]
    return frame.insert_column(0, pl.Series("vin", vins(model, month, serials))).filter(pl.Series(known))


def _batches() -> pl.Series:
    months = (FIRST_MONTH + np.arange(MONTHS)).astype(str)
    return pl.Series([f"M{model:02d}-{each[2:4]}{each[5:]}" for model in range(1, MODELS + 1) for each in months])


BATCHES: Final = _batches()
"""The batches by their numbers: a model and a month."""


def vins(model: Ints, month: Ints, serial: Ints) -> pl.Series:
    """Vehicle identification numbers with their check digits (ISO 3779; the digit as 49 CFR 565.15 has it)."""
    begin = np.array([np.flatnonzero(sign == _VIN_SIGNS)[0] for sign in _VIN_BEGIN])
    numbers = np.zeros((len(model), 17), dtype=np.int64)
    numbers[:, :3] = begin
    numbers[:, 3:5] = np.stack([model // 10, model % 10], axis=1)
    numbers[:, 5] = 10 + model % 8
    numbers[:, 9] = 23 + month // 12  # letters of the year of the model
    numbers[:, 10] = 10 + month % 8
    numbers[:, 11:] = serial[:, None] // 10 ** np.arange(5, -1, -1) % 10
    numbers[:, 7] = serial // 10**6 % 10
    digit = (_VIN_VALUES[numbers] * _VIN_WEIGHTS).sum(axis=1) % 11
    numbers[:, 8] = np.where(digit == 10, 30, digit)  # 10 is written X
    letters = _VIN_SIGNS[numbers]
    return pl.Series(np.ascontiguousarray(letters).view("<U17").ravel())
