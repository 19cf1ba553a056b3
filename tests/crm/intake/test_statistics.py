"""Odd values are found where they were put, and ordinary columns are left in peace."""

import math
import statistics
import sys
from collections import Counter, defaultdict
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.intake.dependencies import HOLDS, _holds, _Pair, broken
from crm.intake.statistics import modified_z, suspects

RNG = np.random.default_rng(20260302)
N = 20_000


def odd(name: str, values: object) -> list[tuple[int, str]]:
    return suspects(pl.DataFrame({name: values})).select("row", "what").rows()


class TestOutliers:
    @given(st.lists(st.floats(-1e6, 1e6), min_size=30, max_size=60))
    def test_scores_are_those_of_iglewicz_and_hoaglin(self, values: list[float]) -> None:
        ordered = pl.Series(values)
        low, middle, high = (float(ordered.quantile(share) or 0) for share in (0.1, 0.5, 0.9))
        logs = min(values) > 0 and high > low and (high + low - 2 * middle) / (high - low) > 0.2
        measured = [math.log(value) if logs else value for value in values]
        median = statistics.median(measured)
        away = [value - median for value in measured]
        mad = statistics.median(map(abs, away))
        deviation = mad / 0.6745 or statistics.fmean(map(abs, away)) * 1.253314
        found = modified_z(ordered).to_list()
        if deviation >= sys.float_info.min:
            assert found == pytest.approx([each / deviation for each in away], rel=1e-6, abs=1e-9)
        else:
            assert all(not each for each in found)

    @pytest.mark.parametrize(
        ("values", "wrong"),
        [
            (RNG.normal(170, 8, N), 1700.0),
            (RNG.lognormal(4, 1, N), 1e7),
            (RNG.lognormal(4, 1, N), -500.0),
            (RNG.integers(0, 90, N).astype(float), 999.0),
            (RNG.poisson(0.2, N) + 1.0, 1000.0),
        ],
    )
    def test_a_value_that_cannot_be_is_found(self, values: np.ndarray, wrong: float) -> None:
        column = values.copy()
        column[77] = wrong
        what = "is far above the others" if wrong > 0 else "is far below the others"
        assert (77, what) in odd("x", column)

    @pytest.mark.parametrize(
        "values",
        [
            RNG.normal(0, 1, N),
            RNG.lognormal(4, 2, N),
            RNG.pareto(1.2, N) + 1,
            RNG.exponential(1, N),
            RNG.integers(1, 6, N),
            RNG.poisson(1, N),
            RNG.choice([1, 1, 1, 1, 2, 5], N),
            np.ones(N),
        ],
    )
    def test_ordinary_columns_are_hardly_told(self, values: np.ndarray) -> None:
        assert len(odd("x", values)) <= N / 1000

    def test_dates_and_lengths(self) -> None:
        days = [date(2020, 1, 1) + timedelta(days=int(each)) for each in RNG.integers(0, 2000, 500)]
        assert odd("birth", [*days, date(1020, 1, 1)]) == [(500, "is far before the others")]
        assert odd("postcode", [*(str(510000 + each % 40) for each in range(2000)), "51"]) == [
            (2000, "is much shorter than usual")
        ]
        names = [f"{'x' * int(each)}" for each in RNG.integers(3, 9, 500)]
        assert odd("city", [*names, "x" * 300]) == [(500, "is much longer than usual")]

    def test_the_first_of_counted_numbers_are_not_told_for_being_short(self) -> None:
        assert odd("customer", [f"K{number}" for number in range(N)]) == []

    def test_few_values_and_none_are_no_distribution(self) -> None:
        assert odd("x", [1.0] * 20 + [1e9]) == []
        assert odd("x", [None] * 40) == []
        assert suspects(pl.DataFrame({"x": []}, schema={"x": pl.Float64})).is_empty()

    def test_extras_are_looked_at_as_numbers_where_they_are_some(self) -> None:
        ages = [f'{{"年龄":"{20 + each % 50}"}}' for each in range(500)]
        found = suspects(pl.DataFrame({"extras": [*ages, '{"年龄":"999"}']}))
        assert found.rows() == [("年龄", 500, "is far above the others")]


CITIES = [("广州", "广东"), ("深圳", "广东"), ("北京", "北京"), ("上海", "上海"), ("成都", "四川"), ("南宁", "广西")]


def cities(height: int) -> pl.DataFrame:
    picks = [CITIES[each] for each in RNG.integers(0, len(CITIES), height)]
    return pl.DataFrame({"city": [city for city, _ in picks], "region": [region for _, region in picks]})


class TestDependencies:
    @pytest.mark.parametrize("height", [300, 100_000])
    def test_a_row_that_breaks_one_is_found(self, height: int) -> None:
        frame = cities(height).with_row_index("at")
        other = pl.when(pl.col("region") == "四川").then(pl.lit("广西")).otherwise(pl.lit("四川"))
        frame = frame.with_columns(pl.when(pl.col("at") == 77).then(other).otherwise("region").alias("region"))
        found = suspects(frame.drop("at"))
        assert found.rows() == [("region", 77, "is not what other rows with the same city have")]

    def test_many_values_are_sampled_by_whole_groups(self) -> None:
        codes = RNG.integers(0, 20_000, 100_000)
        frame = pl.DataFrame({"postcode": (codes + 100_000).astype(str), "city": (codes // 7 + 10_000).astype(str)})
        wrong = frame.with_row_index("at").with_columns(
            pl.when(pl.col("at") == 5).then(pl.lit("nowhere")).otherwise("city").alias("city")
        )
        assert ("city", 5) in suspects(wrong.drop("at")).select("column", "row").rows()
        assert suspects(frame).is_empty()

    @pytest.mark.parametrize(
        "frame",
        [
            pl.DataFrame({"a": [str(each) for each in range(1000)], "b": ["x", "y"] * 500}),
            pl.DataFrame({"a": [f"a{each % 50}" for each in range(1000)], "b": ["x"] * 998 + ["y"] * 2}),
            pl.DataFrame({"a": [f"a{each // 2}" for each in range(1000)], "b": RNG.choice(["x", "y"], 1000)}),
            pl.DataFrame({"a": RNG.choice(list("abcdef"), 1000), "b": RNG.choice(list("uvwxyz"), 1000)}),
            pl.DataFrame({"a": [None] * 1000, "b": ["x"] * 1000}, schema={"a": pl.String, "b": pl.String}),
        ],
        ids=["unique", "nearly constant", "pairs by chance", "independent", "empty"],
    )
    def test_what_is_no_dependency_is_not_told(self, frame: pl.DataFrame) -> None:
        assert suspects(frame).is_empty()

    def test_of_two_rows_that_differ_neither_is_told(self) -> None:
        pairs = [(f"p{each}", f"c{each % 9}") for each in range(300) for _ in range(3)]
        frame = pl.DataFrame([*pairs, ("x", "c1"), ("x", "c2")], schema=["postcode", "city"], orient="row")
        assert suspects(frame).is_empty()

    columns = st.sampled_from(["x", "y", "z", None])

    @given(
        st.lists(st.tuples(st.sampled_from(["a", "b", None]), columns), min_size=30, max_size=120), st.integers(0, 3)
    )
    def test_what_holds_is_what_counting_by_hand_says(
        self, rows: list[tuple[str | None, str | None]], wrong: int
    ) -> None:
        tied = [(first, {"a": "x", "b": "y", None: "z"}[first]) for first, _ in rows]
        tied = [*((first, second) for first, second in rows[:wrong]), *tied[wrong:]]
        for pairs in (rows, tied):
            groups: dict[str, Counter[str]] = defaultdict(Counter)
            for first, second in pairs:
                if first is not None and second is not None:
                    groups[first][second] += 1
            total = sum(sum(group.values()) for group in groups.values())
            mistakes = total - sum(max(group.values()) for group in groups.values())
            repeated = total - len(groups)
            usual = max(sum(groups.values(), Counter()).values(), default=0)
            by_hand = repeated >= 30 and mistakes <= (1 - HOLDS) * repeated and mistakes <= (1 - 0.9) * (total - usual)
            frame = pl.DataFrame(pairs, schema={"a": pl.String, "b": pl.String}, orient="row")
            assert _holds(frame, _Pair("a", "b"), HOLDS) == by_hand

    def test_numbers_and_dates_are_not_looked_at(self) -> None:
        frame = cities(300).with_columns(pl.lit(1.0).alias("x"), pl.lit(date(2026, 1, 1)).alias("d"))
        assert all(each.is_empty() for each in broken(frame))
        assert suspects(frame).is_empty()
