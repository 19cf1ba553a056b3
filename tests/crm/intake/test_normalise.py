"""Rows of a file become rows of a table: typed, extras and originals kept, faults told; twice changes nothing."""

import json
from datetime import UTC, date, datetime
from typing import get_args

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from crm.errors import Unusable
from crm.intake import normalise
from crm.intake.fields import Field, Kind
from crm.intake.kinds import type_of
from crm.intake.mapping import Mapping, guess
from crm.intake.normalise import Normalised, normalised

KINDS: tuple[Kind, ...] = tuple(kind for kind in get_args(Kind) if kind != "json")
FIELDS = (*(Field(kind, kind) for kind in KINDS), Field("extras", "json"), Field("original", "json"))


def rows(frame: pl.DataFrame, **wishes: str) -> Normalised:
    return normalised(frame, guess(frame.columns, FIELDS), FIELDS, **wishes)  # type: ignore[arg-type]  # of the test


def column(kind: Kind, *values: object, **wishes: str) -> Normalised:
    return rows(pl.DataFrame({kind: values}), **wishes)


SAMPLES = {
    "phone": ["+86 138-0013-8000", "13800138000", "12", "010-88886666转8001", "+44 20 7946 0958"],
    "email": ["Ada@Example.com", "x", "a@例え.jp"],
    "idnumber": ["11010519491231002x", "110105491231002", "110105194912310021", "E12345678"],
    "date": ["2026-03-02", "2026/3/2", "3/2/2026", "13/2/2026", "2/13/2026", "45123", "2026年3月2日", "x"],
    "timestamp": ["2026-03-02 10:00:00", "2026-03-02T10:00:00+08:00", "1709251200", "3/2/2026 3:05 PM", "x"],
    "number": ["1,029.33", "￥1,029", "1 029,33", "1.029", "12", "x", "1e300", "0.1"],
    "integer": ["1,029", "7.0", "7.5", "x"],
    "boolean": ["是", "no", "1", "x"],
    "sex": ["男", "Female", "未知", "x"],
    "region": ["广东省", "SC", "Beijing", "x"],
    "country": ["中国", "usa", "de", "x"],
    "currency": ["人民币", "usd", "x"],
    "channel": ["E-Mail", "短信", "Feed 2", "x"],
}
odd = st.text() | st.none() | st.sampled_from(["", " ", "-", "N/A", "null", "'=1", "''+1", "　", "e\u200d\u0301"])


@st.composite
def tables(draw: st.DrawFn) -> pl.DataFrame:
    height = draw(st.integers(0, 6))
    names = draw(st.lists(st.sampled_from([*KINDS, "爱好", 'a"b', "c"]), unique=True, min_size=1))
    cells = {name: [draw(st.sampled_from(SAMPLES.get(name, ["x"])) | odd) for _ in range(height)] for name in names}
    return pl.DataFrame(cells, schema=dict.fromkeys(names, pl.String))


class TestTwice:
    @settings(max_examples=15)
    @given(tables(), st.sampled_from(["CN", "US", "GB"]), st.sampled_from(["UTC", "Asia/Shanghai"]))
    def test_changes_nothing_and_keeps_no_originals(self, frame: pl.DataFrame, region: str, zone: str) -> None:
        once = rows(frame, region=region, zone=zone)
        for again in (once.frame, pl.read_csv(once.frame.write_csv().encode(), infer_schema=False)):
            twice = rows(again, region=region, zone=zone)
            assert_frame_equal(twice.frame, once.frame)
            assert twice.faults.is_empty()
            assert not twice.warnings
            bare = rows(again.drop("original"), region=region, zone=zone)
            assert bare.frame["original"].null_count() == again.height

    @settings(max_examples=15)
    @given(tables())
    def test_pieces_of_any_size_give_the_same(self, frame: pl.DataFrame) -> None:
        whole = rows(frame)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(normalise, "_PIECE", 2)
            pieces = rows(frame)
        assert_frame_equal(pieces.frame, whole.frame)
        assert_frame_equal(pieces.faults.sort("row", "column"), whole.faults.sort("row", "column"))
        assert pieces.notes == whole.notes

    @settings(max_examples=15)
    @given(tables())
    def test_every_cell_is_a_value_a_fault_kept_or_nothing(self, frame: pl.DataFrame) -> None:
        found = rows(frame)
        faults = set(found.faults.select("row", "column").iter_rows())
        originals = [json.loads(text or "{}") for text in found.frame["original"]]
        for name in set(frame.columns) & set(KINDS):
            for row, (text, value) in enumerate(zip(frame[name], found.frame[name], strict=True)):
                if value is None and text is not None and name not in originals[row] and (row, name) not in faults:
                    clean = pl.Series([text]).str.normalize("NFKC").str.replace_all(r"[\p{C}\s]", "")[0].lower()
                    assert clean in ("", *normalise.texts.NOTHING, *normalise.texts.UNKNOWN, "notavailable")


class TestColumns:
    def test_they_are_cut_at_the_same_rows(self) -> None:
        """Polars copies a whole table at every step where they are not."""
        names = pl.concat([pl.Series("who", ["Ann", "Bo"]), pl.Series("who", ["Cy"])])
        assert names.n_chunks() == 2
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(normalise, "_PIECE", 4)
            found = rows(pl.concat([pl.DataFrame([names, pl.Series("email", ["A@x.cn"] * 3)])] * 3)).frame
        assert set(found.n_chunks("all")) == {3}

    def test_types_and_order_are_those_of_the_fields(self) -> None:
        found = rows(pl.DataFrame({"phone": ["1"], "x": ["y"]})).frame
        assert found.columns == [*KINDS, "extras", "original"]
        assert found.dtypes == [*(type_of(kind) for kind in KINDS), pl.String, pl.String]
        assert rows(pl.DataFrame({"phone": []}, schema={"phone": pl.String})).frame.schema == found.schema

    def test_left_over_columns_are_kept_as_they_came(self) -> None:
        found = rows(pl.DataFrame({"爱好": [" 足球 ", None, ""], "age": [30, None, None], "tags": [["a"], None, None]}))
        assert found.frame["extras"].to_list() == ['{"age":"30","tags":"[\\"a\\"]","爱好":"足球"}', None, None]

    def test_headers_that_were_made_harmless_for_a_spreadsheet_are_themselves_again(self) -> None:
        assert rows(pl.DataFrame({"'=x": ["'=1"], "'y'": ["2"]})).frame["extras"].to_list() == [
            '{"\'y\'":"2","=x":"=1"}'
        ]
        both = rows(pl.DataFrame({"'=x": ["1"], "=x": ["2"]})).frame["extras"].to_list()
        assert both == ['{"\'=x":"1","=x":"2"}']

    def test_left_out_columns_are_gone(self) -> None:
        frame = pl.DataFrame({"name": ["a"], "x": ["secret"]})
        found = normalised(frame, Mapping({"name": "name"}, (), ("x",)), FIELDS).frame
        assert found["extras"].to_list() == [None]

    def test_extras_of_an_export_and_more_columns_come_together(self) -> None:
        given = ['{"b":"2","a":"1"}', "{}", None, '{"x": 1, "y": [2], "z": null, "w": ""}']
        found = rows(pl.DataFrame({"extras": given, "c": ["3", None, "4", None]}))
        assert found.frame["extras"].to_list() == [
            '{"a":"1","b":"2","c":"3"}',
            None,
            '{"c":"4"}',
            '{"x":"1","y":"[2]"}',
        ]

    @given(st.lists(st.dictionaries(st.text(min_size=1), st.text(min_size=1), max_size=3) | st.none()))
    def test_any_extras_come_in_as_they_are(self, given: list[dict[str, str] | None]) -> None:
        as_json = [None if each is None else json.dumps(each) for each in given]
        found = rows(pl.DataFrame({"extras": as_json}, schema={"extras": pl.String})).frame["extras"]
        assert [json.loads(text or "{}") for text in found] == [each or {} for each in given]

    def test_what_is_no_object_is_a_fault(self) -> None:
        found = rows(pl.DataFrame({"extras": ["[1]", "x", '{"a":"1"}']}))
        assert found.faults.rows() == [(0, "extras", "is no JSON object"), (1, "extras", "is no JSON object")]


class TestOriginal:
    def original(self, kind: Kind, value: object) -> object:
        text = column(kind, value).frame["original"][0]
        return None if text is None else json.loads(text)[kind]

    @pytest.mark.parametrize(
        ("kind", "value"),
        [
            ("name", " 张三 "), ("name", "张三"), ("phone", "+8613800138000"), ("email", "a@x.com"), ("region", "广东"),
            ("date", "2026-03-02"), ("date", "2026-03-02 00:00:00"), ("date", date(2026, 3, 2)), ("number", "49.90"),
            ("timestamp", "2026-03-02T10:00:00Z"), ("timestamp", "2026-03-02 10:00"), ("number", 1.5), ("integer", "7"),
            ("boolean", "true"), ("id", 1001.0), ("sex", "未知"), ("date", "N/A"), ("name", None), ("name", ""),
        ],
    )  # fmt: skip
    def test_is_not_kept_where_it_says_no_more_than_the_value(self, kind: Kind, value: object) -> None:
        assert self.original(kind, value) is None

    @pytest.mark.parametrize(
        ("kind", "value"),
        [
            ("name", "李　四"), ("phone", "138 0013 8000"), ("email", "A@x.com"), ("region", "广东省"), ("sex", "男"),
            ("date", "2026/3/2"), ("date", "45123"), ("number", "1,029.33"), ("timestamp", "2026-03-02T10:00:00+08:00"),
            ("boolean", "是"), ("phone", "12"), ("email", "x"), ("date", "2026-03-02 10:00:00"),
        ],
    )  # fmt: skip
    def test_is_kept_as_it_came_where_it_changed(self, kind: Kind, value: str) -> None:
        assert self.original(kind, value) == value

    def test_of_an_import_before_stays_unless_the_value_has_changed_again(self) -> None:
        frame = pl.DataFrame(
            {
                "phone": ["+8613800138000", "138 0013 8000"],
                "name": ["a", "b"],
                "original": ['{"name":"ａ","phone":"138-0013-8000"}', '{"name":"ｂ","phone":"x"}'],
            }
        )
        assert rows(frame).frame["original"].to_list() == [
            '{"name":"ａ","phone":"138-0013-8000"}',
            '{"name":"ｂ","phone":"138 0013 8000"}',
        ]


class TestFaults:
    def test_name_row_column_of_the_file_and_reason_but_not_the_value(self) -> None:
        frame = pl.DataFrame({"生日": ["2026-03-02", "secret", "3/2/26"], "n": ["1", "secret", "2"]})
        fields = (Field("birth", "date", ("生日",)), Field("count", "integer", ("n",)))
        found = normalised(frame, guess(frame.columns, fields), fields)
        assert found.faults.rows() == [
            (1, "生日", "is no date"),
            (1, "n", "is no whole number"),
            (2, "生日", "has a year of two digits"),
        ]

    def test_phones_and_the_like_that_are_none_are_kept_and_counted(self) -> None:
        found = rows(pl.DataFrame({"phone": ["13800138000", "secret", "12"], "email": ["a@x.com", None, "secret"]}))
        assert found.faults.is_empty()
        assert found.frame["phone"].to_list() == ["+8613800138000", None, None]
        assert json.loads(found.frame["original"][1]) == {"phone": "secret"}
        assert len(found.warnings) == 2
        assert found.warnings[0].startswith("column `phone`: 2 values are no phone number, the first in row 2")
        assert not any("secret" in sentence for sentence in (*found.warnings, *found.notes))

    def test_required_fields(self) -> None:
        fields = (Field("who", "id", required=True), Field("ts", "timestamp", required=True))
        frame = pl.DataFrame({"who": ["a", "", None], "ts": ["2026-03-02", "2026-03-02", "x"]})
        found = normalised(frame, guess(frame.columns, fields), fields)
        assert found.faults.rows() == [(1, "who", "is missing"), (2, "who", "is missing"), (2, "ts", "is no date")]
        with pytest.raises(Unusable, match="no column is known to be `ts`; say which it is in a map file, under"):
            normalised(frame.select("who", x="ts"), guess(["who", "x"], fields), fields)


class TestColumnsAsAWhole:
    def test_dates_with_the_month_first_are_found_out_and_told(self) -> None:
        found = column("date", "3/2/2026", "2/25/2026")
        assert found.frame["date"].to_list() == [date(2026, 3, 2), date(2026, 2, 25)]
        assert len(found.notes) == 1
        assert "column `date`: 3/2/2026 is 2 March" in found.notes[0]

    def test_dates_of_two_readings_have_the_day_first_and_that_is_told_unless_it_was_said(self) -> None:
        found = column("date", "3/2/2026")
        assert found.frame["date"].to_list() == [date(2026, 2, 3)]
        assert len(found.notes) == 1
        said = column("date", "3/2/2026", dates="month-first")
        assert (said.frame["date"].to_list(), said.notes) == ([date(2026, 3, 2)], ())

    def test_a_decimal_comma_is_found_out_and_told(self) -> None:
        found = column("number", "1.029", "12,5", "1.029,33")
        assert found.frame["number"].to_list() == [1029, 12.5, 1029.33]
        assert found.notes == ("column `number`: the comma is before the decimals",)

    def test_two_letters_are_a_province_where_the_country_is_china(self) -> None:
        frame = pl.DataFrame({"region": ["SC"] * 3, "country": ["USA", "中国", None]})
        assert rows(frame).frame["region"].to_list() == ["SC", "四川", "四川"]
        assert rows(frame, region="US").frame["region"].to_list() == ["SC", "四川", "SC"]
        assert rows(frame.drop("country"), region="US").frame["region"].to_list() == ["SC"] * 3

    def test_what_a_field_is_in_all_rows(self) -> None:
        frame = pl.DataFrame({"name": ["a", "b"]})
        found = normalised(
            frame, Mapping({"name": "name"}, constants={"country": "中国", "integer": "7"}), FIELDS
        ).frame
        assert found.select("name", "country", "integer").rows() == [("a", "CN", 7), ("b", "CN", 7)]

    def test_types_of_other_formats(self) -> None:
        moment = datetime(2026, 3, 2, 10, tzinfo=UTC)
        found = rows(
            pl.DataFrame({"timestamp": [moment], "date": [moment], "number": [1], "boolean": [True], "id": [1.0]})
        )
        assert found.frame.select("timestamp", "date", "number", "boolean", "id").row(0) == (
            moment, date(2026, 3, 2), 1.0, True, "1",
        )  # fmt: skip
        assert found.frame["original"].to_list() == [None]
