"""Interests agree with a slow, obviously right way to work them out, and their laws hold."""

from collections import defaultdict
from datetime import date, timedelta
from typing import Any

import msgspec
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from crm.catalog import CATALOG, paths
from crm.interest.config import InterestConfig, Weights
from crm.interest.contracts import KINDS
from crm.interest.model import contributions, interests
from crm.schema import polars_schema
from crm.units import Duration

TODAY = date(2026, 3, 15)
CATEGORIES = {"i1": "a/b/c", "i2": "a/b/d", "i3": "a/b", "i4": "e", "i5": None}
TITLES = {"i1": "Red Rice", "i2": "rice oil", "i3": "Wok", "i4": "rice", "i5": "Red wok"}
TAGS = {"i1": ("red", "big"), "i2": ("big",), "i3": (), "i4": ("Rice", "new", "old"), "i5": ("red",)}
TERMS = ("rice", "red", "wok", "e", "nothing", "big")


def catalogue() -> pl.DataFrame:
    rows = []
    for item, path in CATEGORIES.items():
        names = [*(path.split("/") if path else []), None, None, None][:3]
        rows.append({"item": item, "title": TITLES[item], "level1": names[0], "level2": names[1], "level3": names[2]})
    schema = {
        name: kind for name, kind in polars_schema(CATALOG).items() if name not in ("extras", "original", "source")
    }
    frame = pl.DataFrame(rows, {name: schema[name] for name in rows[0]})
    missing = [pl.lit(None, dtype=kind).alias(name) for name, kind in schema.items() if name not in frame.columns]
    tags = pl.Series("tags", [list(TAGS[item]) for item in CATEGORIES], dtype=pl.List(pl.String))
    return frame.with_columns(missing).with_columns(tags).with_columns(paths())


ITEMS = catalogue()
things = st.one_of(
    st.tuples(
        st.sampled_from([*CATEGORIES, "unknown"]), st.sampled_from([None, "a/b", "x/y/z/deep", "/x/"]), st.none()
    ),
    st.tuples(st.none(), st.sampled_from([None, "a", "a/b/c", "x/y/z/deep"]), st.none()),
    st.tuples(st.none(), st.none(), st.sampled_from(TERMS)),
)
events = st.lists(
    st.tuples(st.sampled_from(["K1", "K2", "visitor:3"]), st.integers(-2, 90), st.sampled_from(KINDS), things).flatmap(
        lambda event: st.tuples(st.just(event), st.sampled_from([0.5, 1.0, 3.0]))
    ),
    max_size=25,
)
configs = st.builds(
    InterestConfig,
    half_life=st.sampled_from([Duration(hours=12), Duration(days=7), Duration(days=30)]),
    shrink=st.sampled_from([0.5, 5.0]),
    weights=st.builds(Weights, view=st.sampled_from([0.0, 1.0]), dismissed=st.sampled_from([-4.0, -0.5])),
)


def frame(rows: list[Any]) -> pl.DataFrame:
    made = [
        {
            "who": who,
            "date": TODAY - timedelta(days=age),
            "kind": kind,
            "item": item,
            "category": category,
            "term": term,
            "what": f"{item} {category} {term}",
            "count": count,
        }
        for (who, age, kind, (item, category, term)), count in rows
    ]
    texts = dict.fromkeys(("who", "kind", "item", "category", "term", "what"), pl.String)
    return pl.DataFrame(made, {**texts, "date": pl.Date, "count": pl.Float64})


def narrowest(path: str) -> str:
    return "/".join([name for name in path.split("/") if name][:3])


def reach(
    item: str | None, category: str | None, term: str | None
) -> tuple[dict[str, float], list[tuple[str, str, float]]]:
    """Of what an event counts for: the narrowest categories with their shares, and items and tags with theirs."""
    rest: list[tuple[str, str, float]] = []
    if item is not None:
        rest.append(("item", item, 1.0))
        tags = TAGS.get(item, ())
        rest += [("tag", tag, 1 / len(tags)) for tag in tags]
        if CATEGORIES.get(item):
            return {str(CATEGORIES[item]): 1.0}, rest
    if category is not None:
        return {narrowest(category): 1.0}, rest
    found: dict[str, float] = defaultdict(float)
    if term is not None:
        rest += [
            ("tag", tag, 1.0) for tag in sorted({t for tags in TAGS.values() for t in tags}) if tag.lower() == term
        ]
        texts = {i: [TITLES[i], *TAGS[i], *(CATEGORIES[i] or "").split("/")] for i in CATEGORIES}
        fit = [i for i in CATEGORIES if any(term in text.lower() for text in texts[i]) and CATEGORIES[i]]
        for each in fit:
            found[str(CATEGORIES[each])] += 1 / len(fit)
    return found, rest


def oracle(
    rows: list[Any], config: InterestConfig, as_of: date = TODAY
) -> dict[tuple[str, str, str], tuple[float, int]]:
    """Weights and numbers of events, one event after another."""
    own: dict[Any, float] = defaultdict(float)
    mass: dict[Any, float] = defaultdict(float)
    number: dict[Any, float] = defaultdict(float)
    for (who, age, kind, thing), count in rows:
        days = age + (as_of - TODAY).days
        if days < 0:
            continue
        tells = config.weights.by_kind()[kind] * count * 0.5 ** (days / config.half_life_days)
        categories, rest = reach(*thing)
        touched: dict[Any, float] = defaultdict(float)
        for path, share in categories.items():
            names = path.split("/")
            own[who, str(len(names)), path] += tells * share
            for depth in range(1, len(names) + 1):
                touched[who, str(depth), "/".join(names[:depth])] += share
        for level, key, share in rest:
            own[who, level, key] += tells * share
            touched[who, level, key] += share
        for key, share in touched.items():
            mass[key] += tells * share
            number[key] += 0 if kind == "dwell" else count
    total: dict[Any, float] = defaultdict(float)
    for (who, level, _), value in own.items():
        total[who, level if level in ("item", "tag") else "category"] += max(value, 0.0)
    found = {}
    for (who, level, key), value in mass.items():
        known = total[who, level if level in ("item", "tag") else "category"]
        found[who, level, key] = (value / (known + config.shrink), -int(-number[who, level, key] // 1))
    return found


def as_dict(found: pl.DataFrame) -> dict[tuple[str, str, str], tuple[float, int]]:
    return {
        (row["who"], row["level"], row["key"]): (row["weight"], row["events"]) for row in found.iter_rows(named=True)
    }


@given(rows=events, config=configs)
def test_they_are_what_a_slow_way_finds(rows: list[Any], config: InterestConfig) -> None:
    found, wanted = as_dict(interests(frame(rows), ITEMS, config, TODAY)), oracle(rows, config)
    assert found.keys() == wanted.keys()
    for key, (weight, number) in wanted.items():
        assert found[key] == (pytest.approx(weight, abs=1e-9), number)


@given(rows=events, config=configs)
def test_contributions_sum_to_the_weight(rows: list[Any], config: InterestConfig) -> None:
    made = (
        contributions(frame(rows), ITEMS, config, TODAY)
        .group_by("who", "level", "key")
        .agg(pl.col("contribution").sum())
    )
    weights = interests(frame(rows), ITEMS, config, TODAY)
    both = weights.join(made, on=["who", "level", "key"], how="full")
    assert both.height == weights.height == made.height
    assert ((both["weight"] - both["contribution"]).abs() < 1e-9).all()


@given(rows=events, config=configs)
def test_weights_are_below_one_and_add_up_over_the_levels(rows: list[Any], config: InterestConfig) -> None:
    found = interests(frame(rows), ITEMS, config, TODAY)
    assert (found["weight"] < 1).all()
    positive = found.group_by("who", "level").agg(pl.col("weight").filter(pl.col("weight") > 0).sum())
    for level in ("item", "tag"):
        assert (positive.filter(level=level)["weight"] < 1).all()
    made = contributions(frame(rows), ITEMS, config, TODAY)
    for who, level, key, weight in found.select("who", "level", "key", "weight").iter_rows():
        if level not in ("1", "2"):
            continue
        within = found.filter(
            pl.col("who") == who, pl.col("level") == str(int(level) + 1), pl.col("key").str.starts_with(f"{key}/")
        )
        whats = made.filter(who=who, level=level, key=key)
        narrower = made.filter(who=who, level=str(int(level) + 1)).filter(pl.col("key").str.starts_with(f"{key}/"))
        rest = whats["contribution"].sum() - narrower["contribution"].sum()
        assert weight == pytest.approx(within["weight"].sum() + rest, abs=1e-9)


def test_a_category_is_the_sum_of_those_within_it() -> None:
    rows = [(("K1", 0, "view", (item, None, None)), 1.0) for item in ("i1", "i1", "i2")]
    found = as_dict(interests(frame(rows), ITEMS, InterestConfig(), TODAY))
    assert found["K1", "3", "a/b/c"] == (2 / 8, 2)
    assert found["K1", "3", "a/b/d"] == (1 / 8, 1)
    assert found["K1", "2", "a/b"] == found["K1", "1", "a"] == (3 / 8, 3)


@given(rows=events)
def test_a_half_life_later_everything_tells_half_as_much(rows: list[Any]) -> None:
    """So the same as twice as much that is not known."""
    rows = [row for row in rows if row[0][1] >= 0]
    config = InterestConfig(shrink=5.0)
    later = interests(frame(rows), ITEMS, config, TODAY + timedelta(days=30))
    doubled = interests(frame(rows), ITEMS, msgspec.structs.replace(config, shrink=10.0), TODAY)
    columns = ["who", "level", "key", "weight"]
    assert_frame_equal(later.select(columns), doubled.select(columns), abs_tol=1e-9, check_row_order=False)


@given(rows=events)
def test_the_order_of_events_and_their_types_do_not_matter(rows: list[Any]) -> None:
    made = frame(rows)
    found = interests(made, ITEMS, InterestConfig(), TODAY)
    codes = made.reverse().with_columns(pl.col("who", "item", "category", "term").cast(pl.Categorical))
    assert_frame_equal(interests(codes, ITEMS, InterestConfig(), TODAY), found, abs_tol=1e-9, check_row_order=False)


def test_more_people_than_are_worked_on_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [((f"K{n:02d}", n % 9, "view", (f"i{1 + n % 5}", None, None)), 1.0) for n in range(50)]
    whole = interests(frame(rows), ITEMS, InterestConfig(), TODAY)
    monkeypatch.setattr("crm.interest.model._PEOPLE", 7)
    assert_frame_equal(interests(frame(rows), ITEMS, InterestConfig(), TODAY), whole)


def test_without_events_there_are_none() -> None:
    assert interests(frame([]), ITEMS, InterestConfig(), TODAY).is_empty()
    assert contributions(frame([]), ITEMS, InterestConfig(), TODAY).is_empty()
