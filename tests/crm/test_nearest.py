"""What is said of columns that are not there, and never of people who stand in their place."""

import pytest

from crm.nearest import no_column, there_are


def test_the_columns_are_listed_up_to_so_many() -> None:
    assert no_column("frst", ["first", "second", "third"], 2) == (
        "there is no column `frst` (did you mean `first`?); there are: first, second and 1 more"
    )


@pytest.mark.parametrize(
    "value",
    [
        "13800138000",
        "138-0013-8000",
        "+86 138 0013 8000",
        "１３８００１３８０００",
        "990099197803260096",
        "a@b.cn",
        "99009919780326009X",
    ],
)
def test_a_row_in_the_place_of_the_names_is_not_shown(value: str) -> None:
    assert there_are(["王伟", value]) == "the first line looks like a row, and must name the columns"


@pytest.mark.parametrize("name", ["电话1", "2026-03-01", "20260301", "e-mail", "q1@shop", "1", "column 12345"])
def test_names_of_columns_are_shown(name: str) -> None:
    assert there_are([name]) == f"there are: {name}"
