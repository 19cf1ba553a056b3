"""Rules that rows must keep, as a person writes them into a YAML file.

    rules:
      - {column: name, required: true}
      - {column: age, range: [0, 120]}
      - {column: postcode, pattern: '^\\d{6}$'}
      - {column: level, one-of: [gold, silver], severity: warn}
      - {column: email, unique: true}
      - {column: phone, valid: true}
      - {check: "registered >= birth", reason: registered before birth}

A value that is missing keeps every rule but `required`.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final, Literal, cast, get_args

import polars as pl

from crm import objects, sql
from crm.errors import Unusable
from crm.intake import dates, numbers, texts
from crm.nearest import did_you_mean, no_column, one_of

Severity = Literal["reject", "warn"]
Test = Literal["required", "range", "pattern", "one-of", "unique", "valid", "check"]

_SEVERITIES: Final[tuple[Severity, ...]] = get_args(Severity)
_TESTS: Final[tuple[Test, ...]] = get_args(Test)
_KEYS: Final = ("column", *_TESTS, "reason", "severity")
_SCHEMA: Final = {"row": pl.Int64(), "column": pl.String(), "reason": pl.String(), "severity": pl.String()}


@dataclass(frozen=True)
class Rule:
    """One rule.

    Attributes:
        test: What is looked at.
        wanted: What the test needs: True, the two ends of a range, a pattern, the allowed texts, a condition in SQL.
        reason: What is said of a value that breaks it.
        columns: The fields and columns that it is about; several only of a condition.
        severity: Whether a row that breaks it is rejected, or only told.
        where: The place of the rule, for messages.
    """

    test: Test
    wanted: Any
    reason: str
    columns: tuple[str, ...]
    severity: Severity = "reject"
    where: str = field(default="rules", compare=False)


def parse(data: object, where: str) -> tuple[Rule, ...]:
    """The rules of a list, as it is read from YAML.

    Args:
        data: The list.
        where: What it is called in messages.

    Raises:
        Unusable: something is no rule; one sentence that says which.
    """
    if not isinstance(data, list):
        raise Unusable(f"{where}: must be a list of rules, such as `- {{column: name, required: true}}`")
    return tuple(_rule(each, f"{where}[{number}]") for number, each in enumerate(data, start=1))


def _rule(data: object, where: str) -> Rule:
    if not isinstance(data, dict):
        raise Unusable(f"{where}: must be a mapping, such as {{column: name, required: true}}")
    for key in data:
        if key not in _KEYS:
            raise Unusable(f"{where}: unknown key `{key}`{did_you_mean(str(key), _KEYS)}; there are: {one_of(_KEYS)}")
    tests = [test for test in _TESTS if test in data]
    if len(tests) != 1:
        raise Unusable(f"{where}: a rule has one of {one_of(_TESTS)}; this one has {one_of(tests) or 'none'}")
    test = tests[0]
    column, severity = data.get("column"), data.get("severity", "reject")
    if (test == "check") == (column is not None):
        raise Unusable(f"{where}: " + ("`check` has no column" if column is not None else f"`{test}` needs a `column`"))
    if severity not in _SEVERITIES:
        raise Unusable(f"{where}: `severity` is {one_of(_SEVERITIES)}, not `{severity}`")
    wanted = _WANTED[test](data[test], f"{where}.{test}")
    reason = str(data.get("reason") or _REASONS[test](wanted))
    columns = pl.sql_expr(wanted).meta.root_names() if test == "check" else [str(column)]
    return Rule(test, wanted, reason, tuple(dict.fromkeys(columns)), cast("Severity", severity), where)


def as_data(rule: Rule) -> dict[str, Any]:
    """A rule as `parse` reads it, for YAML."""
    wanted = list(rule.wanted) if isinstance(rule.wanted, tuple) else rule.wanted
    named = {} if rule.test == "check" else {"column": rule.columns[0]}
    reason = {} if rule.reason == _REASONS[rule.test](rule.wanted) else {"reason": rule.reason}
    severity = {} if rule.severity == "reject" else {"severity": rule.severity}
    return {**named, rule.test: wanted, **reason, **severity}


def _true(value: object, where: str) -> bool:
    if value is not True:
        raise Unusable(f"{where}: can only be true; leave the rule out if it does not hold")
    return True


def _range(value: object, where: str) -> tuple[Any, Any]:
    """Two ends of one type, of which one may be None."""
    if not isinstance(value, list) or len(value) != 2:
        raise Unusable(f"{where}: must be two ends, such as [0, 120]; one may be null")
    ends = [end for end in value if end is not None]
    timed = all(isinstance(end, date) for end in ends)
    counted = all(isinstance(end, (int, float)) and not isinstance(end, bool) for end in ends)
    if not ends or not (timed or counted):
        raise Unusable(f"{where}: its ends must be two numbers or two dates; one may be null")
    low, high = ((None if end is None else _end(end)) for end in value)
    if low is not None and high is not None and low > high:
        raise Unusable(f"{where}: {low} is greater than {high}")
    return low, high


def _end(value: Any) -> Any:
    """A date stays a date, of a time its day, a number becomes a float."""
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else float(value)


def _pattern(value: object, where: str) -> str:
    text = str(value)
    try:
        pl.Series([""]).str.contains(text)
    except pl.exceptions.ComputeError as error:
        reason = " ".join(str(error).split("error:")[-1].split())
        raise Unusable(f"{where}: `{text}` is no pattern: {reason}") from None
    return text


def _choices(value: object, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise Unusable(f"{where}: must be a list of values, such as [gold, silver]")
    return tuple(shown(each) for each in value)


def shown(value: object) -> str:
    """A value of YAML as the text that a file would have."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def _condition(value: object, where: str) -> str:
    """A condition in SQL; one expression can neither read files nor other tables."""
    text = str(value)
    try:
        pl.sql_expr(text)
    except pl.exceptions.PolarsError as error:
        raise Unusable(
            f"{where}: `{text}` is no condition ({sql.reason(error)}); write one such as {_EXAMPLE}"
        ) from None
    return text


_EXAMPLE: Final = "registered >= birth"


_WANTED: Final[dict[Test, Callable[[object, str], Any]]] = {
    "required": _true,
    "range": _range,
    "pattern": _pattern,
    "one-of": _choices,
    "unique": _true,
    "valid": _true,
    "check": _condition,
}


def _range_reason(wanted: tuple[Any, Any]) -> str:
    low, high = (end if end is None else shown(end) for end in wanted)
    if low is None:
        return f"is above {high}"
    return f"is below {low}" if high is None else f"is not between {low} and {high}"


_REASONS: Final[dict[Test, Callable[[Any], str]]] = {
    "required": lambda _: "is missing",
    "range": _range_reason,
    "pattern": lambda wanted: f"does not fit {wanted}",
    "one-of": lambda wanted: f"is none of {one_of(wanted)}",
    "unique": lambda _: "is that of an earlier row, too",
    "valid": lambda _: "is no value of this kind",
    "check": lambda wanted: f"does not fulfil {wanted}",
}


def violations(
    frame: pl.DataFrame,
    rules: Sequence[Rule],
    *,
    extras: Sequence[str] = (),
    columns: Mapping[str, str] | None = None,
) -> pl.DataFrame:
    """What breaks the rules.

    Args:
        frame: Rows as `normalised` gives them: fields, `extras`, `original`.
        rules: The rules.
        extras: Names of columns that were kept under their own names, whether or not a row has a value in them.
        columns: Field and column of the file, to call columns as the file does; None to call them as the rules do.

    Returns:
        `row` (index from 0), `column`, `reason`, `severity`: one for each row and rule that it breaks, by row.

    Raises:
        Unusable: a rule names a column that there is not, or a condition cannot be evaluated.
    """
    names = [name for name in frame.columns if name not in (_EXTRAS, _ORIGINAL)]
    about = {name for rule in rules for name in rule.columns}.difference(names)
    if about and _EXTRAS in frame.columns:
        found_too = objects.keys(frame[_EXTRAS]) if about.difference(extras) else []
        known = [name for name in dict.fromkeys((*extras, *found_too)) if name not in names]
        names += known
        frame = frame.with_columns(objects.unpacked(frame[_EXTRAS], [name for name in known if name in about]))
    found = [pl.DataFrame(schema=_SCHEMA)]
    for rule in rules:
        at = _broken(frame, rule, names).arg_true().cast(pl.Int64)
        called = ", ".join((columns or {}).get(column, column) for column in rule.columns)
        said = {"column": called, "reason": rule.reason, "severity": rule.severity}
        found.append(at.alias("row").to_frame().with_columns(pl.lit(text).alias(key) for key, text in said.items()))
    return pl.concat(found).sort("row", maintain_order=True)


_EXTRAS: Final = "extras"
_ORIGINAL: Final = "original"


def _broken(frame: pl.DataFrame, rule: Rule, names: Sequence[str]) -> pl.Series:
    """Which rows break a rule."""
    for column in rule.columns:
        if column not in names:
            raise Unusable(f"{rule.where}: {no_column(column, names)}")
    if rule.test == "check":
        flags = _unfulfilled(frame, rule)
    elif rule.test == "valid":
        flags = _not_valid(frame, rule.columns[0])
    else:
        flags = _TESTED[rule.test](frame[rule.columns[0]], rule.wanted)
    return flags.fill_null(value=False)


def _unfulfilled(frame: pl.DataFrame, rule: Rule) -> pl.Series:
    try:
        found = frame.with_columns(pl.sql_expr(rule.wanted).alias(_FULFILLED))[_FULFILLED]
    except pl.exceptions.PolarsError as error:
        raise Unusable(f"{rule.where}: `{rule.wanted}` cannot be evaluated: {sql.reason(error)}") from None
    if found.dtype != pl.Boolean:
        raise Unusable(f"{rule.where}: `{rule.wanted}` is no condition; write one such as {_EXAMPLE}")
    return ~found


_FULFILLED: Final = " fulfilled"


def _not_valid(frame: pl.DataFrame, column: str) -> pl.Series:
    """Values that came, and were none: they are only among the original ones."""
    if _ORIGINAL not in frame.columns:
        return pl.Series([False]).new_from_index(0, frame.height)
    # A quote inside of a text has a backslash before it, so this can only be the key itself.
    key = "[{,]" + re.escape(json.dumps(column, ensure_ascii=False)) + ":"
    return frame[column].is_null() & frame[_ORIGINAL].str.contains(key)


def _outside(values: pl.Series, wanted: tuple[Any, Any]) -> pl.Series:
    """What is outside of a range, or can be no part of one."""
    timed = isinstance(next(end for end in wanted if end is not None), date)
    read = _as_dates(values) if timed else _as_numbers(values)
    low, high = wanted
    flags = values.is_not_null() & read.is_null()
    if low is not None:
        flags = flags | (read < low).fill_null(value=False)
    return flags if high is None else flags | (read > high).fill_null(value=False)


def _as_dates(values: pl.Series) -> pl.Series:
    if values.dtype.is_temporal():
        return values.cast(pl.Date)
    return dates.dates(texts.clean(texts.as_texts(values)), "day-first")


def _as_numbers(values: pl.Series) -> pl.Series:
    if values.dtype.is_numeric():
        return numbers.as_numbers(values)
    return numbers.numbers(texts.clean(texts.as_texts(values)), ".")


_TESTED: Final[dict[Test, Callable[[pl.Series, Any], pl.Series]]] = {
    "required": lambda values, _: values.is_null(),
    "range": _outside,
    "pattern": lambda values, wanted: ~texts.as_texts(values).str.contains(wanted),
    "one-of": lambda values, wanted: ~texts.as_texts(values).is_in(wanted),
    "unique": lambda values, _: values.is_not_null() & ~values.is_first_distinct(),
}
