"""The workspace: a folder of one's own, its key and its lock."""

import stat
from pathlib import Path

import pytest

from crm.errors import Locked, Unusable
from crm.tables import Column, Table
from crm.workspace import Workspace, write_key

TABLES = {
    "days": Table("days", "Days.", (Column("date", "date", "day"),), owner="test"),
    "notes": Table("notes", "Notes.", (Column("id", "int64", "n"),), owner="test", store="records", key=("id",)),
}


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace.open(tmp_path / "deep" / "ws", TABLES, create=True)


def test_one_that_is_not_there_is_made_only_on_demand(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match=r"there is no workspace at .*ws; `crm logs mine FILE` makes one"):
        Workspace.open(tmp_path / "ws", TABLES)
    assert not (tmp_path / "ws").exists()
    Workspace.open(tmp_path / "ws", TABLES, create=True)
    assert Workspace.open(tmp_path / "ws", TABLES).version == 1


def test_it_is_its_owners_alone(workspace: Workspace) -> None:
    assert stat.S_IMODE(workspace.path.stat().st_mode) == 0o700
    assert len(workspace.key) == 32
    assert stat.S_IMODE((workspace.path / "key").stat().st_mode) == 0o600


def test_one_of_another_version_is_not_touched(workspace: Workspace) -> None:
    (workspace.path / "version").write_text("2\n")
    with pytest.raises(Unusable, match="has version 2, and this program reads version 1"):
        Workspace.open(workspace.path, TABLES)


def test_one_that_cannot_be_made_says_why(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unusable, match=r"cannot make the workspace .*: Not a directory"):
        Workspace.open(tmp_path / "file" / "ws", TABLES, create=True)


def test_the_key_is_made_once_and_then_stays(workspace: Workspace) -> None:
    key = workspace.key
    assert Workspace.open(workspace.path, TABLES).key == key
    assert Workspace.open(workspace.path.parent / "other", TABLES, create=True).key != key


def test_a_key_can_be_given_but_not_changed(tmp_path: Path) -> None:
    key = bytes(range(32))
    write_key(tmp_path / "ws", key)
    write_key(tmp_path / "ws", key)
    assert Workspace.open(tmp_path / "ws", TABLES).key == key
    with pytest.raises(Unusable, match="holds another key already"):
        write_key(tmp_path / "ws", bytes(32))


@pytest.mark.parametrize("damage", ["", "abc", "zz" * 32, "00" * 8, "00" * 65, "é"])
def test_a_damaged_key_is_not_used(workspace: Workspace, damage: str) -> None:
    (workspace.path / "key").write_text(damage, encoding="utf-8")
    with pytest.raises(Unusable, match="key is damaged: it should hold 16 to 64 bytes"):
        assert workspace.key


def test_one_run_at_a_time_writes(workspace: Workspace) -> None:
    other = Workspace.open(workspace.path, TABLES)
    with workspace.lock(), pytest.raises(Locked, match="another run is writing"), other.lock():
        pass
    with other.lock():
        pass


def test_the_lock_is_free_again_after_an_error(workspace: Workspace) -> None:
    with pytest.raises(ZeroDivisionError), workspace.lock():
        raise ZeroDivisionError
    with Workspace.open(workspace.path, TABLES).lock():
        pass


def test_tables_of_both_stores_are_read_by_name(workspace: Workspace) -> None:
    for name, columns in (("days", ["date"]), ("notes", ["id"])):
        frame = workspace.scan(name).collect()
        assert (frame.columns, frame.height) == (columns, 0)
