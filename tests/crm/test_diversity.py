"""Maximal marginal relevance against one item at a time."""

from random import Random
from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from crm.diversity import diversified


def items_of(random: Random) -> pl.DataFrame:
    rows = []
    for n in range(8):
        path = random.choice((None, "a/b/c", "a/b/d", "a/e/f", "g"))
        parts = path.split("/") if path else []
        levels = ["/".join(parts[:depth]) if len(parts) >= depth else None for depth in (1, 2, 3)]
        rows.append((f"i{n}", *levels, [tag for tag in "xyz" if random.random() < 0.4]))
    columns = {"item": pl.String, "category1": pl.String, "category2": pl.String, "category3": pl.String}
    return pl.DataFrame(rows, {**columns, "tags": pl.List(pl.String)}, orient="row")


def slow(mine: list[dict[str, Any]], about: dict[str, set[Any]], diversity: float, most: int) -> list[str]:
    scores = [row["score"] for row in mine]
    span = max(scores) - min(scores)
    left, taken = list(mine), []

    def value(row: dict[str, Any]) -> float:
        relevance = (row["score"] - min(scores)) / span if span else 1.0
        own = about.get(row["item"], set())
        alike = [len(own & about[each]) / len(own | about[each]) if own | about[each] else 0.0 for each in taken]
        return (1 - diversity) * relevance - diversity * max(alike, default=0.0)

    while left and len(taken) < most:
        best = max(left, key=lambda row: (round(value(row), 9), -row["rank"]))
        left.remove(best)
        taken.append(best["item"])
    return taken


@given(st.integers(0, 2**40), st.sampled_from((0.1, 0.3, 0.5, 0.9, 1.0)), st.integers(1, 4))
def test_items_are_taken_one_after_the_other(seed: int, diversity: float, most: int) -> None:
    random = Random(seed)
    items = items_of(random)
    rows = []
    for who in "abc":
        names = random.sample(items["item"].to_list(), random.randint(0, 8))
        scores = sorted((random.randint(0, 64) / 8 for _ in names), reverse=True)
        rows += [(who, n, name, score) for n, (name, score) in enumerate(zip(names, scores, strict=True), 1)]
    schema = {"customer": pl.String, "rank": pl.Int64, "item": pl.String, "score": pl.Float64}
    ranked = pl.DataFrame(rows, schema, orient="row")
    found = diversified(ranked, items, diversity, most, "customer")
    about = {row["item"]: {row[f"category{n}"] for n in (1, 2, 3)} - {None} | {f"tag {t}" for t in row["tags"]}
             for row in items.to_dicts()}  # fmt: skip
    for who in "abc":
        mine = ranked.filter(customer=who).to_dicts()
        wanted = slow(mine, about, diversity, most) if mine else []
        assert found.filter(customer=who)["item"].to_list() == wanted
        assert found.filter(customer=who)["rank"].to_list() == list(range(1, len(wanted) + 1))
