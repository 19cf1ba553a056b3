"""The section `site`: categories of pages."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.errors import Unusable
from crm.site import CategoryRule, SiteConfig

TEXTS = st.text(alphabet="ab/*$1{}\\.\n\u4e2d", min_size=1, max_size=8)


def category(page: str, *rules: tuple[str, str]) -> str | None:
    """What the rules, each a page and a category, make of a page."""
    config = SiteConfig(categories=tuple(CategoryRule(page=each, category=named) for each, named in rules))
    found: str | None = config.category_of(pl.Series("page", [page]))[0]
    return found


def slow(page: str, pattern: str) -> list[str] | None:
    """What each * of a pattern stands for, the first ones as much as they can; None if the page does not match."""
    head, star, rest = pattern.partition("*")
    if not page.startswith(head) or (not star and page != head):
        return None
    if not star:
        return []
    for end in range(len(page), len(head) - 1, -1):
        found = slow(page[end:], rest)
        if found is not None:
            return [page[len(head) : end], *found]
    return None


@pytest.mark.parametrize(
    ("page", "pattern", "named", "wanted"),
    [
        ("/c/food/rice", "/c/*", "$1", "food/rice"),
        ("/c/food/rice", "/c/*/*", "$2 of $1", "rice of food"),
        ("/c/food/rice", "/c/*/rice", "$1", "food"),
        ("/c/food/", "/c/food/*", "x$1", "x"),
        ("/price", "/price", "5$", "5$"),
        ("/price", "/price", "$$", "$$"),
        ("/price/7", "/price/*", "${1}", "${1}"),
        ("/price/7", "/price/*", "$x $1", "$x 7"),
        ("/price/$1", "/price/*", "$1", "$1"),
        ("/a.b", "/a.b", "dot", "dot"),
        ("/axb", "/a.b", "dot", None),
        ("/a/b", "/a", "part", None),
        ("/x/a", "/a", "part", None),
        ("/水/茶", "/水/*", "水$1", "水茶"),
        ("/a\nb", "/a*", "line", "line"),
        ("anything", "*", "all", "all"),
    ],
)
def test_a_page_has_the_category_that_its_rule_names(page: str, pattern: str, named: str, wanted: str | None) -> None:
    assert category(page, (pattern, named)) == wanted


@given(TEXTS, TEXTS)
def test_a_rule_fits_what_its_pattern_says(page: str, pattern: str) -> None:
    stars = slow(page, pattern)
    named = "|".join(["<", *(f"${n}" for n in range(1, pattern.count("*") + 1)), ">"])
    wanted = None if stars is None else "|".join(["<", *stars, ">"])
    assert category(page, (pattern, named)) == wanted


def test_the_first_rule_that_fits_counts() -> None:
    rules = (("/item/1", "first"), ("/item/*", "items"), ("/item/1*", "never"), ("*", "rest"))
    assert [category(page, *rules) for page in ("/item/1", "/item/12", "/", "/item/")] == [
        "first",
        "items",
        "rest",
        "items",
    ]


def test_pages_without_a_rule_and_sites_without_rules_have_no_category() -> None:
    assert category("/a", ("/b", "b")) is None
    assert category("/a") is None
    config = SiteConfig(categories=(CategoryRule(page="*", category="all"),))
    pages = pl.Series("page", ["/a", None, "/b"])
    assert config.category_of(pages).to_list() == ["all", None, "all"]


@pytest.mark.parametrize(("page", "named", "missing"), [("/a", "x$1", "$1"), ("/*", "$1 $2", "$2"), ("/*", "$0", "$0")])
def test_a_number_without_its_star_is_a_mistake(page: str, named: str, missing: str) -> None:
    with pytest.raises(Unusable) as error:
        category("/a", ("/b", "b"), (page, named))
    assert str(error.value) == f"`site.categories[1].category`: {missing} has no * in `{page}` to stand for"
