import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm import masks

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
MASKS = st.sampled_from(["address", "name"])
ADDRESSES = st.one_of(
    st.ip_addresses(v=4).map(str),
    st.ip_addresses(v=6).map(str),
    st.ip_addresses(v=6).map(lambda a: a.exploded),
)


def masked(values: object, mask: str, dtype: pl.DataType | None = None) -> list[object]:
    frame = pl.LazyFrame({"value": pl.Series(values, dtype=dtype)})
    return masks.apply(frame, {"value": mask}).collect()["value"].to_list()


@pytest.mark.parametrize(
    ("mask", "value", "shown"),
    [
        ("address", "203.0.113.7", "203.0.*.*"),
        ("address", "2001:db8::1", "2001:db8:*"),
        ("address", "2001:0db8:0:0:0:0:0:1", "2001:0db8:*"),
        ("address", "fe80::1%eth0", "fe80:*"),
        ("address", "::1", "::*"),
        ("address", "::ffff:203.0.113.7", "::*"),
        ("address", "shop.example", "s***"),
        ("address", "10:15:32", "1***"),
        ("address", "1.2.3", "1***"),
        ("address", "1.2.3.4.5", "1***"),
        ("address", "", ""),
        ("name", "张三丰", "张***"),
        ("name", "a", "a***"),
        ("name", "", ""),
        ("name", None, None),
        ("address", None, None),
    ],
)
def test_a_value_is_shown_as_its_mask_says(mask: str, value: str | None, shown: str | None) -> None:
    assert masked([value], mask, pl.String()) == [shown]


@given(st.one_of(TEXT, ADDRESSES), MASKS)
def test_what_is_masked_never_holds_a_value_of_more_than_three_characters(value: str, mask: str) -> None:
    (shown,) = masked([value], mask, pl.String())
    assert len(value) <= 3 or "*" in value or value not in str(shown)


@given(ADDRESSES)
def test_of_an_address_at_most_two_groups_are_shown(value: str) -> None:
    (shown,) = masked([value], "address", pl.String())
    separator = ":" if ":" in value else "."
    assert str(shown).rstrip("*.:") in (separator.join(value.split(separator)[:2]).rstrip(":"), "")


@given(st.one_of(TEXT, ADDRESSES), MASKS)
def test_masking_twice_is_masking_once(value: str, mask: str) -> None:
    once = masked([value], mask, pl.String())
    assert masked(once, mask, pl.String()) == once


def test_lists_are_masked_item_by_item() -> None:
    assert masked([["203.0.113.7", None, ""], [], None], "address", pl.List(pl.String)) == [
        ["203.0.*.*", None, ""],
        [],
        None,
    ]


def test_numbers_are_masked_as_their_text() -> None:
    assert masked([13800138000, None], "name", pl.Int64()) == ["1***", None]
    assert masked([[13800138000]], "name", pl.List(pl.Int64)) == [["1***"]]


@pytest.mark.parametrize("value", [{"phone": "13800138000"}, b"13800138000"])
def test_what_has_no_text_is_hidden_whole(value: object) -> None:
    assert masked([value, None], "name") == ["***", None]


def test_other_columns_stay_as_they_are() -> None:
    frame = pl.LazyFrame({"login": ["wang"], "path": ["/"]})
    assert masks.apply(frame, {"login": "name", "missing": "name"}).collect().row(0) == ("w***", "/")
    assert masks.apply(frame, {}) is frame
