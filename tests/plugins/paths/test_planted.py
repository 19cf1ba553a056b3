"""What the generator of the sample shop has planted is found; for its kinds of sessions see `test_clusters.py`."""

import json
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def truth() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / "sample_logs" / "shop.truth.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, new_crm: Any) -> Any:
    crm = new_crm(tmp_path_factory.mktemp("shop"))
    crm("logs", "mine", ROOT / "sample_logs" / "shop.log")
    return crm


def test_the_rule_is_found_and_is_no_chance(shop: Any, truth: dict[str, Any]) -> None:
    (front, ones), (behind, others), (_, both) = truth["rule"].items()
    rows = shop.rows("paths", "rules", "--min-support", "5%")
    (rule,) = (row for row in rows if (row["antecedent"], row["consequent"]) == (front, behind))
    total = len(truth["sessions"])
    assert rule["support"] == pytest.approx(both / total)
    assert rule["confidence"] == pytest.approx(both / ones)
    assert rule["lift"] == pytest.approx(both / ones / (others / total))
    assert rule["p_value"] < 1e-9
    # The other page of the same level is not implied by it.
    assert not any(row["antecedent"] == front and row["consequent"] == "/c/food/oil/sesame" for row in rows)


def test_the_pattern_is_found_with_its_support(shop: Any, truth: dict[str, Any]) -> None:
    (first, ones), (second, others), (_, both) = truth["pattern"].items()
    support = {row["pattern"]: row["support"] for row in shop.rows("paths", "patterns", "--min-support", "10%")}
    assert (support[first], support[second], support[f"{first} > {second}"]) == (ones, others, both)
    assert f"{second} > {first}" not in support


def test_the_steps_of_the_funnel_are_a_closed_pattern(shop: Any, truth: dict[str, Any]) -> None:
    steps, reached = list(truth["funnel"]), list(truth["funnel"].values())
    rows = shop.rows("paths", "patterns", "--min-support", "10%")
    support = {row["pattern"]: row["support"] for row in rows}
    assert [support[" > ".join(steps[:n])] for n in (1, 2, 3, 4)] == reached
    rows = shop.rows("paths", "funnel", *steps)
    assert [row["sessions"] for row in rows] == reached


def test_a_run_keeps_the_rule_and_the_pattern(shop: Any, truth: dict[str, Any]) -> None:
    tables = {name: shop.open().scan(name).collect() for name in ("patterns", "rules")}
    pattern = " > ".join(list(truth["pattern"])[:2])
    assert tables["patterns"].filter(pattern=pattern)["support"].to_list() == [truth["pattern"]["both"]]
    front, behind = list(truth["rule"])[:2]
    assert tables["rules"].filter(antecedent=front, consequent=behind).height == 1
