"""Values are sealed by a key in a file that its owner alone can read."""

import os
import sqlite3
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.errors import Unusable
from crm.protection import ProtectionConfig
from crm.secrets import PREFIX, Cipher, cipher, read_key, write_key

KEY, OTHER = bytes(range(32)), bytes(range(1, 33))
ON, OFF = ProtectionConfig(encrypt=True), ProtectionConfig()
texts = st.text().filter(lambda text: not text.startswith(PREFIX))


@given(st.lists(st.none() | texts))
def test_what_is_sealed_opens_again(values: list[str | None]) -> None:
    sealed = Cipher(KEY).seal(values)
    assert Cipher(KEY).open(sealed) == values
    assert [value is None for value in sealed] == [value is None for value in values]
    assert all(value.startswith(PREFIX) for value in sealed if value is not None)


@given(st.text(min_size=4))
def test_a_sealed_value_holds_nothing_of_the_value_and_is_never_the_same(value: str) -> None:
    first, second = Cipher(KEY).seal([value, value])
    assert first is not None
    assert value not in first
    assert first != second


def test_what_is_not_sealed_stays_as_it_is() -> None:
    assert Cipher(KEY).open(["plain", None, ""]) == ["plain", None, ""]


@given(st.data())
def test_any_change_of_a_sealed_value_is_found(data: st.DataObject) -> None:
    (sealed,) = Cipher(KEY).seal(["+8613800138000"])
    assert sealed is not None
    at = data.draw(st.integers(len(PREFIX), len(sealed) - 1))
    letter = data.draw(st.sampled_from("Aa0+/=!é"))
    letter = "B" if letter == sealed[at] else letter
    with pytest.raises(Unusable, match=r"another key|was changed after"):
        Cipher(KEY).open([sealed[:at] + letter + sealed[at + 1 :]])


def test_a_value_under_another_key_names_the_file_of_the_key() -> None:
    with pytest.raises(Unusable, match=r"under another key than that of /a/key"):
        Cipher(KEY, "/a/key").open(Cipher(OTHER).seal(["x"]))


def test_values_under_the_keys_beside_it_open_too() -> None:
    both = Cipher(KEY, others=[Cipher(OTHER)])
    assert both.open([*Cipher(OTHER).seal(["old"]), *both.seal(["new"])]) == ["old", "new"]
    assert Cipher(KEY).open(both.seal(["new"])) == ["new"]


class TestTheFileOfTheKey:
    def test_there_is_none_while_nothing_is_encrypted(self, tmp_path: Path) -> None:
        assert cipher(tmp_path, OFF) is None
        assert list(tmp_path.iterdir()) == []

    def test_it_is_made_for_its_owner_alone_and_used_from_then_on(self, tmp_path: Path) -> None:
        first = cipher(tmp_path, ON)
        assert first is not None
        assert stat.S_IMODE((tmp_path / "field.key").stat().st_mode) == 0o600
        for config in (ON, OFF):
            again = cipher(tmp_path, config)
            assert again is not None
            assert again.key == first.key
        assert [file.name for file in tmp_path.iterdir()] == ["field.key"]

    def test_it_may_be_elsewhere(self, tmp_path: Path) -> None:
        (tmp_path / "ws").mkdir()
        found = cipher(tmp_path / "ws", ProtectionConfig(encrypt=True, key_file=str(tmp_path / "my.key")))
        assert found is not None
        assert read_key(tmp_path / "my.key") == found.key

    @pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
    def test_others_must_not_read_it(self, tmp_path: Path, mode: int) -> None:
        cipher(tmp_path, ON)
        (tmp_path / "field.key").chmod(mode)
        with pytest.raises(Unusable, match="open to others than its owner; close it: chmod 600"):
            cipher(tmp_path, ON)

    @pytest.mark.parametrize("text", ["", "00ff", "zz" * 32, "é"])
    def test_a_damaged_one_is_told(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "field.key").write_text(text)
        with pytest.raises(Unusable, match="damaged"):
            cipher(tmp_path, ON)

    def test_none_is_made_where_values_would_be_lost(self, tmp_path: Path) -> None:
        (sealed,) = Cipher(KEY).seal(["x"])
        with sqlite3.connect(tmp_path / "records.db") as connection:
            connection.execute("CREATE TABLE t (a TEXT, b INTEGER)")
            connection.execute("INSERT INTO t VALUES (?, 1)", ["plain"])
            connection.commit()
            assert cipher(tmp_path, ON) is not None
            (tmp_path / "field.key").unlink()
            connection.execute("INSERT INTO t VALUES (?, 2)", [sealed])
            connection.commit()
        connection.close()
        with pytest.raises(Unusable, match=r"field\.key, by which values of .* are encrypted, is missing"):
            cipher(tmp_path, ON)
        assert not (tmp_path / "field.key").exists()

    def test_the_one_that_another_run_has_just_made_stays(self, tmp_path: Path) -> None:
        write_key(tmp_path / "field.key", KEY)
        write_key(tmp_path / "field.key", OTHER, anew=False)
        assert read_key(tmp_path / "field.key") == KEY
        assert os.listdir(tmp_path) == ["field.key"]
