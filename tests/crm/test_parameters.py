"""Parameters of recommenders as users write them."""

from typing import Annotated, Any, Literal

import pytest
from msgspec import Meta

from crm.hookspecs import Algorithm
from crm.parameters import made
from crm.structs import MistakeError


class Bare:
    """Some annotations are not there, or name what is not."""

    def __init__(  # type: ignore[no-untyped-def]
        self,
        anything=None,
        other: "NoSuch | None" = None,  # type: ignore[name-defined]  # noqa: F821 - for type checkers alone
    ) -> None:
        self.all = (anything, other)


class Known:
    """All annotations are there when the program runs."""

    def __init__(self, share: Annotated[float, Meta(ge=0, le=1)] | None = 0.5, way: Literal["once", "log"] = "once"):
        self.share, self.way = share, way


def free(**names: object) -> Any:
    return names


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"share": 2}, "`parameters.share`: expected `float` <= 1.0"),
        ({"share": "much"}, "`parameters.share`: expected `float | null`, got `str`"),
        ({"share": float("nan")}, "`parameters.share`: expected a finite number"),
        ({"way": "onec"}, "`parameters.way`: expected one of log, once, got `onec` (did you mean `once`?)"),
        ({"way": 1}, "`parameters.way`: expected one of log, once, got `1`"),
        ({"shar": 1}, "`parameters`: best has no parameter `shar` (did you mean `share`?); it takes share, way"),
        ({1: 1}, "`parameters`: best has no parameter `1`; it takes share, way"),
    ],
)
def test_a_value_without_sense_is_told(parameters: dict[Any, Any], said: str) -> None:
    with pytest.raises(MistakeError) as error:
        made(Algorithm("best", Known), parameters, "parameters")  # type: ignore[arg-type]
    assert str(error.value) == said


def test_values_are_read_as_their_types() -> None:
    known: Any = made(Algorithm("best", Known), {"share": 1}, "parameters")  # type: ignore[arg-type]
    assert isinstance(known.share, float)
    assert (known.share, known.way) == (1.0, "once")
    assert made(Algorithm("best", Known), {"share": None}, "parameters").share is None  # type: ignore[arg-type,attr-defined]


def test_what_is_not_annotated_takes_anything() -> None:
    found: Any = made(Algorithm("bare", Bare), {"anything": [1], "other": -7}, "parameters")  # type: ignore[arg-type]
    assert found.all == ([1], -7)
    assert made(Algorithm("free", free), {"whatever": {"a": 1}}, "parameters") == {"whatever": {"a": 1}}
