"""The drawing of the work flow shows the table of transitions: all of it, and nothing else."""

import re
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from plugins.tickets.flow.guards import GUARDS, MEANINGS
from plugins.tickets.flow.table import ENDS, TRANSITIONS

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def flow_drawing() -> ModuleType:
    sys.path.insert(0, str(DOCS))
    try:
        return import_module("flow_drawing")
    finally:
        sys.path.remove(str(DOCS))


def test_the_diagram_has_an_arrow_for_every_transition(flow_drawing: ModuleType) -> None:
    text = flow_drawing.diagram(None)
    names = {name: said for said, name in re.findall(r'state "(.+)" as (\w+)', text)}
    drawn = {
        (state, event, goal)
        for state, goal, events in re.findall(r"^    (\w+) --> (\w+): (.+)$", text, re.MULTILINE)
        for event in events.split(", ")
    }
    assert drawn == {(row.state, row.event.replace("_", " "), row.goal) for row in TRANSITIONS}
    assert {names[state] for state, _, _ in drawn} <= {name.replace("_", " ") for name in names}
    assert set(re.findall(r"(\w+) --> \[\*\]", text)) == set(ENDS)
    assert text.startswith("```mermaid\nstateDiagram-v2\n")
    assert text.endswith("```\n")


def test_the_tables_have_a_row_for_every_transition_and_condition(flow_drawing: ModuleType) -> None:
    rows = flow_drawing.transitions(None).strip().splitlines()[2:]
    assert len(rows) == len(TRANSITIONS)
    for row, line in zip(TRANSITIONS, rows, strict=True):
        assert all(part in line for part in (*row.who, *row.guards, row.event.replace("_", " ")))
    assert set(MEANINGS) == set(GUARDS)
    assert len(flow_drawing.conditions(None).strip().splitlines()) == 2 + len(GUARDS)
