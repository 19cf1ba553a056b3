"""`crm recommend` as users call it."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crm import segments

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm

CATALOGUE = """item,title,level1,level2,level3,tags,price,stock,since,until
1,东北大米,food,grain,rice,,10,5,,
2,泰国大米,food,grain,rice,,10,5,,
3,花生油,food,oil,peanut,,10,,,
4,old rice,food,grain,rice,,10,5,,2026-01-01
5,no rice,food,grain,rice,,10,0,,
6,跑鞋,sport,shoes,running,,10,5,,
"""
SITE = "site: {items: [{page: /item/*, item: $1}]}\n"
EVENTS = "user,item,ts,weight\n" + "".join(
    f"u{user},{item},2026-03-0{1 + at} 10:00:00,1\n"
    for user in range(6)
    for at, item in enumerate("abc"[: 2 + user % 2])
)


@pytest.fixture
def shop(crm_on: "Crm") -> "Crm":
    """A workspace with a catalogue, a log and orders."""
    crm_on.configure(SITE)
    file = crm_on.folder / "catalog.csv"
    file.write_text(CATALOGUE, encoding="utf-8")
    crm_on("catalog", "import", file)
    views = [(1, "ann", "1"), (1, "ann", "2"), (2, "bob", "1"), (2, "bob", "2"), (3, "cas", "1"), (4, "-", "6")]
    lines = [crm_on.line(60 * at, f"/item/{item}", who, login=login) for at, (who, login, item) in enumerate(views)]
    crm_on("logs", "mine", crm_on.log("a.log", *lines))
    people = crm_on.folder / "customers.csv"
    people.write_text("customer,name,login\nK1,Ann Lee,ann\nK2,Bob Ray,bob\nK9,Zoe Fox,zoe\n", encoding="utf-8")
    crm_on("customers", "import", people)
    orders = crm_on.folder / "orders.csv"
    orders.write_text("order_id,customer,ts,item,amount\n1,K1,2026-03-02 10:00:00,3,5\n", encoding="utf-8")
    crm_on("orders", "import", orders)
    return crm_on


def file_of(crm: "Crm", text: str = EVENTS, name: str = "events.csv") -> Path:
    file = crm.folder / name
    file.write_text(text, encoding="utf-8")
    return file


def test_people_get_what_they_have_not_seen_and_is_offered(shop: "Crm") -> None:
    rows = shop.rows("recommend", "for", "cas", "--at", "2026-03-04", "--unmask", "--algorithm", "item-cosine")
    assert [row["item"] for row in rows] == ["2", "3", "6"]
    assert rows[0] | {"score": 0} == {
        "who": "cas", "rank": 1, "item": "2", "title": "泰国大米", "score": 0, "reason": "because you viewed 东北大米",
    }  # fmt: skip


def test_what_was_seen_or_bought_may_be_allowed(shop: "Crm") -> None:
    def items(*options: str) -> set[str]:
        found = shop.rows("recommend", "for", "K1", "--at", "2026-03-04", *options)
        return {row["item"] for row in found}

    assert items() == {"6"}
    assert items("--allow-seen") == {"1", "2", "6"}
    assert items("--allow-bought") == {"3", "6"}
    assert items("--allow-seen", "--allow-bought") == {"1", "2", "3", "6"}


def test_who_is_named_in_any_way_and_masked(shop: "Crm") -> None:
    by_id, by_login = (shop.rows("recommend", "for", who, "--allow-seen") for who in ("K1", "ann"))
    assert by_id == by_login
    assert by_id[0]["who"] != "K1"


def test_a_customer_without_events_gets_what_is_popular(shop: "Crm") -> None:
    rows = shop.rows("recommend", "for", "K9", "-k", "2")
    assert [(row["item"], row["reason"]) for row in rows] == [("1", "popular"), ("2", "popular")]


def test_a_segment_and_all(shop: "Crm") -> None:
    members = shop.rows("recommend", "for", "--all", "-k", "1", "--unmask")
    assert {row["who"] for row in members} >= {"K1", "K2", "cas"}
    assert any(row["who"].startswith("visitor:") for row in members)
    shop("recommend", "for", "--segment", "none", code=2)


def test_a_visitor_of_a_segment_who_has_logged_in_is_the_customer(shop: "Crm") -> None:
    workspace = shop.open()
    visitors = workspace.scan("behaviour").select("visitor").unique().collect()["visitor"]
    segments.replace(workspace, [("v", [f"visitor:{visitor}" for visitor in visitors]), ("login", ["ann"])])
    found = {row["who"] for row in shop.rows("recommend", "for", "--segment", "v", "-k", "1", "--unmask")}
    assert found >= {"K1", "K2", "cas"}
    assert len(found) == 4
    assert {row["who"] for row in shop.rows("interest", "export", "--segment", "v", "--unmask")} == found
    assert {row["who"] for row in shop.rows("interest", "export", "--segment", "login", "--unmask")} == {"K1"}


def test_what_the_catalogue_does_not_know_is_not_recommended(shop: "Crm") -> None:
    log = shop.log("b.log", *(shop.line(900 + at, f"/item/{item}", 7 + at) for at, item in enumerate("xxx")))
    shop("logs", "mine", log)
    assert "x" not in {row["item"] for row in shop.rows("recommend", "for", "K2")}


def test_nothing_later_than_the_moment_is_learnt_from(shop: "Crm") -> None:
    shop("logs", "mine", shop.log("c.log", *(shop.line(36_000 + at, "/item/6", 2, login="bob") for at in range(9))))
    rows = shop.rows("recommend", "for", "K2", "--at", "2026-03-02T01:00", "--algorithm", "interest", "-k", "9")
    assert "sport" not in " ".join(row["reason"] for row in rows)
    result = shop("recommend", "for", "K2", "--at", "2020-01-01", code=4)
    assert "no event of an item before 2020-01-01 00:00:00+00:00" in result.stderr


def test_whoever_gets_nothing_is_counted(crm: "Crm") -> None:
    result = crm("recommend", "for", "u", "v", "--input", file_of(crm, "user,item\nu,a\nv,a\nv,b\n"), "--unmask")
    assert "nothing for 1 of 2 people" in result.stderr


def test_unknown_people_are_not_found_and_not_repeated(shop: "Crm") -> None:
    for who in ("Nobody Atall", "visitor:1"):
        result = shop("recommend", "for", "K1", who, code=6)
        assert who not in result.stderr
        assert not result.stdout


def test_what_is_not_wanted_is_left_out(shop: "Crm") -> None:
    before = {row["item"] for row in shop.rows("recommend", "for", "cas")}
    assert "6" in before
    shop("interest", "unwant", "K9", "sport")
    assert "6" not in {row["item"] for row in shop.rows("recommend", "for", "K9")}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "say for whom"),
        (("K1", "--all"), "say for whom"),
        (("K1", "--algorithm", "item-cosin"), "did you mean `item-cosine`"),
        (("K1", "--user", "u"), "about a file"),
    ],
    ids=["nobody", "both", "misspelt", "column"],
)
def test_mistakes_are_said(shop: "Crm", words: tuple[str, ...], said: str) -> None:
    assert said in shop("recommend", "for", *words, code=2).stderr


def test_a_file_is_enough(crm: "Crm") -> None:
    rows = crm.rows("recommend", "for", "u0", "--input", file_of(crm), "--algorithm", "item-conditional", "--unmask")
    assert [(row["who"], row["item"], row["reason"]) for row in rows] == [("u0", "c", "because of a")]
    early = crm.rows("recommend", "for", "u0", "--input", file_of(crm), "--at", "2026-03-02", "--allow-seen")
    assert [row["item"] for row in early] == ["a"]
    crm("recommend", "for", "u77", "--input", file_of(crm), code=6)
    assert (
        "--diversity needs"
        in crm("recommend", "for", "u0", "--input", file_of(crm), "--diversity", ".5", code=2).stderr
    )


def test_columns_have_names_and_bad_rows_are_counted(crm: "Crm") -> None:
    text = (
        "wer,was,wann,wie\nu,a,1772445600,2\nu,b,2026-03-02,1\n,b,2026-03-02,1\nv,a,2026-03-02,0\nv,b,soon,1\nv,b,,1\n"
    )
    options = ("--user", "wer", "--item", "was", "--ts", "wann", "--weight", "wie")
    result = crm("recommend", "for", "v", "--input", file_of(crm, text), *options, "--unmask", "-f", "json")
    assert [row["item"] for row in json.loads(result.stdout)] == ["a"]
    assert "6 rows = 3 events + 3 left out" in result.stderr
    for why in ("without a user", "without a weight above 0", "with a time that cannot be read"):
        assert f"1 {why}" in result.stderr
    assert (
        "did you mean `wer`"
        in crm("recommend", "for", "v", "--input", file_of(crm, text), "--user", "were", code=2).stderr
    )


def test_algorithms_are_measured(crm: "Crm") -> None:
    file = file_of(crm)
    result = crm("recommend", "evaluate", "--input", file, "-f", "json", "--bootstrap", "50")
    rows = {row["algorithm"]: row for row in json.loads(result.stdout)}
    assert set(rows) == {row["algorithm"] for row in crm.rows("recommend", "algorithms")}
    assert all(row["people"] == 6 and row["map_low"] <= row["map"] <= row["map_high"] for row in rows.values())
    assert "asked about 6 people with 6 hidden items" in result.stderr
    again = crm("recommend", "evaluate", "--input", file, "-f", "json", "--bootstrap", "50")
    assert again.stdout == result.stdout


def test_splits_tuning_and_seconds(crm: "Crm") -> None:
    file, some = file_of(crm), ("--algorithms", "item-cosine,log-linear", "--bootstrap", "0")
    for split in ("last", "random", "time"):
        rows = crm.rows("recommend", "evaluate", "--input", file, "--split", split, *some)
        assert [row["algorithm"] for row in rows] == ["item-cosine", "log-linear"]
        assert "map_low" not in rows[0]
    result = crm("recommend", "evaluate", "--input", file, "--tune", "--timing", *some, "-f", "json")
    assert "item-cosine: shrink 0.0 (ndcg" in result.stderr
    assert json.loads(result.stdout)[0]["fit_s"] >= 0
    late = crm("recommend", "evaluate", "--input", file, "--split", "time", "--at", "2026-03-03", *some, "-f", "json")
    assert "asked about 3 people with 3 hidden items" in late.stderr
    assert "--split time" in crm("recommend", "evaluate", "--input", file, "--at", "2026-03-03", code=2).stderr


def test_people_of_another_file_are_not_learnt_from(crm: "Crm") -> None:
    test = file_of(crm, "user,item\nt,a\nt,b\nu0,a\nu0,b\nw,a\n", "test.csv")
    some = ("--algorithms", "popularity,item-cosine", "--split", "random", "--bootstrap", "0", "-f", "json")
    result = crm("recommend", "evaluate", "--input", file_of(crm), "--test", test, *some)
    assert "learnt from 5 people, asked about 2 people" in result.stderr
    assert json.loads(result.stdout)[1]["hit_rate"] == 1
    assert "--test goes with" in crm("recommend", "evaluate", "--test", test, code=2).stderr


def test_a_plugin_brings_a_recommender(crm: "Crm") -> None:
    body = """
import polars as pl
from crm.hookspecs import Algorithm

class First:
    def fit(self, events, items):
        self.item = events["item"].min()
        return self
    def recommend(self, who, k, allowed):
        return pl.DataFrame({"who": who}).select(
            "who", pl.lit(1).alias("rank"), pl.lit(self.item).alias("item"), pl.lit(1.0).alias("score"),
            pl.lit("first").alias("reason"))

@hookimpl
def recommenders():
    return [Algorithm("first", First, "The first item.")]
"""
    crm.plugin("mine", body)
    rows = crm.rows("recommend", "for", "u0", "--input", file_of(crm), "--algorithm", "first")
    assert [(row["item"], row["reason"]) for row in rows] == [("a", "first")]
    test = file_of(crm, "user,item\nt,a\nt,b\n", "test.csv")
    found = crm.rows("recommend", "evaluate", "--input", file_of(crm), "--test", test, "--algorithms", "first")
    assert found[0]["people"] == 1
