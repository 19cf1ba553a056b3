"""Columns are guessed from their headers, and a map file says what is not guessed right."""

from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm.errors import Unusable
from crm.intake.fields import Field, plain
from crm.intake.mapping import MapFile, Mapping, guess, read_map, write_map
from crm.intake.rules import Rule

FIELDS = (
    Field("customer", "id", ("customerid", "id", "编号")),
    Field("name", "name", ("fullname", "姓名")),
    Field("phone", "phone", ("mobile", "tel", "手机"), help="phone number"),
    Field("note", "text", ("comment", "备注")),
    Field("extras", "json"),
    Field("original", "json"),
)
NAMES = tuple(field.name for field in FIELDS)


def written(folder: Path, text: str) -> Path:
    file = folder / "map.yaml"
    file.write_text(text, encoding="utf-8")
    return file


class TestGuess:
    @pytest.mark.parametrize(
        ("header", "field"),
        [
            ("Full Name", "name"),
            ("FULL_NAME", "name"),
            ("ｎａｍｅ", "name"),
            ("姓 名", "name"),
            ("Customer ID", "customer"),
            ("customer name", "name"),
            ("客户姓名", "name"),
            ("会员手机", "phone"),
            ("Tel.", "phone"),
        ],
    )
    def test_headers_without_case_blanks_signs_width_and_whose_they_are(self, header: str, field: str) -> None:
        assert guess([header], FIELDS) == Mapping({field: header})

    def test_the_best_header_wins_and_the_other_column_is_kept(self) -> None:
        assert guess(["tel", "x", "Mobile"], FIELDS) == Mapping({"phone": "Mobile"}, ("tel", "x"))

    def test_a_whole_header_is_surer_than_the_rest_of_one(self) -> None:
        assert guess(["customer name", "full name"], FIELDS) == Mapping({"name": "full name"}, ("customer name",))

    def test_what_was_exported_is_known_again(self) -> None:
        assert guess(NAMES, FIELDS) == Mapping(dict(zip(NAMES, NAMES, strict=True)))

    @given(st.lists(st.sampled_from([*NAMES, "Mobile", "TEL", "编号", "x", "y", "客户编号", "Name"]), unique=True))
    def test_every_column_is_somewhere_and_none_twice(self, columns: list[str]) -> None:
        found = guess(columns, FIELDS)
        assert sorted([*found.columns.values(), *found.extras]) == sorted(columns)
        order = {column: place for place, column in enumerate(columns)}
        assert sorted(found.extras, key=order.__getitem__) == list(found.extras)

    def test_the_reasons_in_front_of_rejected_rows_are_left_out(self) -> None:
        found = guess(["row", "column", "reason", "姓名"], FIELDS)
        assert found == Mapping({"name": "姓名"}, (), ("row", "column", "reason"))
        assert guess(["姓名", "row"], FIELDS).extras == ("row",)

    def test_signs_alone_are_no_header(self) -> None:
        assert guess(["", "#", "客户"], (Field("x", "text", ("-",)),)) == Mapping({}, ("", "#", "客户"))
        assert plain("#") == ""


class TestMapFile:
    columns = ("姓名", "Mobile", "Comment", "Internal", "id")

    def test_says_what_becomes_of_columns_and_the_rest_is_guessed(self, tmp_path: Path) -> None:
        file = written(
            tmp_path,
            """
            columns: {Mobile: note, Comment: extras, Internal: null}
            region: us
            dates: month-first
            zone: Asia/Shanghai
            set: {phone: 13800138000}
            rules: [{column: name, required: true}]
            """,
        )
        found = read_map(file, self.columns, FIELDS)
        mapping = Mapping(
            {"name": "姓名", "note": "Mobile", "customer": "id"}, ("Comment",), ("Internal",), {"phone": "13800138000"}
        )
        rule = Rule("required", True, "is missing", ("name",), where=f"{file}: rules[1]")
        assert found == MapFile(mapping, (rule,), "US", "month-first", "Asia/Shanghai")

    def test_an_empty_file_leaves_all_to_guessing(self, tmp_path: Path) -> None:
        assert read_map(written(tmp_path, ""), self.columns, FIELDS) == MapFile(guess(self.columns, FIELDS))

    def test_a_column_to_leave_out_need_not_be_there(self, tmp_path: Path) -> None:
        assert read_map(written(tmp_path, "columns: {Fax: null}"), ["id"], FIELDS).mapping == Mapping(
            {"customer": "id"}
        )

    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("colums: {}", "unknown key `colums` (did you mean `columns`?); there are: columns, set, region,"),
            ("columns: [a]", "`columns` must be a mapping of columns to fields, such as `Mobile: phone`"),
            (
                "columns: {Mobil: phone}",
                "the file has no column `Mobil` (did you mean `Mobile`?); it has: 姓名, Mobile,",
            ),
            (
                "columns: {Mobile: fone}",
                "`Mobile`: no field `fone` (did you mean `phone`?); there are: customer, name,",
            ),
            ("columns: {Mobile: phone, id: phone}", "`Mobile` and `id` are both `phone`; a field has one column"),
            ("columns: {No: phone}", "write a header that YAML takes for `False` between quotes"),
            ("region: China", "region: write a country as two letters between quotes, such as 'CN', not `China`"),
            ("region: no", "not `False`"),
            (
                "dates: day-frist",
                "dates: `day-frist` is unknown (did you mean `day-first`?); use day-first, month-first",
            ),
            ("zone: Mars/Base", "zone: no time zone `Mars/Base`; write one such as Asia/Shanghai"),
            ("set: [a]", "`set` must be a mapping of fields to values, such as `language: zh`"),
            ("set: {fone: x}", "set: no field `fone` (did you mean `phone`?); there are: customer, name, phone, note"),
            ("{columns: {Mobile: phone}, set: {phone: x}}", "set: `phone` is the column `Mobile` already"),
            ("set: {phone: [x]}", "set: `phone` must be one value"),
            ("rules: {a: b}", "rules: must be a list of rules"),
        ],
    )
    def test_mistakes_are_one_sentence(self, tmp_path: Path, text: str, sentence: str) -> None:
        file = written(tmp_path, text)
        with pytest.raises(Unusable) as caught:
            read_map(file, self.columns, FIELDS)
        assert str(caught.value).startswith(f"{file}: ")
        assert sentence in str(caught.value)
        assert "\n" not in str(caught.value)

    headers = st.sampled_from([*NAMES, "Mobile", "No", "null", "1", "~", "a: b", "#x", "'q'", "- x", "编号"]) | st.text(
        st.characters(exclude_categories=["Cs", "Cc"]), max_size=8
    )

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.lists(headers, unique=True), st.data())
    def test_what_is_written_reads_back_equal(self, tmp_path: Path, columns: list[str], data: st.DataObject) -> None:
        guessed = guess(columns, FIELDS)
        left_out = data.draw(st.sets(st.sampled_from(guessed.extras or ("none",))))
        gone = {*guessed.dropped, *left_out}
        extras = tuple(name for name in guessed.extras if name not in gone)
        mapping = Mapping(guessed.columns, extras, tuple(name for name in columns if name in gone))
        file = tmp_path / "map.yaml"
        write_map(file, mapping, FIELDS)
        assert read_map(file, columns, FIELDS) == MapFile(mapping)

    def test_all_that_a_map_file_says_reads_back_equal(self, tmp_path: Path) -> None:
        file = written(
            tmp_path,
            """
            columns: {姓名: name, x: extras}
            set: {note: "no"}
            region: US
            dates: month-first
            zone: Asia/Shanghai
            rules:
              - {column: name, required: true, reason: needs a name}
              - {column: x, range: [1900-01-01, null], severity: warn}
              - {column: x, range: [0, 1.5]}
              - {column: x, one-of: [a, 1, true]}
              - {column: x, pattern: '^a: "b"$'}
              - {check: "name = 'a' or phone is null"}
            """,
        )
        said = read_map(file, ("姓名", "x"), FIELDS)
        assert len(said.rules) == 6
        write_map(tmp_path / "again.yaml", said, FIELDS)
        assert read_map(tmp_path / "again.yaml", ("姓名", "x"), FIELDS) == said

    def test_a_person_can_edit_it(self, tmp_path: Path) -> None:
        file = tmp_path / "map.yaml"
        write_map(file, guess(("姓名", "爱好"), FIELDS), FIELDS)
        text = file.read_text(encoding="utf-8")
        assert "姓名: name\n" in text
        assert "爱好: extras\n" in text
        assert "#   phone        phone number\n" in text
        uncommented = [line.removeprefix("# ") for line in text.splitlines() if line[2:3].islower() or "- {" in line]
        known = yaml.safe_load("\n".join(line for line in uncommented if not line.startswith(" " * 2 + "phone")))
        assert known["region"] == "CN"
        assert len(known["rules"]) == 2
