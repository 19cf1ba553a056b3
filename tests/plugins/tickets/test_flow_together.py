"""Eight processes of agents, dealers, clerks and the store at once: no ticket is taken twice, no event is lost."""

import sys
from collections import Counter
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"


@pytest.fixture(scope="module")
def soak_tickets() -> ModuleType:
    sys.path.insert(0, str(BENCHMARKS))
    try:
        return import_module("soak_tickets")
    finally:
        sys.path.remove(str(BENCHMARKS))


def test_processes_at_once_take_no_ticket_twice_and_lose_no_event(crm_on: "Crm", soak_tickets: ModuleType) -> None:
    workspace = crm_on.open()
    soak_tickets.prepare(workspace, 60, seed=1)
    told = soak_tickets.submit(workspace)
    more, refused = soak_tickets.run(crm_on.workspace, processes=8, rounds=25, seed=1)
    assert soak_tickets.check(workspace, told + more) == []
    assert refused > 0  # others were first, or it would prove nothing
    kinds = Counter(event for _, _, event in more)
    assert {"assign", "approve", "ship", "receive", "serve", "sign"} <= set(kinds)
    assert len(more) > 100


def test_what_is_lost_or_doubled_is_seen(crm: "Crm", soak_tickets: ModuleType) -> None:
    workspace = crm.open()
    soak_tickets.prepare(workspace, 5, seed=1)
    told = soak_tickets.submit(workspace)
    assert soak_tickets.check(workspace, told) == []
    assert soak_tickets.check(workspace, told[1:]) == ["0 events are lost, 1 came from nowhere"]
    assert soak_tickets.check(workspace, [*told, told[0]]) == ["1 events are lost, 0 came from nowhere"]
