"""Rejected rows stand in a file once, with all reasons, and come in again when they are repaired."""

import polars as pl

from crm.intake.fields import Field
from crm.intake.mapping import guess
from crm.intake.normalise import normalised
from crm.intake.rejects import REASONS, rejects_frame, without_reasons

FIELDS = (Field("customer", "id"), Field("birth", "date", ("生日",)), Field("amount", "number", ("金额",)))
ROWS = pl.DataFrame({"customer": ["a", "b", "c"], "生日": ["x", "2026-03-02", "y"], "金额": ["1", "2", "z"]})


def faults(*rows: tuple[int, str | None, str]) -> pl.DataFrame:
    schema = {"row": pl.Int64, "column": pl.String, "reason": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")


def test_a_row_stands_there_once_with_all_its_reasons() -> None:
    found = rejects_frame(
        ROWS,
        faults((3, "生日", "is no date"), (1, "生日", "is no date"), (3, "金额", "is no number")),
        pl.Series([1, 2, 3]),
    )
    assert found.rows() == [
        (1, "生日", "is no date", "a", "x", "1"),
        (3, "生日, 金额", "生日: is no date; 金额: is no number", "c", "y", "z"),
    ]
    assert found.columns == ["row", "column", "reason", *ROWS.columns]


def test_numbers_may_stand_in_the_last_column() -> None:
    found = rejects_frame(ROWS.with_columns(row=pl.Series([2, 4, 7])), faults((7, None, "is forgotten")))
    assert found.rows() == [(7, "", "is forgotten", "c", "y", "z")]


def test_no_faults_no_rows() -> None:
    assert rejects_frame(ROWS, faults(), pl.Series([1, 2, 3])).is_empty()


def test_a_file_with_a_column_of_such_a_name_keeps_it() -> None:
    rows = ROWS.with_columns(reason=pl.lit("why"))
    found = rejects_frame(rows, faults((1, "生日", "is no date")), pl.Series([1, 2, 3]))
    assert found.columns == [*REASONS[1], *rows.columns]
    assert without_reasons(found.columns) == rows.columns


def test_what_was_repaired_comes_in_and_what_was_not_is_rejected_again() -> None:
    first = normalised(ROWS, guess(ROWS.columns, FIELDS), FIELDS)
    numbers = pl.int_range(3, eager=True)
    rejected = rejects_frame(ROWS, first.faults, numbers)
    repaired = rejected.with_columns(pl.lit("2026-03-03").alias("生日"))
    second = normalised(repaired, guess(repaired.columns, FIELDS), FIELDS)
    assert second.frame["extras"].to_list() == [None, None]
    assert second.faults.rows() == [(1, "金额", "is no number")]
    again = rejects_frame(repaired, second.faults, pl.int_range(2, eager=True))
    assert again.columns == rejected.columns
    assert again["customer"].to_list() == ["c"]
