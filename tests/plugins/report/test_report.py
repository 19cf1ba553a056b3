"""`crm report`: what the page holds is what the commands print."""

import html
import json
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.report.charts.common import LABEL, shortened, values, with_tips
from plugins.report.charts.customers import effect
from plugins.report.page import in_script
from plugins.report.sections import SECTIONS

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm

ROOT = Path(__file__).parents[3]
HOSTILE = ("/<script>alert(1)</script>", "/\"quote'", "/</script><b>", "/中文页面", "/" + "x" * 8000, "/a\u2028b")


class Tables(HTMLParser):
    """The tables of a page by their sections, and the command of each."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self.calls: list[str] = []
        self.tags: list[str] = []
        self._at: list[list[str]] | None = None
        self._in = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._in = tag
        if tag == "table":
            self._at = self.tables.setdefault(str(dict(attrs)["data-table"]), [])
        elif tag == "tr" and self._at is not None:
            self._at.append([])
        elif tag in ("th", "td") and self._at is not None:
            self._at[-1].append("")
        elif tag == "code":
            self.calls.append("")

    def handle_endtag(self, tag: str) -> None:
        self._in = ""

    def handle_data(self, data: str) -> None:
        if self._in in ("th", "td") and self._at is not None:
            self._at[-1][-1] += data
        elif self._in == "code":
            self.calls[-1] += data


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, new_crm: Any) -> "Crm":
    """The sample shop with a funnel, and its report."""
    crm: Crm = new_crm(tmp_path_factory.mktemp("shop"))
    text = (ROOT / "configs" / "shop.yaml").read_text(encoding="utf-8")
    (crm.workspace / "crm.yaml").write_text(f"{text}\nreport: {{funnel: [/, /cart, /order/done]}}\n")
    crm("logs", "mine", ROOT / "sample_logs" / "shop.log")
    for kind in ("customers", "orders", "consents"):
        crm(kind, "import", ROOT / "sample_data" / f"{kind}.csv")
    crm("catalog", "import", ROOT / "sample_data" / "catalog.csv")
    crm("report", "-o", crm.folder / "report.html")
    return crm


def read(crm: "Crm") -> str:
    return (crm.folder / "report.html").read_text(encoding="utf-8")


def charts(text: str) -> dict[str, Any]:
    found = re.search(r'<script id="charts" type="application/json">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    specs: dict[str, Any] = json.loads(found[1])
    return specs


def test_every_table_is_what_its_command_prints(shop: "Crm") -> None:
    page = Tables(read(shop))
    assert len(page.tables) == len(page.calls) >= 12
    for (name, (head, *rows)), call in zip(page.tables.items(), page.calls, strict=True):
        program, *words = call.split()
        assert program == "crm"
        printed = shop.rows(*words)
        assert head == list(printed[0]), name
        assert len(rows) == len(printed), name
        for cells, row in zip(rows, printed, strict=True):
            for cell, value in zip(cells, row.values(), strict=True):
                assert same(cell, value), (name, cell, value)


def same(cell: str, value: object) -> bool:
    if value is None:
        return cell in ("", "inf", "NaN")  # which JSON does not know
    if isinstance(value, list):
        value = " > ".join(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return cell.lower() == str(value).lower() or (cell.endswith("…") and str(value).startswith(cell[:-1]))
    return float(cell) == pytest.approx(value, rel=1e-4)


def test_every_chart_is_one_that_vega_lite_compiles_and_has_the_numbers_of_its_table(shop: "Crm") -> None:
    import vl_convert

    text = read(shop)
    for name, spec in charts(text).items():
        assert vl_convert.vegalite_to_vega(spec, vl_version="6.4")["marks"], name
    pages, rows = charts(text)["pages"]["data"]["values"], shop.rows("paths", "pages", "-n", 25)
    assert [row["views"] for row in pages] == [row["views"] for row in rows]


def test_a_tooltip_has_the_cells_of_the_table(shop: "Crm") -> None:
    text = read(shop)
    head, *rows = Tables(text).tables["transitions"]
    shown = [layer for layer in charts(text)["transitions"]["layer"] if "tooltip" in layer["encoding"]]
    assert len(shown) == 2
    for layer in shown:
        assert layer["encoding"]["tooltip"] == {"value": {"expr": "datum.tip"}}
        for each in layer["data"]["values"]:
            assert [each["tip"].get(name, "") for name in head] in rows
    values = charts(text)["days"]["data"]["values"]
    assert {each["what"] for each in values} == {"hits", "views", "robots", "sessions"}
    assert all(str(each["number"]) == each["tip"][each["what"]] for each in values)


def test_what_a_command_notes_stands_below_its_chart(shop: "Crm") -> None:
    text = read(shop)
    noted = shop("paths", "rules", "-n", 25).stderr.splitlines()
    assert any("left out" in line for line in noted)
    for line in noted:
        assert html.escape(line.strip(), quote=False) in text, line


def test_a_section_that_cannot_be_limited_says_so(shop: "Crm") -> None:
    limits = ("--since", "2026-03-05", "--until", "2026-03-08")
    shop("report", "-o", shop.folder / "limited.html", *limits)
    parts = (shop.folder / "limited.html").read_text(encoding="utf-8").split("<section ")
    said = {part.split('"')[1]: "This section is" in part for part in parts[1:]}
    assert not said["days"]
    assert said["lines"]
    [rfm] = [part for part in parts if part.startswith('id="rfm"')]
    assert "<strong>This section is from the beginning on.</strong>" in rfm


def test_nothing_is_said_of_what_has_no_value(crm: "Crm") -> None:
    rows = with_tips(pl.DataFrame({"page": ["/", None], "p": [None, 0.04], "hits": [19_563_298.5, 0.0]}))
    assert [row["tip"] for row in values(rows)] == [{"page": "/", "hits": "19563298"}, {"p": "0.04", "hits": "0"}]
    assert [row["page"] for row in values(shortened(rows, "page"))] == ["/", "–"]


def test_a_section_without_a_number_to_see_is_left_out(crm: "Crm") -> None:
    crm("logs", "mine", crm.log("access.log", *crm.lines(12)))
    crm.configure("report: {funnel: [/nowhere, /never]}\n")
    crm("report", "-o", crm.folder / "report.html")
    assert "funnel" not in charts(read(crm))
    section = next(each for each in SECTIONS if each.id == "pareto")
    for causes, costs, seen in ((["wear", None], [0.0, 5.0], True), ([None, None], [1.0, 2.0], False),
                                (["wear"], [0.0], False), (["wear"], [None], False)):  # fmt: skip
        frame = pl.DataFrame({"fault_cause": causes, "loss": costs}, {"fault_cause": pl.String, "loss": pl.Float64})
        assert section.has(frame) is seen


def test_a_section_that_there_is_not_cannot_be_left_out(crm: "Crm") -> None:
    crm("logs", "mine", crm.log("access.log", *crm.lines(12)))
    crm.configure("report: {without: [clusters, transition]}\n")
    for words in (("report", "-o", crm.folder / "x.html"), ("config", "check")):
        assert (
            "report.without: there is no section `transition` (did you mean `transitions`?)"
            in crm(*words, code=4).stderr
        )


def test_it_needs_nothing_else(shop: "Crm") -> None:
    page = read(shop)
    before = page[: page.index("<script>")]
    assert "http" not in before.replace("http-equiv", "")
    assert not {"link", "img", "iframe", "object", "embed"} & set(Tables(page).tags)
    assert "default-src 'none'" in before
    assert len(page.encode()) < 3e6


def test_what_the_workspace_lacks_is_left_out(crm: "Crm") -> None:
    crm("logs", "mine", crm.log("access.log", *crm.lines(12)))
    crm("report", "-o", crm.folder / "report.html")
    assert {"days", "pages"} <= set(charts(read(crm)))
    assert not {"rfm", "segments", "interests", "effect", "funnel"} & set(charts(read(crm)))
    assert "Customers" not in re.findall(r"<h2>(.*?)</h2>", read(crm))


def test_what_is_damaged_is_no_part_that_is_left_out(crm: "Crm") -> None:
    crm("logs", "mine", crm.log("access.log", *crm.lines(12)))
    for file in (crm.workspace / "lake" / "sessions").rglob("*.parquet"):
        file.unlink()
    said = crm("report", "-o", crm.folder / "report.html", code=4).stderr
    assert "of the table sessions is missing" in said
    assert not (crm.folder / "report.html").exists()


def test_money_that_campaigns_have_brought_is_no_share() -> None:
    rows = pl.DataFrame(
        {
            "campaign": ["spring"] * 2,
            "what": ["ordered", "revenue"],
            "arm": ["treated"] * 2,
            "rate": [0.2, 300.0],
            "low": [0.1, None],
            "high": [0.3, None],
        }
    )
    assert [row["what"] for row in effect(rows)["data"]["values"]] == ["ordered"]


def test_tickets_have_a_part_of_their_own(crm: "Crm") -> None:
    records = crm.open().records
    dealers = [f"D{number % 20}" for number in range(400)] + ["D7"] * 60
    codes = [f"L{number % 7}" for number in range(400)] + ["L9"] * 60
    with records.begin() as connection:
        rows = (
            pl.DataFrame({"dealer": dealers, "labour_code": codes})
            .with_row_index("ticket")
            .with_columns(
                pl.format("T{}", "ticket").alias("ticket"),
                pl.lit("F1").alias("fault_code"),
                pl.lit(datetime(2026, 1, 10, tzinfo=UTC)).alias("opened"),
                pl.lit(10.0).alias("labour_cost"),
            )
        )
        records.append(connection, "tickets", rows)
        records.append(connection, "fault_codes", pl.DataFrame({"fault_code": ["F1"], "cause": ["wear"]}))
    crm("report", "-o", crm.folder / "report.html")
    page = Tables(read(crm))
    assert set(charts(read(crm))) == {"pareto", "warnings"}
    assert page.tables["pareto"][1][:3] == ["wear", "460", "4600"]
    assert page.tables["warnings"][1][1:3] == ["dealer and labour", "D7 / L9"]
    again = crm.rows("tickets", "warnings")
    assert all(row["new"] for row in again)  # a report is no run that has told of them


def test_sections_can_be_left_out(crm: "Crm") -> None:
    crm.configure("report: {without: [clusters, rules], title: 周报}\n")
    crm("logs", "mine", crm.log("access.log", *crm.lines(12)))
    crm("report", "-o", crm.folder / "report.html")
    assert not {"clusters", "rules"} & set(charts(read(crm)))
    assert "<h1>周报</h1>" in read(crm)


def test_since_reaches_the_commands_that_know_it(shop: "Crm") -> None:
    shop("report", "-o", shop.folder / "late.html", "--since", "2026-03-14", "--tz", "UTC")
    page = Tables((shop.folder / "late.html").read_text(encoding="utf-8"))
    assert [row[0][:10] for row in page.tables["days"][1:]] == ["2026-03-14", "2026-03-15"]
    assert f"crm -w {shop.workspace} logs traffic --by day --since 2026-03-14 --tz UTC" in page.calls


def test_what_the_page_is_about_is_said_as_it_was_given(shop: "Crm") -> None:
    shop("report", "-o", shop.folder / "zone.html", "--tz", "Asia/Shanghai", "--since", "2026-03-14")
    text = (shop.folder / "zone.html").read_text(encoding="utf-8")
    assert "<p>What the workspace has, since 2026-03-14, times in Asia/Shanghai</p>" in text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--since", "foo"), "--since"),
        (("--segment", "nosuch"), "no segment `nosuch`"),
        (("--tz", "Mars"), "--tz"),
    ],
    ids=["since", "segment", "tz"],
)
def test_a_mistake_is_told_and_no_page_is_written(shop: "Crm", words: tuple[str, str], said: str) -> None:
    told = shop("report", "-o", shop.folder / "x.html", *words, code=2).stderr
    assert told.startswith("crm: crm ")
    assert said in told
    assert not (shop.folder / "x.html").exists()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("r.pdf", "the report is HTML, and r.pdf does not end in .html or .htm."),
        ("no/r.html", "there is no folder no."),
    ],
)
def test_a_file_that_cannot_be_the_report_is_refused_at_once(crm: "Crm", name: str, said: str) -> None:
    assert said in crm("report", "-o", name, code=2).stderr


def test_a_funnel_that_is_none_is_told(crm: "Crm") -> None:
    crm("logs", "mine", crm.log("access.log", *crm.lines(12)))
    crm.configure("report: {funnel: [/, --nosuch]}\n")
    assert " paths funnel / --nosuch: No such option" in crm("report", "-o", crm.folder / "x.html", code=2).stderr


def test_hostile_names_stay_texts(crm: "Crm") -> None:
    lines = [crm.line(10 * at, page.replace('"', "%22").replace(" ", "%20")) for at, page in enumerate(HOSTILE * 3)]
    crm("logs", "mine", crm.log("access.log", *lines))
    crm("report", "-o", crm.folder / "report.html", "--title", "<b>&")
    text = read(crm)
    page = Tables(text)
    assert "<h1>&lt;b&gt;&amp;</h1>" in text
    assert page.tags.count("script") == 3
    assert page.tags.count("b") == 2  # the headings of the list of contents
    named = {row[0] for row in page.tables["pages"][1:]}
    assert "/<script>alert(1)</script>" in named
    assert any(name.startswith("/xxx") and len(name) == 301 for name in named)


@given(st.text())
def test_no_text_ends_a_script(text: str) -> None:
    made = in_script({"page": text.encode("utf-8", "replace").decode()})
    assert "<" not in made
    assert json.loads(made)["page"] == text.encode("utf-8", "replace").decode()


@given(st.lists(st.text(st.sampled_from("ab"), max_size=LABEL + 3), max_size=8))
def test_short_names_differ_where_long_ones_do(names: list[str]) -> None:
    short = shortened(pl.DataFrame({"page": pl.Series(names, dtype=pl.String)}), "page")["page"].to_list()
    assert all(len(name) <= LABEL + 8 for name in short)
    assert all((one == other) == (a == b) for one, a in zip(short, names, strict=True)
               for other, b in zip(short, names, strict=True))  # fmt: skip


def test_an_empty_workspace_has_nothing_to_report(crm: "Crm") -> None:
    crm("logs", "mine", crm.log("empty.log", ""))
    assert "nothing to report" in crm("report", "-o", crm.folder / "x.html", code=6).stderr
    assert not (crm.folder / "x.html").exists()


def test_sections_have_ids_of_their_own() -> None:
    assert len({each.id for each in SECTIONS}) == len(SECTIONS)
