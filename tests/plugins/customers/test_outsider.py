"""Whoever has the role viewer sees no personal value whole, whichever way is tried.

The planted values stand in the workspace, and in a file that the viewer may read. All that the program says and writes
is searched for them. Every command that prints a table must be tried here, or it is told by the last test.
"""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import click
import polars as pl
import pytest

from crm.access import NEEDED
from crm.app import App
from plugins import DEFAULT_PLUGINS

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result

    from tests.plugins.conftest import Crm

HEAD = "id,name,phone,email,login,idnumber,birth,address,postcode,note,Mobile 2,city\n"
CUSTOMERS = f"""{HEAD}\
KUNDE-77,欧阳诸葛,13812345678,ouyang.zhuge@example.com,ouyang.login,11010519491231002X,1949-12-31,\
Planted Street 5,518000,a planted note,13787654321,深圳
KUNDE-78,欧阳诸葛,13812345678,ouyang.zhuge@example.com,other.login,,1949-12-31,Planted Street 5,518000,,,深圳
KUNDE-79,司马相如,13922223333,sima.xiangru@example.com,sima.login,,1980-01-02,Planted Road 9,518000,,,广州
"""
ORDERS = "order_id,customer,date,amount,category,Giver\n" + "".join(
    f"o{n},KUNDE-7{7 + n % 3},2026-0{1 + n % 6}-{1 + n:02d},{10 + n},tea,planted giver\n" for n in range(12)
)
SURVEYS = "customer,date,question,score,comment\nKUNDE-77,2026-03-01,nps,9,a planted comment\n"

PLANTED = (
    *("KUNDE-77", "KUNDE-78", "KUNDE-79", "欧阳诸葛", "司马相如", "诸葛", "13812345678", "13922223333", "13787654321"),
    *("138-1234-5678", "ouyang.zhuge", "sima.xiangru", "ouyang.login", "other.login", "sima.login", "1949-12-31"),
    *("11010519491231002", "1980-01-02", "Planted Street", "Planted Road", "518000", "planted note", "planted giver"),
    *("planted comment", "192.0.2.1", "198.51.100.77"),
)

IDS = ("KUNDE-77", "KUNDE-78", "KUNDE-79")
"""The records of a file, which the viewer can read, are called by its ids."""

FORMATS = ("table", "csv", "tsv", "json", "ndjson", "md", "parquet", "xlsx")


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


FILE = ("--input", "customers.csv", "--label", "city", "--features", "postcode,name,note")
CHINESE = ("--input", "会员.csv")

QUERIES = (
    "select * from customers",
    "select phone as x, email as y, name as z, birth as b, customer as c, idnumber as i from customers",
    "select phone || '!' as x, substr(email, 1, 12) as y, upper(login) as z, reverse(name) as r from customers",
    "select cast(birth as varchar) as x, cast(original as varchar) as y, concat(note, extras) as z from customers",
    "select x from (select phone as x from customers) as t",
    "with t as (select name as n, phone as p from customers) select n, p from t",
    "select phone, count(*) as n from customers group by phone",
    "select max(phone) as a, min(email) as b, first(name) as c, array_agg(login) as d from customers",
    "select a.name as x, b.amount from customers a join orders b on a.customer = b.customer",
    "select customers.* from customers",
    "select extras as e, original as o, customer as c from orders",
    "select comment as c, customer as w from surveys union select note, customer from customers",
    "select record as r, origins as o, merged as m from merges",
    "select other as o, customer as c from apart",
    "select * from identities",
    "select * from consents",
    "select who as w from segment_members",
    "select login as l, address as a from hits",
    "select customer as c from sessions",
    "select case when phone like '+86138%' then phone else email end as x from customers",
    "select split_part(email, '@', 1) as x, left(phone, 11) as y, right(phone, 6) as z from customers",
    "select cast(name as int) from customers",
    "select strptime(birth, '%Y') from customers",
    "select * from customers c, orders o where c.customer = o.customer",
    "select unnest(array[phone, email]) as x from customers",
    "select * from audit",
    "select * from imports",
    "show tables",
)
"""Each of these may fail; none may show anything."""

CALLS: tuple[tuple[str, ...], ...] = (
    *(("query", query) for query in QUERIES),
    *(("-v", "--log-json", "query", query) for query in QUERIES[-8:]),
    *(("customers", "export", "-f", name) for name in FORMATS),
    ("customers", "export", "--for-excel"),
    ("customers", "export", "--segment", "gold"),
    ("customers", "list"),
    ("customers", "list", "--columns", "customer,name,phone,email,birth,idnumber,original,note,Mobile 2"),
    ("customers", "list", "--segment", "none"),
    ("customers", "show", "+86 138 1234 5678"),
    ("-v", "customers", "show", "nobody"),
    ("customers", "show", "sima.LOGIN".lower(), "-f", "json"),
    ("customers", "merges", "--all"),
    ("customers", "consent", "11010519491231002x"),
    ("customers", "forgotten"),
    ("customers", "rfm"),
    ("customers", "rfm", "--input", "orders.csv"),
    ("customers", "clv"),
    ("customers", "clv", "--parameters"),
    ("customers", "dedupe"),
    ("customers", "dedupe", "--persons"),
    ("customers", "dedupe", "--parameters"),
    ("customers", "dedupe", "--input", "customers.csv"),
    ("customers", "dedupe", "--input", "customers.csv", "--persons"),
    ("customers", "cluster", "--features", "postcode"),
    ("customers", "cluster", "--input", "customers.csv", "--features", "postcode", "--clusters", "2"),
    ("customers", "cluster", *CHINESE, "--features", "级", "--clusters", "2"),
    ("customers", "cluster", *CHINESE, "--features", "姓名"),
    ("customers", "dedupe", *CHINESE),
    ("customers", "dedupe", *CHINESE, "--id", "登录名", "--persons"),
    ("customers", "classify", "evaluate", *CHINESE, "--label", "姓名", "--features", "级"),
    ("customers", "classify", "evaluate", *CHINESE, "--label", "级", "--features", "手机号"),
    ("customers", "churn", "evaluate", *CHINESE, "--label", "姓名"),
    ("customers", "loyalty", "nps", *CHINESE, "--score", "级", "--by", "姓名"),
    ("customers", "classify", "evaluate", *FILE),
    ("customers", "classify", "predict", "--input", "customers.csv", "--model", "none"),
    ("customers", "segments"),
    ("customers", "churn", "evaluate"),
    ("customers", "churn", "evaluate", *FILE[:2], "--label", "city"),
    ("customers", "churn", "predict", "--model", "none"),
    ("customers", "loyalty", "repurchase"),
    ("customers", "loyalty", "repurchase", "--cohorts"),
    ("customers", "loyalty", "tiers"),
    ("customers", "loyalty", "nps"),
    ("customers", "loyalty", "csat"),
    ("customers", "points", "earn", "--dry-run"),
    ("customers", "points", "expire", "--dry-run"),
    ("customers", "points", "show", "13812345678"),
    ("customers", "points", "balance"),
    ("orders", "list"),
    ("orders", "export", "-f", "json"),
    ("surveys", "list"),
    ("surveys", "export"),
    ("consents", "list"),
    ("consents", "export", "-f", "ndjson"),
    ("interest", "show", "KUNDE-77", "--explain"),
    ("interest", "export", "-f", "json"),
    ("recommend", "for", "--all"),
    *(("push", "candidates", *more) for more in ((), ("--misses",))),
    ("interest", "show", "ouyang.login"),
    ("push", "tiers", "--explain"),
    ("push", "outbox"),
    ("push", "effect"),
    ("logs", "parse", "shop.log"),
    ("logs", "parse", "shop.log", "--columns", "login,address", "-f", "ndjson"),
    ("logs", "sessions", "shop.log"),
    ("logs", "top", "login"),
    ("logs", "top", "address", "-f", "md"),
    *(("logs", word) for word in ("traffic", "status", "formats")),
    ("paths", "flows"),
    ("logs", "mine", "shop.log"),
    ("-v", "--log-json", "logs", "mine", "shop.log", "--json-summary", "-"),
    ("paths", "views"),
    ("paths", "clusters", "--of", "visitors"),
    *(("audit", word) for word in ("log", "verify")),
    ("interest", "summary", "--level", "3"),
    *(("tables",), ("tables", "customers")),
    *(("plugins", "list"), ("plugins", "check", "customers.csv")),
    ("workspace", "info"),
    ("config", "show"),
    ("backup", "verify", "customers.csv"),
)

CONDITIONS = (
    "phone like '+86138%'",
    "\"phone\" >= '+8613812345678'",
    "\"Mobile 2\" like '1378765%'",
    "\"MOBILE 2\" like '1378765%'",
    "`Mobile 2` > '13787654320'",
    "length(name) = 4 and name like '欧阳%'",
    "birth > '1949-12-30' and birth < '1950-01-01'",
    "original like '%Planted%' or note like '%planted%' or extras like '%1378765%'",
    "email = 'ouyang' || '.zhuge@example.com'",
    "customer in ('KUNDE' || '-77')",
    "cast(right(phone, 4) as int) = 5678",
    "idnumber is not null and substr(idnumber, 7, 8) = '19491231'",
    "concat(phone, email) like '%12345678%'",
)
"""Each would tell a whole value, letter by letter, if it saw one."""


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


REFUSED = (
    ("customers", "list", "--unmask"),
    ("customers", "export", "--unmask", "-o", "all.csv"),
    ("customers", "show", "KUNDE-77", "--unmask"),
    ("query", "select * from customers", "--unmask"),
    ("logs", "parse", "shop.log", "--unmask"),
    ("logs", "top", "login", "--unmask"),
    ("customers", "import", "customers.csv", "--rejects", "rejects.csv"),
    ("orders", "import", "orders.csv"),
    ("surveys", "import", "surveys.csv"),
    ("consents", "import", "surveys.csv"),
    ("customers", "dedupe", "--apply"),
    ("customers", "unmerge", "1"),
    ("customers", "forget", "KUNDE-77", "--yes"),
    ("customers", "forgotten", "--readmit", "KUNDE-77"),
    ("customers", "encrypt"),
    ("customers", "segment", "rules.yaml", "--dry-run"),
    ("customers", "segments", "--remove", "gold"),
    ("customers", "churn", "train", "--model", "churn.model"),
    ("customers", "classify", "train", "--label", "city", "--features", "orders", "--model", "class.model"),
    ("customers", "classify", "train", *FILE, "--model", "class.model"),
    ("customers", "points", "earn"),
    ("customers", "points", "redeem", "KUNDE-77", "5"),
    ("customers", "points", "adjust", "KUNDE-77", "5"),
    ("backup", "create", "backups"),
    ("backup", "restore", "customers.csv", "--to", "elsewhere"),
    ("customers", "consent", "KUNDE-77", "--withdraw"),
    ("catalog", "import", "customers.csv"),
    ("interest", "build"),
    *(("interest", word, "KUNDE-77", "tea") for word in ("want", "unwant", "forget-stance")),
    ("push", "candidates", "--queue"),
    ("push", "tiers", "--save"),
    ("push", "send"),
    ("push", "pull", "KUNDE-77"),
    ("push", "ack", "none"),
    ("push", "cancel", "none"),
    ("push", "feed", "KUNDE-77"),
    ("push", "feedback", "customers.csv"),
)


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


ELSEWHERE = {
    "paths pages": "sums",
    "paths transitions": "sums",
    "paths top": "paths of nobody",
    "paths funnel": "sums",
    "paths patterns": "sums",
    "paths itemsets": "sums",
    "paths rules": "sums",
    "paths next": "predictions",
    "paths evaluate": "measures",
    "paths times": "sums",
    "paths suggest-links": "sums",
    "catalog export": "items",
    "catalog list": "items",
    "catalog unmapped": "pages",
    "recommend evaluate": "measures",
    "recommend algorithms": "names",
    "push templates": "names",
}
"""Commands with tables about pages alone."""


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
