"""Whoever has the role viewer sees no personal value whole, whichever way is tried.

The planted values stand in the workspace, and in a file that the viewer may read. All that the program says and writes
is searched for them. Every command that prints a table must be tried here, or it is told by the last test.
"""

import runpy
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import click
import polars as pl
import pytest

from crm.access import NEEDED
from crm.app import App
from crm.schema import polars_schema
from plugins import DEFAULT_PLUGINS

CASES = runpy.run_path(str(Path(__file__).with_name("outsider_cases.py")))
CUSTOMERS, ORDERS, SURVEYS = CASES["CUSTOMERS"], CASES["ORDERS"], CASES["SURVEYS"]
PLANTED, IDS, QUERIES, CALLS = CASES["PLANTED"], CASES["IDS"], CASES["QUERIES"], CASES["CALLS"]
CONDITIONS, REFUSED, ELSEWHERE = CASES["CONDITIONS"], CASES["REFUSED"], CASES["ELSEWHERE"]

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result

    from tests.plugins.conftest import Crm


def log(crm: "Crm") -> Path:
    lines = [crm.line(100 + 60 * n, f"/{n}", 1, login="ouyang.login") for n in range(6)]
    lines += [crm.line(900 + 60 * n, f"/{n}", 2, login="sima.login") for n in range(6)]
    lines += [line.replace("192.0.2.2", "198.51.100.77") for line in lines[6:]]
    return crm.log("shop.log", *lines, "192.0.2.1 - ouyang.login [broken")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, new_crm: "Callable[..., Crm]") -> Path:
    """A workspace with the planted values, and files of them; the role of everybody is viewer."""
    crm = new_crm(tmp_path_factory.mktemp("outsider"))
    for table, text in (("customers", CUSTOMERS), ("orders", ORDERS), ("surveys", SURVEYS)):
        file = crm.folder / f"{table}.csv"
        file.write_text(text, encoding="utf-8")
        crm(table, "import", file)
    heads = "编号,姓名,手机号,电子邮箱,登录名,身份证号,生日,详细地址,邮政编码,备注,手机2,城市,级\n"
    rows = [f"{line},{1 + at}" for at, line in enumerate(CUSTOMERS.splitlines()[1:])]
    (crm.folder / "会员.csv").write_text("\n".join([heads.strip(), *rows]) + "\n", encoding="utf-8")
    crm("customers", "consent", "KUNDE-77", "--channel", "email", "--grant", "--source", "form")
    crm("logs", "mine", log(crm))
    workspace = crm.open()
    with workspace.records.begin() as connection:
        members = pl.DataFrame({"segment": ["gold", "gold"], "who": ["KUNDE-77", "sima.login"]})
        workspace.records.append(connection, "segment_members", members)
        apart = pl.DataFrame({"customer": ["KUNDE-77"], "other": ["KUNDE-78"]})
        workspace.records.append(connection, "apart", apart)
        for name, rows in CASES["TICKETS"].items():
            schema = polars_schema(workspace.records.contracts[name])
            workspace.records.append(connection, name, pl.DataFrame(rows, schema=schema))
    crm("customers", "dedupe", "--apply")
    (crm.folder / "rules.yaml").write_text("segments: {found: \"name like '欧阳%'\"}\n", encoding="utf-8")
    crm.configure("access: {role: viewer}\nplugins: {folder: null}\n")
    return crm.folder


@pytest.fixture
def outsider(crm: "Crm", template: Path) -> "Crm":
    shutil.copytree(template, crm.folder, dirs_exist_ok=True)
    return crm


def said(result: "Result", folder: Path | None = None) -> str:
    """All that a call has said, and what it has written to a folder."""
    files = [_text(file) for file in sorted(folder.iterdir())] if folder else []
    return "\n".join([result.stdout_bytes.decode("utf-8", "replace"), result.stderr, str(result.exception), *files])


def _text(file: Path) -> str:
    """The cells of a file."""
    if file.suffix == ".parquet":
        return str(pl.read_parquet(file).rows())
    if file.suffix == ".xlsx":
        return str(pl.read_excel(file, infer_schema_length=0).rows())
    return file.read_text("utf-8")


def shown(text: str) -> list[str]:
    return [value for value in PLANTED if value in text]


@pytest.mark.parametrize("words", CALLS, ids=" ".join)
def test_nothing_is_shown_whole(outsider: "Crm", words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(outsider.folder)
    result = run(outsider, *words)
    names = IDS if "会员.csv" in words or words[1:3] == ("dedupe", "--input") else ()
    assert not [value for value in shown(said(result)) if value not in names]
    assert not result.stderr.startswith("Usage:"), result.stderr


def run(crm: "Crm", *words: str) -> "Result":
    """Call it, whatever its exit code."""
    from click.testing import CliRunner

    from cli.main import main

    return CliRunner().invoke(main, ["-w", str(crm.workspace), *words])


def test_the_values_are_there_for_who_may_see_them(outsider: "Crm", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(outsider.folder)
    outsider.configure("access: {role: operator}\n")
    found = "".join(
        said(run(outsider, *words, "--unmask"))
        for words in (
            *(("query", query) for query in QUERIES[:20]),
            ("customers", "export"),
            ("surveys", "export"),
            ("orders", "export"),
            ("tickets", "export"),
            ("tickets", "events", "export"),
            *(("centre", table, "export") for table in ("seats", "ratings")),
        )
    )
    missing = set(PLANTED) - set(shown(found))
    assert missing == {"138-1234-5678", "192.0.2.1", "198.51.100.77"}  # no column holds these whole


@pytest.mark.parametrize("ending", ["csv", "tsv", "json", "ndjson", "md", "parquet", "xlsx"])
def test_nothing_is_written_whole(outsider: "Crm", ending: str) -> None:
    out = outsider.folder / "out"
    out.mkdir()
    result = outsider("customers", "export", "-o", out / f"customers.{ending}")
    assert "***" in said(result, out)
    assert not shown(said(result, out))


@pytest.mark.parametrize("condition", CONDITIONS)
@pytest.mark.parametrize("command", [("customers", "list"), ("customers", "export", "-f", "csv")], ids=" ".join)
def test_a_condition_tells_nothing(outsider: "Crm", command: tuple[str, ...], condition: str) -> None:
    result = run(outsider, *command, "--where", condition, "--columns", "city")
    assert "深圳" not in result.stdout
    assert not shown(said(result))


@pytest.mark.parametrize("condition", ["login = 'ouyang' || '.login'", "address like '192.0.2.%'"])
def test_nor_on_the_hits_of_a_log(outsider: "Crm", condition: str) -> None:
    parsed = run(outsider, "logs", "parse", str(outsider.folder / "shop.log"), "--where", condition, "-f", "csv")
    assert len(parsed.stdout.splitlines()) <= 1
    assert outsider.rows("logs", "top", "status", "--where", condition) == []


@pytest.mark.parametrize("words", REFUSED, ids=" ".join)
def test_what_a_viewer_may_not_do_is_refused_and_recorded(
    outsider: "Crm", words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(outsider.folder)
    files = sorted(file.name for file in outsider.folder.iterdir())
    result = outsider(*words, code=7)
    assert "the role viewer may not" in result.stderr
    assert not result.stdout
    assert sorted(file.name for file in outsider.folder.iterdir()) == files
    last = outsider.rows("audit", "log", "--last", 1)[0]
    assert last["action"] == "refused"
    assert last["what"].split(": ")[-1] in NEEDED


def test_the_environment_makes_nobody_an_operator(outsider: "Crm", monkeypatch: pytest.MonkeyPatch) -> None:
    outsider.configure("access: {role: viewer, users: {boss: admin}}\n")
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "boss")
    outsider("customers", "list", "--unmask", code=7)


def test_every_command_that_prints_a_table_is_tried() -> None:
    """A new command belongs into `CALLS`, or `REFUSED`, with whatever it might show."""
    host = App(DEFAULT_PLUGINS, Path("none")).host
    tried = {" ".join(words) for words in (*CALLS, *REFUSED)}
    untried = []
    for path, command in host.commands().items():
        if command.ref.target is None or path in ELSEWHERE:
            continue
        options = {param.name for param in host.load_command(command).params if isinstance(param, click.Option)}
        if "output_unmask" in options and not any(f" {path} " in f" {words} " for words in tried):
            untried.append(path)
    assert untried == []
