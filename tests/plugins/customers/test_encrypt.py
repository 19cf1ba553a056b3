"""Secret values are brought into line with the configuration, whatever they were before, and nothing old stays."""

import shutil
import signal
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from crm.encrypting import sealed
from crm.secrets import read_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.plugins.conftest import Crm

ON, OFF = "protection: {encrypt: true}\n", "protection: {encrypt: false}\n"
ROWS = """\
id,name,phone,email,Shoe size
K1,张三,13800138000,zhang@example.com,44
K2,李四,,,enc1:42
K3,王五,13700137000,,
"""
SECRETS = (b"13800138000", b"zhang@example.com", b"Shoe size", b"13700137000")


def fill(crm: "Crm") -> pl.DataFrame:
    file = crm.folder / "customers.csv"
    file.write_text(ROWS, encoding="utf-8")
    crm("customers", "import", file)
    return stored(crm)


def stored(crm: "Crm") -> pl.DataFrame:
    return crm.open().records.frame("customers").sort("customer")


def bytes_of(crm: "Crm") -> bytes:
    """All that lies in the workspace, or in the tables of its database."""
    files = b"".join(file.read_bytes() for file in crm.workspace.rglob("*") if file.is_file())
    if crm.records_url is None:
        return files
    with crm.open().records.engine.connect() as connection:
        return files + str(connection.exec_driver_sql("SELECT * FROM customers").fetchall()).encode()


def test_there_and_back_again(crm_on: "Crm") -> None:
    crm = crm_on
    before = fill(crm)
    assert all(secret in bytes_of(crm) for secret in SECRETS)
    crm.configure(ON)
    result = crm("customers", "encrypt")
    assert "customers: encrypted values of 3 rows" in result.stderr
    assert sealed(crm.open())["customers"] == 3
    assert not any(secret in bytes_of(crm) for secret in SECRETS)
    assert_frame_equal(stored(crm), before)
    assert "all values are encrypted already" in crm("customers", "encrypt").stderr
    crm.configure(OFF)
    assert "customers: decrypted values of 3 rows" in crm("customers", "encrypt").stderr
    assert sealed(crm.open())["customers"] == 0
    assert_frame_equal(stored(crm), before)
    log = crm.rows("audit", "log", "--where", "action like '%crypt'", "--columns", "action,what,rows")
    assert [tuple(row.values()) for row in log] == [
        ("encrypt", "customers 3", 3),
        ("encrypt", "nothing to change", 0),
        ("decrypt", "customers 3", 3),
    ]


def test_what_is_imported_later_is_encrypted_at_once_and_found(crm_on: "Crm") -> None:
    crm = crm_on
    crm.configure(ON)
    fill(crm)
    assert not any(secret in bytes_of(crm) for secret in SECRETS)
    assert stat.S_IMODE((crm.workspace / "field.key").stat().st_mode) == 0o600
    assert crm.rows("customers", "consent", "+86 138 0013 8000") == []
    (row,) = crm.rows(
        "customers", "list", "--where", "phone = '+8613800138000'", "--unmask", "--columns", "customer,email"
    )
    assert row == {"customer": "K1", "email": "zhang@example.com"}


def test_a_new_key_takes_the_place_of_the_old_one(crm_on: "Crm") -> None:
    crm = crm_on
    crm.configure(ON)
    before = fill(crm)
    old, new = read_key(crm.workspace / "field.key"), crm.folder / "new.key"
    assert "customers: encrypted values of 3 rows" in crm("customers", "encrypt", "--key-file", new).stderr
    assert read_key(crm.workspace / "field.key") != old
    (kept,) = crm.workspace.glob("field.key.old-*")
    assert read_key(kept) == old
    assert not new.exists()
    kept.unlink()  # nothing is under it any more
    assert_frame_equal(stored(crm), before)


def test_values_of_an_old_backup_open_and_are_brought_under_the_new_key(crm: "Crm") -> None:
    crm.configure(ON)
    before = fill(crm)
    backup = (crm.workspace / "records.db").read_bytes()
    crm("customers", "encrypt", "--key-file", crm.folder / "new.key")
    (crm.workspace / "records.db").write_bytes(backup)
    assert_frame_equal(stored(crm), before)
    assert "customers: encrypted values of 3 rows" in crm("customers", "encrypt").stderr
    assert_frame_equal(stored(crm), before)


@pytest.mark.parametrize(("moment", "behind"), [("_in_one", False), ("_in_one", True), ("_in_place", True)])
def test_a_kill_at_any_moment_loses_nothing(crm: "Crm", moment: str, behind: bool) -> None:
    crm.configure(ON)
    before = fill(crm)
    program = f"""
import os, crm.encrypting as e
whole = e.{moment}
def killed(*args):
    if {behind}: whole(*args)
    os.kill(os.getpid(), 9)
e.{moment} = killed
from cli.main import run
run()
"""
    process = crm.process("customers", "encrypt", "--key-file", crm.folder / "new.key", program=program)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert_frame_equal(stored(crm), before)
    file = crm.folder / "more.csv"
    file.write_text("id,phone\nK4,13600136000\n")
    crm("customers", "import", file)  # under whatever key is in use now
    crm("customers", "encrypt")
    for old in crm.workspace.glob("field.key.*"):
        old.unlink()
    now = stored(crm)
    assert_frame_equal(now.filter(pl.col("customer") != "K4"), before)
    assert now["phone"].to_list()[-1] == "+8613600136000"


class TestMistakes:
    def test_the_key_in_use_is_no_new_one(self, crm: "Crm") -> None:
        crm.configure(ON)
        fill(crm)
        result = crm("customers", "encrypt", "--key-file", crm.workspace / "field.key", code=2)
        assert "holds the key in use" in result.stderr

    def test_a_new_key_is_for_what_is_encrypted(self, crm: "Crm") -> None:
        fill(crm)
        assert "is off" in crm("customers", "encrypt", "--key-file", crm.folder / "new.key", code=2).stderr
        assert not (crm.folder / "new.key").exists()

    def test_two_changes_at_a_time_are_refused_and_no_key_is_made(self, crm: "Crm") -> None:
        crm.configure(ON)
        fill(crm)
        coming = crm.workspace / "field.key.next"
        coming.write_text("00" * 32 + "\n")
        coming.chmod(0o600)
        other = crm.folder / "other.key"
        assert "was interrupted; end it by" in crm("customers", "encrypt", "--key-file", other, code=4).stderr
        assert not other.exists()
        crm("customers", "encrypt")
        assert (crm.workspace / "field.key").read_text().strip() == "00" * 32
        assert crm("customers", "encrypt", "--key-file", other).exit_code == 0

    def test_without_the_key_nothing_is_shown_or_made(self, crm: "Crm") -> None:
        crm.configure(ON)
        fill(crm)
        (crm.workspace / "field.key").rename(crm.folder / "field.key")
        for words in (("customers", "list"), ("customers", "encrypt")):
            result = crm(*words, code=4)
            assert "field.key" in result.stderr
            assert not (crm.workspace / "field.key").exists()
        (crm.folder / "field.key").rename(crm.workspace / "field.key")
        assert len(crm.rows("customers", "list")) == 3

    def test_a_tampered_value_is_told(self, crm: "Crm") -> None:
        crm.configure(ON)
        fill(crm)
        with crm.open().records.begin() as connection:
            connection.exec_driver_sql(
                "UPDATE customers SET phone = substr(phone, 1, 30) || 'AAAA' WHERE phone IS NOT NULL"
            )
        assert "was changed after" in crm("customers", "list", code=4).stderr

    def test_it_takes_an_admin(self, crm: "Crm") -> None:
        crm.configure("access: {role: operator}\n")
        fill(crm)
        assert "the role operator may not restore" in crm("customers", "encrypt", code=7).stderr


def test_workspaces_that_share_records_must_share_the_key(
    new_crm: "Callable[..., Crm]", postgres: Any, tmp_path: Path
) -> None:
    url = postgres.new()
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first, second = new_crm(tmp_path / "a", url), new_crm(tmp_path / "b", url)
    for crm in (first, second):
        crm.configure(ON)
    fill(first)
    assert "copy it from another workspace" in second("customers", "list", "--unmask", code=4).stderr
    for _ in range(2):
        shutil.copy(first.workspace / "field.key", second.workspace / "field.key")
        assert len(second.rows("customers", "list", "--unmask")) == 3
        first("customers", "encrypt", "--key-file", first.folder / "new.key")
        assert "were made with another field key" in second("customers", "list", code=4).stderr
    first.configure(OFF)
    first("customers", "encrypt")
    second.configure(OFF)
    assert len(second.rows("customers", "list", "--unmask")) == 3
