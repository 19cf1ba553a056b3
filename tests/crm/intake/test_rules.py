"""Rules of a YAML file: what breaks them, and what is no rule."""

from datetime import date

import polars as pl
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from crm.errors import Unusable
from crm.intake.rules import parse, violations


def broken(frame: pl.DataFrame, *rules: str, extras: tuple[str, ...] = ()) -> list[tuple[int, str, str, str]]:
    return violations(frame, parse([yaml.safe_load(rule) for rule in rules], "rules"), extras=extras).rows()


FRAME = pl.DataFrame(
    {
        "name": ["a", None, "c", "a"],
        "age": [30.0, -1.0, None, 121.0],
        "birth": [date(1990, 1, 1), date(1899, 12, 31), None, date(2030, 1, 1)],
        "registered": [date(2020, 1, 1), date(2020, 1, 1), date(2020, 1, 1), date(2020, 1, 1)],
        "postcode": ["510000", "51", None, "510000x"],
        "phone": [None, None, "+8613800138000", None],
        "extras": ['{"学历":"本科","年龄":"30"}', '{"学历":"x","年龄":"x"}', None, '{"年龄":"121"}'],
        "original": ['{"phone":"12"}', '{"note":",\\"phone\\":"}', '{"phone":"138"}', None],
    }
)


class TestRules:
    @pytest.mark.parametrize(
        ("rule", "rows", "reason"),
        [
            ("{column: name, required: true}", [1], "is missing"),
            ("{column: name, unique: true}", [3], "is that of an earlier row, too"),
            ("{column: age, range: [0, 120]}", [1, 3], "is not between 0 and 120"),
            ("{column: age, range: [0, null]}", [1], "is below 0"),
            ("{column: age, range: [null, 120.5]}", [3], "is above 120.5"),
            ("{column: birth, range: [1900-01-01, 2026-01-01]}", [1, 3], "is not between 1900-01-01 and 2026-01-01"),
            ("{column: postcode, pattern: '^[0-9]{6}$'}", [1, 3], "does not fit ^[0-9]{6}$"),
            ("{column: name, one-of: [c, d]}", [0, 3], "is none of c, d"),
            ("{column: age, one-of: [30, 121]}", [1], "is none of 30, 121"),
            ("{column: phone, valid: true}", [0], "is no value of this kind"),
            ("{column: 学历, one-of: [本科, 硕士]}", [1], "is none of 本科, 硕士"),
            ("{column: 年龄, range: [0, 120]}", [1, 3], "is not between 0 and 120"),
            ("{column: 学历, required: true}", [2, 3], "is missing"),
        ],
    )
    def test_of_one_column(self, rule: str, rows: list[int], reason: str) -> None:
        name = yaml.safe_load(rule)["column"]
        assert broken(FRAME, rule) == [(row, name, reason, "reject") for row in rows]

    def test_of_several_columns_where_nothing_is_missing(self) -> None:
        rule = "{check: registered >= birth, reason: registered before birth, severity: warn}"
        assert broken(FRAME, rule) == [(3, "registered, birth", "registered before birth", "warn")]
        assert [row for row, *_ in broken(FRAME, """{check: "学历 = '本科' or age < 0"}""")] == []
        assert [row for row, *_ in broken(FRAME, """{check: "学历 = '本科'"}""")] == [1]
        assert broken(FRAME, "{check: birth < date '2026-01-01'}")[0][2] == "does not fulfil birth < date '2026-01-01'"

    def test_columns_may_be_called_as_the_file_calls_them(self) -> None:
        rules = parse([{"column": "name", "required": True}, {"check": "registered >= birth"}], "rules")
        found = violations(FRAME, rules, columns={"name": "姓名", "birth": "生日"})
        assert found["column"].to_list() == ["姓名", "registered, 生日"]

    def test_a_row_may_break_several(self) -> None:
        rules = ("{column: name, required: true}", "{column: age, range: [0, 120], reason: no age, severity: warn}")
        assert broken(FRAME, *rules) == [
            (1, "name", "is missing", "reject"),
            (1, "age", "no age", "warn"),
            (3, "age", "no age", "warn"),
        ]

    def test_a_column_that_no_row_has_a_value_in_is_known(self) -> None:
        frame = FRAME.with_columns(extras=pl.lit(None, dtype=pl.String))
        assert broken(frame, "{column: fax, pattern: x}", extras=("fax",)) == []
        assert len(broken(frame, "{column: fax, required: true}", extras=("fax",))) == 4
        with pytest.raises(
            Unusable, match=r"^rules\[1\]: there is no column `nam` \(did you mean `name`\?\); there are"
        ):
            broken(frame, "{column: nam, required: true}")

    numbers = st.integers(-50, 50)

    @given(st.lists(st.floats(-60, 60) | st.none()), numbers | st.none(), numbers)
    def test_ranges_as_python_has_them(self, values: list[float | None], low: int | None, high: int) -> None:
        low = None if low is None else min(low, high)
        frame = pl.DataFrame({"x": values}, schema={"x": pl.Float64})
        found = violations(frame, parse([{"column": "x", "range": [low, high]}], "rules"))["row"].to_list()
        outside = [row for row, x in enumerate(values) if x is not None and ((low is not None and x < low) or x > high)]
        assert found == outside

    @given(st.lists(st.sampled_from(["a", "b", "c", None])))
    def test_unique_as_python_has_it(self, values: list[str | None]) -> None:
        frame = pl.DataFrame({"x": values}, schema={"x": pl.String})
        found = violations(frame, parse([{"column": "x", "unique": True}], "rules"))["row"].to_list()
        assert found == [row for row, x in enumerate(values) if x is not None and x in values[:row]]


@pytest.mark.parametrize(
    ("rules", "sentence"),
    [
        ("{column: name}", "rules: must be a list of rules, such as `- {column: name, required: true}`"),
        ("[name]", "rules[1]: must be a mapping, such as {column: name, required: true}"),
        (
            "[{column: a, requird: true}]",
            "rules[1]: unknown key `requird` (did you mean `required`?); there are: column,",
        ),
        (
            "[{column: a}]",
            "rules[1]: a rule has one of required, range, pattern, one-of, unique, valid, check; this one",
        ),
        ("[{column: a, required: true, unique: true}]", "this one has required, unique"),
        ("[{required: true}]", "rules[1]: `required` needs a `column`"),
        ("[{column: a, check: a > 1}]", "rules[1]: `check` has no column"),
        ("[{column: a, required: false}]", "rules[1].required: can only be true"),
        ("[{column: a, required: true, severity: fatal}]", "rules[1]: `severity` is reject, warn, not `fatal`"),
        ("[{column: a, range: [1]}]", "rules[1].range: must be two ends, such as [0, 120]; one may be null"),
        ("[{column: a, range: [1, x]}]", "rules[1].range: its ends must be two numbers or two dates"),
        ("[{column: a, range: [1, 2026-01-01]}]", "rules[1].range: its ends must be two numbers or two dates"),
        ("[{column: a, range: [null, null]}]", "rules[1].range: its ends must be two numbers or two dates"),
        ("[{column: a, range: [2, 1]}]", "rules[1].range: 2.0 is greater than 1.0"),
        ("[{column: a, pattern: '('}]", "rules[1].pattern: `(` is no pattern: unclosed group"),
        ("[{column: a, one-of: x}]", "rules[1].one-of: must be a list of values, such as [gold, silver]"),
        ("[{column: a, one-of: []}]", "rules[1].one-of: must be a list"),
        ("[{check: 'a >'}]", "rules[1].check: `a >` is no condition (unable to parse"),
        ("[{check: 'select 1'}]", "rules[1].check: `select 1` is no condition"),
        ("""[{check: "read_csv('x') > 1"}]""", "is no condition (unsupported function 'read_csv')"),
        ("[{column: a, required: true}, {check: '1) or (1'}]", "rules[2].check"),
    ],
)
def test_what_is_no_rule_is_told_in_one_sentence(rules: str, sentence: str) -> None:
    with pytest.raises(Unusable) as caught:
        parse(yaml.safe_load(rules), "rules")
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ("{check: age}", "rules[1]: `age` is no condition; write one such as registered >= birth"),
        ("{check: ages > 1}", "rules[1]: there is no column `ages` (did you mean `age`?)"),
        ("{check: birth > '2026-01-01'}", "rules[1]: `birth > '2026-01-01'` cannot be evaluated: cannot compare"),
        ("{check: age > (select 1)}", "rules[1]: `age > (select 1)` cannot be evaluated"),
        ("{check: cast(name as int) > 1}", "values; try_cast(COLUMN as TYPE) leaves those empty"),
    ],
)
def test_what_cannot_be_evaluated_is_told_in_one_sentence(rule: str, sentence: str) -> None:
    with pytest.raises(Unusable) as caught:
        broken(FRAME, rule)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
