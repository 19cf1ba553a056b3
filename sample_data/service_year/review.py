"""The review of tickets: by levels, at seats that have the level and the skill; some are sent back, some rejected."""

from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from service_year.facts import Facts
from service_year.fleet import DEALERS
from service_year.telling import Bools, Teller
from service_year.words import CATEGORIES

BOUNDS: Final = (5000.0, 20_000.0)
"""Amounts from which on one more level of review is needed."""


def reviewed(teller: Teller, made: Facts) -> Bools:
    """Tell of the review of all tickets.

    Returns:
        Which of them have been approved.
    """
    rng, count = teller.rng, teller.rows.height
    levels = 1 + sum((teller.rows["amount"] >= bound).to_numpy().astype(np.int64) for bound in BOUNDS)
    strict = np.clip(rng.normal(0.045, 0.015, DEALERS), 0.01, None)[teller.dealer]
    lot = rng.random(count)
    gives_up = lot < 0.01
    teller.tell(gives_up, "withdraw", "opened", "withdrawn", "dealer", teller.slow(10), remark="opened by mistake")
    goes = ~gives_up
    _submit(teller, goes, "opened", 7)
    returned = goes & (rng.random(count) < 0.07)
    goes &= ~(returned & (rng.random(count) < 0.15))
    again = returned & goes
    _look(teller, returned, 1, made, "send_back", "sent_back")
    left = returned & ~goes
    teller.tell(left, "withdraw", "sent_back", "withdrawn", "dealer", teller.slow(40))
    _change(teller, again & (rng.random(count) < 0.6))
    _submit(teller, again, "sent_back", 10)
    rejected = goes & (rng.random(count) < strict)
    for level in (1, 2, 3):
        here, last = goes & (levels >= level), levels == level
        _look(teller, here & last & rejected, level, made, "reject", "rejected")
        _look(teller, here & last & ~rejected, level, made, "approve", "approved")
        _look(teller, here & ~last, level, made, "approve", "in_review")
    return goes & ~rejected


def _submit(teller: Teller, who: Bools, before: str, hours: float) -> None:
    teller.tell(who, "submit", before, "in_review", "dealer", teller.slow(hours), level=1, seat="")


def _change(teller: Teller, who: Bools) -> None:
    """The dealer writes the ticket anew; the story keeps what was there."""
    old = teller.rows["mileage"] + teller.rng.integers(1, 900, len(who))
    data = pl.DataFrame({"old": old.cast(pl.Int64)}).select(pl.format('{{"mileage": {}}}', "old")).to_series()
    teller.tell(who, "change", "sent_back", "sent_back", "dealer", teller.slow(24), data=data)


def _look(teller: Teller, who: Bools, level: int, made: Facts, decision: str, goal: str) -> None:
    """A seat of the level gets tickets, and decides; one in forty is handed back first, and goes to another seat."""
    back = who & (teller.rng.random(len(who)) < 0.025)
    for some, event in ((back, "hand_back"), (who, decision)):
        seat = _seats(teller, level, made.tables["seats"])
        teller.tell(some, "assign", "in_review", "in_review", "system", teller.wait(1.5), seat=seat)
        after, remark = (goal, _REMARKS.get(decision)) if event == decision else ("in_review", None)
        more = level + (event == "approve" and goal == "in_review")
        data = pl.Series(seat).to_frame("seat").select(pl.format('{{"seat": "{}"}}', "seat")).to_series()
        words = {"level": more, "seat": "", "by": seat, "remark": remark, "data": data}
        teller.tell(some, event, "in_review", after, "agent", teller.wait(3), **words)


_REMARKS: Final = {"reject": "not covered", "send_back": "photo of the part is missing"}


def _seats(teller: Teller, level: int, seats: pl.DataFrame) -> npt.NDArray[np.str_]:
    """A seat of a level for each ticket, one that is online and knows its category."""
    known = seats.filter(level=level, state="online")
    found = np.full(teller.rows.height, "", dtype="<U3")
    for category in CATEGORIES:
        skilled = known.filter(pl.col("skills").is_null() | pl.col("skills").str.split("|").list.contains(category))
        at = np.flatnonzero((teller.rows["part_category"] == category).to_numpy())
        found[at] = skilled["seat"].to_numpy().astype(str)[teller.rng.integers(0, skilled.height, len(at))]
    return found
