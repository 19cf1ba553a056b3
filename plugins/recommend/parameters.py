"""What parameters of recommenders may be: one table of bounds by name, held against before anything is made."""

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, Literal, TypeAlias, get_args, get_origin, get_type_hints

from crm.nearest import did_you_mean, one_of

Test: TypeAlias = "Callable[[Any], bool]"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _above_nothing(value: Any) -> bool:
    return _is_number(value) and value > 0


def _not_negative(value: Any) -> bool:
    return _is_number(value) and value >= 0


def _share(value: Any) -> bool:
    return _is_number(value) and 0 <= value <= 1


def _count(value: Any) -> bool:
    return _is_whole(value) and value >= 1


def _weights(number: int) -> Test:
    def test(value: Any) -> bool:
        several = isinstance(value, Sequence) and not isinstance(value, str) and len(value) == number
        return several and all(map(_not_negative, value)) and any(each > 0 for each in value)

    return test


_POSITIVE: Final = (_above_nothing, "a number above 0")
_FROM_0: Final = (_not_negative, "a number from 0 on")
_SHARE: Final = (_share, "a number from 0 to 1")
_COUNT: Final = (_count, "a whole number from 1 on")

BOUNDS: Final[Mapping[str, tuple[Test, str]]] = {
    "half_life": (lambda value: value is None or _above_nothing(value), "a number of days above 0, or null"),
    "shrink": _FROM_0,
    "alpha": _SHARE,
    "k": _COUNT,
    "informative": (lambda value: isinstance(value, bool), "true or false"),
    "penalty": _POSITIVE,
    "dropout": (lambda value: _share(value) and value < 1, "a number from 0 to less than 1"),
    "side": _FROM_0,
    "most": _COUNT,
    "power": _SHARE,
    "epochs": _COUNT,
    "rate": _POSITIVE,
    "seed": (lambda value: _is_whole(value) and value >= 0, "a whole number from 0 on"),
    "window": _COUNT,
    "decay": (lambda value: _share(value) and value > 0, "a number above 0 and up to 1"),
    "backoff": _POSITIVE,
    "least": (lambda value: _is_whole(value) and value >= 0, "a whole number from 0 on"),
    "candidates": _COUNT,
    "weights": (_weights(3), "three numbers from 0 on, not all 0"),
    "factors": (_weights(5), "five numbers from 0 on, not all 0"),
    "config": (lambda value: not _is_number(value) and not isinstance(value, str), "a section `interest`"),
}
"""By the name of a parameter: whether a value will do, and what it must be. Words to choose from are in type hints."""


def checked(make: Callable[..., Any]) -> Callable[..., Any]:
    """What makes a recommender, and refuses parameters that make no sense.

    Args:
        make: A class, or a `functools.partial` of one.

    Returns:
        The same, which raises a `ValueError` that says which parameter is wrong, and what it must be.
    """
    kind = make.func if isinstance(make, partial) else make
    fixed = _fixed(make)
    hints = get_type_hints(kind.__init__)
    names = [name for name in inspect.signature(kind).parameters if name not in fixed]

    def made(**parameters: Any) -> Any:
        for name, value in parameters.items():
            if name not in names:
                raise ValueError(f"there is no `{name}`{did_you_mean(name, names)}; there are: {one_of(names)}")
            _check(name, value, hints[name])
        return make(**parameters)

    return made


def _fixed(make: Callable[..., Any]) -> tuple[str, ...]:
    """The parameters that are given by place already."""
    if not isinstance(make, partial):
        return ()
    return tuple(inspect.signature(make.func).parameters)[: len(make.args)]


def _check(name: str, value: object, hint: object) -> None:
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            raise ValueError(f"`{name}` is {value!r}, and must be one of {one_of(map(str, get_args(hint)))}")
        return
    test, what = BOUNDS[name]
    if not test(value):
        raise ValueError(f"`{name}` is {value!r}, and must be {what}")
