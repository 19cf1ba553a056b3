"""What the tests of all packages share."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import settings

settings.register_profile("crm", deadline=None)
settings.load_profile("crm")

PATIENCE = 30.0
"""So many seconds PostgreSQL may take to start or to end."""

_NUMBERS = count(1)


@pytest.fixture(scope="session")
def reference_data() -> Path:
    """The folder of other people's data; a test that asks for it carries the mark `reference`."""
    folder = os.environ.get("CRM_REFERENCE_DATA", "")
    if not folder:
        pytest.skip("CRM_REFERENCE_DATA names no folder of reference data")
    return Path(folder)


class PostgresServer:
    """A PostgreSQL of one's own: a new cluster in a folder, reached through a socket in it and on no network.

    Args:
        bin_folder: Where its programs are.
        folder: An empty folder, which it may fill. Its path is short: that of a socket is limited.
    """

    def __init__(self, bin_folder: Path, folder: Path) -> None:
        self._bin, self._folder = bin_folder, folder
        self._run("initdb", "-D", str(folder / "data"), "-U", "crm", "-E", "UTF8", "--locale=C.UTF-8", "-A", "trust")
        words = ["-D", str(folder / "data"), "-k", str(folder), "-c", "listen_addresses=", "-c", "max_connections=50"]
        # What a power cut would lose does not matter here, and waiting for the disk takes most of the time.
        words += ["-c", "fsync=off", "-c", "full_page_writes=off", "-c", "max_wal_size=4GB"]
        with (folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [*self._as_whom(), str(bin_folder / "postgres"), *words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=folder,
            )
        self._wait()

    @staticmethod
    def _as_whom() -> list[str]:
        """PostgreSQL refuses to run as root."""
        return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []

    def _run(self, program: str, *words: str) -> None:
        if os.geteuid() == 0:
            shutil.chown(self._folder, "postgres", "postgres")
        said = subprocess.run(
            [*self._as_whom(), str(self._bin / program), *words], cwd=self._folder, capture_output=True, text=True
        )
        assert said.returncode == 0, said.stderr

    def _wait(self) -> None:
        import psycopg

        end = time.monotonic() + PATIENCE
        while True:
            try:
                psycopg.connect(host=str(self._folder), user="crm", dbname="postgres").close()
            except psycopg.OperationalError:
                log = (self._folder / "log").read_text(errors="replace")
                assert self.process.poll() is None, log
                assert time.monotonic() < end, log
                time.sleep(0.05)
            else:
                return

    def url(self, database: str, user: str = "crm") -> str:
        """The URL of a database."""
        return f"postgresql://{user}@/{database}?host={self._folder}"

    def sql(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Run a statement by itself and return its rows."""
        import psycopg

        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def new(self) -> str:
        """The URL of a new, empty database."""
        name = f"test{next(_NUMBERS)}"
        self.sql(f"CREATE DATABASE {name}")
        return self.url(name)

    def stop(self) -> None:
        """End it at once."""
        self.process.send_signal(signal.SIGQUIT)  # no shutdown that writes what nobody needs
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(PATIENCE)
        self.process.kill()
        self.process.wait(PATIENCE)


def postgres_programs() -> Path | None:
    """The folder of PostgreSQL's programs: the newest that Debian has, else where `postgres` is on the path."""
    packaged = Path("/usr/lib/postgresql").glob("*/bin/postgres")
    found = max(packaged, key=lambda file: int(file.parts[-3]), default=None)
    on_path = shutil.which("postgres")
    return (found or Path(on_path)).resolve().parent if found or on_path else None


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server of this session: `postgres.new()` gives the URL of an empty database in it."""
    programs = postgres_programs()
    if programs is None:
        pytest.skip("there is no PostgreSQL as Debian packages it")
    folder = Path(tempfile.mkdtemp(prefix="crm-pg-"))  # not below pytest's folders: those are for their owner alone
    server = None
    try:
        server = PostgresServer(programs, folder)
        yield server
    finally:
        if server is not None:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def records_url(request: pytest.FixtureRequest) -> str | None:
    """Runs a test twice: with records in SQLite (None), and in an empty PostgreSQL database (its URL)."""
    if request.param == "sqlite":
        return None
    url: str = request.getfixturevalue("postgres").new()
    return url


class ObjectStore:
    """An object store of one's own, in the memory of a process, which speaks S3 over HTTP on loopback.

    Args:
        log: Where it says what it does.
    """

    KEYS: ClassVar = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "not-a-secret"}

    def __init__(self, log: Path) -> None:
        with log.open("wb") as out:
            words = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        try:
            self.endpoint = self._said(log)
        except BaseException:
            self.stop()
            raise

    def _said(self, log: Path) -> str:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and self.process.poll() is None:
            if found := re.search(r"Running on (http://\S+)", log.read_text(errors="replace")):
                return found[1]
            time.sleep(0.05)
        raise AssertionError(log.read_text(errors="replace"))

    def new(self) -> str:
        """The URL of a folder in a new, empty bucket."""
        bucket = f"bucket{next(_NUMBERS)}"
        request = urllib.request.Request(f"{self.endpoint}/{bucket}", method="PUT")
        urllib.request.urlopen(request, timeout=PATIENCE).close()
        return f"s3://{bucket}/the/lake"

    def section(self, url: str) -> str:
        """The section of a configuration that names a URL of it."""
        return f"lake: {{url: '{url}', s3: {{endpoint: '{self.endpoint}'}}}}\n"

    def stop(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.wait(PATIENCE)


@pytest.fixture(scope="session")
def _object_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    pytest.importorskip("moto")
    pytest.importorskip("obstore")
    store = ObjectStore(tmp_path_factory.mktemp("s3") / "log")
    yield store
    store.stop()


@pytest.fixture
def object_store(_object_store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    """An object store of this session, with keys to it in the environment."""
    for name, value in ObjectStore.KEYS.items():
        monkeypatch.setenv(name, value)
    return _object_store


@pytest.fixture(params=["workspace", "folder", "s3"])
def lake_section(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Runs a test three times: what the configuration says of a lake in the workspace, in a folder, and in S3."""
    if request.param == "workspace":
        return ""
    if request.param == "folder":
        folder = tmp_path / "shared lake"
        folder.mkdir()
        return f"lake: {{url: '{folder.as_uri()}'}}\n"
    store: ObjectStore = request.getfixturevalue("object_store")
    return store.section(store.new())
