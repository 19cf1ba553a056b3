"""How values of people are brought into one way of writing."""

import polars as pl
import pytest

from plugins.customers.linkage_columns import FIELDS
from plugins.customers.normalising import normalised
from plugins.customers.pinyin import reading


def value(field: str, *texts: object) -> list[str | None]:
    frame = pl.DataFrame({"x": texts})
    return normalised(frame, {field: "x"})[field].to_list()


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("13800138000", "13800138000"),
        ("+86 138-0013-8000", "13800138000"),
        ("0086-138 0013 8000", "13800138000"),
        ("8613800138000", "13800138000"),
        ("１３８００１３８０００", "13800138000"),
        ("(+86)13800138000", "13800138000"),
        ("13800138000.0", "13800138000"),
        ("13800138000 / 010-88886666", "13800138000"),
        ("010-88886666", "1088886666"),
        ("+86 10 8888 6666", "1088886666"),
        ("010-88886666转8001", "1088886666"),
        ("+44 (0)20 7946 0958", "2079460958"),
        ("020 7946 0958", "2079460958"),
        ("+1 (415) 555-2671", "4155552671"),
        ("(415) 555-2671 ext. 12", "4155552671"),
        ("00000000", None),
        ("110", None),
        ("none", None),
        ("", None),
    ],
)
def test_phones(text: str, digits: str | None) -> None:
    assert value("phone", text) == [digits]


def test_numbers_of_a_spreadsheet_are_phones_too() -> None:
    assert value("phone", 13800138000) == ["13800138000"]
    assert value("phone", 13800138000.0) == ["13800138000"]


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("1980-01-02", "19800102"),
        ("1980/1/2", "19800102"),
        ("1980年1月2日", "19800102"),
        ("１９８０．１．２", "19800102"),
        ("19800102", "19800102"),
        ("2.1.1980", "19800102"),
        ("1980-01-02 00:00:00", "19800102"),
        ("1980-01-02T10:00:00+08:00", "19800102"),
        ("", None),
    ],
)
def test_dates(text: str, date: str | None) -> None:
    assert value("birth", text) == [date]


def test_the_month_comes_first_where_only_that_makes_dates() -> None:
    assert value("birth", "02/01/1980", "12/31/1980") == ["19800201", "19801231"]
    assert value("birth", "02/01/1980", "31/12/1980") == ["19800102", "19801231"]


@pytest.mark.parametrize(
    ("full", "given", "family"),
    [
        ("张伟", "伟", "张"),
        ("欧阳娜娜", "娜娜", "欧阳"),
        ("张 伟 先生", "伟", "张"),
        ("Dr. Anna Maria O'Neil", "annamaria", "oneil"),
        ("O’Neil, Anna", "anna", "oneil"),
        ("José Müller", "jose", "muller"),
        ("ＡＮＮＡ　ＳＭＩＴＨ", "anna", "smith"),
        ("Madonna", None, "madonna"),
        ("张", None, "张"),
        ("未知", None, None),
        (" ", None, None),
    ],
)
def test_full_names_are_divided(full: str, given: str | None, family: str | None) -> None:
    found = normalised(pl.DataFrame({"x": [full]}), {"name": "x"})
    assert found.select("given", "family").row(0) == (given, family)


@pytest.mark.parametrize(
    ("field", "text", "wanted"),
    [
        ("email", " Mailto:Bob@Example.COM ", "bob@example.com"),
        ("email", "bob", None),
        ("sex", "女士", "f"),
        ("sex", "Male", "m"),
        ("idnumber", "11010119800102123x", "11010119800102123x"),
        ("idnumber", "'110101 19800102 123X", "11010119800102123x"),
        ("address", "12, High-Street", "12highstreet"),
        ("postcode", "ＡＢ１ 2cd", "ab12cd"),
    ],
)
def test_other_values(field: str, text: str, wanted: str | None) -> None:
    assert value(field, text) == [wanted]


def test_every_field_can_be_missing_or_of_any_type() -> None:
    frame = pl.DataFrame({"a": [None, None], "b": [1.5, None], "c": [["x"], None], "d": [True, None]})
    for field in FIELDS:
        for column in frame.columns:
            assert normalised(frame, {field.name: column}).height == 2


def test_characters_are_read_by_their_place_in_the_standard() -> None:
    names = pl.Series(["张伟", "吕布", "zhang wei", "昊", None, ""])
    assert reading(names).to_list() == ["zhangwei", "lubu", "zhangwei", "昊", None, ""]
    families = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗"
    assert "".join(reading(pl.Series(list(families)))) == (
        "wanglizhangliuchenyanghuangzhaowuzhouxusunmazhuhuguohegaolinluo"
    )
