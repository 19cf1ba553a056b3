"""Early warnings are seldom false, whatever rates are like by nature, and find problems of a sensible size."""

from types import ModuleType

import pytest

SEEDS = 10
MOST = 2
"""In so many of ten years without problems there may be a warning: 5% of them are expected to have one."""


@pytest.mark.parametrize(
    ("name", "variation", "vehicles"), [("sample", 0.3, True), ("simulator", 0.0, False), ("simulator", 0.3, True)]
)
def test_years_without_problems_have_seldom_a_warning(
    quality_alarms: ModuleType, name: str, variation: float, vehicles: bool
) -> None:
    assert quality_alarms.false_alarms(name, variation, SEEDS, vehicles=vehicles) <= MOST


@pytest.mark.parametrize(("problem", "lift"), [("batch", 8.0), ("dealer", 4.0), ("rise", 4.0)])
def test_problems_are_found(quality_alarms: ModuleType, problem: str, lift: float) -> None:
    hits, _ = quality_alarms.found(problem, lift, 0.0, 5)
    assert hits >= 4
