"""Models of the next page against slow ones written with dictionaries, and `crm paths next`."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.paths.corpus import Corpus
from plugins.paths.evaluation import Steps, compare, measures, ranks, split
from plugins.paths.prediction import BackOff, Counts, first_order, kneser_ney, popularity, predict

Sessions = list[list[str]]
Score = Callable[[Sequence[str], str], float]

START = "^"

sessions = st.lists(st.lists(st.sampled_from("abcdef"), max_size=9), max_size=12)
orders = st.integers(1, 5)


def corpus(paths: Sessions) -> Corpus:
    return Corpus.of(pl.Series(paths, dtype=pl.List(pl.String)))


def newest_of(older: Sessions, newest: Sessions) -> Corpus:
    """The newest sessions, their pages coded together with those of the older ones."""
    both = corpus([*older, *newest])
    return both.take(np.arange(len(older), both.sessions))


def views(paths: Sessions) -> Counter[str]:
    return Counter(page for path in paths for page in path)


def histories(path: list[str]) -> list[tuple[tuple[str, ...], str]]:
    return [((START, *path[:at]), page) for at, page in enumerate(path)]


class SlowKneserNey:
    """Interpolated Kneser-Ney as the textbook has it."""

    def __init__(self, paths: Sessions, order: int) -> None:
        self.seen: list[Counter[tuple[tuple[str, ...], str]]] = [Counter() for _ in range(order + 1)]
        for path in paths:
            for before, page in histories(path):
                for length in range(min(order, len(before)) + 1):
                    self.seen[length][before[len(before) - length :], page] += 1
        self.last = max(length for length in range(order + 1) if self.seen[length] or not length)
        self.numbers = [{gram: self.number(*gram) for gram in seen} for seen in self.seen]
        self.taken = [0.0, *(self.discount(list(numbers.values())) for numbers in self.numbers[1:])]

    def number(self, context: tuple[str, ...], page: str) -> int:
        length = len(context)
        if length == self.last or context[:1] == (START,):
            return self.seen[length][context, page]
        longer = {before[0] for before, after in self.seen[length + 1] if before[1:] == context and after == page}
        return len(longer)

    @staticmethod
    def discount(numbers: list[int]) -> float:
        once, twice = numbers.count(1), numbers.count(2)
        return once / (once + 2 * twice) if once and twice else 0.5

    def probability(self, context: Sequence[str], page: str) -> float:
        length = len(context)
        if length > self.last:
            return self.probability(context[1:], page)
        here = {after: n for (before, after), n in self.numbers[length].items() if before == tuple(context)}
        if not length:
            return here.get(page, 0) / sum(here.values())
        shorter = self.probability(context[1:], page)
        if not here:
            return shorter
        taken = self.taken[length]
        weight = taken * len(here) / sum(here.values())
        return (here[page] - taken) / sum(here.values()) + weight * shorter if page in here else weight * shorter


def slow(paths: Sessions, order: int) -> dict[Callable[[Counts], BackOff], Score]:
    """A score of each page after a history, for each model."""
    model, viewed = SlowKneserNey(paths, order), views(paths)
    steps = Counter((before[-1], page) for path in paths for before, page in histories(path))
    return {
        kneser_ney: cache(model.probability),  # type: ignore[dict-item]
        first_order: lambda before, page: steps[before[-1], page],
        popularity: lambda _, page: viewed[page],
    }


def slow_ranks(older: Sessions, newest: Sessions, score: Score) -> list[int]:
    viewed, found = views(older), []
    for path in newest:
        for before, page in histories(path)[1:]:
            order = sorted(viewed, key=lambda each: (-score(before, each), -viewed[each], each))
            found.append(order.index(page) + 1 if page in viewed else 0)
    return found


def symbols(model: BackOff, pages: Sequence[str]) -> np.ndarray:
    known = model.counts.pages
    return np.array([known.start if page == START else known.symbol(page) for page in pages], dtype=np.int64)


@given(sessions, orders, st.lists(st.sampled_from("abcdef"), max_size=6), st.booleans())
def test_kneser_ney_gives_the_probabilities_of_the_textbook_and_they_sum_to_one(
    paths: Sessions, order: int, last: list[str], whole: bool
) -> None:
    viewed = views(paths)
    given_pages = [*([START] if whole else []), *(page for page in last if page in viewed)]
    model = kneser_ney(Counts.of(corpus(paths), order))
    found = predict(model, symbols(model, given_pages)).pages
    assert sorted(found["page"]) == sorted(viewed)
    if viewed:
        wanted = SlowKneserNey(paths, order)
        assert found["probability"].sum() == pytest.approx(1, abs=1e-12)
        for page, probability in found.select("page", "probability").iter_rows():
            assert probability == pytest.approx(wanted.probability(given_pages, page), abs=1e-12)


@given(sessions, orders, st.lists(st.sampled_from("abcdef"), min_size=1, max_size=6))
def test_a_prediction_says_how_often_each_page_was_seen_after_the_longest_context(
    paths: Sessions, order: int, last: list[str]
) -> None:
    viewed = views(paths)
    pages = [page for page in last if page in viewed]
    model = kneser_ney(Counts.of(corpus(paths), order))
    found = predict(model, symbols(model, pages))
    seen = SlowKneserNey(paths, order).seen
    for page, count, context in found.pages.select("page", "count", "context").iter_rows():
        tails = [tuple(pages[len(pages) - length :]) for length in range(min(order, len(pages)), 0, -1)]
        longest = next((tail for tail in tails if seen[len(tail)][tail, page]), ())
        assert (context or "") == " > ".join(longest)
        assert count == (seen[len(longest)][longest, page] if longest else viewed[page])
        assert len(longest) <= found.used
    used = pages[len(pages) - found.used :]
    places = [(path, at) for path in paths for at in range(len(path)) if used and path[at : at + len(used)] == used]
    ends = [at + len(used) == len(path) for path, at in places]
    assert (found.seen, found.ended) == (len(ends), sum(ends))


@given(sessions, sessions, orders)
def test_ranks_are_those_of_slow_models(older: Sessions, newest: Sessions, order: int) -> None:
    counts = Counts.of(corpus([*older, *newest]).take(np.arange(len(older))), order)
    steps = Steps.of(newest_of(older, newest), counts)
    for make, score in slow(older, order).items():
        assert ranks(make(counts), steps).tolist() == slow_ranks(older, newest, score)


def test_ranks_among_ten_thousand_pages_are_those_of_predictions() -> None:
    chance = np.random.default_rng(4)
    codes = (10_000 * chance.random(60_000) ** 3).astype(int)
    paths = [[f"/{code:05}" for code in codes[at : at + 12]] for at in range(0, len(codes), 12)]
    older, newest = split(corpus(paths), 0.01)
    model = kneser_ney(Counts.of(older, 3))
    steps = Steps.of(newest, model.counts)
    found, at, compared = ranks(model, steps), 0, 0
    for path in newest.paths():
        for before, page in histories(path.to_list())[1:]:
            if found[at] and all(model.counts.pages.symbol(each) is not None for each in before[1:]):
                table = predict(model, symbols(model, before)).pages
                assert table.filter(page=page)["rank"].item() == found[at]
                compared += 1
            at += 1
    assert at == len(found) == 50 * 11
    assert compared > 400


def test_pages_that_rounding_makes_equal_come_by_views_and_name() -> None:
    paths = [["a", "b"], ["c"], ["c"], ["d"], ["e", "e", "e"]]
    counts = Counts.of(corpus(paths), 1)
    model = first_order(counts)
    other_way = replace(model, probabilities=[model.probabilities[0][::-1].copy(), model.probabilities[1]])
    steps = Steps.of(newest_of(paths, [["a", page] for page in "becad"]), counts)
    assert ranks(other_way, steps).tolist() == [1, 2, 3, 4, 5]


@given(st.lists(st.integers(0, 20), min_size=1))
def test_measures_are_hit_rates_and_the_mean_reciprocal_rank(found: list[int]) -> None:
    steps, *rates = measures(np.array(found))
    assert steps == len(found)
    wanted = [sum(0 < rank <= most for rank in found) / len(found) for most in (1, 5, 10)]
    assert rates == pytest.approx([*wanted, sum(1 / rank for rank in found if rank) / len(found)])


@given(sessions, st.floats(0.01, 0.99), orders)
def test_a_comparison_covers_every_step_of_the_newest_sessions(paths: Sessions, share: float, order: int) -> None:
    older, newest = split(corpus(paths), share)
    assert older.paths().to_list() + newest.paths().to_list() == paths
    assert newest.sessions == min(max(1, round(share * len(paths))), max(0, len(paths) - 1))
    steps = sum(max(len(path) - 1, 0) for path in newest.paths().to_list())
    found = compare(older, newest, order)
    assert found.models["steps"].to_list() == ([steps] * 3 if steps else [])
    known = views(older.paths().to_list())
    assert found.unknown == sum(page not in known for path in newest.paths().to_list() for page in path[1:])
