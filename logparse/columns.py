"""Formats whose header names the columns: W3C extended logs (`#Fields:`) and CSV.

The pattern of such a format is a header. A log that brings its own replaces it (see `logparse.headers`).
"""

import re
from collections.abc import Mapping, Sequence

from logparse import readings, timeformat
from logparse.errors import FormatError
from logparse.layout import Field, Layout, roles_of
from logparse.spec import LogFormat

FIELDS = "#Fields:"
DATE = "#Date:"

QUOTED_OR = r'"(?:[^"]|"")*?"|'
"""A text between quotes, which are doubled within; else what follows."""

VALUES = {" ": QUOTED_OR + r"[^ ]+?", "\t": QUOTED_OR + r"[^\t]*?", ",": QUOTED_OR + r'[^",]*?'}
"""How a value looks, by what separates it from the next."""

MOST_COLUMNS = 200
"""A header that names more is none: no server logs so many, and the expression that reads them would grow too large."""

Column = tuple[str, str]
"""The role of a column, and the reading of its texts (of a time: its name)."""

W3C: dict[str, Column] = {
    "date": ("date", ""),
    "time": ("time", "w3c"),
    "c-ip": ("address", "ports"),
    "c-dns": ("address", ""),
    "cs-username": ("login", ""),
    "x-host-header": ("host", ""),
    "cs-host": ("host", ""),
    "cs(host)": ("host", ""),
    "cs-method": ("method", ""),
    "cs-uri-stem": ("target", ""),
    "cs-uri": ("target", "absolute"),
    "cs-uri-query": ("args", ""),
    "sc-status": ("status", ""),
    "sc-bytes": ("bytes", ""),
    "bytes": ("bytes", ""),
    "cs(referer)": ("referrer", ""),
    "cs(user-agent)": ("agent", "plus"),
    "cs(cookie)": ("cookies", ""),
    "cs(x-forwarded-for)": ("forwarded", "ports"),
    "x-forwarded-for": ("forwarded", "ports"),
    "cs(x-real-ip)": ("forwarded", "ports"),
}
"""Fields of W3C extended logs by their names in lower case. Of several with one role, the first here is taken."""

ROLES = tuple(dict.fromkeys([*(role for role, _ in W3C.values()), "request"]))
"""The roles that a column may have."""

TABBED: dict[str, str] = {
    "target": "recoded",
    "args": "recoded",
    "referrer": "recoded",
    "agent": "percent",
    "cookies": "percent",
}
"""Readings where tabs separate the fields: such logs (CloudFront) encode what could break them."""

CSV: dict[str, Column] = {
    "time_micros": ("time", "microseconds"),
    "c_ip": ("address", ""),
    "cs_method": ("method", ""),
    "cs_uri": ("target", ""),
    "sc_status": ("status", ""),
    "sc_bytes": ("bytes", ""),
    "cs_host": ("host", ""),
    "cs_referer": ("referrer", ""),
    "cs_user_agent": ("agent", ""),
}
"""Columns of Google Cloud Storage's usage logs; other files of CSV name theirs by `LogFormat.keys`."""


def compile_w3c(spec: LogFormat) -> Layout:
    """Compile the header of a W3C extended log: `#Fields:` and, where no field is the date, `#Date:`.

    Raises:
        FormatError: it has no such line, no time, no date or no request.
    """
    lines = spec.pattern.splitlines()
    named = next((line for line in lines if line.startswith(FIELDS)), "")
    if not named:
        raise FormatError(f"{spec.pattern!r} has no line that begins with {FIELDS}")
    names = column_names(named, spec)
    separator = separator_of(named)
    fields = _fields(names, W3C, spec, separator)
    if separator == "\t":
        fields = [_tabbed(field) for field in fields]
    roles = roles_of(fields, named)
    date = next((line.removeprefix(DATE).split()[0] for line in lines if re.match(DATE + r"\s*\S", line)), "")
    if "date" not in roles and not date:
        raise FormatError(f"the format {named!r} has no date, and no {DATE} line says it")
    return _separated(fields, separator, roles, date="" if "date" in roles else date)


def _tabbed(field: Field) -> Field:
    if field.role not in TABBED:
        return field
    return Field(field.role, field.directive, field.pattern, time=field.time, reading=TABBED[field.role])


def compile_csv(spec: LogFormat) -> Layout:
    """Compile the line of the columns' names.

    Raises:
        FormatError: it has no time or no request.
    """
    names = column_names(spec.pattern, spec)
    fields = _fields(names, CSV, spec, ",")
    return _separated(fields, ",", roles_of(fields, spec.pattern), header=header_marks(spec))


def header_marks(spec: LogFormat) -> tuple[str, ...]:
    """How the header of a file of CSV begins: with the name of its first column, in quotes or not."""
    first = column_names(spec.pattern, spec)[0]
    return f'"{first}",', f"{first},"


def column_names(header: str, spec: LogFormat) -> list[str]:
    """The names of the columns in a header's line."""
    if spec.syntax == "csv":
        return [name.strip().strip('"') for name in header.lstrip("﻿").split(",")]
    return header.removeprefix(FIELDS).split()


def separator_of(header: str) -> str:
    """What stands between the values behind a `#Fields:` line: a tab if one stands between the names."""
    return "\t" if "\t" in header.removeprefix(FIELDS).strip() else " "


def _fields(names: Sequence[str], known: Mapping[str, Column], spec: LogFormat, separator: str) -> list[Field]:
    """The fields of columns; of several with one role the first in the table is taken, keys before it."""
    table = {**_own(spec), **known}
    rank = {name: at for at, name in enumerate(table)}
    best: dict[str, str] = {}
    for name in sorted({name.lower() for name in names} & {*table}, key=lambda name: rank[name]):
        best.setdefault(table[name][0], name)
    taken: set[str] = set()
    fields = []
    for name in names:
        role, reading = table.get(name.lower(), ("ignore", ""))
        if role != "ignore" and (best[role] != name.lower() or role in taken):
            role, reading = "ignore", ""
        taken.add(role)
        fields.append(_field(role, name, reading, VALUES[separator]))
    return fields


def _field(role: str, name: str, reading: str, pattern: str) -> Field:
    if role == "time":
        return Field(role, name, pattern, time=timeformat.named(reading or "any").time)
    return Field(role, name, pattern, reading=reading)


def _own(spec: LogFormat) -> dict[str, Column]:
    """The columns that a format's own keys name.

    Raises:
        FormatError: one has an unknown role or reading.
    """
    own: dict[str, Column] = {}
    for key, columns in spec.keys.items():
        role, _, reading = key.partition(":")
        if role not in ROLES:
            raise FormatError(f"there is no role {role!r}; there are {', '.join(ROLES)}")
        if reading and role != "time" and reading not in readings.READINGS:
            raise FormatError(f"{key!r} has no reading {reading!r}; there are {', '.join(readings.READINGS)}")
        for column in [columns] if isinstance(columns, str) else columns:
            own[column.lower()] = (role, reading)
    return own


def _separated(
    fields: Sequence[Field], separator: str, roles: frozenset[str], date: str = "", header: tuple[str, ...] = ()
) -> Layout:
    if len(fields) > MOST_COLUMNS:
        raise FormatError(f"{len(fields)} columns are more than the {MOST_COLUMNS} that a log may have")
    literals = ("", *[separator] * (len(fields) - 1), "")
    return Layout(tuple(fields), literals, roles, "separated", False, date, header)
