"""Places where files are kept, in a folder and in an object store alike."""

import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from crm.storage.places import LocalPlace, Place
from crm.storage.remote import FEW, RemotePlace


def test_what_is_written_is_listed_read_and_deleted(place: Place) -> None:
    assert (list(place.names("")), place.folders()) == ([], [])
    files = {"hits/date=2026-03-01/r1-a b.parquet": b"one", "hits/x": b"", "sessions/é%20": b"three"}
    for path, data in files.items():
        place.write(path, data)
    assert sorted(place.names("")) == sorted(files)
    assert sorted(place.names("hits")) == sorted(files)[:2]
    assert list(place.names("none")) == []
    assert place.folders() == ["hits", "sessions"]
    assert place.sizes([*files, "hits/none"]) == {path: len(data) for path, data in files.items()}
    for path, data in files.items():
        with place.open(path) as file:
            assert file.read() == data
    place.delete(["hits/x", "hits/none"])
    assert sorted(place.names("hits")) == ["hits/date=2026-03-01/r1-a b.parquet"]


def test_a_file_that_is_written_again_is_the_new_one(place: Place) -> None:
    place.write("a", b"long and old")
    place.write("a", b"new")
    assert place.sizes(["a"]) == {"a": 3}


def test_a_file_that_is_not_there_cannot_be_read(place: Place) -> None:
    with pytest.raises(FileNotFoundError):
        place.open("none")


def test_a_large_file_is_read_part_by_part(place: Place) -> None:
    data = bytes(range(256)) * 20_000
    place.write("large", data)
    with place.open("large") as file:
        assert b"".join(iter(lambda: file.read(1_000_003), b"")) == data


@pytest.mark.parametrize("count", [0, 1, FEW, FEW + 1, 3 * FEW])
def test_however_many_files_are_asked_for_their_sizes_are_told(place: Place, count: int) -> None:
    paths = [f"hits/date={n % 3}/{n}" for n in range(count)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda path: place.write(path, path.encode()), paths))
    assert place.sizes([*paths, "hits/none"]) == {path: len(path) for path in paths}


def test_a_place_travels_without_keys(place: Place) -> None:
    place.write("a", b"1")
    packed = pickle.dumps(place)
    assert b"not-a-secret" not in packed
    pickle.loads(packed).write("b", b"2")
    assert sorted(place.names("")) == ["a", "b"]


def test_a_folder_that_travels_is_the_same_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert pickle.loads(pickle.dumps(LocalPlace(Path("lake")))) == LocalPlace(tmp_path / "lake")


def test_folders_that_are_empty_go_with_their_last_file(tmp_path: Path) -> None:
    place = LocalPlace(tmp_path)
    for name in ("d/a", "d/b"):
        place.write(name, b"")
    place.delete(["d/a"], folders=True)
    assert (tmp_path / "d").is_dir()
    place.delete(["d/b"], folders=True)
    assert not (tmp_path / "d").exists()


def test_two_places_of_one_store_do_not_see_each_other(place: Place) -> None:
    if not isinstance(place, RemotePlace):
        pytest.skip("folders are apart by nature")
    beside = RemotePlace(f"{place.url}-2", place.settings)
    beside.write("a", b"")
    assert list(place.names("")) == []
