"""Interests through the program: made of visits, orders and feedback, joined, explained, said and forgotten."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from crm.app import App
from crm.interest import building
from crm.interest.events import interactions
from plugins import DEFAULT_PLUGINS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.plugins.conftest import Crm

ROOT = Path(__file__).parents[3]
YAML = """\
site:
  items: [{page: /item/*, item: $1}]
  categories: [{page: /c/*, category: $1}]
  searches: [{page: /search, parameter: q}]
  carts: [{path: /api/cart, method: POST}]
logs: {pages: {other_paths: [/api/*]}}
"""
CATALOG = {
    "item": ["1", "2", "3", "4"],
    "title": ["东北大米", "花生油", "炒锅", "礼盒"],
    "level1": ["food", "food", "home", None],
    "level2": ["grain", "oil", "kitchen", None],
    "level3": ["rice", "peanut", "wok", None],
    "tags": ["new|cheap", "new", None, "gift"],
}
CUSTOMERS = "id,name,login\nK1,张三,zhang.san\nK2,李四,li.si\n"
ORDERS = """\
order_id,customer,date,item,category,amount
o1,K1,2026-03-01,1,,10
o2,K1,2026-03-01,  花生油 ,,20
o3,K1,2026-03-02,锅,home/kitchen/wok,20
o4,K1,2026-03-02,3,,20
o5,K1,2026-03-03,3,,-20
o6,K2,2026-03-02,something,else,5
"""


def app(crm: "Crm") -> App:
    return App(DEFAULT_PLUGINS, crm.workspace)


def append(crm: "Crm", table: str, rows: dict[str, Any]) -> None:
    records = crm.open().records
    with records.begin() as connection:
        records.append(connection, table, pl.DataFrame(rows))


def prepare(crm: "Crm") -> None:
    crm.configure(YAML)
    for name, text in (("customers", CUSTOMERS), ("orders", ORDERS)):
        file = crm.folder / f"{name}.csv"
        file.write_text(text, encoding="utf-8")
        crm(name, "import", file)
    append(crm, "catalog", CATALOG)


def weights(crm: "Crm", who: str, *options: object) -> dict[tuple[str, str], float]:
    return {(row["level"], row["key"]): row["weight"] for row in crm.rows("interest", "show", who, *options)}


def test_orders_are_of_items_by_id_or_title_or_of_a_category_and_returns_take_away(crm_on: "Crm") -> None:
    crm = crm_on
    prepare(crm)
    rows = crm.rows("interest", "show", "K1", "--explain")
    assert {(row["level"], row["key"], row["what"]) for row in rows if row["level"] in ("item", "3")} == {
        ("item", "1", "o1"),
        ("3", "food/grain/rice", "o1"),
        ("item", "2", "o2"),
        ("3", "food/oil/peanut", "o2"),
        ("item", "锅", "o3"),
        ("3", "home/kitchen/wok", "o3"),
    }
    before = crm.rows("interest", "show", "K1", "--explain", "--as-of", "2026-03-02")
    assert ("item", "3", "o4") in {(row["level"], row["key"], row["what"]) for row in before}
    assert weights(crm, "K2") == {("item", "something"): pytest.approx(6 * 2 ** (-1 / 30) / (6 * 2 ** (-1 / 30) + 5))}


def test_what_was_done_before_the_login_joins_the_customer(crm: "Crm") -> None:
    prepare(crm)
    line = crm.line
    anonymous = [line(0, "/item/3"), line(60, "/item/3"), line(120, "/c/food/oil")]
    crm("logs", "mine", crm.log("a.log", *anonymous))
    visitor = crm.table("behaviour")["visitor"][0]
    assert set(weights(crm, f"visitor:{visitor}")) >= {("3", "home/kitchen/wok"), ("2", "food/oil")}
    assert ("item", "3") not in weights(crm, "K1")
    crm("logs", "mine", crm.log("b.log", line(90_000, "/", login="zhang.san"), line(90_060, "/item/1")))
    assert ("item", "3") in weights(crm, "zhang.san")
    assert weights(crm, f"visitor:{visitor}") == weights(crm, "K1")
    crm("interest", "show", "visitor:77", code=6)
    crm("interest", "show", "nobody", code=6)


def visits(crm: "Crm") -> list[str]:
    line, lines = crm.line, []
    for n in range(60):
        at, who = 3000 * n, 1 + n % 3
        login = "zhang.san" if who == 1 and n > 30 else "-"
        lines += [line(at, f"/item/{1 + n % 5}", who, login=login), line(at + 40, f"/c/food/{n % 2}", who, login=login)]
        lines += [line(at + 90, "/search?q=%E7%B1%B3", who), line(at + 95, "/api/cart", who, method="POST")]
    return lines


def test_pieces_one_after_the_other_are_as_one_and_as_a_rebuild(new_crm: "Callable[..., Crm]", tmp_path: Path) -> None:
    once, often = new_crm(tmp_path / "once"), new_crm(tmp_path / "often")
    said = visits(once)
    for crm in (once, often):
        prepare(crm)
    once("logs", "mine", once.log("whole.log", *said))
    for at in (2, 0, 1):
        often("logs", "mine", often.log(f"{at}.log", *said[at * 80 : at * 80 + 80]))
        often("interest", "build")
    once("interest", "build")
    wanted = once.open().scan("interests").collect
    assert_frame_equal(often.open().scan("interests").collect(), wanted(), abs_tol=1e-9)
    assert wanted()["level"].n_unique() == 5
    often("logs", "rebuild")
    often("interest", "build")
    assert_frame_equal(often.open().scan("interests").collect(), wanted(), abs_tol=1e-9)
    assert_frame_equal(building.current(app(often)), wanted(), abs_tol=1e-9)


def test_contributions_explain_the_weight(crm: "Crm") -> None:
    prepare(crm)
    crm("logs", "mine", crm.log("a.log", *visits(crm)))
    shown = crm.rows("interest", "show", "zhang.san")
    made = pl.DataFrame(crm.rows("interest", "show", "zhang.san", "--explain"))
    sums = {
        (level, key): sum_
        for level, key, sum_ in made.group_by("level", "key").agg(pl.col("contribution").sum()).rows()
    }
    assert {(row["level"], row["key"]): pytest.approx(row["weight"], abs=1e-9) for row in shown} == sums
    kinds = made.filter(level="3", key="food/grain/rice").group_by("kind").agg(pl.col("count").sum())
    counts = dict(kinds.rows())
    (why,) = (row["why"] for row in shown if row["key"] == "food/grain/rice")
    assert counts["search"] > 1
    assert f"{counts['search']:.0f} searches, " in why
    assert f"{counts['view']:.0f} views, " in why
    assert f"{counts['order']:.0f} order; newest " in why
    assert [row["title"] for row in shown if row["key"] == "1"] == ["东北大米"]
    assert crm.rows("interest", "show", "K1", "--level", "3") == [row for row in shown if row["level"] == "3"]


def test_feedback_counts_for_the_item_or_for_all_of_the_message(crm_on: "Crm") -> None:
    crm = crm_on
    prepare(crm)
    now = datetime(2026, 3, 3, 12, tzinfo=UTC)
    append(crm, "outbox", {"message": ["m1"], "customer": ["K2"], "items": ['["1", "3"]'], "queued": [now]})
    feedback = {
        "message": ["m1", "m1", "m1", "gone"],
        "event": ["opened", "clicked", "dismissed", "opened"],
        "ts": [now] * 4,
        "item": ["", "1", "3", ""],
        "customer": ["K2"] * 4,
    }
    append(crm, "feedback", feedback)
    found = weights(crm, "K2")
    other = 6 * 2 ** (-1 / 30)
    assert found["item", "1"] == pytest.approx(2.25 / (2.25 + other + 5))
    assert found["item", "3"] == pytest.approx((0.25 - 4) / (2.25 + other + 5))
    assert found["3", "home/kitchen/wok"] < 0 < found["3", "food/grain/rice"]
    kinds = interactions(app(crm)).filter(who="K2").select("item", "kind", "weight").rows()
    assert ("3", "dismissed", -4.0) in kinds
    assert ("1", "opened", 0.25) in kinds
    portrait = {row["what"]: row["value"] for row in crm.rows("customers", "show", "K2") if row["about"] == "contacts"}
    assert portrait["message"].endswith("on 2026-03-03")
    assert "on 2026-03-03" in portrait["answer"]


def test_interactions_have_the_times_of_views(crm: "Crm") -> None:
    prepare(crm)
    log = [
        crm.line(0, "/item/1"),
        crm.line(60, "/item/2"),
        crm.line(61, "/api/cart", method="POST"),
        crm.line(90, "/x"),
    ]
    crm("logs", "mine", crm.log("a.log", *log))
    rows = interactions(app(crm)).filter(pl.col("who").str.starts_with("visitor:"))
    start = crm.START
    assert [(row["item"], row["kind"], (row["ts"] - start).seconds, row["weight"]) for row in rows.to_dicts()] == [
        ("1", "view", 0, 1.0),
        ("2", "view", 60, 1.0),
        ("2", "cart", 60, 4.0),
    ]
    assert interactions(app(crm), datetime(2026, 3, 1, tzinfo=UTC).date())["kind"].unique().to_list() == ["order"]


def test_what_a_customer_says_stands_beside_what_is_inferred(crm_on: "Crm") -> None:
    crm = crm_on
    prepare(crm)
    crm("interest", "want", "zhang.san", "food/oil/peanut", "3", "gift", "--source", "form", "--at", "2026-03-02")
    rows = crm.rows("interest", "unwant", "K1", "food/oil/peanut", "--at", "2026-03-03")
    assert [(row["level"], row["key"], row["stance"], row["source"]) for row in rows] == [
        ("3", "food/oil/peanut", "unwanted", "command line"),
        ("item", "3", "wanted", "form"),
        ("tag", "gift", "wanted", "form"),
    ]
    earlier = crm("interest", "want", "K1", "food/oil/peanut", "--at", "2026-03-01")
    assert "later about 1 key stays" in earlier.stderr
    found = {row["key"]: row for row in building.current(app(crm), who="K1").to_dicts()}
    assert found["food/oil/peanut"]["stance"] == "unwanted"
    assert found["food/oil/peanut"]["weight"] > 0
    assert (found["gift"]["stance"], found["gift"]["weight"], found["gift"]["events"]) == ("wanted", 0.0, 0)
    lines = {row["what"]: row["value"] for row in crm.rows("customers", "show", "K1") if row["about"] == "interests"}
    assert "food/oil/peanut (0.26, unwanted)" in lines["interest in categories"]
    assert (lines["wanted"], lines["unwanted"]) == ("3, gift", "food/oil/peanut")
    left = crm.rows("interest", "forget-stance", "K1", "food/oil/peanut", "gift")
    assert [row["key"] for row in left] == ["3"]
    crm("interest", "forget-stance", "K1", "gift", code=2)
    crm("interest", "forget-stance", "K2", "gift", code=6)
    assert [row["rows"] for row in crm.rows("audit", "log") if row["action"] == "interest"] == [3, 1, 2]


def test_keys_are_known_or_told_apart(crm: "Crm") -> None:
    prepare(crm)
    append(crm, "catalog", {"item": ["food"], "title": ["food"], "tags": ["food"]})
    wrong = crm("interest", "want", "K1", "food/grain/rise", code=2)
    assert "did you mean `food/grain/rice`?" in wrong.stderr
    several = crm("interest", "want", "K1", "food", code=2)
    assert "a category of level 1 and an item and a tag; say which with --level" in several.stderr
    (row,) = crm.rows("interest", "want", "K1", "food", "--level", "tag")
    assert (row["level"], row["key"]) == ("tag", "food")
    crm("interest", "want", "K1", "food", "--level", "3", code=2)
    crm("interest", "want", "K1", "gift", "--at", "2100-01-01", code=2)
    crm("interest", "want", "nobody", "gift", code=6)
    crm("logs", "mine", crm.log("a.log", crm.line(0, "/c/pets/cats")))
    assert [row["key"] for row in crm.rows("interest", "want", "K1", "pets/cats")] == ["pets/cats", "food"]


def test_times_of_words_are_whole_seconds_and_nothing_is_nothing_found(crm: "Crm") -> None:
    prepare(crm)
    assert all("." not in row["ts"] for row in crm.rows("interest", "want", "K1", "gift"))
    for options in ((), ("--explain",)):
        crm("interest", "show", "K2", "--as-of", "2020-01-01", *options, code=6)


def test_interests_of_merged_customers_are_one(crm: "Crm") -> None:
    prepare(crm)
    crm("interest", "want", "K2", "gift")
    file = crm.folder / "same.csv"
    text = "id,name,phone,email,birth\n" + "".join(f"K{n},张三,13800138000,a@example.com,1990-01-02\n" for n in (1, 2))
    file.write_text(text, encoding="utf-8")
    crm("customers", "import", file)
    crm("customers", "dedupe", "--apply")
    who = set(building.current(app(crm))["who"])
    assert len(who) == 1
    found = weights(crm, "K2")
    assert found == weights(crm, "K1")
    assert {("item", "something"), ("item", "1"), ("tag", "gift")} <= set(found)


def test_whoever_is_forgotten_is_gone_from_all_of_it(crm: "Crm") -> None:
    prepare(crm)
    log = [crm.line(60 * n, f"/item/{n % 4}", 1 + n % 2, login="zhang.san" if n % 2 else "li.si") for n in range(10)]
    crm("logs", "mine", crm.log("a.log", *log))
    for who in ("K1", "K2"):
        crm("interest", "want", who, "gift")
    crm("interest", "build")
    crm("customers", "forget", "K1", "--yes")
    workspace = crm.open()
    assert set(workspace.scan("behaviour").collect()["customer"]) == {"li.si"}
    assert set(workspace.scan("interests").collect()["who"]) == {"K2"}
    assert workspace.records.frame("subscriptions")["customer"].to_list() == ["K2"]
    crm("interest", "build")
    assert set(crm.open().scan("interests").collect()["who"]) == {"K2"}


def test_build_tells_what_counts_nowhere_and_replaces_the_table(crm: "Crm") -> None:
    prepare(crm)
    log = [crm.line(0, "/"), crm.line(9, "/item/1"), crm.line(10, "/search?q=zzz"), crm.line(20, "/search?q=%E7%B1%B3")]
    crm("logs", "mine", crm.log("a.log", *log))
    built = crm("interest", "build", "-f", "json")
    rows = {row["level"]: row for row in json.loads(built.stdout)}
    assert rows["3"] == {"level": "3", "keys": 3, "people": 2, "events": 5}
    assert "on pages without item or category (site.items, site.categories): 3 of 4 views (75%)" in built.stderr
    assert "nothing in the catalogue fits 1 term: searched for 1 of 2 times" in built.stderr
    assert "the catalogue does not know 2 items, of 2 events" in built.stderr
    first = crm.open().scan("interests").collect()
    crm("interest", "build", "--as-of", "2026-03-01")
    second = crm.open().scan("interests").collect()
    assert {str(day) for day in first["as_of"]} | {"2026-03-01"} == {"2026-03-03", "2026-03-01"}
    assert {str(day) for day in second["as_of"]} == {"2026-03-01"}
    assert len(list((crm.workspace / "lake" / "interests").glob("*.parquet"))) == 2
    assert "behind" not in crm("query", "select count(*) as n from interests").stderr
    crm("interest", "build", "--as-of", "yesterday", code=2)


def test_export_gives_what_is_asked_for(crm: "Crm") -> None:
    prepare(crm)
    crm("customers", "segment", write(crm, "rules.yaml", "segments: {some: \"login = 'li.si'\"}"), "--unmask")
    every = crm.rows("interest", "export", "--unmask")
    assert {row["who"] for row in every} == {"K1", "K2"}
    assert [row["who"] for row in crm.rows("interest", "export", "--segment", "some", "--unmask")] == ["K2"]
    assert {row["who"] for row in crm.rows("interest", "export")} == {"K***"}
    few = crm.rows("interest", "export", "--level", "3", "--where", "key like 'food/%'", "--since", "2026-03-01")
    assert [row["key"] for row in few] == ["food/grain/rice", "food/oil/peanut"]
    crm("interest", "export", "-o", crm.folder / "all.xlsx", "--for-excel")
    assert pl.read_excel(crm.folder / "all.xlsx").height == len(every)


def write(crm: "Crm", name: str, text: str) -> Path:
    file = crm.folder / name
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize("blocked", ["customers", "push", "catalog", "interest"])
def test_without_another_plugin_the_rest_goes_on(crm: "Crm", blocked: str) -> None:
    prepare(crm)
    crm("logs", "mine", crm.log("a.log", crm.line(0, "/item/1", login="zhang.san"), crm.line(60, "/item/2")))
    crm.configure(f"{YAML}plugins: {{block: [{blocked}]}}\n")
    if blocked == "interest":
        assert "interest in items" not in {row["what"] for row in crm.rows("customers", "show", "K1")}
        return
    crm("interest", "build")
    assert ("item", "2") in weights(crm, "zhang.san")


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ("weights: {serch: 1}", "unknown key `serch` (did you mean `search`?)"),
        ("half_life: 0s", "`interest.half_life`: expected more than no time"),
        ("shrink: 0", "interest.shrink"),
        ("weights: {view: .inf}", "interest.weights.view"),
        ("weights: {view: .nan}", "interest.weights.view"),
    ],
)
def test_mistakes_in_the_configuration(crm: "Crm", section: str, said: str) -> None:
    crm.configure(f"interest: {{{section}}}\n")
    assert said in crm("interest", "build", code=4).stderr


def test_weights_of_the_configuration_count(crm: "Crm") -> None:
    prepare(crm)
    crm.configure(YAML + "interest: {half_life: 1d, shrink: 1, weights: {order: 3}}\n")
    assert weights(crm, "K2") == {("item", "something"): pytest.approx(1.5 / 2.5)}


def test_the_top_category_is_the_planted_taste(crm: "Crm") -> None:
    """Of the visits alone, and with orders beside them."""
    crm("-c", ROOT / "configs" / "shop.yaml", "logs", "mine", ROOT / "sample_logs" / "shop.log")
    shares = []
    for folder in ("catalog", "customers", "orders"):
        crm(folder, "import", ROOT / "sample_data" / f"{folder}.csv")
        shares.append(_planted(crm))
    assert min(shares) >= 0.9
    assert shares[-1] == 1.0


def _planted(crm: "Crm") -> float:
    """The share of customers with at least five visits whose top category is their taste."""
    from crm.people import owners

    tastes = json.loads((ROOT / "sample_logs" / "shop.truth.json").read_text(encoding="utf-8"))["tastes"]
    program = App(DEFAULT_PLUGINS, crm.workspace, ROOT / "configs" / "shop.yaml")
    top = building.current(program).filter(level="3").unique("who", keep="first", maintain_order=True)
    workspace = program.workspace()
    visits = workspace.scan("sessions").drop_nulls("customer").group_by("customer").len().collect()
    named = visits.filter(pl.col("len") >= 5).join(owners(workspace, visits["customer"]), on="customer", how="left")
    found = named.with_columns(pl.coalesce("who", "customer")).join(top, on="who", how="left")
    assert found.height > 20
    return float((found["key"] == found["customer"].replace_strict(tastes)).mean() or 0)
