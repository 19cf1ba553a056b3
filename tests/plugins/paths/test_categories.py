"""`--by category` of the commands of paths, and `site.categories` of the configuration."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm

RULES = """
site:
  categories:
  - {page: /item/1, category: the first}
  - {page: '/item/*', category: items}
  - {page: '/c/*/*', category: '$1: $2'}
"""


@pytest.fixture
def shop(crm: "Crm") -> "Crm":
    """One session of six views, of which one has no category."""
    pages = ("/", "/c/food/rice", "/item/1", "/item/2", "/c/food/rice", "/item/3")
    crm("logs", "mine", crm.log("access.log", *(crm.line(n, page) for n, page in enumerate(pages))))
    return crm


def test_views_count_as_those_of_their_category(shop: "Crm") -> None:
    shop.configure(RULES)
    result = shop("paths", "views", "--by", "category", "-f", "csv", "--columns", "n,page")
    assert result.stdout.splitlines() == ["n,page", "1,food: rice", "2,the first", "3,items", "4,food: rice", "5,items"]
    assert "1 of 6 views are left out: their pages have no category" in result.stderr


def test_without_categories_nothing_can_be_counted_by_them(shop: "Crm") -> None:
    assert "needs site.categories" in shop("paths", "views", "--by", "category", code=4).stderr


def test_items_of_files_have_categories_too(crm: "Crm") -> None:
    crm.configure(RULES)
    rows = crm.rows("paths", "views", "--by", "category", "--input", crm.log("some.baskets", "/item/1,/item/2,/x"))
    assert [row["page"] for row in rows] == ["the first", "items"]


def test_the_configuration_is_checked_before_it_is_used(shop: "Crm") -> None:
    shop.configure(RULES)
    assert "OK" in shop("config", "check").output
    shop.configure("site:\n  categories:\n  - {page: '/c/*', category: '$2'}\n")
    for words in (("config", "check"), ("paths", "views", "--by", "category")):
        assert "$2 has no * in `/c/*` to stand for" in shop(*words, code=4).stderr


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("{page: /a}", "category"),
        ("{page: /a, category: ''}", "categories[0].category"),
        ("{page: '', category: a}", "categories[0].page"),
        ("{pages: /a, category: a}", "pages"),
    ],
)
def test_rules_that_are_no_rules_are_named(crm: "Crm", rule: str, said: str) -> None:
    crm.configure(f"site:\n  categories:\n  - {rule}\n")
    assert said in crm("config", "check", code=4).stderr


def test_paths_pages_and_transitions_are_counted_by_category(shop: "Crm") -> None:
    shop.configure(RULES)
    (top,) = shop.rows("paths", "top", "--by", "category")
    assert top["path"] == ["food: rice", "the first", "items", "food: rice", "items"]
    pages = {row["page"]: row["views"] for row in shop.rows("paths", "pages", "--by", "category")}
    assert pages == {"food: rice": 2, "items": 2, "the first": 1}
    steps = {(row["page"], row["next"]): row["count"] for row in shop.rows("paths", "transitions", "--by", "category")}
    assert {step: count for step, count in steps.items() if {*step} <= {*pages}} == {
        ("food: rice", "items"): 1,
        ("food: rice", "the first"): 1,
        ("items", "food: rice"): 1,
        ("the first", "items"): 1,
    }
