"""What is hidden is not learnt."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from plugins.recommend.splitting import hide_later, hide_one, moment_after, others, validation

ROWS = st.lists(
    st.tuples(st.sampled_from("uvwx"), st.sampled_from("abcd"), st.none() | st.integers(0, 20)), min_size=1, max_size=30
)


def as_set(frame: pl.DataFrame) -> set[tuple[str, str]]:
    return set(frame.select("who", "item").iter_rows())


@given(ROWS, st.sampled_from(["last", "random"]), st.integers(0, 5))
def test_one_item_of_everybody_with_two_is_hidden_whole(
    events: Callable[[Any], pl.DataFrame], rows: Any, how: Any, seed: int
) -> None:
    frame = events(rows)
    split = hide_one(frame, how, seed)
    hidden, learnt, every = as_set(split.hidden), as_set(split.training), as_set(frame)
    assert not hidden & learnt
    assert hidden | learnt == every
    several = {who for who, _ in every if sum(each == who for each, _ in every) > 1}
    assert sorted(who for who, _ in hidden) == sorted(several)
    assert split.training.height + sum((who, item) in hidden for who, item, _ in rows) == len(rows)
    assert hide_one(frame, how, seed).hidden.equals(split.hidden)


@given(ROWS)
def test_the_last_item_is_that_of_the_newest_event(events: Callable[[Any], pl.DataFrame], rows: Any) -> None:
    for who, item in as_set(hide_one(events(rows), "last").hidden):
        dated = [(-1 if day is None else day, at, each) for at, (name, each, day) in enumerate(rows) if name == who]
        assert max(dated)[2] == item


@given(ROWS, st.integers(0, 20))
def test_everything_from_a_moment_on_is_hidden(events: Callable[[Any], pl.DataFrame], rows: Any, day: int) -> None:
    frame = events(rows)
    at = events([("u", "a", day)])["ts"][0]
    split = hide_later(frame, at)
    before = {(who, item) for who, item, when in rows if when is None or when < day}
    after = {(who, item) for who, item, when in rows if when is not None and when >= day}
    assert as_set(split.training) == before
    assert as_set(split.hidden) == {(who, item) for who, item in after - before if who in {each for each, _ in before}}
    assert not (split.training["ts"].drop_nulls() >= at).any()


@given(ROWS, ROWS, st.sampled_from(["last", "random"]), st.integers(0, 3))
def test_nothing_of_tested_people_is_learnt(
    events: Callable[[Any], pl.DataFrame], rows: Any, tested: Any, how: Any, seed: int
) -> None:
    split = others(events(rows), events([(f"t{who}", item, day) for who, item, day in tested]), how, seed)
    assert split.profiles is not None
    assert as_set(split.training) == as_set(events(rows))
    assert not as_set(split.profiles) & as_set(split.hidden)
    assert {who for who, _ in as_set(split.profiles)} == {who for who, _ in as_set(split.hidden)}


@given(ROWS, st.sampled_from(["last", "random", "time"]), st.booleans())
def test_parameters_are_chosen_on_what_is_learnt_alone(
    events: Callable[[Any], pl.DataFrame], rows: Any, how: Any, apart: bool
) -> None:
    frame = events(rows)
    at = moment_after(frame)
    if apart:
        split = others(frame, events([("t", "a", 1), ("t", "b", 2)]), "random")
    elif how == "time":
        split = hide_later(frame, at or events([("u", "a", 0)])["ts"][0] + timedelta(1))
    else:
        split = hide_one(frame, how)
    part = validation(split, how, 0)
    known = as_set(part.training) | (set() if part.profiles is None else as_set(part.profiles))
    assert known | as_set(part.hidden) <= as_set(split.training)
    assert not known & as_set(part.hidden)
