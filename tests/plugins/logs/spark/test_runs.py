"""Sorted hits that stream by in any batches give the sessions of one pass."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from logparse.rules import BehaviourRules, SessionRules
from logparse.sessions import INPUT, SESSIONS, run_starts, sessions
from plugins.logs.spark.runs import sessions_of, whole_runs
from plugins.logs.spark.sessions import pack, unpack

START = datetime(2026, 3, 1, tzinfo=UTC)
IDLE = timedelta(minutes=30)
GAPS = (timedelta(0), timedelta(seconds=1), IDLE, IDLE + timedelta(microseconds=1), timedelta(days=2))

HITS = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.sampled_from(GAPS),
        st.sampled_from(["/", "/a", "/é", None]),
        st.booleans(),
        st.sampled_from([None, None, "ann", "bob"]),
        st.integers(0, 3),
    ),
    max_size=30,
)
RULES = st.builds(
    SessionRules,
    max_hits=st.none() | st.integers(1, 4),
    max_length=st.none() | st.just(timedelta(minutes=30)),
    robots=st.none() | st.just(BehaviourRules(no_assets=2, rate_views=3)),
)


def frame(hits: list[tuple[int, timedelta, str | None, bool, str | None, int]]) -> pl.DataFrame:
    rows, now = [], START
    for visitor, gap, page, view, login, signs in sorted(hits, key=lambda hit: hit[0]):
        now += gap
        rows.append((visitor, now, page, view, login, None, None, None, signs))
    return pl.DataFrame(rows, schema=pl.Schema(INPUT), orient="row").sort("visitor", "ts", maintain_order=True)


def cut_up(hits: pl.DataFrame, cuts: list[int]) -> list[pl.DataFrame]:
    edges = [0, *sorted(min(cut, hits.height) for cut in cuts), hits.height]
    return [hits[begin:end] for begin, end in pairwise(edges)]


@given(HITS, st.lists(st.integers(0, 30), max_size=6), RULES, st.integers(1, 12))
def test_where_batches_are_cut_has_no_influence(
    hits: list[tuple[int, timedelta, str | None, bool, str | None, int]],
    cuts: list[int],
    rules: SessionRules,
    least: int,
) -> None:
    whole = frame(hits)
    found = [unpack(pack(part)) for part in sessions_of(cut_up(whole, cuts), rules, least)]
    assert_frame_equal(pl.concat([pl.DataFrame(schema=SESSIONS), *found]), sessions(whole, rules))


@given(HITS, st.lists(st.integers(0, 30), max_size=6), st.integers(1, 12))
def test_no_run_is_cut_and_not_more_is_held_than_must_be(
    hits: list[tuple[int, timedelta, str | None, bool, str | None, int]], cuts: list[int], least: int
) -> None:
    whole = frame(hits)
    batches = cut_up(whole, cuts)
    found = list(whole_runs(batches, IDLE, least))
    assert_frame_equal(pl.concat([whole.clear(), *found]), whole)
    starts = run_starts(whole["visitor"], whole["ts"], IDLE).tolist()
    longest_run = max((len(run) for run in _runs(starts)), default=0)
    longest_batch = max(batch.height for batch in batches)
    at = 0
    for number, part in enumerate(found):
        assert starts[at]
        assert part.height >= least or number == len(found) - 1
        assert part.height < least + longest_run + longest_batch
        at += part.height


def _runs(starts: list[bool]) -> list[list[bool]]:
    runs: list[list[bool]] = []
    for start in starts:
        if start:
            runs.append([])
        runs[-1].append(start)
    return runs
