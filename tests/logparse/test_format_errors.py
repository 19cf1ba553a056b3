"""Patterns that no log can be read with: each error is a sentence that names the piece at fault."""

import pytest

from logparse.errors import FormatError
from logparse.pattern import compile_pattern, guess_syntax
from logparse.spec import LogFormat

WRONG = {
    '%h "%r" %>s': "no time",
    '$remote_addr "$request"': "no time",
    "%h %t %>s": "no request",
    "$remote_addr [$time_local] $status": "no request",
    '%h %t "%r" %': "'%'",
    '%h %t "%r" %{Referer': "'%{Referer'",
    '%t "%r" %5': "'%5'",
    '[$time_local] "$request" ${status': "'${status'",
    '[$time_local] "$request" $': "'$'",
    '%{%T}t "%r"': "%{%T}t lacks the year, month or day",
    '%{%F}t "%r"': "%{%F}t lacks the hour or minute",
    '%{%F %H}t "%r"': "%{%F %H}t lacks the hour or minute",
    '%{%F %I:%M}t "%r"': "both %I and %p",
    '%{%F %T %N}t "%r"': "'%N' in the time %{%F %T %N}t",
    '%{%F %T %f}t "%r"': "'%f'",
    '%{%F %T %}t "%r"': "'%'",
    '%{%F %T %Z}t "%r"': "%{%F %T %Z}t names its zone by letters",
    '%{msec_frac}t "%r"': "%{msec_frac}t lacks",
    'log_format main \'$remote_addr [$time_local] "$request"': "'$remote_addr [",
    "log_format main '$remote_addr' [$time_local] \"$request": '"$request',
    'LogFormat "%h %t \\"%r\\" combined': "%h %t",
    "LogFormat   ": "configuration",
    "{time}{request}": "{time} and the field behind it have nothing between them",
    "{time:soon} {request}": "no time 'soon'; there are clf, iso",
    "{time:%Y-%m-%d %H:%M} {request}": "no time '%Y-%m-%d %H:%M'; there are clf, iso",
    "{time} {request:upper}": "{request:upper} has no reading 'upper'; there are number, raw, word, plus",
    "{time} {request} {adress}": "no role 'adress'; there are _, *, address",
    "{time} {address}": "no request",
    "#Software: x": "no line that begins with #Fields:",
    "#Fields: date c-ip cs-uri-stem": "no time",
    "#Fields: date time c-ip": "no request",
    "#Fields: time cs-uri-stem": "no date, and no #Date: line says it",
    '{"time": "ts"}': "no request",
    '{"time": "ts", "request": "r", "adress": "a"}': "no role 'adress'; there are address, forwarded",
    '{"time:soon": "ts", "request": "r"}': "no time 'soon'",
    '{"time": "ts", "request:upper": "r"}': "no reading 'upper'",
    '{"time": "ts", "request": 1}': "the key of 'request' must be a path",
    '{"time": "ts", "request": []}': "the key of 'request' must be a path",
    '{"time": "ts", "request": "r", "agent": "r.agent"}': "'r.agent' cannot be both",
    '{"time": "ts", "agent": "r.agent", "request": "r"}': "'r' cannot be both",
}


@pytest.mark.parametrize("pattern", WRONG)
def test_pattern_that_cannot_be_used(pattern: str) -> None:
    with pytest.raises(FormatError) as caught:
        compile_pattern(guess_syntax(pattern))
    assert WRONG[pattern] in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("pattern", ["no_such_format", "", "host time request"])
def test_pattern_without_directives(pattern: str) -> None:
    with pytest.raises(FormatError, match="neither %directives nor \\$variables") as caught:
        guess_syntax(pattern)
    assert repr(pattern) in str(caught.value)


def test_directive_of_a_third_party_s_module_is_read_over() -> None:
    layout = compile_pattern(LogFormat("x", "apache", '%t "%r" %Y'))
    assert [field.role for field in layout.fields] == ["time", "request", "ignore"]


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"time": "a", "adress": "b"}, "no role 'adress'; there are date, time, address"),
        ({"time": "a", "target:upper": "b"}, "'target:upper' has no reading 'upper'"),
        ({"time:soon": "a", "target": "b"}, "no time 'soon'"),
        ({"time": "a"}, "no request"),
    ],
)
def test_columns_that_cannot_be_used(keys: dict[str, str], said: str) -> None:
    with pytest.raises(FormatError) as caught:
        compile_pattern(LogFormat("x", "csv", "a,b", keys=keys))
    assert said in str(caught.value)
