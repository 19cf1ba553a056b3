"""Backups: whole or not there, checked, brought back as they were, from and to SQLite and PostgreSQL."""

import json
import signal
import sqlite3
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from crm.forgetting import forget
from crm.forgotten import FORGOTTEN
from crm.workspace import Workspace
from plugins.backup.content import of_records

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm

CUSTOMERS = """\
id,name,phone,email,login
K1,张三丰,13800138000,zhang@example.com,zhang
K2,李四,13900139000,li@example.com,li
"""
NO_OTHERS = ("lake/", "version", "key", "records.db", "manifest.json", "crm.yaml")


@pytest.fixture
def target(tmp_path: Path) -> Path:
    (tmp_path / "usb").mkdir()
    return tmp_path / "usb"


def fill(crm: "Crm", *, mine: bool = False) -> None:
    file = crm.folder / "customers.csv"
    file.write_text(CUSTOMERS, encoding="utf-8")
    crm("customers", "import", file)
    if mine:
        crm("logs", "mine", crm.log("a.log", *crm.lines(200), crm.line(90_000, "/in", login="zhang")))


def backup(crm: "Crm", target: Path, *options: object) -> Path:
    (row,) = crm.rows("backup", "create", target, *options)
    return Path(row["backup"])


def at(crm: "Crm", folder: Path, new_crm: "Callable[..., Crm]", url: str | None = None) -> "Crm":
    """The program on another workspace."""
    other: Crm = object.__new__(type(crm))
    other.folder, other.workspace, other.records_url = crm.folder, folder, url
    return other


def held(workspace: Workspace) -> dict[str, pl.DataFrame]:
    """All tables but the audit log, which grows."""
    frames = {name: workspace.scan(name).collect() for name in workspace.tables if name != "audit"}
    return {
        name: frame.sort([each for each in frame.columns if not frame[each].dtype.is_nested()])
        for name, frame in frames.items()
    }


def same(found: Workspace, wanted: Workspace) -> None:
    expected = held(wanted)
    for name, frame in held(found).items():
        assert_frame_equal(frame, expected[name])


@pytest.mark.parametrize("to", ["folder", "database"])
def test_what_comes_back_is_what_was_backed_up(
    crm_on: "Crm", target: Path, to: str, request: pytest.FixtureRequest, new_crm: "Callable[..., Crm]"
) -> None:
    fill(crm_on, mine=True)
    crm_on("interest", "build")
    file = backup(crm_on, target)
    config = crm_on.folder / "new.yaml"
    url = request.getfixturevalue("postgres").new() if to == "database" else None
    config.write_text(f"records: {{url: '{url}'}}\n" if url else "{}\n")
    home = crm_on.folder / "back"
    words = ("-c", config) if url or crm_on.records_url else ()
    rows = crm_on.rows(*words, "backup", "restore", file, "--to", home)
    assert {row["table"]: row["rows"] for row in rows} | {"audit": 0} == {
        name: frame.height for name, frame in held(crm_on.open()).items()
    } | {"audit": 0}
    other = at(crm_on, home, new_crm, url)
    same(other.open(), crm_on.open())
    if url:
        stored = sqlite3.connect(home / "records.db")
        assert "customers" not in {name for (name,) in stored.execute("SELECT name FROM sqlite_master")}
        stored.close()
        assert "张三丰".encode() not in (home / "records.db").read_bytes()
    assert [row["action"] for row in other.open().records.frame("audit").sort("entry").to_dicts()][-1] == "restore"
    assert "a.log: unchanged" in other("logs", "mine", crm_on.folder / "a.log").output


def test_the_contents_of_a_table_have_the_same_sum_in_both_databases(crm: "Crm", tmp_path: Path, postgres: Any) -> None:
    (tmp_path / "other").mkdir()
    other = type(crm)(tmp_path / "other", postgres.new())
    sums = []
    for each in (crm, other):
        fill(each)
        records = each.open().records
        with records.snapshot() as connection:
            sums.append([of_records(records, name, connection).sha256 for name in ("customers", "identities")])
    assert sums[0] == sums[1]


def test_verify_finds_any_byte_that_was_changed(crm: "Crm", target: Path) -> None:
    fill(crm, mine=True)
    file = backup(crm, target)
    assert {row["table"] for row in crm.rows("backup", "verify", file)} >= {"hits", "customers", "sources"}
    data = file.read_bytes()
    with tarfile.open(file) as tar:
        members = [member for member in tar.getmembers() if member.size]
    for member in members[:: max(1, len(members) // 6)]:
        place = member.offset_data + member.size // 2
        file.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        said = crm("backup", "verify", file, code=4).stderr
        assert "crm-" in said, member.name
        crm("backup", "restore", file, "--to", crm.folder / "back", code=4)
        assert not (crm.folder / "back").exists()
    for length in (0, 100, 600, len(data) // 2, len(data) - 12_000):
        file.write_bytes(data[:length])
        crm("backup", "verify", file, code=4)
    assert not list(target.glob(".*"))


@pytest.mark.parametrize("name", ["../out", "/tmp/out", "a/../../out"])
def test_a_name_that_leaves_the_folder_is_refused(crm: "Crm", target: Path, name: str) -> None:
    file = target / "evil.tar"
    with tarfile.open(file, "w") as tar:
        tar.addfile(tarfile.TarInfo(name))
    assert "is no backup: it holds" in crm("backup", "verify", file, code=4).stderr
    crm("backup", "restore", file, "--to", crm.folder / "back", code=4)
    assert not (crm.folder / "out").exists()


def test_verify_says_what_the_workspace_has_that_the_backup_has_not(crm_on: "Crm", target: Path) -> None:
    fill(crm_on, mine=True)
    file = backup(crm_on, target)

    def state() -> dict[str, str]:
        return {row["table"]: row["now"] for row in crm_on.rows("backup", "verify", file, "--against-workspace")}

    assert set(state().values()) == {"same"}
    crm_on("logs", "mine", crm_on.log("b.log", *crm_on.lines(10)))
    changed = {name for name, now in state().items() if now == "differs"}
    assert {"hits", "sessions", "runs"} <= changed
    assert "customers" not in changed


def test_several_folders_get_the_same(crm: "Crm", target: Path) -> None:
    fill(crm)
    second = crm.folder / "second"
    second.mkdir()
    rows = crm.rows("backup", "create", target, second)
    assert len({Path(row["backup"]).read_bytes() for row in rows}) == 1


def test_a_folder_that_cannot_be_written_does_not_hurt_the_other_copies(crm: "Crm", target: Path) -> None:
    fill(crm)
    said = crm("backup", "create", "/proc", target, code=4).stderr
    assert "there is no backup in /proc: No such file or directory" in said
    assert "1 of 2 folders got no backup; the others have it" in said
    (file,) = target.iterdir()
    crm("backup", "verify", file)
    assert "cannot write /proc/crm-" in crm("backup", "create", "/proc", code=4).stderr


def test_the_newest_backups_of_this_workspace_are_kept(crm: "Crm", target: Path) -> None:
    fill(crm)
    mark = backup(crm, target).name.split("-")[1]
    for day in range(4):
        (target / f"crm-{mark}-2020010{day}T000000Z.tar").touch()
    (target / "crm-00000000-20200101T000000Z.tar").touch()
    (target / f".crm-{mark}-left.part").touch()
    newest = backup(crm, target, "--keep", 2)
    names = sorted(file.name for file in target.iterdir())
    assert len(names) == 3
    assert newest.name in names
    assert "crm-00000000-20200101T000000Z.tar" in names


def test_a_backup_that_is_killed_leaves_nothing_under_its_name(crm: "Crm", target: Path) -> None:
    fill(crm)
    for wait in (0.9, 1.2, 1.5):
        process = crm.process("backup", "create", target)
        time.sleep(wait)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        for file in target.glob("crm-*.tar"):
            crm("backup", "verify", file)
            file.unlink()
    file = backup(crm, target)
    assert [each.name for each in target.iterdir()] == [file.name]


def test_the_field_key_goes_in_on_demand_alone(crm: "Crm", target: Path) -> None:
    crm.configure("protection: {encrypt: true}\n")
    fill(crm)
    for options, there in (((), False), (("--with-field-key",), True)):
        file = backup(crm, target, *options)
        with tarfile.open(file) as tar:
            assert ("field.key" in tar.getnames()) == there
        assert (crm.workspace / "field.key").read_bytes().strip() in file.read_bytes() or not there
        assert b"zhang@example.com" not in file.read_bytes()
        home = crm.folder / f"back{there}"
        crm("backup", "restore", file, "--to", home)
        if not there:
            (home / "field.key").write_bytes((crm.workspace / "field.key").read_bytes())
            (home / "field.key").chmod(0o600)
        found = at(crm, home, type(crm)).open().records.frame("customers")["email"]
        assert sorted(found) == ["li@example.com", "zhang@example.com"]


def test_who_was_forgotten_is_looked_for_by_a_copy_of_the_key(crm: "Crm", target: Path) -> None:
    crm.configure("protection: {encrypt: true}\n")
    fill(crm)
    crm("customers", "forget", "K1", "--yes")
    file = backup(crm, target)
    home = crm.folder / "back"
    said = crm("backup", "restore", file, "--to", home, code=4).stderr
    assert "takes the key of encrypted values, and it is not there" in said
    assert ".part" not in said
    assert not home.exists()
    config, key = crm.folder / "new.yaml", crm.folder / "copy.key"
    (crm.workspace / "field.key").rename(key)
    config.write_text(f"protection: {{encrypt: true, key_file: {key}}}\n")
    crm("-w", crm.folder / "nowhere", "-c", config, "backup", "restore", file, "--to", home)
    assert at(crm, home, type(crm)).rows("customers", "list", "--unmask")[0]["email"] == "li@example.com"


def test_who_was_forgotten_since_does_not_come_back(crm_on: "Crm", target: Path) -> None:
    fill(crm_on, mine=True)
    file = backup(crm_on, target)
    workspace = crm_on.open()
    with workspace.lock():
        forget(workspace, ["K1"])
    newer = backup(crm_on, target)
    config = crm_on.folder / "new.yaml"
    config.write_text("{}\n")
    for number, words in enumerate(((), ("--forgotten", crm_on.workspace), ("--forgotten", newer))):
        home = crm_on.folder / f"back{number}"
        other = ("-w", crm_on.folder / "nowhere") if words else ()
        rows = crm_on.rows(*other, "-c", config, "backup", "restore", file, "--to", home, *words)
        assert {row["table"]: row["erased"] for row in rows}["customers"] == 1
        found = at(crm_on, home, type(crm_on)).open()
        assert found.records.frame("customers")["customer"].to_list() == ["K2"]
        assert found.records.count(FORGOTTEN.name) > 0
        assert "zhang" not in found.scan("hits").collect()["login"].to_list()
    said = crm_on("-w", crm_on.folder / "no", "-c", config, "backup", "restore", file, "--to", crm_on.folder / "b9")
    assert "who was forgotten since the backup was made is not known here" in said.stderr


def test_a_list_of_another_workspace_is_refused_where_it_was_named(crm: "Crm", target: Path, tmp_path: Path) -> None:
    fill(crm)
    file = backup(crm, target)
    Workspace.open(tmp_path / "other", crm.open().tables, create=True)
    words = ("-w", tmp_path / "other", "backup", "restore", file, "--to")
    said = crm(*words, tmp_path / "x", "--forgotten", tmp_path / "other", code=4).stderr
    assert "was made with another key than the backup" in said
    assert "is not known here" in crm(*words, tmp_path / "x").stderr


def test_a_restore_touches_nothing_that_is_there(crm_on: "Crm", target: Path) -> None:
    fill(crm_on)
    file = backup(crm_on, target)
    assert "is not empty" in crm_on("backup", "restore", file, "--to", crm_on.workspace, code=4).stderr
    if crm_on.records_url:
        said = crm_on("backup", "restore", file, "--to", crm_on.folder / "x", code=4).stderr
        assert "the configuration in the backup keeps the records in a database" in said
        used = crm_on.folder / "used.yaml"
        used.write_text((crm_on.workspace / "crm.yaml").read_text())
        said = crm_on("-c", used, "backup", "restore", file, "--to", crm_on.folder / "x", code=4).stderr
        assert "holds records already, in the table" in said
        assert not (crm_on.folder / "x").exists()
    assert crm_on.open().records.count("customers") == 2


def test_what_else_lies_in_the_workspace_comes_back(crm: "Crm", target: Path) -> None:
    crm.plugin("hello", "x = 1")
    (crm.workspace / "link").symlink_to("/etc/passwd")
    fill(crm)
    file = backup(crm, target)
    with tarfile.open(file) as tar:
        assert {name for name in tar.getnames() if not name.startswith(NO_OTHERS)} == {"plugins/hello.py"}
        manifest = json.load(tar.extractfile("manifest.json"))  # type: ignore[arg-type]  # it is a file
    assert manifest["records"] == "sqlite"
    crm("backup", "restore", file, "--to", crm.folder / "back")
    assert (crm.folder / "back" / "plugins" / "hello.py").read_text().endswith("x = 1\n")


@pytest.mark.parametrize(("role", "what", "code"), [("analyst", "create", 7), ("operator", "create", 0)])
def test_roles(crm: "Crm", target: Path, role: str, what: str, code: int) -> None:
    fill(crm)
    file = backup(crm, target)
    crm.configure(f"access: {{role: {role}}}\n")
    crm("backup", what, target, code=code)
    crm("backup", "restore", file, "--to", crm.folder / "back", code=7)
    crm("backup", "verify", file)


def test_a_folder_that_is_not_there_is_not_made(crm: "Crm", tmp_path: Path) -> None:
    fill(crm)
    assert "there is no folder" in crm("backup", "create", tmp_path / "unmounted", code=4).stderr
    file = crm.log("plain.log", "x")
    assert f"{file} is a file; name a folder for the backup" in crm("backup", "create", file, code=4).stderr
    inside = crm.workspace / "backups"
    inside.mkdir()
    assert "within the workspace" in crm("backup", "create", inside, code=4).stderr
