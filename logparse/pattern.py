"""Compile the pattern of a log format: Apache `LogFormat` or nginx `log_format` -> fields and literals.

The result, `Layout`, knows nothing of Polars. From it `logparse.reference` makes one regular expression and
`logparse.plan` a sequence of string splits; both give the same fields for the same line.
"""

import re
from dataclasses import dataclass, field, replace
from itertools import pairwise

from logparse.errors import FormatError
from logparse.fields import APACHE, APACHE_HEADERS, BRACKETED, CLF_TIME, DECIMAL, IGNORE, NGINX, PREFERENCE
from logparse.fields import NUMBER, QUOTED, Kind
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
    """

    role: str
    directive: str
    pattern: str
    quoted: bool = False
    time: str = ""


@dataclass(frozen=True)
class Layout:
    """A compiled pattern: `literals[0] fields[0] literals[1] fields[1] ... literals[-1]`."""

    fields: tuple[Field, ...]
    literals: tuple[str, ...]
    roles: frozenset[str] = field(default_factory=frozenset)


Token = str | tuple[str, Kind]

_APACHE_TOKEN = re.compile(r"%(?:[!<>,\d]*)(?:\{([^}]*)\})?([!<>,\d]*)(\^?[a-zA-Z%]{1,3})")
_NGINX_TOKEN = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_TIME_UNITS = {"sec": "seconds", "msec": "milliseconds", "usec": "microseconds"}
_FRACTIONS = {"msec_frac": "%3f", "usec_frac": "%6f"}


def compile_pattern(spec: LogFormat) -> Layout:
    """Compile the pattern of a log format.

    Raises:
        FormatError: the pattern has no time, an unknown directive, or two fields with nothing between them.
    """
    read = {"apache": _apache_tokens, "nginx": _nginx_tokens}[spec.syntax]
    tokens = _join_literals(read(_unwrap(spec.pattern)))
    return _layout(_prefer(tokens), spec.pattern)


def guess_syntax(pattern: str) -> LogFormat:
    """A format from a bare pattern, whose syntax shows: `%` marks Apache's directives, `$` nginx's variables.

    Raises:
        FormatError: it has neither.
    """
    if re.search(r"\$\{?[a-z]", pattern):
        return LogFormat("custom", "nginx", pattern)
    if "%" in pattern:
        return LogFormat("custom", "apache", pattern)
    raise FormatError(f"{pattern!r} is no known format name and holds neither %directives nor $variables")


def _unwrap(pattern: str) -> str:
    """The pattern alone, where a whole configuration line was given."""
    text = pattern.strip().rstrip(";").strip()
    nginx = re.match(r"log_format\s+\S+\s+(?:escape=\w+\s+)?(?=')", text)
    if nginx:
        return "".join(re.findall(r"'([^']*)'", text[nginx.end() :]))
    apache = re.fullmatch(r'LogFormat\s+"((?:[^"\\]|\\.)*)"(?:\s+\S+)?', text)
    if apache:
        return apache.group(1).replace(r"\"", '"')
    return pattern


def _apache_tokens(pattern: str) -> list[Token]:
    """Literals and directives of an Apache LogFormat string."""
    text = pattern.replace(r"\"", '"').replace(r"\t", "\t").replace(r"\\", "\\")
    tokens: list[Token] = []
    at = 0
    while at < len(text):
        if text[at] != "%":
            end = text.find("%", at)
            end = len(text) if end < 0 else end
            tokens.append(text[at:end])
            at = end
            continue
        if text.startswith("%%", at):
            tokens.append("%")
            at += 2
            continue
        token, at = _apache_directive(text, at)
        tokens.extend(token)
    return tokens


_DIRECTIVE = re.compile(r"%[!\d,]*([<>]?)(?:\{([^}]*)\})?([<>]?)(\^[a-z]{2}|[A-Za-z])")


def _apache_directive(text: str, at: int) -> tuple[list[Token], int]:
    """One directive as tokens, and where the next begins."""
    match = _DIRECTIVE.match(text, at)
    if not match:
        raise FormatError(f"cannot read the directive at {text[at : at + 12]!r}")
    argument, letter = match.group(2), match.group(4)
    directive = match.group()
    if letter == "t":
        return _apache_time(argument), match.end()
    return [(directive, _apache_kind(argument, letter))], match.end()


def _apache_kind(argument: str | None, letter: str) -> Kind:
    """What a directive other than a time is."""
    if letter == "i" and argument:
        return APACHE_HEADERS.get(argument.lower(), Kind("ignore", r".*?"))
    if letter == "C" and argument:
        return Kind(f"cookie:{argument}", r".*?")
    if letter in "ao" and argument:
        return Kind("ignore", r".*?") if letter == "o" else IGNORE
    if letter in "enx^" or letter.startswith("^"):
        return Kind("ignore", r".*?")
    return APACHE.get(letter, IGNORE)


def _apache_time(argument: str | None) -> list[Token]:
    """The tokens of `%t` or `%{format}t`."""
    if argument is None:
        return ["[", ("%t", Kind("time", BRACKETED, CLF_TIME)), "]"]
    name = argument.removeprefix("begin:").removeprefix("end:")
    if name in _TIME_UNITS:
        return [(f"%{{{argument}}}t", Kind("time", NUMBER, _TIME_UNITS[name]))]
    if name in _FRACTIONS:
        return [(f"%{{{argument}}}t", Kind("time", NUMBER, _FRACTIONS[name]))]
    return [(f"%{{{argument}}}t", Kind("time", r"[^\"]+?", name or CLF_TIME))]


def _nginx_tokens(pattern: str) -> list[Token]:
    """Literals and variables of an nginx log_format string."""
    tokens: list[Token] = []
    at = 0
    for match in _NGINX_TOKEN.finditer(pattern):
        tokens.append(pattern[at : match.start()])
        name = match.group(1) or match.group(2)
        tokens.append((name, _nginx_kind(name)))
        at = match.end()
    tokens.append(pattern[at:])
    return tokens


def _nginx_kind(name: str) -> Kind:
    """What a variable is; one that is not known may hold anything."""
    if name.startswith("cookie_"):
        return Kind(f"cookie:{name.removeprefix('cookie_')}", r".*?")
    return NGINX.get(name, Kind("ignore", r".*?"))


def _join_literals(tokens: list[Token]) -> list[Token]:
    """Neighbouring literals become one; pieces of one time or one target become one field."""
    joined: list[Token] = []
    for token in tokens:
        if token == "":
            continue
        if isinstance(token, str) and joined and isinstance(joined[-1], str):
            joined[-1] += token
        elif not isinstance(token, str) and joined and not isinstance(joined[-1], str):
            joined[-1] = _merge(joined[-1], "", token)
        else:
            joined.append(token)
    return _join_times(joined)


def _join_times(tokens: list[Token]) -> list[Token]:
    """A time written in pieces, `%{%F}t %{%T}t.%{msec_frac}t`, becomes one field with one format."""
    out: list[Token] = []
    for token in tokens:
        split = len(out) >= 2 and _is_time(token) and isinstance(out[-1], str) and _is_time(out[-2])
        if split:
            between = out.pop()
            out[-1] = _merge(out[-1], str(between), token)
        else:
            out.append(token)
    return out


def _is_time(token: Token) -> bool:
    return not isinstance(token, str) and token[1].role == "time"


def _merge(left: Token, between: str, right: Token) -> Token:
    """One field from two that touch, or are pieces of one time.

    Raises:
        FormatError: the two have different roles, so nobody could tell where one ends.
    """
    assert not isinstance(left, str)
    assert not isinstance(right, str)
    (first, a), (second, b) = left, right
    name = f"{first}{between}{second}"
    if a.role == b.role == "time":
        return name, _merge_times(a, between, b, name)
    if a.role == b.role == "target":
        return name, a
    raise FormatError(f"{first} and {second} have nothing between them, so their border cannot be found")


def _merge_times(a: Kind, between: str, b: Kind, name: str) -> Kind:
    """One time from two pieces: seconds with a fraction, or one strptime format."""
    if a.time in _TIME_UNITS.values():
        if a.time == "seconds" and between == "." and b.time in _FRACTIONS.values():
            return Kind("time", DECIMAL, "seconds")
        raise FormatError(f"cannot read the time {name}")
    if b.time in _TIME_UNITS.values():
        raise FormatError(f"cannot read the time {name}")
    literal = between.replace("%", "%%")
    return Kind("time", r"[^\"]+?", a.time + literal + b.time)


def _prefer(tokens: list[Token]) -> list[Token]:
    """Keep one field a role: the preferred directive, else the first; the others become "ignore"."""
    best: dict[str, tuple[int, int]] = {}
    for at, token in enumerate(tokens):
        if isinstance(token, str) or token[1].role == "ignore":
            continue
        rank = _rank(*token)
        if token[1].role not in best or rank < best[token[1].role][0]:
            best[token[1].role] = (rank, at)
    keep = {at for _, at in best.values()}
    return [
        token if isinstance(token, str) or at in keep else (token[0], replace(token[1], role="ignore"))
        for at, token in enumerate(tokens)
    ]


def _rank(directive: str, kind: Kind) -> int:
    """The place of a directive among those of its role; unknown ones come last."""
    names = PREFERENCE.get(kind.role, ())
    bare = re.sub(r"^%[!\d,]*(?:\{[^}]*\})?", "", directive)
    return names.index(bare) if bare in names else len(names)


def _layout(tokens: list[Token], pattern: str) -> Layout:
    """Alternate literals and fields, and check that a log can be read with them."""
    literals = [""]
    fields: list[Field] = []
    for token in tokens:
        if isinstance(token, str):
            literals[-1] = token
        else:
            fields.append(Field(token[1].role, token[0], token[1].pattern, time=token[1].time))
            literals.append("")
    fields = [_quote(f, before, after) for f, (before, after) in zip(fields, pairwise(literals), strict=True)]
    roles = frozenset(f.role for f in fields) - {"ignore"}
    if "time" not in roles:
        raise FormatError(f"the format {pattern!r} has no time, which every hit needs")
    if not roles & {"request", "target"}:
        raise FormatError(f"the format {pattern!r} has no request, which every hit needs")
    return Layout(tuple(fields), tuple(literals), roles)


def _quote(field: Field, before: str, after: str) -> Field:
    """A text field between double quotes may hold spaces and escapes."""
    if not (before.endswith('"') and after.startswith('"')):
        return field
    if field.role in ("time", "status", "bytes"):
        return field
    return replace(field, pattern=QUOTED, quoted=True)
