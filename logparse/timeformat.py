"""Times in a log format: which pieces make one time, how its text looks, and whether it can be read."""

import re

from logparse.errors import FormatError
from logparse.fields import BRACKETED, CLF_TIME, DECIMAL, NUMBER, TEXT, UNQUOTED, Kind

UNITS = {"sec": "seconds", "msec": "milliseconds", "usec": "microseconds"}
FRACTIONS = {"msec_frac": "%3f", "usec_frac": "%6f"}

ISO = ("%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f")

NAMED: dict[str, tuple[str, ...]] = {
    "clf": (CLF_TIME,),
    "iso": ISO,
    "seconds": ("seconds",),
    "milliseconds": ("milliseconds",),
    "microseconds": ("microseconds",),
    "haproxy": ("%d/%b/%Y:%H:%M:%S%.f",),
    "w3c": ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M"),
    "any": ("seconds", "milliseconds", "microseconds", *ISO, CLF_TIME),
}
"""Times by name: what a text is tried with, the first that it fits counts."""

ALWAYS_UTC = frozenset({"w3c"})
"""Times by name that are in UTC although they do not say so."""

MEANINGS: dict[str, str] = {
    "clf": "`02/Mar/2026:10:00:00 +0800`",
    "iso": "`2026-03-02T10:00:00.123+08:00`; fraction and offset may be missing (then in `--log-tz`)",
    "seconds": "since 1970, with or without a fraction",
    "milliseconds": "since 1970",
    "microseconds": "since 1970",
    "haproxy": "`02/Mar/2026:10:00:00.123`, in `--log-tz`",
    "w3c": "`2026-03-02 10:00:00`, in UTC",
    "any": "since 1970 in any of these units, `iso` or `clf`",
}
"""What each named time looks like, for the documentation."""

_EPOCHS = {
    ("seconds", ".", "%3f"): ("seconds", DECIMAL),
    ("seconds", ".", "%6f"): ("seconds", DECIMAL),
    ("seconds", "", "%3f"): ("milliseconds", NUMBER),
    ("seconds", "", "%6f"): ("microseconds", NUMBER),
}
"""Seconds since 1970 and the digits behind them: how they are read together."""

_SHORT = {
    "%F": "%Y-%m-%d",
    "%T": "%H:%M:%S",
    "%X": "%H:%M:%S",
    "%R": "%H:%M",
    "%D": "%m/%d/%y",
    "%x": "%m/%d/%y",
    "%r": "%I:%M:%S %p",
    "%c": "%a %b %e %H:%M:%S %Y",
}
"""Directives of strftime (in the C locale) that stand for several others."""

_DIRECTIVE = re.compile(r"%(?:[-_0]?([A-Za-z])|3f|6f|:z|%)")
_READ = frozenset("aAbBCdeGgHhIjklmMnpPStuUVwWyYzZ")
_SPACED = {"%e": r" ?\d+?", "%k": r" ?\d+?", "%l": r" ?\d+?", "%n": r"\s+?", "%t": r"\s+?", "%%": "%"}
"""Directives whose text may begin with a space, or be one; all others are one word."""


def apache_time(name: str) -> Kind:
    """The time of `%{name}t`: since 1970, a fraction of a second, or a strftime format."""
    name = name.removeprefix("begin:").removeprefix("end:")
    if name in UNITS:
        return Kind("time", NUMBER, UNITS[name])
    if name == "%s":
        return Kind("time", NUMBER, "seconds")
    long = re.sub(r"%.", lambda short: _SHORT.get(short.group(), short.group()), name)
    return Kind("time", UNQUOTED, FRACTIONS.get(name, long))


def named(name: str) -> Kind:
    """The time that a template or a map of keys names.

    Raises:
        FormatError: there is no such time.
    """
    if name not in NAMED:
        raise FormatError(f"there is no time {name!r}; there are {', '.join(NAMED)}")
    if name == "clf":
        return Kind("time", BRACKETED, CLF_TIME)
    return Kind("time", DECIMAL if name in UNITS.values() else TEXT, name)


def attempts(time: str) -> tuple[str, ...]:
    """What a text is tried with: the formats of a named time, else the one format."""
    return NAMED.get(time, (time,))


def continues(left: Kind, between: str, right: Kind) -> bool:
    """Whether `right` is one more piece of the time before it, and no time of its own."""
    if left.time in UNITS.values():
        return (left.time, between, right.time) in _EPOCHS
    return not is_whole(right)


def merge(left: Kind, between: str, right: Kind) -> Kind:
    """One time from a time and the piece that continues it."""
    if (left.time, between, right.time) in _EPOCHS:
        time, pattern = _EPOCHS[left.time, between, right.time]
        return Kind("time", pattern, time)
    return Kind("time", UNQUOTED, left.time + between.replace("%", "%%") + right.time)


def is_whole(kind: Kind) -> bool:
    """Whether a time says both the day and the hour."""
    letters = _letters(kind.time)
    return kind.time in UNITS.values() or (_has_date(letters) and "M" in letters)


def has_offset(time: str) -> bool:
    """Whether all such times say how far they are from UTC, or are in UTC anyhow; others may be local ones."""
    if time in ALWAYS_UTC:
        return True
    return all(
        way in UNITS.values() or way.endswith("Z") or any(mark in way for mark in ("%z", "%:z", "%#z", "%Z"))
        for way in attempts(time)
    )


def rank(kind: Kind) -> int:
    """Which of several times is taken: finer than a second, whole, or a piece, in this order."""
    if kind.pattern == DECIMAL or kind.time in ("milliseconds", "microseconds"):
        return 0
    if not is_whole(kind):
        return 2
    return 0 if any(fraction in kind.time for fraction in FRACTIONS.values()) else 1


def shaped(kind: Kind, before: str, after: str) -> str:
    """The pattern of a time that stands between two literals."""
    if kind.time in UNITS.values():
        return kind.pattern
    if before.endswith("[") and after.startswith("]"):
        return BRACKETED
    if before.endswith('"') and after.startswith('"'):
        return UNQUOTED
    if kind.time in NAMED:
        return kind.pattern
    return _words(kind.time) if re.search(r"\s|%[eklnt]", kind.time) else TEXT


def _words(time: str) -> str:
    """A regular expression for the words of a strptime format; whether they are a time is seen later."""
    out, at = [], 0
    for match in _DIRECTIVE.finditer(time):
        out += [re.escape(time[at : match.start()]), _SPACED.get(match.group(), r"[^\s\"]+?")]
        at = match.end()
    return "".join(out) + re.escape(time[at:])


def check(directive: str, kind: Kind) -> None:
    """See that a time can be read.

    Raises:
        FormatError: it says no day or no hour, or holds what cannot be read back.
    """
    if kind.time in UNITS.values():
        return
    if unread := re.search("%.?", _DIRECTIVE.sub(_without_read, kind.time)):
        raise FormatError(f"{unread.group()!r} in the time {directive} cannot be read")
    letters = _letters(kind.time)
    hours = letters & {"H", "k", "I", "l"}
    if "Z" in letters and "z" not in letters:
        raise FormatError(f"the time {directive} names its zone by letters, which are ambiguous; log %z")
    if not _has_date(letters):
        raise FormatError(f"the time {directive} lacks the year, month or day")
    if not hours or "M" not in letters:
        raise FormatError(f"the time {directive} lacks the hour or minute")
    if bool(letters & {"I", "l"}) != bool(letters & {"p", "P"}):
        raise FormatError(f"the time {directive} must have both %I and %p, or neither")


def _without_read(match: re.Match[str]) -> str:
    return "" if match.group(1) is None or match.group(1) in _READ else match.group()


def _letters(time: str) -> set[str]:
    return {match.group(1) or match.group()[-1] for match in _DIRECTIVE.finditer(time)}


def _has_date(letters: set[str]) -> bool:
    month_and_day = letters & {"d", "e"} and letters & {"m", "b", "B", "h"}
    return bool(letters & {"Y", "y"} and (month_and_day or "j" in letters))
