"""Which column of a file is which field: guessed from its header, or read from a map file that a person has edited.

columns:
  姓名: name
  Mobile: phone
  Comment: extras   # kept under its own name
  Internal: null    # left out
region: CN          # country of phone numbers that name none
dates: day-first    # how 3/2/2026 is meant; or month-first
zone: Asia/Shanghai # of times that name none
rules: []
"""

from collections.abc import Iterable, Sequence
from collections.abc import Mapping as Columns
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from crm.atomic import replacing
from crm.errors import Unusable
from crm.intake.dates import ORDERS, Order
from crm.intake.fields import Field, plain
from crm.intake.rejects import without_reasons
from crm.intake.rules import Rule, as_data, parse, shown
from crm.nearest import did_you_mean, one_of
from crm.yamlfile import read_mapping

EXTRAS: Final = "extras"
"""What a map file calls a column that is kept under its own name."""

_KEYS: Final = ("columns", "set", "region", "dates", "zone", "rules")
_BEFORE: Final = ("customer", "client", "member", "user", "contact", "cust", "person", "buyer")
_BEFORE_CHINESE: Final = ("客户", "会员", "用户", "联系人", "收货人", "顾客", "买家", "收件人")


@dataclass(frozen=True)
class Mapping:
    """What becomes of the columns of a file.

    Attributes:
        columns: Field and column.
        extras: Columns that are kept under their own names, in the order of the file.
        dropped: Columns that are left out, in the order of the file.
        constants: Field and what it is in all rows.
    """

    columns: dict[str, str]
    extras: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    constants: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class MapFile:
    """What a map file says.

    Attributes:
        mapping: Of all columns of the file that is read; those that the map does not name are guessed.
        rules: What rows must keep.
        region: Country of phone numbers that name none, as two letters; None where nothing is said.
        dates: What comes first in 3/2/2026; None to look at the column.
        zone: Time zone of times that name none; None for UTC.
    """

    mapping: Mapping
    rules: tuple[Rule, ...] = field(default=())
    region: str | None = None
    dates: Order | None = None
    zone: str | None = None


def guess(columns: Sequence[str], fields: Sequence[Field]) -> Mapping:
    """The field of each column that is named for one; the best header of a field wins.

    Columns that a file of rejected rows has in front are left out.

    Args:
        columns: Those of the file.
        fields: What can be read.
    """
    rest = without_reasons(columns)
    return _all(columns, _guessed(rest, fields), dropped=[name for name in columns if name not in rest])


def _guessed(columns: Sequence[str], fields: Sequence[Field]) -> dict[str, str]:
    """Field and column, the surest first: by whole headers, then without a word for the customer before them."""
    found: dict[str, str] = {}
    for names in (_whole(columns), _short(columns)):
        ranks = {plain(header): rank for each in fields for rank, header in enumerate((each.name, *each.headers))}
        ranked = (
            (ranks[plain(header)], at, each.name, names[plain(header)])
            for at, each in enumerate(fields)
            for header in (each.name, *each.headers)
            if plain(header) in names
        )
        for _, _, name, column in sorted(ranked):
            if name not in found and column not in found.values():
                found[name] = column
    return found


def _whole(columns: Sequence[str]) -> dict[str, str]:
    """Columns by what is left of their headers."""
    return _first((plain(column), column) for column in columns)


def _short(columns: Sequence[str]) -> dict[str, str]:
    """The same without the first word, where that says whose the column is."""
    return _first((without_owner(plain(column)), column) for column in columns)


def without_owner(header: str) -> str:
    """A header, as `plain` makes it, without a word for the customer before it."""
    before = next((word for word in (*_BEFORE, *_BEFORE_CHINESE) if header.startswith(word)), "")
    return header.removeprefix(before)


def _first(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for header, column in pairs:
        if header:
            found.setdefault(header, column)
    return found


def _all(columns: Sequence[str], taken: Columns[str, str], dropped: Iterable[str]) -> Mapping:
    """A mapping of all columns: those that are neither taken nor left out are kept."""
    gone = set(dropped)
    used = {*taken.values(), *gone}
    order = {column: place for place, column in enumerate(columns)}
    sorted_fields = dict(sorted(taken.items(), key=lambda item: order[item[1]]))
    return Mapping(
        sorted_fields,
        tuple(column for column in columns if column not in used),
        tuple(column for column in columns if column in gone),
    )


def read_map(path: Path, columns: Sequence[str], fields: Sequence[Field]) -> MapFile:
    """What a map file says of a file's columns.

    Args:
        path: The map file.
        columns: Columns of the file that is read.
        fields: What can be read.

    Raises:
        Unusable: it cannot be read, or names a column, field or key that there is not; one sentence.
    """
    data = read_mapping(path)
    for key in data:
        if key not in _KEYS:
            raise Unusable(f"{path}: unknown key `{key}`{did_you_mean(str(key), _KEYS)}; there are: {one_of(_KEYS)}")
    said = _said(path, data.get("columns") or {}, columns, fields)
    kept = [column for column, name in said.items() if name == EXTRAS and not _is_field(column, fields)]
    taken = {name: column for column, name in said.items() if name is not None and column not in kept}
    rest = [column for column in without_reasons(columns) if column not in said]
    constants = _constants(path, data.get("set") or {}, fields, taken)
    guessed = _guessed(rest, [each for each in fields if each.name not in taken and each.name not in constants])
    left_out = [column for column in columns if column not in rest and said.get(column) is None]
    return MapFile(
        replace(_all(columns, {**guessed, **taken}, left_out), constants=constants),
        parse(data.get("rules") or [], f"{path}: rules"),
        _region(path, data.get("region")),
        _dates(path, data.get("dates")),
        _zone(path, data.get("zone")),
    )


def _is_field(column: str, fields: Sequence[Field]) -> bool:
    """Whether a column is the one of extras that an export has written."""
    return column == EXTRAS and any(each.name == EXTRAS for each in fields)


def _said(path: Path, given: object, columns: Sequence[str], fields: Sequence[Field]) -> dict[str, str | None]:
    """Column and field, `extras` or None, as the map file has them."""
    if not isinstance(given, dict):
        raise Unusable(f"{path}: `columns` must be a mapping of columns to fields, such as `Mobile: phone`")
    names = [each.name for each in fields]
    known = names if EXTRAS in names else [*names, EXTRAS]
    said: dict[str, str | None] = {}
    for key, value in given.items():
        if isinstance(key, bool) or key is None:
            raise Unusable(f"{path}: columns: write a header that YAML takes for `{key}` between quotes")
        column, name = str(key), None if value is None else str(value)
        if column not in columns and name is not None:
            raise Unusable(
                f"{path}: columns: the file has no column `{column}`{did_you_mean(column, columns)}; "
                f"it has: {one_of(columns)}"
            )
        if name is not None and name not in known:
            raise Unusable(
                f"{path}: columns: `{column}`: no field `{name}`{did_you_mean(name, known)}; there are: {one_of(known)}"
            )
        if name not in (None, EXTRAS) and name in said.values():
            other = next(each for each, field in said.items() if field == name)
            raise Unusable(f"{path}: columns: `{other}` and `{column}` are both `{name}`; a field has one column")
        said[column] = name
    return said


def _constants(path: Path, given: object, fields: Sequence[Field], taken: Columns[str, str]) -> dict[str, str]:
    """Field and what it is in all rows."""
    if not isinstance(given, dict):
        raise Unusable(f"{path}: `set` must be a mapping of fields to values, such as `language: zh`")
    names = [each.name for each in fields if each.kind != "json"]
    for name, value in given.items():
        if name not in names:
            raise Unusable(
                f"{path}: set: no field `{name}`{did_you_mean(str(name), names)}; there are: {one_of(names)}"
            )
        if name in taken:
            raise Unusable(f"{path}: set: `{name}` is the column `{taken[name]}` already")
        if value is None or isinstance(value, (dict, list)):
            raise Unusable(f"{path}: set: `{name}` must be one value")
    return {str(name): shown(value) for name, value in given.items()}


def _region(path: Path, value: object) -> str | None:
    if value is None:
        return None
    text = str(value).upper() if isinstance(value, str) else ""
    if len(text) != len("CN") or not text.isascii() or not text.isalpha():
        raise Unusable(f"{path}: region: write a country as two letters between quotes, such as 'CN', not `{value}`")
    return text


def _dates(path: Path, value: object) -> Order | None:
    if value is not None and value not in ORDERS:
        raise Unusable(f"{path}: dates: `{value}` is unknown{did_you_mean(str(value), ORDERS)}; use {one_of(ORDERS)}")
    return next((order for order in ORDERS if order == value), None)


def _zone(path: Path, value: object) -> str | None:
    from zoneinfo import ZoneInfo

    if value is None:
        return None
    try:
        return ZoneInfo(str(value)).key
    except (ValueError, OSError, KeyError):
        raise Unusable(f"{path}: zone: no time zone `{value}`; write one such as Asia/Shanghai") from None


def write_map(path: Path, said: Mapping | MapFile, fields: Sequence[Field] = ()) -> None:
    """Write a map file that reads back as this one.

    Args:
        path: Where.
        said: What becomes of the columns, alone or with all else that a map file says.
        fields: What can be read; those that no column is for are listed in a comment.

    Raises:
        Unusable: it cannot be written.
    """
    whole = said if isinstance(said, MapFile) else MapFile(said)
    mapping = whole.mapping
    named = {column: name for name, column in mapping.columns.items()}
    data: dict[str, Any] = {
        "columns": {**named, **dict.fromkeys(mapping.extras, EXTRAS), **dict.fromkeys(mapping.dropped)},
        "set": mapping.constants,
        "region": whole.region,
        "dates": whole.dates,
        "zone": whole.zone,
        "rules": [as_data(rule) for rule in whole.rules],
    }
    used = {*mapping.columns, *mapping.constants}
    unused = [each for each in fields if each.name not in used and each.kind != "json"]
    with replacing(path) as out:
        out.write(_yaml({key: value for key, value in data.items() if value}, unused).encode())


_TOP: Final = """\
# Which column is what. Behind a column stands its field; `extras` keeps it under its own name; null leaves it out.
"""
_EXAMPLES: Final = {
    "set": "# set: {language: zh}   # what a field is in all rows, where no column is for it",
    "region": "# region: CN            # country of phone numbers that name none",
    "dates": "# dates: day-first      # how 3/2/2026 is meant; or month-first",
    "zone": "# zone: Asia/Shanghai   # of times that name none; else UTC",
    "rules": "# rules:                # rows that break one are rejected, or with `severity: warn` told\n"
    "#   - {column: name, required: true}\n"
    '#   - {check: "registered >= birth", reason: registered before birth}',
}
"""What may be said besides, for the person who edits the file."""


def _yaml(data: Columns[str, Any], unused: Sequence[Field]) -> str:
    import yaml

    body = yaml.safe_dump(dict(data), allow_unicode=True, sort_keys=False, width=1 << 20)
    lines = [f"#   {each.name:<12} {each.help}".rstrip() for each in unused]
    listed = ["# Fields that no column is for:", *lines] if lines else []
    examples = [text for key, text in _EXAMPLES.items() if key not in data]
    return _TOP + body + "\n".join([*listed, *examples, ""])
