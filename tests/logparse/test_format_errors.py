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
    '%h%u %t "%r"': "%h and %u",
    '%t "%r" %{Referer}i%{User-Agent}i': "%{Referer}i and %{User-Agent}i",
    '$remote_addr$status [$time_local] "$request"': "remote_addr and status",
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
    '%{sec}t%{usec}t "%r"': "%{sec}t and %{usec}t",
    'log_format main \'$remote_addr [$time_local] "$request"': "'$remote_addr [",
    "log_format main '$remote_addr' [$time_local] \"$request": '"$request',
    'LogFormat "%h %t \\"%r\\" combined': "%h %t",
    "LogFormat   ": "configuration",
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
