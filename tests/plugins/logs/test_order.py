"""The law of order: pieces of a log that share no instant give the tables of one pass, in any order."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from logparse.rules import SessionRules
from plugins.logs.summary import figures

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm

    New = Callable[[Path], Crm]
    Same = Callable[..., None]

HOUR = 3600
DAY = 24 * HOUR
INSTANTS = (0, 1, 60, 1700, 1800, 3600, 3601, 23 * HOUR, DAY - 1, DAY, DAY + 1799, 49 * HOUR)
"""Gaps below, at and over the idle limit, and runs over midnight."""

HIT = st.fixed_dictionaries(
    {
        "page": st.sampled_from(["/", "/a", "/b", "/a.png"]),
        "who": st.integers(1, 2),
        "status": st.sampled_from([200, 200, 304, 404]),
        "login": st.sampled_from(["-", "-", "-", "li", "wang"]),
        "referrer": st.sampled_from(["-", "https://other.example/", "https://third.example/x"]),
    }
)
LOG = st.lists(st.sampled_from(INSTANTS), min_size=2, max_size=7, unique=True).flatmap(
    lambda instants: st.tuples(*(st.tuples(st.just(at), st.lists(HIT, min_size=1, max_size=4)) for at in instants))
)
"""A log in which the hits of one instant stand together, the instants in any order."""

RULES = st.sampled_from([(), ("--max-hits", "3"), ("--max-length", "20m"), ("--new-referrer",)]).map(
    lambda rules: ("--log-format", "combined", *rules)
)


def lines(crm: "Crm", log: tuple[tuple[int, list[dict[str, Any]]], ...]) -> list[str]:
    return [crm.line(at, **hit) for at, hits in log for hit in hits]


@st.composite
def arrivals(draw: st.DrawFn) -> tuple[Any, list[list[int]]]:
    """A log, and the numbers of its pieces in the order in which they arrive, run by run."""
    log = draw(LOG)
    piece = 0
    pieces = []
    for _ in log:
        pieces.append(piece)
        piece += draw(st.booleans())
    order = draw(st.permutations(sorted(set(pieces))))
    runs: list[list[int]] = [[]]
    for number in order:
        if runs[-1] and draw(st.booleans()):
            runs.append([])
        runs[-1].append(number)
    return list(zip(pieces, log, strict=True)), runs


@settings(max_examples=4, deadline=None)
@given(arrivals=arrivals(), rules=RULES)
def test_pieces_of_a_log_in_any_order_of_arrival_give_the_tables_of_one_pass(
    new_crm: "New", same: "Same", arrivals: tuple[Any, list[list[int]]], rules: tuple[str, ...]
) -> None:
    numbered, runs = arrivals
    with TemporaryDirectory() as folder:
        whole, parts = new_crm(Path(folder, "whole")), new_crm(Path(folder, "parts"))
        log = whole.log("access.log", *lines(whole, tuple(part for _, part in numbered)))
        whole("logs", "mine", log, *rules)
        for run in runs:
            pieces = [
                parts.log(f"{n}.log", *lines(parts, tuple(part for piece, part in numbered if piece == n))) for n in run
            ]
            parts("logs", "mine", *pieces, *rules)
        same(parts.tables(), whole.tables())
        assert opened(parts) == opened(whole)


def opened(crm: "Crm") -> list[tuple[int, int]]:
    """Sessions and those that are still open, by date."""
    lake = crm.open().lake
    found = [figures(lake, [day], SessionRules()) for day in lake.files("sessions")["date"].unique().sort()]
    return [(day.sessions, day.open) for day in found if day is not None]


@settings(max_examples=6, deadline=None)
@given(log=LOG, rules=RULES, data=st.data())
def test_sessions_do_not_change_when_lines_of_different_times_are_shuffled(
    new_crm: "New", log: Any, rules: tuple[str, ...], data: st.DataObject
) -> None:
    instants = data.draw(st.permutations([at for at, hits in log for _ in hits]))
    with TemporaryDirectory() as folder:
        crm = new_crm(Path(folder))
        of_instant = {at: iter(lines(crm, ((at, hits),))) for at, hits in log}
        before = crm.log("before.log", *lines(crm, log))
        after = crm.log("after.log", *(next(of_instant[at]) for at in instants))
        assert crm.rows("logs", "sessions", after, *rules) == crm.rows("logs", "sessions", before, *rules)


@settings(max_examples=6, deadline=None)
@given(arrivals=arrivals(), rules=RULES)
def test_sessions_of_pieces_given_in_any_order_are_those_of_the_whole_log(
    new_crm: "New", arrivals: tuple[Any, list[list[int]]], rules: tuple[str, ...]
) -> None:
    numbered, runs = arrivals
    with TemporaryDirectory() as folder:
        crm = new_crm(Path(folder))
        whole = crm.log("whole.log", *lines(crm, tuple(part for _, part in numbered)))
        pieces = [
            crm.log(f"{n}.log", *lines(crm, tuple(part for piece, part in numbered if piece == n)))
            for run in runs
            for n in run
        ]
        assert crm.rows("logs", "sessions", *pieces, *rules) == crm.rows("logs", "sessions", whole, *rules)
