"""Compile the pattern of a log format: Apache `LogFormat` or nginx `log_format` -> fields and literals.

The result, `Layout`, knows nothing of Polars. From it `logparse.reference` makes one regular expression and
`logparse.plan` a sequence of string splits; both give the same fields for the same line. The other syntaxes have
modules of their own; `compile_pattern` is the way into all.
"""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

from logparse import columns, json_lines, named, timeformat
from logparse.errors import FormatError
from logparse.fields import (
    APACHE,
    APACHE_HEADERS,
    BRACKETED,
    CLF_TIME,
    IGNORE,
    LOOSE,
    NGINX,
    PREFERENCE,
    QUOTED,
    TOUCHING,
    Kind,
)
from logparse.layout import Field, Layout, roles_of
from logparse.spec import LogFormat

__all__ = ["Field", "Layout", "compile_pattern", "guess_syntax"]


Token = str | tuple[str, Kind]

_DIRECTIVE = re.compile(r"%[!\d,]*([<>]?)(?:\{([^}]*)\})?([<>]?)(\^(?:[a-z]{2}|[A-Z]{2})|[A-Za-z])")
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))", re.ASCII)
_CONTROLS = {"t": "\t", "n": "\n", "r": "\r"}


def compile_pattern(spec: LogFormat) -> Layout:
    """Compile a log format.

    Raises:
        FormatError: it has no time or no request, or a piece that cannot be read.
    """
    compilers: dict[str, Callable[[LogFormat], Layout]] = {
        "apache": lambda given: _compiled(_apache_tokens(_unwrap(given.pattern)), given),
        "nginx": lambda given: _compiled(_nginx_tokens(_unwrap(given.pattern)), given),
        "named": named.compile_named,
        "w3c": columns.compile_w3c,
        "csv": columns.compile_csv,
        "json": json_lines.compile_json,
    }
    return replace(compilers[spec.syntax](spec), spec=spec)


def _compiled(tokens: list[Token], spec: LogFormat) -> Layout:
    return _layout(_prefer(_join_literals(tokens)), spec.pattern)


def guess_syntax(pattern: str) -> LogFormat:
    """A format from a bare pattern, whose syntax shows.

    `$` marks nginx's variables, `%` Apache's directives, `#Fields:` a W3C header, `{time}` a template of roles, and
    an object of JSON that names the time is a map of keys.

    Raises:
        FormatError: it has none of them.
    """
    if re.match(r"\s*LogFormat\s", pattern, re.IGNORECASE):
        return LogFormat("custom", "apache", pattern)
    if pattern.startswith("#"):
        return LogFormat("custom", "w3c", pattern)
    if re.search(r"\$\{?[a-z]", pattern):
        return LogFormat("custom", "nginx", pattern)
    if keys := _key_map(pattern):
        return LogFormat("custom", "json", pattern, keys=keys)
    if re.search(r"(?<!%)\{time(?::[^{}]*)?\}", pattern):
        return LogFormat("custom", "named", pattern)
    if "%" in pattern:
        return LogFormat("custom", "apache", pattern)
    raise FormatError(f"{pattern!r} is no known format name and holds neither %directives nor $variables")


def _key_map(pattern: str) -> dict[str, str]:
    """The map of keys that a text in JSON is; empty for any other text."""
    try:
        found = json.loads(pattern)
    except ValueError:
        return {}
    is_map = isinstance(found, dict) and any(role.partition(":")[0] == "time" for role in found)
    return found if is_map else {}


def _unwrap(pattern: str) -> str:
    """The pattern alone, where a whole configuration line was given."""
    nginx = re.match(r"\s*log_format\s+[^\s'\"]+\s+(?:escape=\w+\s+)?", pattern)
    if nginx:
        return "".join(_arguments(pattern[nginx.end() :]))
    apache = re.match(r"\s*LogFormat\s+", pattern, re.IGNORECASE)
    if apache:
        return re.sub(r"\\([\\\"'])", r"\1", _arguments(pattern[apache.end() :])[0])
    return pattern.strip("\r\n")


def _arguments(text: str) -> list[str]:
    """The arguments of a configuration's line, without the quotes around them, up to its `;`.

    Raises:
        FormatError: a quote is not closed, or there is no argument.
    """
    found, at = [], 0
    token = re.compile(r"""\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|([^\s;'"][^\s;]*))""", re.DOTALL)
    while match := token.match(text, at):
        found.append(next(group for group in match.groups() if group is not None))
        at = match.end()
    rest = text[at:].strip()
    if not found or (rest and not rest.startswith(";")):
        raise FormatError(f"cannot read the line of the configuration at {rest[:20]!r}")
    return found


def _apache_tokens(pattern: str) -> list[Token]:
    """Literals and directives of an Apache LogFormat string."""
    text = re.sub(r"\\([\\\"tnr])", _unescaped, pattern)
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


def _unescaped(match: re.Match[str]) -> str:
    return _CONTROLS.get(match.group(1), match.group(1))


def _apache_directive(text: str, at: int) -> tuple[list[Token], int]:
    """One directive as tokens, and where the next begins."""
    match = _DIRECTIVE.match(text, at)
    if not match:
        raise FormatError(f"cannot read the directive at {text[at : at + 12]!r}")
    argument, letter = match.group(2), match.group(4)
    directive = match.group()
    if letter == "t":
        if argument is None:
            return ["[", ("%t", Kind("time", BRACKETED, CLF_TIME)), "]"], match.end()
        return [(directive, timeformat.apache_time(argument))], match.end()
    return [(directive, _apache_kind(argument, letter))], match.end()


def _apache_kind(argument: str | None, letter: str) -> Kind:
    """What a directive other than a time is."""
    if letter == "i" and argument:
        return APACHE_HEADERS.get(argument.lower(), Kind("ignore", r".*?"))
    if letter == "C" and argument:
        return Kind(f"cookie:{argument}", r".*?")
    if letter in "ah" and argument:
        return IGNORE  # the proxy's, not the client's
    if letter in "oenxf" or letter.startswith("^"):
        return Kind("ignore", r".*?")
    return APACHE.get(letter, IGNORE)


def _nginx_tokens(pattern: str) -> list[Token]:
    """Literals and variables of an nginx log_format string."""
    text = re.sub(r"\\([\\\"'tnr])", _unescaped, pattern)
    tokens: list[Token] = []
    at = 0
    while (dollar := text.find("$", at)) >= 0:
        match = _VARIABLE.match(text, dollar)
        if not match:
            raise FormatError(f"cannot read the variable at {text[dollar : dollar + 12]!r}")
        name = match.group(1) or match.group(2)
        tokens += [text[at:dollar], (name, _nginx_kind(name))]
        at = match.end()
    return [*tokens, text[at:]]


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
            joined[-1:] = _touching(joined[-1], token)
        else:
            joined.append(token)
    return _join_times(joined)


def _touching(left: tuple[str, Kind], right: tuple[str, Kind]) -> list[Token]:
    """Two fields that have nothing between them: one field, where they are pieces of one thing."""
    (first, a), (second, b) = left, right
    if a.role == b.role == "time" and timeformat.continues(a, "", b):
        return [(first + second, timeformat.merge(a, "", b))]
    if a.role == "target" and b.role in ("target", "args"):
        return [(first + second, a)]
    return [_tight(*left), _tight(*right)]


def _tight(directive: str, kind: Kind) -> tuple[str, Kind]:
    """A field with the pattern that it has where another touches it."""
    known = TOUCHING.get(directive) or TOUCHING.get(kind.role)
    if known is None or kind.time:
        return directive, kind
    if kind.pattern == LOOSE:  # decoded, so it may hold spaces
        known = known.replace("[^ ]*", LOOSE)
    return directive, replace(kind, pattern=known)


def _join_times(tokens: list[Token]) -> list[Token]:
    """A time written in pieces, `%{%F}t %{%T}t.%{msec_frac}t`, becomes one field with one format."""
    out: list[Token] = []
    for token in tokens:
        between = out[-1] if out else None
        before = out[-2] if len(out) > 1 else ""
        if isinstance(between, str) and _continues(before, between, token):
            assert not isinstance(before, str)
            assert not isinstance(token, str)
            out[-2:] = [(f"{before[0]}{between}{token[0]}", timeformat.merge(before[1], between, token[1]))]
        else:
            out.append(token)
    return out


def _continues(before: Token, between: str, token: Token) -> bool:
    if isinstance(before, str) or isinstance(token, str) or not before[1].role == token[1].role == "time":
        return False
    return timeformat.continues(before[1], between, token[1])


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
    if kind.role == "time":
        return timeformat.rank(kind)
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
    fields = [_placed(field, *around) for field, around in zip(fields, pairwise(literals), strict=True)]
    return Layout(tuple(fields), tuple(literals), roles_of(fields, pattern))


def _placed(field: Field, before: str, after: str) -> Field:
    """A field with the pattern that it has between two literals.

    A text between double quotes may hold spaces and escapes.

    Raises:
        FormatError: it is a time that cannot be read.
    """
    if field.time:
        kind = Kind(field.role, field.pattern, field.time)
        if field.role == "time":
            timeformat.check(field.directive, kind)
        return replace(field, pattern=timeformat.shaped(kind, before, after))
    if field.role in ("status", "bytes") or not (before.endswith('"') and after.startswith('"')):
        return field
    return replace(field, pattern=QUOTED, quoted=True)
