"""The plan gives what the reference gives, on any line of any format."""

import re
from functools import cache

import polars as pl
from hypothesis import example, given, note, settings
from hypothesis import strategies as st

from logparse import reference
from logparse.blocks import Block
from logparse.errors import FormatError
from logparse.formats import BUILT_IN
from logparse.lines import parse_lines
from logparse.parsers import PARSERS
from logparse.pattern import Layout, compile_pattern
from logparse.spec import LogFormat

APACHE = [
    *["%h", "%a", "%l", "%u", "%m", "%U"],
    *["%q", "%U%q", "%H", "%s", "%>s", "%b"],
    *["%B", "%O", "%D", "%v", "%p", "%f"],
    *["%{Referer}i", "%{User-Agent}i", "%{X-Forwarded-For}i", "%{sid}C", "%{x}n", "%{Content-Type}o"],
    *["%r", "%t", "%{sec}t", "%{msec}t", "%{%F}tT%{%T}t", "%{sec}t.%{usec_frac}t"],
]
NGINX = [
    *["$remote_addr", "$remote_user", "$request_method", "$request_uri", "$uri$is_args$args", "$args"],
    *["$status", "$body_bytes_sent", "$server_protocol", "$host", "$remote_port", "$http_referer"],
    *["$http_user_agent", "$http_x_forwarded_for", "$cookie_sid", "$any", "$request", "$time_iso8601"],
    *["$msec", "[$time_local]"],
]
SPACED_TIMES = ["%{%F %T}t", "%{%d/%b/%Y:%T}t.%{msec_frac}t %{%z}t"]
LITERALS = ["", "", *"   \t,|:]a", '" "', '"', ' "', '" ', "] [", " - ", '""', " x ", "--"]
ENDS = ["", "", *'"[] a', '" ']
ORDINARY = [
    *[
        "-",
        "a",
        "a a",
        "200",
        "12",
        "GET",
        "/a",
        "/a?b=c",
        "HTTP/1.1",
        "GET /a HTTP/1.1",
        "GET /a b HTTP/1.0",
        "",
    ],
    *["203.0.113.9", "2001:db8::1", "1.2.3.4, 5.6.7.8", "1431857103.123", "17/May/2015:10:05:03 +0000"],
    *["17/May/2015:10:05:03.123 +0000", "2015-05-17T10:05:03+00:00", "2015-05-17 10:05:03"],
    "GET /a b HTTP/1.0",
]
ODD = r"""\" \ \\ a\"b " "" \x16\x03 \\" 1.2.3.4, , a,b x:1 -- ] [ 你好 a|b #"""
TEXTS = [*ORDINARY, *ODD.split(" "), '" "', "\t", "] [", " - ", ", "]


@cache
def layout(syntax: str, pattern: str) -> Layout | None:
    try:
        return compile_pattern(LogFormat("x", "apache" if syntax == "apache" else "nginx", pattern))
    except FormatError:
        return None


@st.composite
def layouts(draw: st.DrawFn) -> Layout:
    """A layout of directives in any order with any literals between them."""
    syntax = draw(st.sampled_from(["apache", "nginx"]))
    known = [*APACHE, *SPACED_TIMES] if syntax == "apache" else NGINX
    needed = ["%t", "%r"] if syntax == "apache" else ["[$time_local]", "$request"]
    others = draw(st.lists(st.sampled_from(known), max_size=6))
    directives = draw(st.permutations([*needed, *others]))
    parts = [draw(st.sampled_from(ENDS))]
    for directive in directives:
        parts += [directive, draw(st.sampled_from(LITERALS))]
    parts[-1] = draw(st.sampled_from(ENDS))
    found = layout(syntax, "".join(parts))
    if found is None:  # a literal that hides a directive, `%t %{sec}t` written as one time, ...
        found = layout(syntax, " ".join(needed))
    assert found is not None
    note(f"literals {found.literals}, patterns {[field.pattern for field in found.fields]}")
    return found


BUILT_IN_LAYOUTS = [compile_pattern(known) for known in BUILT_IN if known.syntax != "json"]
texts = st.sampled_from(TEXTS) | st.lists(st.sampled_from(TEXTS), max_size=4).map("".join)


@cache
def fitting(pattern: str) -> st.SearchStrategy[str]:
    """Texts that fit a field; its borders may still be found elsewhere."""
    return st.sampled_from([text for text in TEXTS if re.fullmatch(pattern, text)] or TEXTS)


@st.composite
def lines_of(draw: st.DrawFn, layout: Layout) -> str:
    """A line whose fields fit, or hold anything, or a mutation of it."""
    tidy = draw(st.booleans())
    line = layout.literals[0]
    for field, literal in zip(layout.fields, layout.literals[1:], strict=True):
        line += draw(fitting(field.pattern) if tidy else fitting(field.pattern) | texts) + literal
    if draw(st.integers(0, 3)) == 0:
        at = draw(st.integers(0, len(line)))
        line = line[:at] + draw(texts) + line[at + draw(st.integers(0, 3)) :]
    return line


@st.composite
def logs(draw: st.DrawFn) -> tuple[Layout, list[str]]:
    layout = draw(layouts() | st.sampled_from(BUILT_IN_LAYOUTS))
    return layout, draw(st.lists(lines_of(layout), min_size=1, max_size=12))


FORWARDED_BEFORE_A_LETTER = layout("apache", "%{X-Forwarded-For}ia%h %t %r")
assert FORWARDED_BEFORE_A_LETTER is not None
BORDER_IN_TWO_PLACES = (FORWARDED_BEFORE_A_LETTER, ["-a17/Ma203.0.113.9 [17/May/2015:10:05:03 +0000] GET /"])


def frame_of(lines: list[str]) -> pl.DataFrame:
    return pl.DataFrame({"number": range(1, len(lines) + 1), "line": lines}, schema={"number": pl.Int64, "line": str})


@settings(max_examples=80, deadline=None)
@given(logs(), st.booleans(), st.booleans())
@example(BORDER_IN_TWO_PLACES, False, False)
@example(BORDER_IN_TWO_PLACES, True, True)
def test_lines_that_the_plan_proves_are_as_the_reference_reads_them(
    log: tuple[Layout, list[str]], from_bytes: bool, repeated: bool
) -> None:
    layout, lines = log
    lines = lines * 4 if repeated else lines
    names = ["number", *(f"f{at}" for at in range(len(layout.fields))), "line"]
    data = "".join(f"{line}\n" for line in lines).encode() if from_bytes else None
    planned = PARSERS[layout.parser].plan(frame_of(lines), layout, data)
    expected = PARSERS[layout.parser].reference(frame_of(lines), layout).select(names)
    assert planned["number"].to_list() == expected["number"].to_list()
    proven = planned["proven"].to_list()
    for shown, left, right in zip(proven, planned.select(names).to_dicts(), expected.to_dicts(), strict=True):
        if shown:
            assert left == right


@settings(max_examples=80, deadline=None)
@given(logs(), st.lists(st.sampled_from(["", "# comment", "\0\0"]), max_size=2))
def test_lines_are_parsed_as_the_reference_alone_would(log: tuple[Layout, list[str]], blanks: list[str]) -> None:
    layout, lines = log
    lines = [*lines, *blanks]
    data = "".join(f"{line}\n" for line in lines).encode()
    found = parse_lines(Block(data, 0, len(data), 5), layout)
    stripped = [line.strip("\0\r") for line in lines]
    rest = (
        frame_of(stripped)
        .with_columns(pl.col("number") + 4)
        .filter((pl.col("line") != "") & ~pl.col("line").str.starts_with("#"))
    )
    expected = PARSERS[layout.parser].reference(rest, layout).rename({"number": "line", "line": "text"})
    fits = expected["f0"].is_not_null()
    columns = [*found.frame.columns]
    assert found.frame.to_dicts() == expected.filter(fits).select(columns).to_dicts()
    assert found.rejects["line"].to_list() == expected.filter(~fits)["line"].to_list()
    assert found.rejects["text"].to_list() == expected.filter(~fits)["text"].to_list()
    assert found.lines == len(lines)
    assert found.blank == len(lines) - rest.height


@settings(max_examples=80, deadline=None)
@given(logs())
@example(
    (
        BUILT_IN_LAYOUTS[1],
        ['203.0.113.9 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 5 "-" "Firefox'],
    )
)
def test_a_rejected_line_names_the_first_directive_that_does_not_fit(log: tuple[Layout, list[str]]) -> None:
    layout, lines = log
    names = [field.directive for field in layout.fields]
    data = "".join(f"{line}\n" for line in lines).encode()
    rejects = parse_lines(Block(data, 0, len(data), 1), layout).rejects
    for text, field in zip(rejects["text"], rejects["field"], strict=True):
        text = re.sub(" +", " ", text) if layout.parser == "squeezed" else text
        fitting = [
            count
            for count in range(len(names) + 1)
            if count == 0 or pl.Series([text]).str.contains(reference.expression(layout, count)).item()
        ]
        assert field == [*names, "end of line"][max(fitting)]


def share_proven(known: LogFormat, lines: list[str]) -> float:
    layout = compile_pattern(known)
    return float(PARSERS[layout.parser].plan(frame_of(lines), layout, None)["proven"].mean())  # type: ignore[arg-type]  # no empty frame


def test_the_plan_proves_ordinary_lines_of_every_built_in_format() -> None:
    client = '203.0.113.9 - li [17/May/2015:10:05:03 +0000] "GET /a?b HTTP/1.1" 200'
    headers = '"https://example.org/" "Mozilla/5.0 (X11)"'
    lines = {
        "vcombined": f"shop.example.com:443 {client} 5 {headers}",
        "combined": f"{client} 5 {headers}",
        "forwarded": f'{client} 5 {headers} "198.51.100.7"',
        "common": f"{client} 5",
    }
    for known in BUILT_IN[:4]:
        assert share_proven(known, [lines[known.name]]) == 1.0
        assert share_proven(known, [lines[known.name].replace("/a?b", r"/a\"b")]) == 0.0


def test_one_character_does_not_serve_two_literals() -> None:
    before, after = '[17/May/2015:10:05:03 +0000] "GET / HTTP/1.1"', '"-"'
    for pattern, spaces in ((r'%t "%r" %u "%{Referer}i"', 2), (r'%t "%r" %u %{x}e "%{Referer}i"', 3)):
        compiled = compile_pattern(LogFormat("odd", "apache", pattern))
        for count in range(1, 5):
            lines = frame_of([before + " " * count + after])
            proven = PARSERS["literals"].plan(lines, compiled, None)["proven"].item()
            matched = reference.parse(lines, compiled)["f0"].item() is not None
            assert proven <= matched
            assert matched == (count >= spaces)
