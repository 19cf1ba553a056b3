"""The lake in a shared folder or an object store: the same tables, and one sentence where it cannot be reached."""

import http.server
import shutil
import threading
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

from crm.lake import Lake
from crm.storage.remote import RemotePlace
from crm.workspace import write_key

if TYPE_CHECKING:
    from tests.conftest import ObjectStore
    from tests.plugins.conftest import Crm

SAMPLE = Path(__file__).parents[3] / "sample_logs" / "shop.log"

Same = Callable[[dict[str, pl.DataFrame], dict[str, pl.DataFrame]], None]


@pytest.fixture
def local(tmp_path: Path, new_crm: "Callable[[Path], Crm]") -> "Crm":
    """A workspace with a lake of its own, to compare with."""
    (tmp_path / "local").mkdir()
    return new_crm(tmp_path / "local")


def stored(crm: "Crm") -> list[str]:
    """The data files that are there."""
    return [path for path in crm.open().lake.place.names("") if path.endswith(".parquet")]


def committed(crm: "Crm") -> list[str]:
    """The data files that tables have."""
    lake = crm.open().lake
    return [f"{name}/{path}" for name in lake.contracts for path in lake.files(name)["path"]]


def test_wherever_the_lake_is_its_tables_are_the_same(crm_at: "Crm", local: "Crm", same: Same) -> None:
    lines = SAMPLE.read_bytes().splitlines(keepends=True)
    log = crm_at.folder / "access.log"
    for end in (800, 801, 1500):
        log.write_bytes(b"".join(lines[:end]))
        crm_at("logs", "mine", log)
    local("logs", "mine", log)
    same(crm_at.tables(), local.tables())
    assert sorted(set(stored(crm_at))) == sorted(stored(crm_at))
    assert set(committed(crm_at)) <= set(stored(crm_at))
    printed = "logs", "traffic", "--by", "day"
    assert crm_at.rows(*printed) == local.rows(*printed)
    query = "select page, count(*) as n from hits group by page order by n desc, page"
    assert crm_at.rows("query", query) == local.rows("query", query)


def test_nothing_of_a_lake_that_is_elsewhere_lies_in_the_workspace(crm_at: "Crm") -> None:
    crm_at("logs", "mine", crm_at.log("a.log", *crm_at.lines(40)))
    assert (crm_at.workspace / "lake").exists() == (not crm_at.lake_section)
    said = crm_at("workspace", "info").stderr
    assert ("lake in " in said) == bool(crm_at.lake_section)
    assert "not-a-secret" not in said + crm_at("config", "show").stdout + crm_at("-v", "logs", "status").stderr


def test_what_a_run_that_was_killed_before_its_commit_has_left_is_swept(
    crm_at: "Crm", local: "Crm", same: Same, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = crm_at.log("a.log", *crm_at.lines(300))

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Lake, "commit", killed)
        crm_at("logs", "mine", log, code=130)
    assert stored(crm_at)
    assert not committed(crm_at)
    crm_at("logs", "mine", log)
    local("logs", "mine", log)
    same(crm_at.tables(), local.tables())
    assert sorted(stored(crm_at)) == sorted(committed(crm_at))


def test_dropping_pruning_and_rebuilding_leave_what_they_leave_elsewhere(
    crm_at: "Crm", local: "Crm", same: Same
) -> None:
    for crm in (crm_at, local):
        crm("logs", "mine", crm.log("a.log", *crm.lines(400)), crm.log("b.log", *crm.lines(30, first=100)))
        crm("logs", "drop", "2", "--yes")
        crm("logs", "prune", "--before", "2026-03-03", "--yes", "--now")
        crm("logs", "rebuild")
    same(crm_at.tables(), local.tables())
    assert not [path for path in stored(crm_at) if path.startswith("hits/date=2026-03-02")]


def test_a_person_who_is_forgotten_is_in_no_file(crm_at: "Crm") -> None:
    hits = [crm_at.line(60 * n, "/a", who=1 + n % 2, login="gone" if n % 2 else "left") for n in range(20)]
    crm_at("logs", "mine", crm_at.log("a.log", *hits))
    crm_at("customers", "forget", "gone", "--yes")
    place = crm_at.open().lake.place
    assert stored(crm_at)
    for path in stored(crm_at):
        with place.open(path) as file:
            assert b"gone" not in file.read()
    assert crm_at.table("hits").height == 10


def test_a_workspace_with_another_key_is_refused(crm_at: "Crm", local: "Crm") -> None:
    if not crm_at.lake_section:
        pytest.skip("a lake in the workspace is nobody else's")
    crm_at("logs", "mine", crm_at.log("a.log", *crm_at.lines(40)))
    (local.workspace / "key").unlink()
    write_key(local.workspace, b"\1" * 32)
    local.lake_section = crm_at.lake_section
    local.configure("")
    for words in (("logs", "mine", SAMPLE), ("logs", "status"), ("workspace", "info"), ("query", "select 1 from hits")):
        said = local(*words, code=4).stderr
        assert "belongs to a workspace with another key" in said
        assert said.count("crm: ") == 1
    assert crm_at.counts() == (40, 1)
    (local.workspace / "key").unlink()
    assert "is missing; restore it from a backup" in local("logs", "mine", SAMPLE, code=4).stderr


def test_of_two_workspaces_that_begin_at_the_same_moment_none_mixes_its_runs_in(object_store: "ObjectStore") -> None:
    from crm.errors import Unusable
    from crm.lake_config import LakeConfig, S3Config
    from crm.storage.owner import FOLDER, check, claim

    place = LakeConfig(object_store.new(), S3Config(endpoint=object_store.endpoint)).place()
    assert place is not None

    class Slow(type(place)):  # type: ignore[misc]  # a class that is known here alone
        def write(self, path: str, data: bytes) -> None:
            super().write(path, data)
            super().write(f"{FOLDER}/other", b"")

    with pytest.raises(Unusable, match="another key"):
        claim(Slow(place.url, place.settings), "mine")  # type: ignore[attr-defined]  # it is a RemotePlace
    assert list(place.names(FOLDER)) == [f"{FOLDER}/other"]
    assert check(place, "other")


def test_a_lake_that_is_moved_goes_on_where_it_was(
    local: "Crm", lake_section: str, same: Same, tmp_path: Path, new_crm: "Callable[[Path], Crm]"
) -> None:
    lines = local.lines(600)
    log = local.log("a.log", *lines[:300])
    local("logs", "mine", log)
    before = local.tables()
    shutil.copytree(local.workspace / "lake", tmp_path / "copy")
    local.lake_section = lake_section
    local.configure("")
    if lake_section:
        place = local.open().lake_place
        for file in sorted((tmp_path / "copy").rglob("*")):
            if file.is_file():
                place.write(str(file.relative_to(tmp_path / "copy")), file.read_bytes())
        shutil.rmtree(local.workspace / "lake")
    same(local.tables(), before)
    assert "unchanged" in local("logs", "mine", log).stdout
    local.grow(log, *lines[300:])
    local("logs", "mine", log)
    (tmp_path / "once").mkdir()
    once = new_crm(tmp_path / "once")
    once("logs", "mine", log)
    same(local.tables(), once.tables())


def test_a_backup_has_the_lake_wherever_it_is_and_brings_it_to_a_place_that_is_named(
    crm_at: "Crm", lake_section: str, same: Same, tmp_path: Path
) -> None:
    crm_at("logs", "mine", crm_at.log("a.log", *crm_at.lines(300)))
    (tmp_path / "backups").mkdir()
    (row,) = crm_at.rows("backup", "create", tmp_path / "backups")
    crm_at("backup", "verify", row["backup"])
    before = crm_at.tables()
    if lake_section:
        said = crm_at("backup", "restore", row["backup"], "--to", tmp_path / "new", code=4).stderr
        assert "keeps the lake elsewhere (`lake.url`)" in said
    config = tmp_path / "here.yaml"
    config.write_text("output: {tz: UTC}\n")
    crm_at("-c", config, "backup", "restore", row["backup"], "--to", tmp_path / "new")
    crm_at.workspace, crm_at.lake_section = tmp_path / "new", ""
    same(crm_at.tables(), before)
    assert "unchanged" in crm_at("logs", "mine", tmp_path / "a.log").stdout


def test_a_backup_is_brought_to_an_empty_place_and_to_no_other(
    local: "Crm", object_store: "ObjectStore", same: Same, tmp_path: Path
) -> None:
    local("logs", "mine", local.log("a.log", *local.lines(300)))
    (tmp_path / "backups").mkdir()
    (row,) = local.rows("backup", "create", tmp_path / "backups")
    before = local.tables()
    config, section = tmp_path / "there.yaml", object_store.section(object_store.new())
    config.write_text(section)
    restore = "-c", config, "backup", "restore", row["backup"], "--to"
    local(*restore, tmp_path / "new")
    assert "holds files already" in local(*restore, tmp_path / "another", code=4).stderr
    assert not (tmp_path / "another").exists()
    assert not (tmp_path / "new" / "lake").exists()
    local.workspace = tmp_path / "new"
    same(local.tables(), before)


class Denied(http.server.BaseHTTPRequestHandler):
    """An object store that lets nobody in."""

    def answer(self) -> None:
        """Deny it."""
        body = b"<Error><Code>AccessDenied</Code><Message>for test not-a-secret</Message></Error>"
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(403)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_PUT = do_POST = do_DELETE = answer  # noqa: N815  # the server calls them so

    def do_HEAD(self) -> None:
        """Deny it, without a body."""
        self.send_response(403)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def denying() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Denied) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def refused(crm: "Crm", section: str, *words: object) -> str:
    """The one sentence by which a command says that the lake cannot be used."""
    crm.lake_section = section
    crm.configure("")
    said: str = crm(*words, code=4).stderr
    assert len(said.splitlines()) == 1, said
    assert "not-a-secret" not in said
    return said


def test_a_store_that_lets_nobody_in_is_one_sentence(crm: "Crm", denying: str, object_store: "ObjectStore") -> None:
    section = f"lake: {{url: 's3://bucket/lake', s3: {{endpoint: '{denying}'}}}}\n"
    for words in (("logs", "mine", SAMPLE), ("paths", "pages"), ("logs", "status")):
        assert "the lake s3://bucket/lake cannot be read: access is denied" in refused(crm, section, *words)


def test_a_store_that_fails_in_the_middle_of_a_query_is_one_sentence(
    crm: "Crm", object_store: "ObjectStore", monkeypatch: pytest.MonkeyPatch
) -> None:
    crm.lake_section = object_store.section(object_store.new())
    crm.configure("")
    crm("logs", "mine", crm.log("a.log", *crm.lines(40)))
    seen = RemotePlace.sizes

    def sizes(place: RemotePlace, paths: Collection[str]) -> dict[str, int]:
        found = seen(place, paths)
        place.delete(list(paths))
        return found

    monkeypatch.setattr(RemotePlace, "sizes", sizes)
    said = refused(crm, crm.lake_section, "query", "select count(*) from hits")
    assert said == "crm: the object store of the lake cannot be read: it says NoSuchKey; try again\n"


def test_a_bucket_or_a_folder_that_is_not_there_is_one_sentence(crm: "Crm", object_store: "ObjectStore") -> None:
    section = f"lake: {{url: 's3://nobody/lake', s3: {{endpoint: '{object_store.endpoint}'}}}}\n"
    assert "there is no such bucket" in refused(crm, section, "logs", "mine", SAMPLE)
    missing = crm.folder / "missing"
    said = refused(crm, f"lake: {{url: '{missing}'}}\n", "logs", "mine", SAMPLE)
    assert said == f"crm: there is no folder {missing} for the lake; make it, or mount what it is on\n"


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ("url: lake", "`lake` is no absolute path"),
        ("url: 'gs://bucket/lake'", "`gs://` is not understood; give an absolute path"),
        ("url: 'file://host/lake'", "`file://` is not understood"),
        ("url: 's3://key:not-a-secret@bucket/lake'", "its keys belong in the environment"),
        ("url: /lake, s3: {region: eu-west-1}", "lake.s3 is for s3://"),
        ("url: 's3://b', s3: {endpoint: store.example}", "must begin with https:// or http://"),
    ],
    ids=["relative", "scheme", "host", "keys", "options", "endpoint"],
)
def test_a_url_that_cannot_be_used_is_one_sentence(crm: "Crm", section: str, words: str) -> None:
    for command in (("config", "check"), ("workspace", "info")):
        assert words in refused(crm, f"lake: {{{section}}}\n", *command)


def test_keys_are_no_setting(crm: "Crm") -> None:
    said = refused(crm, "lake: {url: 's3://b', s3: {secret_access_key: not-a-secret}}\n", "config", "check")
    assert "secret_access_key" in said
