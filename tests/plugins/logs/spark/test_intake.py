"""Logs read in ranges by workers are stored as in one pass here. The workers are this process; see `test_cluster`."""

import gzip
import json
import os
import pickle
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from logparse.formats import BUILT_IN
from logparse.rules import Rules
from plugins.logs import engines, opening
from plugins.logs.engine import Local
from plugins.logs.ingest import Ready
from plugins.logs.inputs import Input
from plugins.logs.options import given_engine
from plugins.logs.reading import Reader, here
from plugins.logs.spark import engine as engine_module
from plugins.logs.spark import intake, reading, tasks
from plugins.logs.spark.intake import Wave
from plugins.logs.spark.parsing import far

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm

SHOP = Path(__file__).parents[4] / "sample_logs" / "shop.log"
COMBINED = next(known for known in BUILT_IN if known.name == "combined")


def line(second: int, who: int, page: str = "/p") -> str:
    """A line in the combined format."""
    clock = f"{10 + second // 3600}:{second // 60 % 60:02}:{second % 60:02}"
    return f'198.51.100.{who} - - [02/Mar/2026:{clock} +0000] "GET {page}/{second} HTTP/1.1" 200 9 "-" "Mozilla/5.0"'


class Cancelled(list[str]):
    """What has been cancelled of a cluster."""

    spark: Any


class Here(Local):
    """The engine of the cluster as far as it reads, and the local one for all else."""

    def __init__(self, spark: Any, step: int) -> None:
        self._far = engine_module.Spark(spark, step)

    def read(self, *words: Any) -> Any:
        """Read logs in ranges."""
        return self._far.read(*words)


def spread(_spark: Any, count: int, work: Callable[[int], Iterable[pl.DataFrame]], _columns: Any) -> list[pl.DataFrame]:
    """What `plugins.logs.spark.jobs.spread` does, here, the last task first."""
    made = {number: list(work(number)) for number in reversed(range(count))}
    return [frame for number in range(count) for frame in made[number]]


def reported(frames: list[pl.DataFrame], kind: type) -> Iterator[Any]:
    for frame in frames:
        for packed in frame["report"]:
            found = pickle.loads(packed)
            assert isinstance(found, kind)
            yield found


@pytest.fixture
def cancelled(monkeypatch: pytest.MonkeyPatch) -> Cancelled:
    """Commands with `--engine spark` read in this process."""
    found = Cancelled()
    context = SimpleNamespace(defaultParallelism=2, master="here", cancelAllJobs=lambda: found.append("all"))
    spark = found.spark = SimpleNamespace(sparkContext=context)

    @contextmanager
    def session(_app: Any, _config: Any) -> Iterator[Any]:
        yield spark if given_engine()[0] == "spark" else None

    @contextmanager
    def mining(_app: Any, config: Any) -> Iterator[Any]:
        yield Here(spark, config.spark.range) if given_engine()[0] == "spark" else None

    monkeypatch.setattr(engines, "_session", session)
    monkeypatch.setattr(engines, "mining", mining)
    monkeypatch.setattr(reading, "spread", spread)
    monkeypatch.setattr(reading, "reported", reported)
    return found


@pytest.fixture
def other(new_crm: "Callable[[Path], Crm]", tmp_path: Path, cancelled: Cancelled) -> "Crm":
    """The program on a second workspace, for the local engine."""
    return new_crm(tmp_path / "other")


def ranges(crm: "Crm", size: int) -> None:
    crm.configure(f"logs: {{spark: {{range: {size}}}}}\n")


def stored(crm: "Crm") -> dict[str, pl.DataFrame]:
    """Everything that reading has stored, with places and lines; a source is called by its name."""
    workspace = crm.open()
    names = {}
    found = {}
    with workspace.records.begin() as connection:
        for name in ("sources", "files"):
            rows = [row._asdict() for row in connection.execute(workspace.records.table(name).select()).all()]
            names |= {row["source"]: row["name"] for row in rows if name == "sources"}
            found[name] = pl.DataFrame(
                [row | {"source": names[row["source"]]} for row in rows], infer_schema_length=None
            )
    hits = workspace.scan("hits").collect()
    found["hits"] = hits.with_columns(pl.col("source").replace_strict(names, return_dtype=pl.String))
    return {name: frame.sort(*({"source", "line", "name", "run"} & {*frame.columns})) for name, frame in found.items()}


def both(crm: "Crm", other: "Crm", *logs: object, code: int = 0, stdin: bytes | None = None) -> list[str]:
    """Mine logs by both engines, and see that they have made and told the same; what became of each log."""
    found = []
    for one, engine in ((crm, "spark"), (other, "local")):
        rejects, summary = one.folder / "rejects", one.folder / "summary"
        words = ("--json-summary", summary, "--rejects", rejects, "--engine", engine)
        result = one("logs", "mine", *logs, *words, code=code, stdin=stdin)
        shown = [row for row in result.stdout.splitlines() if row.startswith("  ") and "rejected" in row]
        told = json.loads(summary.read_text())
        sources = [source | {"source": None} for source in told["sources"]]
        rejected = [json.loads(row) | {"source": None} for row in rejects.read_text().splitlines()]
        found.append((result.stderr, shown, told | {"seconds": 0, "sources": sources}, rejected, stored(one)))
    *said, tables = found[0]
    *said_here, tables_here = found[1]
    assert said == said_here
    for name, frame in tables_here.items():
        assert_frame_equal(tables[name], frame, check_column_order=False)
    return [source["state"] for source in found[0][2]["sources"]]


@pytest.mark.parametrize("size", [40_000, 10**9])
def test_any_range_gives_the_tables_the_ledger_and_the_rejects_of_one_pass(crm: "Crm", other: "Crm", size: int) -> None:
    ranges(crm, size)
    both(crm, other, SHOP)


LINES = st.sampled_from(["hit", "hit", "", "#", "bad", "\0" * 90, "\r", "é", "x" * 200, "#Fields: time", "\0hit"])


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kinds=st.lists(LINES, max_size=20), end=st.booleans(), size=st.integers(100, 1500))
def test_odd_lines_are_accounted_for_as_in_one_pass(
    kinds: list[str], end: bool, size: int, tmp_path: Path, cancelled: Cancelled
) -> None:
    lines = [kind.replace("hit", line(number, number)) for number, kind in enumerate(kinds)]
    log = tmp_path / "odd.log"
    log.write_bytes("\n".join([line(0, 0), *lines]).encode() + b"\n" * end)
    found = []
    for place in (partial(far, cancelled.spark, size), here):
        reader = Reader([Input("odd", log), Input("again", log)], [], COMBINED, Rules(), bytes(32), place=place)
        frames = [hits for _, hits in reader.hits()]
        accounts = [(each.name, each.account, each.rejects, each.first_ts, each.error) for each in reader.logs]
        found.append((pl.concat(frames), accounts))
    assert_frame_equal(found[0][0], found[1][0])
    assert found[0][1] == found[1][1]


def odd_logs(folder: Path) -> list[Path]:
    """Logs of every odd kind, among good ones."""
    lines = [line(number, number % 50) for number in range(60)]
    text = "\n".join(lines) + "\n"
    iis = ["#Software: IIS", "#Date: 2026-03-02 00:00:00", "#Fields: time c-ip cs-method cs-uri-stem sc-status"]
    iis += [f"10:00:{n:02} 192.0.2.7 GET /iis/{n} 200" for n in range(30)]
    iis += ["#Fields: date cs-uri-stem time sc-status cs-method c-ip"]
    iis += [f"2026-03-03 /later/{n} 10:00:{n:02} 200 GET 192.0.2.8" for n in range(30)]
    contents = {
        "a-plain.log": text.encode(),
        "b-cut-off.log": "\n".join(line(number, 9) for number in range(20)).encode(),
        "c-packed.log.gz": gzip.compress(text.replace("/p", "/packed").encode()),
        "d-damaged.log.gz": gzip.compress(text.replace("/p", "/d").encode() * 50)[:-20],
        "e-empty.log": b"",
        "f-comments.log": b"# nothing\n\n",
        "g-iis.log": "\n".join(iis).encode() + b"\n",
        "h-mostly-bad.log": text.replace("/p", "/h").encode()[: 90 * 12] + b"\n" + b"bad line\n" * 90,
        "i-hole.log": b"\0" * 5000 + text.replace("/p", "/hole").encode() + b"\0" * 3000,
        "j-endless.log": text.replace("/p", "/e").encode()
        + b"y" * (3 << 20)
        + b"\n"
        + line(1, 1, "/z").encode()
        + b"\n",
        "k-unknown.log": b"what is this\n" * 20,
        "l-copy-of-plain.log": text.encode() + line(99, 1, "/more").encode() + b"\n",
        "m-short.log": line(0, 0, "/s").encode() + b"\n",
        "n-short-goes-on.log": (line(0, 0, "/s") + "\n" + line(1, 0, "/t") + "\n").encode(),
    }
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    return [folder / name for name in contents]


def test_logs_of_every_odd_kind_are_stored_and_told_as_by_the_local_engine(crm: "Crm", other: "Crm") -> None:
    folder = crm.folder / "logs"
    folder.mkdir()
    logs = odd_logs(folder)
    stdin = "\n".join(line(number, 3, "/stdin") for number in range(9)).encode()
    ranges(crm, 1200)
    states = both(crm, other, folder, "-", folder / "gone.log", code=4, stdin=stdin)
    assert states.count("refused") == 4
    with logs[0].open("a") as out:
        out.write("".join(line(number, 5, "/grown") + "\n" for number in range(40)))
    with logs[1].open("a") as out:
        out.write(" cut\n" + line(77, 7) + "\n")
    logs[2].rename(folder / "z-renamed.gz")
    both(crm, other, folder, code=4)


def test_a_number_that_a_refused_log_would_have_had_is_left_out(crm: "Crm", other: "Crm") -> None:
    # the hits of logs behind it are being stored when it is refused
    good = crm.log("b.log", *(line(number, 1, "/good") for number in range(5)))
    bad = crm.log("a.log", line(0, 0), *["bad"] * 9)
    crm("logs", "mine", bad, good, "--log-format", "combined", "--engine", "spark", code=4)
    assert [row["source"] for row in crm.rows("logs", "status")] == [2]


def test_a_uri_of_files_here_is_a_glob_of_files(crm: "Crm", other: "Crm") -> None:
    folder = crm.folder / "logs"
    folder.mkdir()
    odd_logs(folder)
    ranges(crm, 900)
    for one, engine in ((crm, "spark"), (other, "local")):
        one("logs", "mine", f"file://{folder}/[ab]*.log", "--engine", engine)
    assert_frame_equal(stored(crm)["hits"], stored(other)["hits"])
    assert crm.counts() == (79, 2)


def test_what_changes_while_it_is_read_counts_up_to_there(
    crm: "Crm", other: "Crm", monkeypatch: pytest.MonkeyPatch
) -> None:
    ranges(crm, 600)
    log = crm.log("a.log", *(line(number, 1, "/old") for number in range(40)))
    original, calls = tasks.FarLog.blocks, []

    def emptied(self: tasks.FarLog, stretch: Any) -> Any:
        calls.append(stretch)
        if len(calls) == 4:  # the last stretches are read first
            log.write_text("".join(line(number, 2, "/new") + "\n" for number in range(30)))
        return original(self, stretch)

    monkeypatch.setattr(tasks.FarLog, "blocks", emptied)
    crm("logs", "mine", log, "--engine", "spark")
    assert crm.counts() == (0, 0)  # its beginning is read last
    crm("logs", "mine", log, "--engine", "spark")
    assert crm.table("hits")["path"].str.contains("/new").all()
    assert crm.counts() == (30, 1)


@pytest.mark.parametrize("left", [11, 25])
def test_what_is_cut_short_while_it_is_read_counts_as_far_as_it_is_there(
    crm: "Crm", other: "Crm", monkeypatch: pytest.MonkeyPatch, left: int
) -> None:
    ranges(crm, 600)
    monkeypatch.setattr(opening, "BEGINNING", 500)
    lines = [line(number, 1) for number in range(40)]
    log = crm.log("a.log", *lines)
    counts = reading._counts

    def cut_short(*words: Any) -> Any:
        found = list(counts(*words))
        os.truncate(log, len("\n".join(lines[:left])) + 1)
        return iter(found)

    monkeypatch.setattr(reading, "_counts", cut_short)
    crm("logs", "mine", log, "--engine", "spark")
    monkeypatch.setattr(reading, "_counts", counts)
    assert 0 < crm.counts()[0] <= left
    crm.grow(log, *lines[left:])
    crm("logs", "mine", log, "--engine", "spark")
    other("logs", "mine", log)
    assert_frame_equal(stored(crm)["hits"].drop("run"), stored(other)["hits"].drop("run"))


def test_a_log_that_workers_do_not_find_is_refused_with_what_to_do(
    crm: "Crm", cancelled: Cancelled, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = crm.log("a.log", *crm.lines(5))
    monkeypatch.setattr(intake, "far_place", lambda item: "/elsewhere/a.log")
    said = crm("logs", "mine", log, "--engine", "spark", code=4)
    assert "does not find it; logs lie in a folder that all workers have" in said.stderr
    assert crm.open().lake.transaction("hits") == 0


@pytest.mark.parametrize("at", [0, 3])
def test_a_log_that_is_renamed_while_it_is_read_goes_on_in_the_next_run(
    crm: "Crm", other: "Crm", monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    ranges(crm, 600)
    log = crm.log("a.log", *(line(number, 1) for number in range(40)))
    original = tasks.FarLog.blocks

    def renamed(self: tasks.FarLog, stretch: Any) -> Iterator[Any]:
        if stretch.line == 1:  # the last stretches are read first
            log.rename(log.with_suffix(".old"))
            self = replace(self, place=str(log.with_suffix(".old")))
        yield from original(self if stretch.line <= at else replace(self, place="/gone"), stretch)

    monkeypatch.setattr(tasks.FarLog, "blocks", renamed)
    said = crm("logs", "mine", log, "--engine", "spark")
    monkeypatch.setattr(tasks.FarLog, "blocks", original)
    assert ("gone" in said.stdout) == (at == 0)
    crm("logs", "mine", log.with_suffix(".old"), "--engine", "spark")
    other("logs", "mine", log.with_suffix(".old"))
    assert_frame_equal(stored(crm)["hits"].drop("run", "source"), stored(other)["hits"].drop("run", "source"))


def test_parse_prints_what_the_local_engine_prints(crm: "Crm", cancelled: Cancelled) -> None:
    folder = crm.folder / "logs"
    folder.mkdir()
    odd_logs(folder)
    ranges(crm, 5_000)
    calls = (
        ("parse", folder, "-f", "csv"),
        ("parse", folder, "-", "--merge", "-f", "csv"),
    )
    for call in calls:
        told = []
        for engine in ("local", "spark"):
            rejects = crm.folder / f"rejects-{engine}"
            code = 4 if folder in call else 0
            result = crm("logs", *call, "--engine", engine, "--rejects", rejects, code=code, stdin=line(1, 1).encode())
            told.append((result.stdout, result.stderr, rejects.read_text()))
        assert told[0] == told[1]
        assert len(told[0][0].splitlines()) > 3
    found = [
        crm("logs", "parse", SHOP, "-n", 3, "-f", "csv", "--engine", engine).stdout for engine in ("local", "spark")
    ]
    assert found[0] == found[1]
    assert cancelled  # the rest is not read


def test_logs_that_may_be_one_source_are_not_in_one_wave() -> None:
    def ready(head: bytes, source: int | None = None) -> Any:
        opened = SimpleNamespace(beginning=head, source=source and SimpleNamespace(number=source))
        return Ready(Input("x", None), 0, None, opened, source or 5, 0, False)  # type: ignore[arg-type]

    wave = Wave()
    for head, source, fits in (
        (b"a" * 4096, None, True),
        (b"a" * 4096, None, False),
        (b"a" * 9, None, False),
        (b"b" * 9, None, True),
        (b"b" * 99, None, False),
        (b"c" * 4096, 3, True),
        (b"d" * 4096, 3, False),
    ):
        assert wave.may_hold(ready(head, source)) == fits
        if fits:
            wave.add(ready(head, source))
    assert [log.source for log in wave.logs] == [5, 6, 3]
