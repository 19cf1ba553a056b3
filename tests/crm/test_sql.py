"""What is said of SQL that cannot be evaluated holds no value of a table, whosever it is."""

import polars as pl
import pytest

from crm.sql import reason

FRAME = pl.DataFrame({"name": ["曹伟", "陈欣宇"], "born": ["1978", "x"]})


@pytest.mark.parametrize("condition", ["cast(name as int) > 1", "cast(name as double) > born"])
def test_values_that_are_no_numbers_are_not_shown(condition: str) -> None:
    with pytest.raises(pl.exceptions.PolarsError) as caught:
        FRAME.sql(f"select * from self where {condition}")
    said = reason(caught.value)
    assert "曹伟" in str(caught.value)
    assert "曹伟" not in said
    assert "'name'" in said
    assert "try_cast" in said
    assert "\n" not in said


def test_try_cast_is_what_it_is_said_to_be() -> None:
    assert FRAME.sql("select name from self where try_cast(born as int) > 1")["name"].to_list() == ["曹伟"]
