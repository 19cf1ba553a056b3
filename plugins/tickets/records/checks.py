"""What is wrong with rows of each table: rules as data, codes that nobody knows, and tickets that are under way."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import polars as pl

from crm.nearest import one_of
from plugins.tickets.records import vins
from plugins.tickets.records.changing import LOCKED
from plugins.tickets.records.codes import DEALER, FAULT, LABOUR, PART, TICKET, Code, unknown
from plugins.tickets.records.completing import ORIGINS, RATINGS, SEATS, SHIPPED, SKILLS
from plugins.tickets.records.faults import AHEAD, Rule, broken, faults_of, negative, too_much

if TYPE_CHECKING:
    from crm.judging import Check
    from crm.workspace import Workspace

_CENT: Final = 0.01

_VIN: Final[list[Rule]] = [
    ("vin", vins.malformed(pl.col("vin")), "is no VIN: it has 17 letters and digits, without I, O and Q", "reject"),
    ("vin", vins.wrong_digit(pl.col("vin")), "with a VIN whose check digit is wrong", "warn"),
]


def _one_of(column: str, known: Sequence[str]) -> Rule:
    return (column, ~pl.col(column).is_in(known), f"is none of {one_of(known)}", "reject")


def _after(column: str, first: str, reason: str) -> Rule:
    return (column, pl.col(column) < pl.col(first), reason, "reject")


_DIFFERS: Final = (pl.col("amount") - pl.col("parts_cost").fill_null(0) - pl.col("labour_cost").fill_null(0)).abs()
_TICKETS: Final[list[Rule]] = [
    *_VIN,
    *negative("mileage", "quantity", "parts_cost", "labour_cost", "amount"),
    *too_much("quantity", "parts_cost", "labour_cost", "amount"),
    ("opened", pl.col("produced") > pl.col("opened").dt.date(), "is before the vehicle was made", "reject"),
    ("amount", pl.col("amount").is_null(), "without an amount", "warn"),
    (
        "amount",
        (_DIFFERS > _CENT) & pl.any_horizontal(pl.col("parts_cost", "labour_cost").is_not_null()),
        "with an amount that is not that of parts and work",
        "warn",
    ),
]
_VEHICLES: Final[list[Rule]] = [
    *_VIN,
    *negative("mileage"),
    _after("sold", "produced", "is before the vehicle was made"),
    _after("gone", "sold", "is before the vehicle was sold"),
    _after("read", "produced", "is before the vehicle was made"),
]
_SCORED: Final = pl.col("kind") == "score"
_RATINGS: Final[list[Rule]] = [
    ("kind", pl.col("kind").is_null(), f"is missing; it is one of {one_of(RATINGS)}", "reject"),
    _one_of("kind", RATINGS),
    ("score", _SCORED & pl.col("score").is_null(), "is missing", "reject"),
    ("score", _SCORED & ~pl.col("score").is_between(1, 5), "is not from 1 to 5", "reject"),
    ("score", ~_SCORED & pl.col("score").is_not_null(), "is of a complaint or a praise, which have none", "reject"),
]
_SHIPMENTS: Final[list[Rule]] = [
    _one_of("kind", SHIPPED),
    *negative("quantity"),
    _after("received", "shipped", "is before it was sent"),
    _after("lost", "shipped", "is before it was sent"),
    ("lost", pl.col("lost").is_not_null() & pl.col("received").is_not_null(), "and yet it was received", "reject"),
]
_PAYMENTS: Final[list[Rule]] = [
    *negative("tickets", "total"),
    _after("paid", "made", "is before it was put together"),
    _after("confirmed", "paid", "is before it was paid"),
]
_SEATS: Final[list[Rule]] = [
    (
        "seat",
        pl.col("seat").str.contains(SKILLS, literal=True),
        f"has a {SKILLS}, which parts seats",
        "reject",
    ),
    ("level", pl.col("level") < 1, "is less than 1", "reject"),
    _one_of("state", SEATS),
]
_CLASSES: Final[list[Rule]] = [
    _one_of("origin", ORIGINS),
    ("confidence", ~pl.col("confidence").is_between(0, 1), "is not from 0 to 1", "reject"),
]


def tickets(workspace: "Workspace", rows: pl.DataFrame) -> pl.DataFrame:
    """What is wrong with tickets: `row`, `column`, `reason`, `severity`, as of every check here."""
    latest = datetime.now(UTC) + AHEAD
    state = rows[LOCKED].str.replace_all("_", " ")
    locked = "is " + state + "; only a ticket that is opened or sent back can be changed"
    return pl.concat(
        [
            broken(rows, _TICKETS),
            faults_of(rows, "opened", pl.col("opened") > latest, "is in the future"),
            faults_of(rows, "ticket", rows[LOCKED].is_not_null(), locked),
            unknown(workspace, rows, (DEALER, LABOUR, FAULT, PART)),
        ]
    )


def by(rules: Sequence[Rule], *codes: Code) -> "Check":
    """A check by some rules, and by tables that know what some columns name."""

    def check(workspace: "Workspace", rows: pl.DataFrame) -> pl.DataFrame:
        return pl.concat([broken(rows, rules), unknown(workspace, rows, codes)])

    return check


vehicles = by(_VEHICLES, DEALER)
ratings = by(_RATINGS, TICKET)
shipments = by(_SHIPMENTS, TICKET, PART)
payments = by(_PAYMENTS, DEALER)
classes = by(_CLASSES, TICKET)
seats = by(_SEATS)
dealers = by(negative("rate"))
labour = by(negative("hours"))
parts = by(negative("price"))
stock = by(negative("quantity"), PART)
warnings = by(negative("lift"))
