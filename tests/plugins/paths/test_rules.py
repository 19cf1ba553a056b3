"""Itemsets and rules against oracles that try every one."""

from itertools import combinations
from math import ceil, inf
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import false_discovery_control, fisher_exact

from plugins.paths.itemsets import itemsets
from plugins.paths.rules import Choice, rules
from plugins.paths.significance import benjamini_hochberg, fisher

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm

BASKETS = st.lists(st.lists(st.sampled_from("abcde"), max_size=8), min_size=1, max_size=9)
KINDS = ("frequent", "closed", "maximal")


@settings(max_examples=150)
@given(
    baskets=BASKETS,
    minimum=st.integers(1, 3),
    kind=st.sampled_from(KINDS),
    few=st.sampled_from([0, 1_000_000]),
)
def test_itemsets_are_those_of_the_oracle(
    oracle: Any, corpus_of: Any, as_dict: Any, baskets: list[list[str]], minimum: int, kind: Any, few: int
) -> None:
    corpus = corpus_of(baskets)
    with patch("plugins.paths.patterns.FEW", few):
        found = as_dict(itemsets(corpus, minimum, kind), corpus)
    every = oracle.itemsets(baskets, minimum)
    larger = {
        "frequent": lambda _: False,
        "closed": lambda some: any(set(some) < set(o) and every[o] == every[some] for o in every),
        "maximal": lambda some: any(set(some) < set(o) for o in every),
    }[kind]
    assert found == {some: count for some, count in every.items() if not larger(some)}


def tried(baskets: list[list[str]], every: dict[tuple[str, ...], int], most: int) -> dict[tuple[str, str], Any]:
    """All rules with their measures, one by one."""
    total, found = len(baskets), {}
    for both, count in every.items():
        for size in range(1, min(most, len(both) - 1) + 1):
            for behind in combinations(both, size):
                front = tuple(item for item in both if item not in behind)
                table = [
                    [count, every[front] - count],
                    [every[behind] - count, total - every[front] - every[behind] + count],
                ]
                confidence, share = count / every[front], every[behind] / total
                general = [share] + [
                    every[tuple(sorted({*some, *behind}))] / every[some]
                    for length in range(1, len(front))
                    for some in combinations(front, length)
                ]
                found[", ".join(front), ", ".join(behind)] = {
                    "support": count / total,
                    "confidence": confidence,
                    "lift": confidence / share,
                    "leverage": count / total - every[front] / total * share,
                    "conviction": inf if confidence == 1 else (1 - share) / (1 - confidence),
                    "p_value": fisher_exact(table, alternative="greater").pvalue,
                    "redundant": max(general) >= confidence,
                }
    if found:
        adjusted = false_discovery_control([min(rule["p_value"], 1) for rule in found.values()])
        for rule, p in zip(found.values(), adjusted, strict=True):
            rule["p_value"] = p
    return found


@settings(max_examples=100)
@given(
    baskets=BASKETS,
    minimum=st.integers(1, 3),
    confidence=st.sampled_from([0, 0.5, 1]),
    lift=st.sampled_from([0, 1.2]),
    behind=st.integers(1, 3),
    everything=st.booleans(),
    significance=st.sampled_from([0.05, 0.5, 1]),
)
def test_rules_are_those_of_the_oracle(
    oracle: Any,
    corpus_of: Any,
    baskets: list[list[str]],
    minimum: int,
    confidence: float,
    lift: float,
    behind: int,
    everything: bool,
    significance: float,
) -> None:
    corpus = corpus_of(baskets)
    sets = itemsets(corpus, minimum)
    choice = Choice(confidence, lift, behind, significance, everything)
    found = rules(sets.groups, corpus.names, corpus.sessions, choice)
    wanted = tried(baskets, oracle.itemsets(baskets, minimum), behind)
    assert found.tried == len(wanted)
    sure = {k: r for k, r in wanted.items() if r["confidence"] >= confidence and r["lift"] >= lift}
    near = [r for r in sure.values() if abs(r["p_value"] - significance) < 1e-9]
    kept = {k: r for k, r in sure.items() if not r["redundant"] and r["p_value"] <= significance}
    if not near:
        assert found.redundant == sum(rule["redundant"] for rule in sure.values())
        assert found.insignificant == len(sure) - found.redundant - len(kept)
        rows = {(row.pop("antecedent"), row.pop("consequent")): row for row in found.frame.to_dicts()}
        assert set(rows) == set(sure if everything else kept)
        for key, row in rows.items():
            assert row == {name: pytest.approx(wanted[key][name], rel=1e-9, abs=1e-12) for name in row}
    ranks = [
        (-row["confidence"], -row["support"], row["antecedent"], row["consequent"]) for row in found.frame.to_dicts()
    ]
    assert ranks == sorted(ranks)


@settings(max_examples=200)
@given(data=st.data(), total=st.sampled_from([1, 5, 40, 3000, 200_000]))
def test_fisher_is_that_of_scipy(data: st.DataObject, total: int) -> None:
    one, other = data.draw(st.integers(0, total)), data.draw(st.integers(0, total))
    both = data.draw(st.integers(max(0, one + other - total), min(one, other)))
    table = [[both, one - both], [other - both, total - one - other + both]]
    wanted = fisher_exact(table, alternative="greater").pvalue
    (found,) = fisher(np.array([both]), np.array([one]), np.array([other]), total)
    assert found == pytest.approx(min(wanted, 1), rel=1e-6, abs=1e-12)


@given(p=st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_the_correction_is_that_of_scipy(p: list[float]) -> None:
    assert benjamini_hochberg(np.array(p)) == pytest.approx(false_discovery_control(p), abs=1e-15)


@pytest.fixture
def groceries(reference_data: Path) -> tuple[object, ...]:
    return "--input", reference_data / "groceries" / "groceries.baskets.csv", "--input-format", "baskets"


@pytest.mark.reference
@pytest.mark.parametrize(
    ("support", "confidence", "count"), [(0.001, 0.8, 410), (0.001, 0.5, 5668), (0.006, 0.25, 463), (0.01, 0.5, 15)]
)
def test_the_known_numbers_of_rules_are_found(
    crm: "Crm", groceries: tuple[object, ...], support: float, confidence: float, count: int
) -> None:
    options = (*groceries, "--min-support", support, "--min-confidence", confidence)
    every = crm.rows("paths", "rules", *options, "--all")
    assert len(every) == count
    kept = crm.rows("paths", "rules", *options)
    assert {tuple(row.items()) for row in kept} <= {tuple(row.items()) for row in every}


@pytest.mark.reference
def test_the_known_number_of_itemsets_is_found_and_a_basket_has_no_order(
    crm: "Crm", groceries: tuple[object, ...]
) -> None:
    sets = crm.rows("paths", "itemsets", *groceries, "--min-support", "0.01")
    assert len(sets) == len(crm.rows("paths", "patterns", *groceries, "--min-support", "0.01")) == 333
    assert sets[0] == {"itemset": "whole milk", "length": 1, "support": 2513, "share": pytest.approx(2513 / 9835)}
    assert ceil(0.01 * 9835) == min(row["support"] for row in sets)


class TestCommands:
    @pytest.fixture
    def baskets(self, crm: "Crm") -> tuple[object, ...]:
        """Who has bread has butter, but for one."""
        lines = ["bread, butter"] * 12 + ["milk,eggs"] * 12 + ["bread", "butter,butter, milk", ""]
        return "--input", crm.log("shop.baskets", *lines)

    def test_itemsets(self, crm: "Crm", baskets: tuple[object, ...]) -> None:
        rows = crm.rows("paths", "itemsets", *baskets, "--min-items", "2")
        assert [tuple(row.values()) for row in rows] == [
            ("bread, butter", 2, 12, pytest.approx(12 / 26)),
            ("eggs, milk", 2, 12, pytest.approx(12 / 26)),
            ("butter, milk", 2, 1, pytest.approx(1 / 26)),
        ]
        assert [row["itemset"] for row in crm.rows("paths", "itemsets", *baskets, "--closed", "--top", "2")] == [
            "bread",
            "butter",
        ]
        assert len(crm.rows("paths", "itemsets", *baskets, "--max-items", "1")) == 4
        assert len(crm.rows("paths", "itemsets", *baskets, "--maximal", "--max-items", "2")) == 3
        assert crm.rows("paths", "itemsets", *baskets, "--maximal", "--max-items", "1") == []

    def test_rules(self, crm: "Crm", baskets: tuple[object, ...]) -> None:
        done = crm("paths", "rules", *baskets, "-f", "json")
        assert [(row["antecedent"], row["consequent"]) for row in pl.read_json(done.stdout.encode()).to_dicts()] == [
            ("eggs", "milk"),
            ("bread", "butter"),
            ("butter", "bread"),
            ("milk", "eggs"),
        ]
        assert "26 sessions with 51 views" in done.stderr
        assert "6 rules tried; left out: 0 redundant, 0 that may be chance (--all keeps them)" in done.stderr
        every = crm.rows("paths", "rules", *baskets, "--all", "--min-confidence", "0")
        assert [row["lift"] < 1 for row in every] == [False] * 4 + [True] * 2
        assert len(crm.rows("paths", "rules", *baskets, "--min-lift", "1.9")) == 2
        assert len(crm.rows("paths", "rules", *baskets, "--significance", "0.0000001")) == 0

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            (("--min-confidence", "nan"), "`nan` is no share; write one from 0 to 1, such as 0.5 or 50%"),
            (("--min-confidence", "120%"), "`120%` is no share"),
            (("--significance", "-1"), "`-1` is no share"),
            (("--min-lift", "nan"), "`nan` is no number of 0 or more"),
            (("--min-lift", "inf"), "`inf` is no number of 0 or more"),
        ],
    )
    def test_mistakes_are_told(
        self, crm: "Crm", baskets: tuple[object, ...], options: tuple[str, ...], said: str
    ) -> None:
        assert said in crm("paths", "rules", *baskets, *options, code=2).stderr
        assert len(crm.rows("paths", "rules", *baskets, "--min-confidence", "95%")) == 1
        wrong = crm("paths", "itemsets", *baskets, "--min-items", "3", "--max-items", "2", code=2).stderr
        assert "--min-items 3 is more than --max-items 2" in wrong

    def test_consequents_of_several_pages(self, crm: "Crm") -> None:
        file = crm.log("abc.baskets", *["a,b,c"] * 9, *["d"] * 9)
        rows = crm.rows("paths", "rules", "--input", file, "--max-consequent", "2", "--all")
        assert ("a", "b, c") in [(row["antecedent"], row["consequent"]) for row in rows]
        assert len(rows) == 3 * 2 + 3 + 3
        assert len(crm.rows("paths", "rules", "--input", file, "--all", "--max-items", "2")) == 6
