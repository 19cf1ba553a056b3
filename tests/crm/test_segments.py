"""Segments: named groups of customers and visitors."""

from pathlib import Path

import polars as pl
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from crm import segments
from crm.errors import UsageError
from crm.workspace import Workspace

NAMES = st.sampled_from(("vip", "new", "asleep"))
PEOPLE = st.lists(st.sampled_from(("li.wei", "张三", "visitor:7", "visitor:-9")), unique=True)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace.open(tmp_path, {"segment_members": segments.SEGMENT_MEMBERS}, create=True)


def stored(workspace: Workspace) -> dict[str, set[str]]:
    rows = workspace.scan("segment_members").collect()
    return {name: set(rows.filter(segment=name)["who"]) for name in rows["segment"].unique()}


@settings(max_examples=15)  # each makes a database
@given(st.lists(st.lists(st.tuples(NAMES, PEOPLE), unique_by=lambda each: each[0]), max_size=4))
def test_a_segment_has_the_members_that_it_was_given_last(
    tmp_path_factory: pytest.TempPathFactory, calls: list[list[tuple[str, list[str]]]]
) -> None:
    contracts = {"segment_members": segments.SEGMENT_MEMBERS}
    workspace = Workspace.open(tmp_path_factory.mktemp("workspace"), contracts, create=True)
    wanted: dict[str, set[str]] = {}
    for call in calls:
        segments.replace(workspace, call)
        wanted |= {name: set(people) for name, people in call}
    assert stored(workspace) == {name: people for name, people in wanted.items() if people}
    for name, people in stored(workspace).items():
        assert set(segments.members(workspace, name)) == people


def test_all_of_a_call_is_stored_or_nothing(workspace: Workspace) -> None:
    segments.replace(workspace, [("vip", ["li.wei"])])
    with pytest.raises(sa.exc.IntegrityError):
        segments.replace(workspace, [("vip", ["wang.fang"]), ("new", ["a", "a"])])
    assert stored(workspace) == {"vip": {"li.wei"}}


@pytest.mark.parametrize(
    ("known", "sentence"),
    [
        (
            [],
            "no segment `vip`; there is none yet: `crm customers segment`, `crm push tiers` and `crm paths clusters` "
            "make some",
        ),
        (["vips", "new"], "no segment `vip` (did you mean `vips`?); there are: new, vips"),
    ],
)
def test_an_unknown_segment_is_named_with_those_that_there_are(
    workspace: Workspace, known: list[str], sentence: str
) -> None:
    segments.replace(workspace, [(name, ["li.wei"]) for name in known])
    with pytest.raises(UsageError) as error:
        segments.members(workspace, "vip")
    assert str(error.value) == sentence


def test_a_session_is_its_customers_else_its_visitors() -> None:
    sessions = pl.DataFrame({"customer": ["li.wei", None], "visitor": [7, -9]})
    assert sessions.select(segments.who())["customer"].to_list() == ["li.wei", "visitor:-9"]


def test_members_are_personal() -> None:
    assert {column.name: column.mask for column in segments.SEGMENT_MEMBERS.columns} == {"segment": None, "who": "name"}
