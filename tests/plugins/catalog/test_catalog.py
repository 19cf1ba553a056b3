"""The catalogue comes in, goes out unchanged, and says what pages are about."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from crm import catalog
from plugins.catalog.items import completed, faults

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm

ROOT = Path(__file__).parents[3]
SAMPLE = ROOT / "sample_data" / "catalog.csv"
FORMATS = ("csv", "tsv", "json", "ndjson", "parquet", "xlsx")


def items(crm: "Crm") -> pl.DataFrame:
    return crm.open().records.frame("catalog").sort("item")


def outcome(crm: "Crm", *args: object) -> dict[str, int]:
    return {row["outcome"]: row["rows"] for row in crm.rows(*args)}


def write(crm: "Crm", name: str, text: str) -> Path:
    file = crm.folder / name
    file.write_text(text, encoding="utf-8")
    return file


class TestImport:
    def test_the_sample_comes_in_with_paths_of_categories(self, crm_on: "Crm") -> None:
        assert outcome(crm_on, "catalog", "import", SAMPLE)["new"] == 60
        assert outcome(crm_on, "catalog", "import", SAMPLE)["same"] == 60
        rice = catalog.items(crm_on.open()).row(0, named=True)
        assert (rice["item"], rice["title"], rice["price"]) == ("1001", "东北大米 5kg", 49.9)
        assert [rice[f"category{level}"] for level in (1, 2, 3)] == ["food", "food/grain", "food/grain/rice"]
        assert rice["tags"] == ["经济", "日用"]

    @pytest.mark.parametrize(
        ("path", "levels"),
        [
            ("food/grain/rice", ("food", "grain", "rice")),
            ("食品 > 粮油 > 大米", ("食品", "粮油", "大米")),
            ("食品／粮油", ("食品", "粮油", None)),
            ("a -> b → c", ("a", "b", "c")),
            ("food", ("food", None, None)),
            ("其他/其他/其他", ("其他", "其他", "其他")),
        ],
    )
    def test_a_path_is_taken_apart(self, crm: "Crm", path: str, levels: tuple[str | None, ...]) -> None:
        crm("catalog", "import", write(crm, "items.csv", f"item,category\n1,{path}\n"))
        assert items(crm).select(catalog.LEVELS).row(0) == levels

    @pytest.mark.parametrize(
        ("header", "row", "reason"),
        [
            ("category", "a/b/a", "is a category within itself"),
            ("category", "a/b/c/d", "has more than three levels"),
            ("level1,level3", "a,c", "has no category of level 2 above it"),
            ("level2", "b", "has no category of level 1 above it"),
            ("since,until", "2026-02-01,2026-01-01", "is not after `since`"),
            ("price", "-1", "is less than nothing"),
        ],
    )
    def test_what_cannot_be_is_set_aside_and_the_rest_goes_in(
        self, crm: "Crm", header: str, row: str, reason: str
    ) -> None:
        blank = "," * header.count(",")
        file = write(crm, "items.csv", f"item,{header}\n1,{row}\n2,{blank}\n3,{blank}\n")
        found = outcome(crm, "catalog", "import", file, "--rejects", crm.folder / "rejects.csv")
        assert (found["new"], found["rejected"]) == (2, 1)
        assert reason in (crm.folder / "rejects.csv").read_text("utf-8")

    def test_an_item_without_a_category_goes_in_and_is_told(self, crm: "Crm") -> None:
        result = crm("catalog", "import", write(crm, "items.csv", "item,title\n1,Rice\n"))
        assert "1 row without a category" in result.stderr
        assert items(crm)["level1"].to_list() == [None]

    def test_tags_are_separated_however_they_are_written(self, crm: "Crm") -> None:
        crm("catalog", "import", write(crm, "items.csv", "item;tags\n1;a, b；c、a\n"))
        assert items(crm)["tags"].to_list() == ["a|b|c"]

    def test_yaml_is_read(self, crm: "Crm") -> None:
        text = "items:\n- {item: 1, category: food/grain, since: 2026-01-01}\n- {item: 2, price: 3.5, colour: 红}\n"
        crm("catalog", "import", write(crm, "items.yaml", text))
        one, two = items(crm).to_dicts()
        assert (one["level2"], str(one["since"])[:10]) == ("grain", "2026-01-01")
        assert (two["price"], json.loads(two["extras"])) == (3.5, {"colour": "红"})


NAME = st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=6))


@settings(max_examples=20)
@given(st.lists(st.fixed_dictionaries({"level1": NAME, "level2": NAME, "level3": NAME, "category": NAME}), min_size=1))
def test_levels_that_stand_have_all_above_them(rows: list[dict[str, Any]]) -> None:
    dates = {"since": None, "until": None, "price": None, "tags": None}
    schema = {**dict.fromkeys(("level1", "level2", "level3", "category", "tags"), pl.String), "price": pl.Float64}
    schema |= dict.fromkeys(("since", "until"), pl.Datetime("us", "UTC"))
    frame = pl.DataFrame([{**row, **dates} for row in rows], schema=schema)
    made = completed(None, frame)  # type: ignore[arg-type]  # it looks at no workspace
    bad = faults(None, made)  # type: ignore[arg-type]  # as above
    bad = bad.filter(severity="reject")["row"].to_list()
    for at, (one, two, three) in enumerate(made.select(catalog.LEVELS).iter_rows()):
        if at not in bad:
            assert one is not None or two is None
            assert two is not None or three is None
            assert three is None or three != one or two == one
            assert not any("/" in name for name in (one, two, three) if name is not None)


RECORD = st.fixed_dictionaries(
    {
        "title": NAME,
        "category": st.sampled_from([None, "a/b/c", "a/b", "x", "甲 > 乙"]),
        "tags": st.sampled_from([None, "a|b", "新品，热卖"]),
        "price": st.sampled_from([None, 0, 1.25, 1e9]),
        "stock": st.sampled_from([None, 0, 7]),
        "until": st.sampled_from([None, "2030-01-01", "2030-01-01T12:30:00+08:00"]),
        "颜色": NAME,
    }
)


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(records=st.lists(RECORD, min_size=1, max_size=4))
def test_importing_what_was_exported_gives_an_equal_table(
    name: str, records: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory, new_crm: "Callable[[Path], Crm]"
) -> None:
    one, other = (new_crm(tmp_path_factory.mktemp("ws")) for _ in range(2))
    rows = [{"item": f"I{at}", **row} for at, row in enumerate(records)]
    file = write(one, "in.ndjson", "\n".join(json.dumps(row, ensure_ascii=False) for row in rows))
    one("catalog", "import", file)
    out = one.folder / f"out.{name}"
    one("catalog", "export", "-o", out)
    other("catalog", "import", out)
    assert_frame_equal(items(other), items(one))


class TestUnmapped:
    def test_pages_are_listed_by_traffic_with_what_is_missing(self, crm: "Crm") -> None:
        crm.configure("site: {items: [{page: /item/*, item: $1}], categories: [{page: /c/*, category: $1}]}\n")
        pages = ["/", "/", "/item/1", "/item/2", "/item/3", "/c/food", "/", "/item/3"]
        crm("logs", "mine", crm.log("a.log", *(crm.line(60 * at, page) for at, page in enumerate(pages))))
        crm("catalog", "import", write(crm, "items.csv", "item,category\n1,food/rice\n2,\n"))
        result = crm("catalog", "unmapped", "-f", "json")
        assert [(row["page"], row["views"], row["why"]) for row in json.loads(result.stdout)] == [
            ("/", 3, "no rule"),
            ("/item/3", 2, "its item is not in the catalogue"),
            ("/item/2", 1, "its item has no category"),
        ]
        assert "25.0% of 8 views on pages with a category" in result.stderr

    def test_a_search_is_told_from_a_page_that_no_rule_knows(self, crm: "Crm") -> None:
        crm.configure("site: {items: [{page: /item/*, item: $1}], searches: [{page: /search*}]}\n")
        crm("logs", "mine", crm.log("a.log", crm.line(0, "/search?q=x"), crm.line(9, "/")))
        rows = {row["page"]: row["why"] for row in crm.rows("catalog", "unmapped")}
        assert rows == {"/search": "a search, of which the term counts", "/": "no rule"}

    def test_an_item_rule_that_names_no_star_is_found(self, crm: "Crm") -> None:
        crm.configure("site: {items: [{page: /item, item: $1}]}\n")
        assert "`site.items[0].item`: $1 has no *" in crm("config", "check", code=4).stderr
