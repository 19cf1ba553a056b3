"""The workspace's customers become one per person, doubtful ones by a person's decision, and are apart again."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest
from polars.testing import assert_frame_equal

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm

SAMPLES = Path(__file__).parents[3] / "sample_data"
SAME: dict[str, str] = json.loads((SAMPLES / "truth.json").read_text("utf-8"))["same"]


@pytest.fixture
def shop(crm: "Crm") -> "Crm":
    crm("customers", "import", SAMPLES / "customers.csv")
    return crm


def table(crm: "Crm", name: str, key: str = "customer") -> pl.DataFrame:
    return crm.open().records.frame(name).sort(key)


def answers(crm: "Crm", *decisions: tuple[str, str, str]) -> Path:
    lines = [line for at, (a, b, said) in enumerate(decisions) for line in (f"{at},{said},{a}", f"{at},,{b}")]
    file = crm.folder / "answers.csv"
    file.write_text("\n".join(["pair,decision,customer", *lines]) + "\n", "utf-8")
    return file


def test_those_who_are_one_person_become_one(shop: "Crm") -> None:
    before = table(shop, "customers")
    shop("customers", "dedupe", "--apply")
    assert {row["merged"]: row["customer"] for row in shop.rows("customers", "merges", "--unmask")} == SAME
    assert table(shop, "customers").height == before.height - len(SAME)


def test_undoing_all_gives_the_table_again(shop: "Crm") -> None:
    before, known = table(shop, "customers"), table(shop, "identities", "hash")
    shop("customers", "dedupe", "--apply")
    numbers = [row["merge"] for row in shop.rows("customers", "merges")]
    shop("customers", "unmerge", *numbers)
    assert_frame_equal(table(shop, "customers"), before)
    assert_frame_equal(
        table(shop, "identities", "hash").sort("kind", "hash", "customer"), known.sort("kind", "hash", "customer")
    )
    assert shop.rows("customers", "merges") == []
    assert len(shop.rows("customers", "merges", "--all")) == len(SAME)
    shop("customers", "unmerge", numbers[0], code=7)
    shop("customers", "unmerge", 99, code=6)


def test_a_former_id_finds_the_customer_and_its_orders_are_the_customers(shop: "Crm") -> None:
    new, old = next(iter(SAME.items()))
    file = shop.folder / "orders.csv"
    file.write_text(f"order_id,customer,ts,amount\nD1,{new},2026-01-02,10\nD2,{old},2026-01-03,20\n", "utf-8")
    shop("orders", "import", file)
    shop("customers", "dedupe", "--apply")
    portrait = {row["what"]: row["value"] for row in shop.rows("customers", "show", new, "--unmask")}
    assert portrait["customer"] == old
    assert portrait["merged"] == new
    assert portrait["orders"] == "2"
    assert [row["frequency"] for row in shop.rows("customers", "rfm")] == [2]


def test_importing_a_merged_record_again_is_about_the_customer_who_stayed(shop: "Crm") -> None:
    shop("customers", "dedupe", "--apply")
    rows = {
        row["outcome"]: row["rows"]
        for row in shop.rows("customers", "import", SAMPLES / "customers.csv", "--on-duplicate", "merge")
    }
    assert rows["new"] == 0
    assert rows["repeated"] == len(SAME)


def test_doubtful_pairs_are_written_for_a_person_to_decide(shop: "Crm") -> None:
    sheet = shop.folder / "doubtful.csv"
    assert "masked: to look at" in shop("customers", "dedupe", "--threshold", 1, "--review", sheet).stderr
    assert "K01" not in sheet.read_text("utf-8")
    assert "ids are masked" in shop("customers", "dedupe", "--answers", sheet, code=4).stderr
    shop("customers", "dedupe", "--threshold", 1, "--review", sheet, "--unmask")
    rows = pl.read_csv(sheet, infer_schema=False)
    pairs = (
        rows.group_by("pair", maintain_order=True).agg(pl.col("customer").sort(descending=True))["customer"].to_list()
    )
    assert {tuple(pair) for pair in pairs} == set(SAME.items())
    first = pl.int_range(pl.len()) % 2 == 0
    decided = rows.with_columns(
        decision=pl.when(first & (pl.col("pair") == "1")).then(pl.lit("不同")).when(first).then(pl.lit("同一人"))
    )
    decided.write_csv(sheet)
    shop("customers", "dedupe", "--answers", sheet)
    assert len(shop.rows("customers", "merges")) == len(SAME) - 1
    result = shop("customers", "dedupe", "--apply")
    assert "1 group left alone" in result.stderr
    assert len(shop.rows("customers", "merges")) == len(SAME) - 1
    shop("customers", "dedupe", "--threshold", 1, "--review", sheet, "--unmask")
    assert pl.read_csv(sheet).height == 0


def test_a_chain_of_merges_is_undone_from_its_end(shop: "Crm") -> None:
    shop("customers", "dedupe", "--answers", answers(shop, ("K0001", "K0002", "same")))
    first = shop.rows("customers", "merges", "--unmask")[0]
    shop("customers", "dedupe", "--answers", answers(shop, (first["customer"], "K0003", "y")))
    second = shop.rows("customers", "merges", "--unmask")[0]
    if second["merged"] == first["customer"]:
        result = shop("customers", "unmerge", 1, code=7)
        assert "undo that first" in result.stderr
    for name in ("K0001", "K0002", "K0003"):
        found = shop.rows("customers", "show", name, "--unmask")
        assert found[0]["value"] == second["customer"]
    shop("customers", "unmerge", 1, 2)
    assert {"K0001", "K0002", "K0003"} <= set(table(shop, "customers")["customer"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("pair,customer\n1,K0001\n", "no column `decision`"),
        ("pair,decision,customer\n1,maybe,K0001\n1,,K0002\n", "pair 1"),
        ("pair,decision,customer\n1,same,K0001\n", "pair 1"),
        ("pair,decision,customer\n1,same,K***\n1,,K0002\n", "--unmask"),
    ],
)
def test_a_sheet_that_is_none_is_named(shop: "Crm", text: str, words: str) -> None:
    file = shop.folder / "sheet.csv"
    file.write_text(text, "utf-8")
    assert words in shop("customers", "dedupe", "--answers", file, code=4).stderr


def test_options_that_do_not_fit_together(shop: "Crm") -> None:
    shop("customers", "dedupe", "--apply", "--persons", code=2)
    shop("customers", "dedupe", "--apply", "--input", SAMPLES / "customers.csv", code=2)
    shop("customers", "dedupe", "--separator", ";", code=2)
