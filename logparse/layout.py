"""A compiled log format: which fields a line has, and how each is read."""

from dataclasses import dataclass, field

from logparse.errors import FormatError
from logparse.spec import LogFormat


@dataclass(frozen=True)
class Field:
    """One field of a line.

    Attributes:
        role: What the engine takes it for; "ignore" fields are matched and dropped.
        directive: As it stands in the pattern, for messages.
        pattern: Regular expression of its text.
        quoted: It stands between double quotes, where servers escape `"` and `\\`.
        time: How a time is read (see `fields.Kind`).
        reading: What is undone in its text: a name of `readings.READINGS`; empty for nothing.
    """

    role: str
    directive: str
    pattern: str
    quoted: bool = False
    time: str = ""
    reading: str = ""


@dataclass(frozen=True)
class Layout:
    """A compiled format: `literals[0] fields[0] literals[1] fields[1] ... literals[-1]`.

    Attributes:
        fields: The fields, in their order.
        literals: The texts around them.
        roles: The roles of the fields, but "ignore".
        parser: What cuts its lines: "literals", "squeezed" (literals, where a run of spaces counts as one),
            "separated" or "json".
        escapes: Servers escape with backslashes.
        date: The date of all lines, where only their header says it.
        header: Lines that begin with this are headers; empty where `#` alone tells them.
        spec: What it was compiled from.
    """

    fields: tuple[Field, ...]
    literals: tuple[str, ...]
    roles: frozenset[str] = field(default_factory=frozenset)
    parser: str = "literals"
    escapes: bool = True
    date: str = ""
    header: tuple[str, ...] = ()
    spec: LogFormat | None = None


def roles_of(fields: "list[Field] | tuple[Field, ...]", pattern: str) -> frozenset[str]:
    """The roles of fields, with which a log can be read.

    Raises:
        FormatError: there is no time or no request.
    """
    roles = frozenset(field.role for field in fields) - {"ignore"}
    if "time" not in roles:
        raise FormatError(f"the format {pattern!r} has no time, which every hit needs")
    if not roles & {"request", "target"}:
        raise FormatError(f"the format {pattern!r} has no request, which every hit needs")
    return roles
