"""Parameters of a recommender as a user writes them: checked by how the arguments of its maker are annotated.

`penalty: Annotated[float, msgspec.Meta(gt=0)] = 100.0` is the whole declaration: a name, a type, its bounds, a default.
An argument without an annotation, or with one that msgspec cannot read a value as, takes anything.
"""

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import msgspec

from crm.nearest import did_you_mean, one_of
from crm.structs import MistakeError, checked

if TYPE_CHECKING:
    from crm.hookspecs import Algorithm
    from crm.recommending import Recommender

_NAMED: Final = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def made(algorithm: "Algorithm", parameters: Mapping[str, Any], where: str) -> "Recommender":
    """A recommender with parameters.

    Args:
        algorithm: Which.
        parameters: By their names.
        where: What names them, for what is said of mistakes: `parameters`.

    Raises:
        MistakeError: it has no parameter of a name, or a value is of another type or out of bounds.
    """
    return algorithm.make(**_read(algorithm, parameters, where))


def _read(algorithm: "Algorithm", parameters: Mapping[str, Any], where: str) -> Mapping[str, Any]:
    takes = _taken(algorithm)
    names = [name for name, each in takes.items() if each.kind in _NAMED]
    if not any(each.kind is inspect.Parameter.VAR_KEYWORD for each in takes.values()):
        for name in parameters:
            if name not in names:
                near = did_you_mean(str(name), names)
                has = f"it takes {one_of(names)}" if names else "it takes none"
                raise MistakeError(where, f"{algorithm.name} has no parameter `{name}`{near}; {has}")
    fields = [(name, _type(takes[name].annotation), None) for name in names if name in parameters]
    kind = msgspec.defstruct("Parameters", fields, kw_only=True)
    known = checked(kind, {name: parameters[name] for name, *_ in fields}, where)
    return {**parameters, **{name: getattr(known, name) for name, *_ in fields}}


def _taken(algorithm: "Algorithm") -> Mapping[str, inspect.Parameter]:
    try:
        return inspect.signature(algorithm.make, eval_str=True).parameters
    except NameError:  # an annotation names what is there for type checkers alone
        return inspect.signature(algorithm.make).parameters


def _type(annotation: Any) -> Any:
    """As what a value is read; Any where msgspec does not know the type."""
    if annotation is inspect.Parameter.empty or isinstance(annotation, str):
        return Any
    try:
        kind = msgspec.inspect.type_info(annotation)
    except TypeError:
        return Any
    return Any if isinstance(kind, msgspec.inspect.CustomType) else annotation
