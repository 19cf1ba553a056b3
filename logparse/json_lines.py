r"""Logs of one JSON object a line, by a map from roles to paths of keys.

A path is written `request.headers.User-Agent`; a dot within a key is `\.`, and `[]` at the end of a path says that
a list stands there, whose items are joined by `, `. The *reference* reads a line with Python's own parser. The *plan*
lets Polars read all lines at once, and in halves where a line breaks it, down to a few lines that it leaves to the
reference. It proves lines whose texts are told from nested values by their first character and that hold no escaped
surrogate. Numbers become texts without an exponent; of keys that occur twice, the first counts.
"""

import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import polars as pl

from logparse import readings, timeformat
from logparse.errors import FormatError
from logparse.layout import Field, Layout, roles_of
from logparse.spec import LogFormat

ROLES = (
    *("address", "forwarded", "login", "host", "time", "request", "method", "target"),
    *("args", "status", "bytes", "referrer", "agent", "cookies"),
)
PORTS = ("address", "forwarded")
LIST = "[]"
JOINT = ", "
FEW = 16
"""So few lines, of which one cannot be read at once, are left to the reference."""

NESTED = r"^[\[{]"
LISTED = r"[\[{]"
SURROGATE = r"\\u[dD]"

RAW_BYTE = r"((?:^|[^\\])(?:\\\\)*)\\x"
r"""What a byte that is not UTF-8 looks like once its block is text: `\xHH`, which is no escape of JSON."""

NO_OBJECT = "object of JSON"
"""What is named as the field at fault of a line that is none."""


def compile_json(spec: LogFormat) -> Layout:
    """Compile a map of keys.

    Raises:
        FormatError: it is no map, has an unknown role or reading, or lacks the time or the request.
    """
    try:
        keys = json.loads(spec.pattern)
    except ValueError:
        keys = None
    if not isinstance(keys, dict) or not keys:
        raise FormatError(f"{spec.pattern!r} is no map of keys such as {{'time': 'ts', 'request': 'request'}}")
    fields = [_field(role, path) for role, paths in keys.items() for path in _paths(role, paths)]
    _tree([segments(field.directive) for field in fields])  # raises where paths contradict each other
    return Layout(tuple(fields), (), roles_of(fields, spec.pattern), "json", False)


def _paths(role: str, paths: object) -> list[str]:
    found = [paths] if isinstance(paths, str) else paths
    if not isinstance(found, list) or not found or not all(isinstance(path, str) and path for path in found):
        raise FormatError(f"the key of {role!r} must be a path such as 'request.uri', or a list of paths")
    return found


def _field(role: str, path: str) -> Field:
    name, _, reading = role.partition(":")
    if name == "time":
        return Field(name, path, "", time=timeformat.named(reading or "any").time)
    if name not in ROLES:
        raise FormatError(f"there is no role {name!r}; there are {', '.join(ROLES)}")
    if reading and reading not in readings.READINGS:
        raise FormatError(f"{role!r} has no reading {reading!r}; there are {', '.join(readings.READINGS)}")
    return Field(name, path, "", reading=reading or ("ports" if name in PORTS else ""))


def segments(path: str) -> list[str]:
    """The keys of a path."""
    return [re.sub(r"\\(.)", r"\1", part) for part in re.findall(r"(?:[^.\\]|\\.)+", path.removesuffix(LIST))]


def failed_field(lines: pl.Series, layout: Layout) -> pl.Series:
    """Which key, of those that every hit needs, each line lacks that does not fit."""
    return pl.Series([_fault(line, layout) for line in _valid(lines).to_list()], dtype=pl.String)


def _valid(lines: pl.Series) -> pl.Series:
    r"""Lines whose bytes that are not UTF-8 stay visible: servers write them into JSON as they are."""
    if not lines.str.contains("\\x", literal=True).any():
        return lines
    return lines.str.replace_all(RAW_BYTE, r"${1}\\x")


def _fault(line: str, layout: Layout) -> str:
    found = _object(line)
    if found is None:
        return NO_OBJECT
    missing = [wanted for wanted in _needed(layout) if not any(_is_there(found, path) for path in wanted)]
    return " or ".join(missing[0]) if missing else NO_OBJECT


def _needed(layout: Layout) -> list[list[str]]:
    """The paths of the time, and those of the request; of each, one must be there, be it empty."""
    needed = ({"time"}, {"request", "target"})
    return [[field.directive for field in layout.fields if field.role in roles] for roles in needed]


def reference(lines: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """The texts of all fields of all lines, null where a line does not fit; see `logparse.reference.parse`."""
    needed = _needed(layout)
    rows = [_row(_object(line), layout, needed) for line in _valid(lines["line"]).to_list()]
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(layout.fields)
    texts = [pl.Series(f"f{at}", column, dtype=pl.String) for at, column in enumerate(columns)]
    return lines.with_columns(texts)


def _row(found: Mapping[str, Any] | None, layout: Layout, needed: list[list[str]]) -> list[str | None]:
    none: list[str | None] = [None] * len(layout.fields)
    if found is None:
        return none
    if not all(any(_is_there(found, path) for path in wanted) for wanted in needed):
        return none
    return [_text(_at(found, field.directive)) for field in layout.fields]


def _object(line: str) -> Mapping[str, Any] | None:
    """The object of a line; None where it is none."""
    try:
        found = json.loads(
            line, parse_float=_number, parse_int=_integer, parse_constant=_no_constant, object_pairs_hook=_first
        )
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _first(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    return dict(reversed(pairs))


def _integer(text: str) -> str:
    return "0" if text == "-0" else text


def _number(text: str) -> str:
    """A number without an exponent, as short as it can be to tell it from its neighbours."""
    value = float(text)
    if value in (float("inf"), float("-inf")):
        return text
    return format(Decimal(repr(value)), "f").removesuffix(".0")


def _no_constant(text: str) -> str:
    raise ValueError(text)


def _at(found: Any, path: str) -> Any:
    """What stands at a path; None where nothing does."""
    for key in segments(path):
        if not isinstance(found, dict):
            return None
        found = found.get(key)
    return found


def _is_there(found: Any, path: str) -> bool:
    """Whether a text stands at a path, an empty one too: servers log a request that says nothing as one."""
    return isinstance(_at(found, path), str | list | bool)


def _text(value: Any) -> str:
    if isinstance(value, list):
        return JOINT.join(_text(item) for item in value if item is not None)
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return ""
    return value.encode("utf-8", "backslashreplace").decode()


def plan(lines: pl.DataFrame, layout: Layout, _data: bytes | None = None) -> pl.DataFrame:
    """The texts of all fields, for the lines that the plan can prove; see `logparse.plan.parse`."""
    paths = [field.directive for field in layout.fields]
    tree = _tree([segments(path) for path in paths], [path.endswith(LIST) for path in paths])
    line = pl.col("line")
    likely = line.str.starts_with("{") & line.str.ends_with("}") & ~line.str.contains(SURROGATE)
    valid = _valid(lines["line"])
    good = valid.to_frame().select(likely).to_series()
    schema = {name: _dtype(node) for name, node in tree.items()}
    decoded, read = _decoded(valid.filter(good), schema)
    texts = [_found(decoded, segments(path), is_list=path.endswith(LIST)) for path in paths]
    fields = pl.DataFrame([text.alias(f"f{at}") for at, text in enumerate(texts)]).with_columns(read)
    fields = fields.with_columns(_proven(layout)).with_columns(pl.exclude("read", "proven").fill_null(""))
    if fields.height < lines.height:
        places = lines.select(pl.when(good).then(good.cast(pl.UInt32).cum_sum() - 1)).to_series()
        fields = fields[places] if fields.height else fields.clear(lines.height)
    return lines.hstack(fields.drop("read").with_columns(pl.col("proven").fill_null(False)))


def _proven(layout: Layout) -> pl.Expr:
    """The lines that were read, have what they need, and hold only texts and numbers where these are wanted."""
    plain, there = [], []
    for at, field in enumerate(layout.fields):
        nested = pl.col(f"f{at}").str.contains(LISTED if field.directive.endswith(LIST) else NESTED)
        plain.append(~nested.fill_null(False))
    for wanted in _needed(layout):
        numbers = [at for at, field in enumerate(layout.fields) if field.directive in wanted]
        there.append(pl.any_horizontal(pl.col(f"f{at}").is_not_null() for at in numbers))
    return pl.all_horizontal("read", *plain, *there).alias("proven")


Node = dict[str, Any] | bool
"""Keys and what stands below them; at the end of a path, whether a list stands there."""


def _tree(paths: list[list[str]], lists: list[bool] | None = None) -> dict[str, Any]:
    """All paths as one tree.

    Raises:
        FormatError: one path leads through the end of another.
    """
    tree: dict[str, Any] = {}
    for path, is_list in zip(paths, lists or [False] * len(paths), strict=True):
        node = tree
        for key in path[:-1]:
            node = node.setdefault(key, {})
            if not isinstance(node, dict):
                break
        if not path or not isinstance(node, dict) or isinstance(node.get(path[-1]), dict):
            raise FormatError(f"the key {'.'.join(path)!r} cannot be both a value and what holds others")
        node[path[-1]] = is_list or node.get(path[-1], False)
    return tree


def _dtype(node: Node) -> pl.DataType:
    if isinstance(node, dict):
        return pl.Struct({name: _dtype(below) for name, below in node.items()})
    return pl.List(pl.String) if node else pl.String()


def _found(decoded: pl.DataFrame, path: list[str], *, is_list: bool) -> pl.Series:
    """The texts at a path. Series are asked, not expressions, to which some keys, such as `*`, mean several columns."""
    text = decoded[path[0]]
    for key in path[1:]:
        text = text.struct.unnest()[key]
    return text.list.join(JOINT, ignore_nulls=True) if is_list else text


def _decoded(lines: pl.Series, schema: Mapping[str, pl.DataType]) -> tuple[pl.DataFrame, pl.Series]:
    """All lines decoded, and whether each could be (`read`); what could not is null."""
    if len(lines):
        try:
            frame = pl.read_ndjson(lines.str.join("\n").item().encode(), schema=schema)
        except (pl.exceptions.PolarsError, ValueError):
            frame = pl.DataFrame()
        if frame.height == len(lines):
            return frame, pl.repeat(True, len(lines), eager=True).rename("read")
    if len(lines) <= FEW:
        return pl.DataFrame(schema=schema).clear(len(lines)), pl.repeat(False, len(lines), eager=True).rename("read")
    half = len(lines) // 2
    (first, one), (second, two) = _decoded(lines[:half], schema), _decoded(lines[half:], schema)
    return pl.concat([first, second]), pl.concat([one, two])
