"""What became of the tickets: events by the work flow, with the shipments and payments that belong to them.

Every ticket goes its way to the end; what would happen after the end of the year is cut off, so that some tickets stand
in every state. Times are seconds since 1970.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from service_year.facts import Facts
from service_year.fleet import DEALERS, END, PLACES, Ints
from service_year.review import reviewed
from service_year.telling import Bools, Teller

_HOUR: Final = 3600.0
_WEEK: Final = 7 * 86_400
CARRIERS: Final = ("Northway", "Blue Crane", "Landbridge")
CENTRE: Final = "centre"
"""Where defective parts go."""


def told(seed: int, made: Facts) -> dict[str, pl.DataFrame]:
    """The stories of tickets.

    Args:
        seed: Of the chance.
        made: The tickets.

    Returns:
        `events`, `shipments` and `payments`.
    """
    rng = np.random.default_rng([seed, 2])
    rows = made.tables["tickets"]
    teller = Teller(rng, rows, rng.lognormal(0, 0.35, DEALERS))
    passed = reviewed(teller, made)
    back = rows["part"].is_not_null() & rows["part"].is_in(_returned(made.tables["parts"]).implode())
    parcels = _supplied(teller, passed)
    _served(teller, passed)
    parcels += _sent_back(teller, passed & back.to_numpy())
    _settled(teller, passed, made.hidden)
    payments = _paid(teller)
    return {"events": teller.events(), "shipments": _shipments(parcels, rows), "payments": payments}


def _returned(parts: pl.DataFrame) -> pl.Series:
    return parts.filter("returned")["part"]


Parcel = tuple[Ints, str, npt.NDArray[np.str_], pl.Series, Ints, Ints, Ints]
"""Tickets, kind, numbers, carriers, when shipped, when received (or never), when lost (or never)."""
_NEVER: Final = np.iinfo(np.int64).max


def _supplied(teller: Teller, passed: Bools) -> list[Parcel]:
    """Parts come from the dealer's stock, or by a shipment, of which one in eighty is lost and sent again."""
    rng, needs = teller.rng, teller.rows["part"].is_not_null().to_numpy()
    own = passed & needs & (rng.random(len(needs)) < 0.4)
    teller.tell(own, "use_stock", "approved", "parts_ready", "dealer", teller.slow(2))
    away, made = passed & needs & ~own, []
    lost = away & (rng.random(len(needs)) < 1 / 80)
    made.append(_shipped(teller, lost, lost=True, begin="SH9"))
    made.append(_shipped(teller, away, lost=False, begin="SH1"))
    return made


def _shipped(teller: Teller, who: Bools, *, lost: bool, begin: str) -> Parcel:
    numbers, carrier = _numbers(who, begin), _carrier(teller)
    data = _data(numbers, carrier, _depot(teller), teller.rows["dealer"])
    shipped = teller.tell(who, "ship", "approved", "parts_shipped", "store", teller.wait(8), data=data)
    event, goal, role = ("lose", "approved", "store") if lost else ("receive", "parts_ready", "dealer")
    wait = teller.wait(30, least=200 if lost else 12)
    ended = teller.tell(who, event, "parts_shipped", goal, role, wait, data=_named(numbers))
    at, never = np.flatnonzero(who), np.full(int(who.sum()), _NEVER)
    return (
        at,
        "part",
        numbers[who],
        carrier.gather(at),
        shipped[who],
        never if lost else ended[who],
        ended[who] if lost else never,
    )


def _numbers(who: Bools, begin: str) -> npt.NDArray[np.str_]:
    number = pl.Series(np.cumsum(who)).cast(pl.String).str.pad_start(6, "0")
    return (begin + number).to_numpy().astype(str)


def _carrier(teller: Teller) -> pl.Series:
    return pl.Series(CARRIERS).gather(teller.rng.integers(0, len(CARRIERS), teller.rows.height))


def _depot(teller: Teller) -> pl.Series:
    """The source of parts for each dealer's region."""
    return pl.Series(PLACES).gather(teller.dealer % len(PLACES))


def _data(numbers: npt.NDArray[np.str_], carrier: pl.Series, origin: pl.Series, goal: pl.Series) -> pl.Series:
    frame = pl.DataFrame({"number": numbers, "carrier": carrier, "origin": origin, "goal": goal})
    form = '{{"carrier": "{}", "goal": "{}", "origin": "{}", "shipment": "{}"}}'
    return frame.select(pl.format(form, "carrier", "goal", "origin", "number")).to_series()


def _named(numbers: npt.NDArray[np.str_]) -> pl.Series:
    return pl.Series(numbers).to_frame("number").select(pl.format('{{"shipment": "{}"}}', "number")).to_series()


def _served(teller: Teller, passed: Bools) -> None:
    """The vehicle is repaired and the customer signs, or one in fifty refuses first."""
    needs = teller.rows["part"].is_not_null().to_numpy()
    refused = passed & (teller.rng.random(len(needs)) < 0.02)
    for first in (True, False):
        who = refused if first else passed
        for part, before in ((True, "parts_ready"), (False, "approved")):
            some = who & (needs == part)
            teller.tell(some, "serve", before, "served", "dealer", teller.slow(20))
            if first:
                teller.tell(some, "refuse", "served", before, "dealer", teller.slow(6), remark="noise not gone")
    teller.tell(passed, "sign", "served", "signed", "dealer", teller.slow(8))


def _sent_back(teller: Teller, who: Bools) -> list[Parcel]:
    """Defective parts go back to the centre; one in a hundred is lost, and found and sent once more."""
    lost, made = who & (teller.rng.random(len(who)) < 0.01), []
    for some, begin in ((lost, "RT9"), (who, "RT1")):
        numbers, carrier = _numbers(some, begin), _carrier(teller)
        data = _data(numbers, carrier, teller.rows["dealer"], pl.Series([CENTRE]).new_from_index(0, len(who)))
        shipped = teller.tell(some, "return_part", "signed", "returning", "dealer", teller.slow(50), data=data)
        gone, at = begin == "RT9", np.flatnonzero(some)
        word, goal = ("lose", "signed") if gone else ("receive_return", "part_returned")
        wait = teller.wait(40, least=200 if gone else 20)
        ended = teller.tell(some, word, "returning", goal, "store", wait, data=_named(numbers))
        never = np.full(len(at), _NEVER)
        ends = (never, ended[some]) if gone else (ended[some], never)
        made.append((at, "return", numbers[some], carrier.gather(at), shipped[some], *ends))
    return made


def _settled(teller: Teller, passed: Bools, hidden: pl.DataFrame) -> None:
    """Tickets are settled; those whose amount is odd, and second ones, wait for a person, some of them for good."""
    odd, twin = (hidden[name].to_numpy() for name in ("odd", "twin"))
    held = passed & (odd | twin)
    released = held & (teller.rng.random(len(held)) < 0.6)
    remark = pl.Series(np.where(twin, "looks like another ticket", "amount differs"))
    state = teller.state
    before = np.where(state == "part_returned", "part_returned", "signed")
    for each in ("signed", "part_returned"):
        at = before == each
        teller.tell(held & at, "hold", each, each, "system", teller.wait(1), remark=remark)
        teller.tell(released & at, "release", each, each, "clerk", teller.wait(50), remark="looked at")
        free = passed & at & (~held | released)
        teller.tell(free, "settle", each, "settled", "clerk", teller.wait(30))


def _paid(teller: Teller) -> pl.DataFrame:
    """Settled tickets are put into batches on Thursdays, a dealer each; the batches are paid and confirmed."""
    who = teller.state == "settled"
    week = teller.now // _WEEK + 1  # 1970 began on a Thursday
    made = week * _WEEK + 2 * 3600 + teller.dealer * 60
    made = np.where(made <= teller.now, made + _WEEK, made)
    batch = pl.DataFrame(
        {
            "dealer": teller.rows["dealer"],
            "amount": teller.rows["amount"],
            "made": made,
            "number": teller.dealer,
        }
    ).filter(pl.Series(who))
    found = batch.group_by("dealer", "number", "made").agg(pl.len().alias("tickets"), pl.col("amount").sum())
    found = found.sort("made", "dealer")
    ids = pl.Series("payment", np.arange(1, found.height + 1)).cast(pl.String).str.pad_start(6, "0")
    paid = found["made"].to_numpy() + (teller.rng.exponential(20, found.height) + 24) * _HOUR
    slow = teller.pace[found["number"].to_numpy()]
    confirmed = paid + (teller.rng.exponential(30, found.height) * slow + 2) * _HOUR
    found = found.with_columns(
        payment="PAY-" + ids, paid=pl.Series(paid.astype(np.int64)), confirmed=pl.Series(confirmed.astype(np.int64))
    )
    at = pl.DataFrame({"dealer": teller.rows["dealer"], "made": made}).join(
        found, on=["dealer", "made"], how="left", maintain_order="left"
    )
    data = at.select(pl.format('{{"payment": "{}"}}', "payment")).to_series()
    steps = (
        ("batch", "settled", "settled", "clerk", made, data),
        ("pay", "settled", "paid", "clerk", at["paid"].fill_null(0).to_numpy(), data),
        ("confirm", "paid", "confirmed", "dealer", at["confirmed"].fill_null(0).to_numpy(), data),
    )
    for event, before, after, role, moment, more in steps:
        teller.tell(who, event, before, after, role, moment - teller.now, data=more)
    return found.filter(pl.col("made") < END.astype(int)).select(
        "payment",
        "dealer",
        pl.col("tickets").cast(pl.Int64),
        pl.col("amount").round(2).alias("total"),
        *(_moment(pl.col(name)).alias(name) for name in ("made", "paid", "confirmed")),
    )


def _moment(seconds: pl.Expr) -> pl.Expr:
    """A time; null if it is after the year."""
    within = pl.when(seconds < END.astype(int)).then(seconds)
    return pl.from_epoch(within, "s").dt.cast_time_unit("us").dt.replace_time_zone("UTC")


def _shipments(parcels: list[Parcel], rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of the table, by their numbers."""
    names = ["at", "kind", "shipment", "carrier", "shipped", "received", "lost"]
    frame = pl.concat(
        pl.DataFrame(dict(zip(names, [at, np.full(len(at), kind), *rest], strict=True))) for at, kind, *rest in parcels
    ).filter(pl.col("shipped") < END.astype(int))
    number = rows["dealer"].str.slice(1).cast(pl.Int64).gather(frame["at"]) - 1
    depot, dealer = pl.Series(PLACES).gather(number % len(PLACES)), rows["dealer"].gather(frame["at"])
    part = frame["kind"] == "part"
    return frame.select(
        "shipment",
        rows["ticket"].gather(frame["at"]),
        "kind",
        rows["part"].gather(frame["at"]),
        rows["quantity"].gather(frame["at"]),
        depot.zip_with(part, dealer).alias("origin"),
        dealer.zip_with(part, pl.Series([CENTRE]).new_from_index(0, len(dealer))).alias("goal"),
        "carrier",
        *(_moment(pl.col(name)).alias(name) for name in ("shipped", "received", "lost")),
    ).sort("shipment")
