import json
import os
import pty
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent
from typing import Any

import click
import polars as pl
import pytest
from click.testing import CliRunner, Result

from crm.config import load
from crm.errors import Unusable
from crm.hookspecs import Writer
from crm.output import current, table_output
from crm.tables import Column, Table
from plugins.writers import writers

HITS = Table(
    "hits",
    "Hits.",
    (
        Column("ts", "timestamp", "time"),
        Column("address", "string", "address", mask="address"),
        Column("login", "string", "login", mask="name"),
    ),
    owner="logs",
)
FORMATS = ["table", "csv", "tsv", "json", "ndjson", "md", "parquet", "xlsx"]
FRAME = pl.DataFrame(
    {
        "ts": [
            datetime(2026, 3, 2, 10, 15, 32, tzinfo=UTC),
            datetime(2026, 3, 2, 10, 15, 33, 250_000, tzinfo=UTC),
        ],
        "address": ["203.0.113.7", "2001:db8::1"],
        "login": ["wangxiaoming", None],
        "page": ["/cart", "/购物车"],
        "hits": [7, 3],
    }
)


class FakeApp:
    """What `table_output` needs of the app."""

    def __init__(self, config: Path | None = None, extra: tuple[Writer, ...] = ()) -> None:
        self.host = self
        self.tables = {"hits": HITS}
        self.config = load(config, {})
        self.extra = extra
        self.rested = False

    def rest(self) -> None:
        self.rested = True

    def writers(self) -> dict[str, Writer]:
        return {writer.name: writer for writer in (*writers(), *self.extra)}

    def note(self, text: str) -> None:
        click.echo(text, err=True)


def run(
    *args: str,
    frame: pl.DataFrame | pl.LazyFrame | None = FRAME,
    app: FakeApp | None = None,
    seen: Callable[[], Any] | None = None,
    default: str = "table",
) -> Result:
    @click.command()
    @click.argument("what")
    @table_output(default)
    @click.pass_obj
    def show(obj: FakeApp, what: str) -> pl.DataFrame | pl.LazyFrame | None:
        """Show."""
        assert what == "top"
        if seen:
            seen()
        return frame

    return CliRunner().invoke(show, ["top", *args], obj=app or FakeApp())


def rows(*args: str, **options: Any) -> list[dict[str, Any]]:
    result = run("-f", "json", *args, **options)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture
def audited(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, int]]:
    entries: list[tuple[str, str, int]] = []
    monkeypatch.setattr("crm.audit.record", lambda _app, *entry: entries.append(entry))
    return entries


def test_the_clock_of_a_command_rests_before_its_table_is_printed() -> None:
    app = FakeApp()
    run("-n", "1", app=app)
    assert app.rested


@pytest.mark.parametrize("frame", [FRAME, FRAME.lazy()])
def test_a_returned_table_is_printed(frame: pl.DataFrame | pl.LazyFrame) -> None:
    assert run("--columns", "page,hits", frame=frame).stdout.splitlines() == [
        "page       hits",
        "-------  ------",
        "/cart         7",
        "/购物车       3",
    ]


def test_the_default_format_is_the_commands() -> None:
    assert run("--columns", "hits", default="csv").stdout == "hits\n7\n3\n"


def test_none_prints_nothing() -> None:
    result = run(frame=None)
    assert (result.exit_code, result.output) == (0, "")


def test_the_limit_and_the_columns_are_kept_in_order() -> None:
    assert rows("-n", "1", "--columns", "hits, page") == [{"hits": 7, "page": "/cart"}]
    assert list(rows("--columns", "hits,page")[0]) == ["hits", "page"]
    assert rows("-n", "0") == []


def test_times_print_in_the_zone_with_their_offset() -> None:
    assert [row["ts"] for row in rows()] == ["2026-03-02T10:15:32+00:00", "2026-03-02T10:15:33.250+00:00"]
    assert rows("--tz", "Asia/Shanghai")[0]["ts"] == "2026-03-02T18:15:32+08:00"


def test_a_time_without_a_zone_is_utc() -> None:
    naive = FRAME.with_columns(pl.col("ts").dt.replace_time_zone(None), many=pl.concat_list("ts"))
    (row, _) = rows("--tz", "Asia/Shanghai", frame=naive)
    assert row["ts"] == "2026-03-02T18:15:32+08:00"
    assert row["many"] == ["2026-03-02T18:15:32+08:00"]


def test_the_zone_is_taken_from_the_configuration(tmp_path: Path) -> None:
    file = tmp_path / "crm.yaml"
    file.write_text("output: {tz: Asia/Shanghai}\n")
    assert rows(app=FakeApp(file))[0]["ts"] == "2026-03-02T18:15:32+08:00"
    assert rows("--tz", "UTC", app=FakeApp(file))[0]["ts"] == "2026-03-02T10:15:32+00:00"


@pytest.mark.parametrize("name", FORMATS)
def test_personal_columns_are_masked_in_every_format(name: str, tmp_path: Path) -> None:
    file = tmp_path / f"out.{name}"
    assert run("-f", name, "-o", str(file)).exit_code == 0
    content = pl.read_excel(file).write_csv() if name == "xlsx" else file.read_bytes().decode("latin-1")
    assert "wangxiaoming" not in content
    assert "203.0.*.*" in content.replace("\\", "")


def test_unmasking_is_recorded_with_the_columns_and_the_rows(audited: list[tuple[str, str, int]]) -> None:
    assert rows("--unmask")[0]["login"] == "wangxiaoming"
    assert rows("--unmask", "-n", "1", "--columns", "login", frame=FRAME.lazy()) == [{"login": "wangxiaoming"}]
    assert audited == [("unmask", "show: address, login", 2), ("unmask", "show: login", 1)]


def test_unmasking_nothing_personal_is_not_recorded(audited: list[tuple[str, str, int]]) -> None:
    assert run("--unmask", "--columns", "page").exit_code == 0
    assert audited == []


def test_nothing_is_shown_that_cannot_be_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise Unusable("the records cannot be written")

    monkeypatch.setattr("crm.audit.record", fail)
    result = run("--unmask")
    assert isinstance(result.exception, Unusable)
    assert result.stdout == ""


def test_an_empty_table_is_its_header_and_a_note() -> None:
    for frame in (FRAME.clear(), FRAME.clear().lazy()):
        result = run("-f", "csv", "--columns", "page,hits", frame=frame)
        assert (result.stdout, result.stderr) == ("page,hits\n", "no rows\n")
    assert run("--columns", "page", frame=FRAME.clear()).stdout.splitlines()[0] == "page"
    assert run("-f", "csv", "--columns", "hits").stderr == ""


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["-f", "cvs"], "no format `cvs` (did you mean `csv`?); there are: table, csv, tsv,"),
        (
            ["--columns", "pag"],
            "no column `pag` (did you mean `page`?); there are: ts, address, login, page, hits.",
        ),
        (["--columns", "page,page"], "column `page` is named twice."),
        (["--columns", "page,"], "separated by commas."),
        (["-n", "-1"], "-1 is not in the range x>=0."),
        (["--tz", "Asia/Shangai"], "did you mean `Asia/Shanghai`?"),
        (["-o", "out.doc"], "the ending of out.doc names no format; known are .csv, .json, .jsonl,"),
        (["-o", "out"], "the ending of out names no format"),
        (["-o", "out.csv", "-f", "json"], "-f json contradicts the ending of out.csv, which means csv."),
        (["-o", "missing/out.csv"], "there is no folder missing."),
        (["-o", "."], ". is a folder."),
    ],
)
def test_a_mistake_in_the_options_is_a_usage_error(
    args: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*args)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split())
    assert list(tmp_path.iterdir()) == []


def test_help_names_the_formats_that_plugins_add() -> None:
    app = FakeApp(extra=(Writer("shout", (".loud",), lambda frame, out: None),))
    assert "xlsx|shout" in run("--help", app=app).output
    result = CliRunner().invoke(click.command()(table_output()(lambda: None)), ["--help"])
    assert "-f, --format FORMAT" in result.output


def test_a_plugins_writer_gets_the_table(tmp_path: Path) -> None:
    def shout(frame: pl.LazyFrame, out: Any) -> None:
        out.write("".join(frame.select("page").collect()["page"]).upper().encode())

    app = FakeApp(extra=(Writer("shout", (".loud",), shout),))
    assert run("-f", "shout", app=app).stdout == "/CART/购物车"
    assert run("-o", str(tmp_path / "out.loud"), app=app).exit_code == 0
    assert (tmp_path / "out.loud").read_text() == "/CART/购物车"


def test_a_command_can_ask_for_the_options() -> None:
    asked: list[Any] = []
    run("--tz", "Asia/Shanghai", "-n", "5", "-f", "md", seen=lambda: asked.append(current()))
    (output,) = asked
    assert (output.tz, output.limit, output.writer.name, output.unmask) == ("Asia/Shanghai", 5, "md", False)
    with pytest.raises(LookupError), click.Context(click.Command("x")):
        current()


def test_the_ending_picks_the_format_and_a_dash_is_stdout(tmp_path: Path) -> None:
    for name in FORMATS[1:]:
        assert run("-o", str(tmp_path / f"out.{name}")).exit_code == 0
    assert pl.read_parquet(tmp_path / "out.parquet")["ts"].dtype == pl.Datetime("us", "UTC")
    assert json.loads((tmp_path / "out.json").read_text())[1]["page"] == "/购物车"
    assert run("-o", str(tmp_path / "OUT.CSV")).exit_code == 0
    assert run("-o", str(tmp_path / "plain"), "-f", "csv", "--columns", "hits").exit_code == 0
    assert (tmp_path / "plain").read_text() == "hits\n7\n3\n"
    assert run("-o", "-", "-f", "csv", "--columns", "hits").stdout == "hits\n7\n3\n"


def test_a_file_has_the_mode_of_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        run("-o", str(tmp_path / "out.csv"))
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "out.csv").stat().st_mode) == 0o640


def test_a_file_stays_as_it_was_when_the_table_fails(tmp_path: Path) -> None:
    file = tmp_path / "out.csv"
    file.write_text("before")
    failing = FRAME.lazy().with_columns(pl.col("page").str.to_integer())
    result = run("-o", str(file), frame=failing)
    assert isinstance(result.exception, pl.exceptions.PolarsError)
    assert file.read_text() == "before"
    assert list(tmp_path.iterdir()) == [file]


def test_a_link_keeps_pointing_and_a_device_stays_a_device(tmp_path: Path) -> None:
    link = tmp_path / "link.csv"
    link.symlink_to(tmp_path / "real.csv")
    run("-o", str(link), "--columns", "hits")
    assert link.is_symlink()
    assert (tmp_path / "real.csv").read_text() == "hits\n7\n3\n"
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE, text=True) as reader:
        run("-o", str(pipe), "--columns", "hits")
        assert reader.communicate()[0] == "hits\n7\n3\n"
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_file_that_cannot_be_written_is_named() -> None:
    result = run("-o", "/dev/full", "-f", "csv")
    assert isinstance(result.exception, Unusable)
    assert str(result.exception) == "cannot write /dev/full: No space left on device"


PROGRAM = """
import sys
sys.path.insert(0, {folder!r})
from test_output import *
frame = pl.LazyFrame({{"n": range({rows})}}).with_columns(
    text=pl.lit("=\\x1b[2J\\u202e中文字符" * 20),
    login=pl.lit("wangxiaoming"),
    ts=pl.lit(datetime(2026, 3, 2, tzinfo=UTC)),
)
@click.command()
@table_output()
def show():
    return frame
try:
    with show.make_context("show", sys.argv[1:], obj=FakeApp()) as context:
        show.invoke(context)
except BrokenPipeError:
    sys.stderr.write("broken pipe")
    sys.stderr.flush()
    os._exit(141)
except click.UsageError as error:
    sys.stderr.write(error.message)
"""


def program(count: int) -> list[str]:
    return [sys.executable, "-c", dedent(PROGRAM.format(folder=str(Path(__file__).parent), rows=count))]


def on_terminal(*args: str, columns: int = 60) -> str:
    """What a terminal of this width is sent."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(columns)}
    with subprocess.Popen([*program(3), *args], stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        sent = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # the other side is closed
                break
            if not part:
                break
            sent += part
        process.wait()
    os.close(ours)
    return sent.decode().replace("\r\n", "\n")


def test_a_table_fits_the_terminal() -> None:
    from wcwidth import wcswidth

    lines = on_terminal().splitlines()
    assert len(lines) == 5
    assert all(wcswidth(line) <= 60 for line in lines)
    assert lines[2].split() == ["0", r"=\x1b[2J\u202e中文…", "w***", "2026-03-02T00:00:00+00:00"]
    narrow = on_terminal(columns=45).splitlines()
    assert narrow[2].split() == ["0", r"=\x1b[2…", "w***", "2026-03-02T00:00:00+00:00"]  # times stay whole


def test_a_table_that_cannot_fit_the_terminal_is_a_line_a_column() -> None:
    from wcwidth import wcswidth

    first, *_ = on_terminal(columns=36).split("\n\n")
    lines = first.splitlines()
    assert [line.split()[0] for line in lines] == ["n", "text", "login", "ts"]
    assert lines[2:] == ["login  w***", "ts     2026-03-02T00:00:00+00:00"]
    assert all(wcswidth(line) <= 36 for line in lines)
    assert lines[1].endswith("…")


@pytest.mark.parametrize("name", ["table", "csv", "tsv", "json", "ndjson", "md"])
def test_a_terminal_is_sent_no_control_characters(name: str) -> None:
    sent = on_terminal("-f", name)
    assert "中文" in sent
    assert not {*sent} & {"\x1b", "\u202e"}


@pytest.mark.parametrize("name", ["parquet", "xlsx"])
def test_a_terminal_is_sent_no_binary_format(name: str) -> None:
    assert on_terminal("-f", name) == f"{name} is no text for a terminal; write it to a file: -o FILE."


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_pipe_gets_the_whole_table(unbuffered: str) -> None:
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    lines = subprocess.check_output([*program(20_000), "-f", "table"], env=environment).decode().splitlines()
    assert len(lines) == 20_002
    assert "…" not in lines[-1]


@pytest.mark.parametrize("name", FORMATS)
def test_a_reader_that_has_gone_is_a_broken_pipe(name: str) -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run([*program(20), "-f", name], stdout=write, stderr=subprocess.PIPE, check=False)
    finally:
        os.close(write)
    assert (done.returncode, done.stderr) == (141, b"broken pipe")
