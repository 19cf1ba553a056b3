"""The tickets: what broke on which vehicle, where it was repaired, and what that cost; with three planted problems."""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from service_year import fleet
from service_year.fleet import DEALERS, END, START, Ints, Rng
from service_year.texts import texts
from service_year.words import CATEGORIES, CAUSES, PARTS

Floats = npt.NDArray[np.float64]

FAULTS: Final = fleet.faults()
LABOUR: Final = fleet.labour()
BAD: Final = (4 * fleet.MONTHS + 19, "SU04-CRACK")
"""The bad batch: its number, and the fault that nearly a third of its vehicles have."""
BAD_SHARE: Final = 0.0035
"""Which share of all tickets the bad batch has by that fault."""
TOO_OFTEN: Final = (12, "CO00C", 0.55)
"""The dealer (number from 0) that writes a labour code instead of others, and how often it does so in its category."""
RISING: Final = ("ST02-WEAK", 4, 2.6)
"""The fault that rises, from which month of the year on, and by how many times its rate until the end."""
TWINS: Final = 0.003
ODD_AMOUNTS: Final = 0.015


class Facts(NamedTuple):
    """What there is before any story: the tables by name, and columns of tickets that nobody writes down."""

    tables: dict[str, pl.DataFrame]
    hidden: pl.DataFrame


def facts(seed: int, count: int, *, planted: bool = True, spread: float = 0.0) -> Facts:
    """A year of tickets without their stories.

    Args:
        seed: Of the chance.
        count: How many tickets; there are about three times as many vehicles.
        planted: Whether there are quality problems to be found.
        spread: The coefficient of variation of true rates, of batches, of dealers' labour codes, of models' faults.

    Returns:
        Tables `dealers`, `labour`, `faults`, `parts`, `seats`, `stock`, `vehicles`, `tickets`, `planted`, `classes`,
        and hidden columns of the tickets, in their order: `cause`, `class`, `odd`, `twin`.
    """
    rng, chance = (np.random.default_rng([seed, at]) for at in range(2))
    cars = fleet.vehicles(rng, 3 * count, fleet.weights(rng))
    tables = {
        "dealers": fleet.dealers(rng),
        "labour": LABOUR,
        "faults": FAULTS.drop("at", "mode"),
        "parts": fleet.parts(),
        "seats": fleet.seats(),
        "stock": fleet.stock(rng),
    }
    drawn = _drawn(chance, cars, count, planted, spread)
    drawn["opened"] = _opened(chance, cars, drawn, planted)
    drawn = _twins(chance, drawn, cars["sold"].to_numpy())
    order = np.argsort(drawn["opened"], kind="stable")
    made = _tickets(chance, cars, {name: values[order] for name, values in drawn.items()}, tables)
    hidden = ["cause", "class", "odd", "twin"]
    tables["vehicles"] = cars.drop("home", "cell", "pace", "from", "to")
    tables["tickets"] = made.drop(hidden)
    tables["classes"] = made.select("ticket", "class")
    tables["planted"] = _planted(made) if planted else _planted(made.clear())
    return Facts(tables, made.select(hidden))


def _drawn(rng: Rng, cars: pl.DataFrame, count: int, planted: bool, spread: float) -> dict[str, Ints]:
    """Which vehicle has which fault, at which dealer, repaired how; numbers all of them."""
    wanted = count if not spread else 12 * count + 1000  # about one in six of them stays
    cell, fault = _cells(rng, cars, wanted, planted)
    vehicle = _vehicles(rng, cars, cell)
    home = cars["home"].to_numpy()[vehicle]
    share = np.bincount(cars["home"].to_numpy(), minlength=DEALERS) / cars.height
    dealer = np.where(rng.random(wanted) < 0.85, home, rng.choice(DEALERS, wanted, p=share))
    at = FAULTS["at"].to_numpy()[fault]
    kind = rng.choice(3, wanted, p=(0.68, 0.24, 0.08))
    category = np.array([CATEGORIES.index(each.category) for each in PARTS])[at]
    labour = np.where(kind == 2, 2 * len(PARTS) + category, 2 * at + kind)
    if planted:
        who, code, often = TOO_OFTEN
        number = LABOUR["labour_code"].to_list().index(code)
        same = (dealer == who) & (category == number - 2 * len(PARTS)) & (rng.random(wanted) < often)
        labour = np.where(same, number, labour)
    drawn = {"vehicle": vehicle, "cell": cell, "fault": fault, "dealer": dealer, "labour": labour}
    if spread:
        keep = _varied(rng, drawn, spread)[:count]
        drawn = {name: values[keep] for name, values in drawn.items()}
    return drawn


def _cells(rng: Rng, cars: pl.DataFrame, count: int, planted: bool) -> tuple[Ints, Ints]:
    """The batch and the fault of each ticket: as many as time in service predicts, in a random order."""
    time = (cars["to"] - cars["from"]).to_numpy().astype(float)
    exposure = np.bincount(cars["cell"].to_numpy(), time, len(fleet.BATCHES))
    model = np.repeat(rng.lognormal(0, 0.1, fleet.MODELS), fleet.MONTHS)
    rate = np.random.default_rng(1).gamma(2.5, 1.0, FAULTS.height)  # how common a fault is does not depend on the seed
    odds = (exposure * model)[:, None] * rate[None, :]
    if planted:
        code, month, times = RISING
        odds[:, _fault(code)] *= 1 + (times - 1) / 2 * (12 - month) / 12
        at = (BAD[0], _fault(BAD[1]))
        odds[at] = BAD_SHARE * odds.sum()
    number = rng.multinomial(count, (odds / odds.sum()).ravel())
    both = rng.permutation(np.repeat(np.arange(odds.size), number))
    return both // FAULTS.height, both % FAULTS.height


def _fault(code: str) -> int:
    return FAULTS["fault_code"].to_list().index(code)


def _vehicles(rng: Rng, cars: pl.DataFrame, cell: Ints) -> Ints:
    """A vehicle of each batch, by time in service."""
    time = (cars["to"] - cars["from"]).to_numpy().astype(float)
    order = np.argsort(cars["cell"].to_numpy(), kind="stable")
    total = np.cumsum(time[order])
    ends = np.cumsum(np.bincount(cars["cell"].to_numpy(), minlength=len(fleet.BATCHES)))
    high = total[ends[cell] - 1]
    low = np.where(ends[cell - 1] > 0, total[ends[cell - 1] - 1], 0) * (cell > 0)
    spot = np.searchsorted(total, low + rng.random(len(cell)) * (high - low), side="right")
    return order[np.minimum(spot, ends[cell] - 1)]


def _varied(rng: Rng, drawn: dict[str, Ints], spread: float) -> Ints:
    """Indexes of tickets that stay when each cell has a rate of its own: gamma with a mean of 1."""
    shape = 1 / spread**2
    keep = np.ones(len(drawn["cell"]), dtype=bool)
    pairs = (
        drawn["cell"],
        drawn["dealer"] * LABOUR.height + drawn["labour"],
        drawn["cell"] // fleet.MONTHS * FAULTS.height + drawn["fault"],
    )
    for cells in pairs:
        rate = rng.gamma(shape, 1 / shape, cells.max() + 1)
        keep &= rng.random(len(cells)) < rate[cells] / np.quantile(rate, 0.98)
    return np.flatnonzero(keep)


def _opened(rng: Rng, cars: pl.DataFrame, drawn: dict[str, Ints], planted: bool) -> Ints:
    """When each ticket was opened: seconds, while its vehicle was in service, by day in China."""
    begin, end = (cars[name].to_numpy()[drawn["vehicle"]] for name in ("from", "to"))
    moment = begin + rng.random(len(begin)) * (end - begin)
    if planted:
        code, month, times = RISING
        rising = np.flatnonzero(drawn["fault"] == _fault(code))
        some = begin[rising, None] + rng.random((len(rising), 24)) * (end - begin)[rising, None]
        year = (some - START.astype(int)) / (END - START).astype(int)
        odds = 1 + (times - 1) * np.clip((year - month / 12) / (1 - month / 12), 0, None)
        pick = (np.cumsum(odds, axis=1) / odds.sum(axis=1, keepdims=True) < rng.random((len(rising), 1))).sum(axis=1)
        moment[rising] = some[np.arange(len(rising)), pick]
    day = moment.astype(np.int64) // 86_400 * 86_400
    last = END.astype(int) - 86_400
    return np.minimum(day, last) + rng.integers(0, 10 * 60, len(day)) * 60


def _twins(rng: Rng, drawn: dict[str, Ints], sold: npt.NDArray[np.datetime64]) -> dict[str, Ints]:
    """Some tickets become second ones of other tickets: the same vehicle and work some days later."""
    count = len(drawn["opened"])
    both = rng.choice(count, 2 * max(1, int(TWINS * count)), replace=False).reshape(2, -1)
    later = drawn["opened"][both[0]] + rng.integers(2, 26, both.shape[1]) * 86_400
    both, later = both[:, later < END.astype(int)], later[later < END.astype(int)]
    made = {name: values.copy() for name, values in drawn.items()}
    for values in made.values():
        values[both[1]] = values[both[0]]
    made["opened"][both[1]] = later
    made["twin"] = np.full(count, -1)
    made["twin"][both[1]] = both[0]
    made["sold"] = sold[made["vehicle"]].astype("datetime64[s]").astype(np.int64)
    return made


def _tickets(rng: Rng, cars: pl.DataFrame, drawn: dict[str, Ints], tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """Rows of the table, with the hidden columns."""
    count = len(drawn["opened"])
    mileage = np.round(cars["pace"].to_numpy()[drawn["vehicle"]] * (drawn["opened"] - drawn["sold"]) / 86_400) + 5
    cause = FAULTS["cause"].gather(drawn["fault"])
    kind = _classes(rng, cause, mileage)
    work = LABOUR.select("labour_code", "part_category", "hours")[drawn["labour"]]
    car = cars.select("vin", "model", "vehicle_type", "batch", "produced", "customer")[drawn["vehicle"]]
    at = FAULTS["at"].to_numpy()[drawn["fault"]]
    used = (drawn["labour"] < 2 * len(PARTS)) & ((drawn["labour"] % 2 == 0) | (rng.random(count) < 0.4))
    quantity = np.where(rng.random(count) < 0.08, 2.0, 1.0)
    price = tables["parts"]["price"].to_numpy()[at]
    cost = np.where(used, np.round(price * quantity, 2), 0.0)
    rate = tables["dealers"]["rate"].to_numpy()[drawn["dealer"]]
    labour_cost = np.round(work["hours"].to_numpy() * rate, 2)
    odd = rng.random(count) < ODD_AMOUNTS
    asked = np.round((cost + labour_cost) * np.where(odd, rng.uniform(1.05, 1.3, count), 1.0), 2)
    part = pl.Series("part", tables["parts"]["part"].gather(at)).set(pl.Series(~used), None)
    return pl.DataFrame(
        [
            pl.Series("ticket", np.arange(1, count + 1)).cast(pl.String).str.pad_start(7, "0").str.replace("^", "T"),
            tables["dealers"]["dealer"].gather(drawn["dealer"]),
            *car.select("vin", "model", "vehicle_type", "batch", "produced"),
            pl.Series("mileage", mileage),
            car["customer"],
            work["labour_code"],
            FAULTS["fault_code"].gather(drawn["fault"]),
            texts(rng, at, FAULTS["mode"].gather(drawn["fault"]), kind, drawn["dealer"] % 3 == 2),
            part,
            work["part_category"],
            pl.Series("quantity", quantity).set(pl.Series(~used), None),
            pl.Series("parts_cost", cost),
            pl.Series("labour_cost", labour_cost),
            pl.Series("amount", asked),
            pl.from_epoch(pl.Series("opened", drawn["opened"]), "s")
            .dt.cast_time_unit("us")
            .dt.replace_time_zone("UTC"),
            cause.rename("cause"),
            kind.rename("class"),
            pl.Series("odd", odd),
            pl.Series("twin", drawn["twin"] >= 0),
        ]
    )


def _classes(rng: Rng, cause: pl.Series, mileage: Floats) -> pl.Series:
    """The quality class: the cause of the fault code, but for one in eight, of old vehicles mostly wear."""
    other = pl.Series(CAUSES).gather(rng.integers(0, len(CAUSES), len(cause)))
    old = pl.Series((mileage > 30_000) & (rng.random(len(cause)) < 0.7))
    other = other.set(old, "wear")
    return cause.zip_with(pl.Series(rng.random(len(cause)) >= 0.125), other)


def _planted(made: pl.DataFrame) -> pl.DataFrame:
    """What is to be found: a row a problem, with the columns that tell where, since when, and in how many tickets."""
    rising = (START.astype("datetime64[M]") + RISING[1]).astype("datetime64[D]").item()
    batch, dealer = fleet.BATCHES[BAD[0]], f"D{TOO_OFTEN[0] + 1:02d}"
    part = f"P-{BAD[1].split('-')[0]}"
    rows = (
        ("batch", {"batch": batch, "fault_code": BAD[1]}, {"part": part}, None),
        ("dealer", {"dealer": dealer, "labour_code": TOO_OFTEN[1]}, {}, None),
        ("rise", {"fault_code": RISING[0]}, {"part": f"P-{RISING[0].split('-')[0]}"}, rising),
    )
    schema = {"kind": pl.String, "batch": pl.String, "part": pl.String, "fault_code": pl.String, "dealer": pl.String}
    schema |= {"labour_code": pl.String, "since": pl.Date, "tickets": pl.Int64}
    found = [
        {"kind": kind, **where, **more, "since": since, "tickets": made.filter(**where).height}
        for kind, where, more, since in rows
    ]
    return pl.DataFrame(found if made.height else [], schema=schema)
