"""Formats as templates of roles: `{address} - {login} [{time:clf}] "{request}" {status} {bytes}`.

`{role}` is a field that the engine uses, `{role:reading}` one whose text is read in a certain way, `{_}` a word that
is dropped, `{*}` anything that is dropped; all else stands for itself.
"""

import re
from itertools import pairwise

from logparse import readings, timeformat
from logparse.errors import FormatError
from logparse.fields import ADDRESS_LIST, LOOSE, NUMBER, QUOTED, SIGNED, STATUS, TARGET, TEXT, WORD
from logparse.layout import Field, Layout, roles_of
from logparse.spec import LogFormat

PATTERNS: dict[str, str] = {
    "_": TEXT,
    "*": LOOSE,
    "address": TEXT,
    "forwarded": ADDRESS_LIST,
    "login": LOOSE,
    "host": TEXT,
    "time": TEXT,
    "request": LOOSE,
    "method": TEXT,
    "target": TARGET,
    "args": TARGET,
    "status": STATUS,
    "bytes": SIGNED,
    "referrer": LOOSE,
    "agent": LOOSE,
}
"""The roles of a template, and how their texts look outside of quotes."""

SHAPES: dict[str, str] = {"number": NUMBER, "raw": LOOSE, "word": WORD}
"""Readings that only say how a text looks: digits, anything (quotes without a backslash too), a word without quotes."""

_FIELD = re.compile(r"\{(\*|_|[a-z]+)(?::([^{}]+))?\}")


def compile_named(spec: LogFormat) -> Layout:
    """Compile a template.

    Raises:
        FormatError: it names an unknown role or reading, lacks the time or the request, or has fields that touch.
    """
    squeezed = "  " in spec.pattern
    parts = _FIELD.split(re.sub(" +", " ", spec.pattern))
    literals = parts[::3]
    given = list(zip(parts[1::3], parts[2::3], strict=True))
    fields = [_field(*names, *around) for names, around in zip(given, pairwise(literals), strict=True)]
    for field, literal in zip(fields[:-1], literals[1:-1], strict=True):
        if not literal:
            raise FormatError(f"{field.directive} and the field behind it have nothing between them")
    parser = "squeezed" if squeezed else "literals"
    return Layout(tuple(fields), tuple(literals), roles_of(fields, spec.pattern), parser)


def _field(role: str, reading: str | None, before: str, after: str) -> Field:
    directive = f"{{{role}:{reading}}}" if reading else f"{{{role}}}"
    if role not in PATTERNS and role != "cookie":
        raise FormatError(f"there is no role {role!r}; there are {', '.join(PATTERNS)} and cookie:NAME")
    if role == "cookie":
        return Field(f"cookie:{reading}", directive, LOOSE)
    if role == "time":
        time = timeformat.named(reading or "any")
        return Field(role, directive, timeformat.shaped(time, before, after), time=time.time)
    name = "ignore" if role in "_*" else role
    if reading in SHAPES:
        return Field(name, directive, SHAPES[reading])
    if reading and reading not in readings.READINGS:
        known = ", ".join([*SHAPES, *readings.READINGS])
        raise FormatError(f"{directive} has no reading {reading!r}; there are {known}")
    quoted = before.endswith('"') and after.startswith('"') and role not in ("status", "bytes")
    return Field(name, directive, QUOTED if quoted else PATTERNS[role], quoted, reading=reading or "")
