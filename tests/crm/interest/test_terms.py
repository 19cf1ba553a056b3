"""A term fits the items in whose title, tags or categories it stands."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from crm.interest.terms import fitting, fold, folded

words = st.text("abAB ß｡Ａ 大米", max_size=5)
items = st.lists(st.tuples(st.none() | words, st.lists(words, max_size=2), st.none() | words), max_size=6)


def frame(rows: list[tuple[str | None, list[str], str | None]]) -> pl.DataFrame:
    made = [
        {"item": f"i{at}", "title": title, "tags": tags, "level1": level, "level2": None, "level3": None}
        for at, (title, tags, level) in enumerate(rows)
    ]
    text = pl.String()
    kinds = {"item": text, "title": text, "tags": pl.List(text), "level1": text, "level2": text, "level3": text}
    return pl.DataFrame(made, kinds)


@given(rows=items, terms=st.lists(words, max_size=5))
def test_fitting_is_what_a_loop_finds(rows: list[tuple[str | None, list[str], str | None]], terms: list[str]) -> None:
    asked = pl.Series("term", sorted({fold(term) for term in terms}), dtype=pl.String)
    found = set(fitting(asked, frame(rows)).iter_rows())
    wanted = {
        (term, f"i{at}")
        for at, (title, tags, level) in enumerate(rows)
        for term in asked.to_list()
        if term and any(term in fold(text) for text in (title, *tags, level) if text)
    }
    assert found == wanted


@given(st.lists(st.none() | st.text(max_size=6)))
def test_folding_is_done_once(texts: list[str | None]) -> None:
    once = folded(pl.Series(texts, dtype=pl.String))
    assert folded(once).to_list() == once.to_list() == [None if text is None else fold(text) for text in texts]


def test_one_writing() -> None:
    assert fold("  ＳＴＲＡＳＳＥ\t 12 ") == fold("Straße 12") == "strasse 12"
