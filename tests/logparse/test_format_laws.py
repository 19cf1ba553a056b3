"""Laws of all formats: plan = reference, every line is accounted for, headers rule up to the next."""

import csv
import io
import json
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from logparse import json_lines, separated
from logparse.blocks import Block, read_blocks
from logparse.formats import BUILT_IN
from logparse.headers import cut, in_force
from logparse.kernel import Account, Kernel
from logparse.lines import parse_lines
from logparse.parsers import PARSERS
from logparse.pattern import Layout, compile_pattern
from logparse.rules import Rules
from logparse.spec import LogFormat

FORMATS = {known.name: known for known in BUILT_IN}
LOGS: dict[str, list[str]] = {
    path.stem: yaml.safe_load(path.read_text(encoding="utf-8"))["log"].splitlines()
    for path in sorted((Path(__file__).parent / "known").glob("*.yaml"))
}
KERNELS = {known.name: Kernel.of(compile_pattern(known), Rules(), b"key") for known in BUILT_IN}
JUNK = [*'"\\,-{}[]:é\t\0', "", '""', "\\ud800", "  ", "#Fields: x", "#Date: 1"]


@st.composite
def mutated(draw: st.DrawFn, name: str) -> str:
    """A line of a format's log, often with something put in or taken out."""
    line = draw(st.sampled_from(LOGS[name]))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(line)))
        line = line[:at] + draw(st.sampled_from(JUNK) | st.text(max_size=3)) + line[at + draw(st.integers(0, 9)) :]
    return line.replace("\n", "")


@st.composite
def logs(draw: st.DrawFn) -> tuple[str, bytes]:
    name = draw(st.sampled_from([*LOGS]))
    lines = draw(st.lists(mutated(name), max_size=12))
    return name, "\n".join(lines).encode("utf-8", "surrogatepass")


def blocks_of(name: str, data: bytes, size: int = 1 << 20) -> list[Block]:
    return list(cut(read_blocks(io.BytesIO(data), tail_is_line=True, size=size), FORMATS[name]))


def told(name: str, blocks: list[Block]) -> tuple[list[Any], list[Any], Account]:
    parsed = [KERNELS[name].parse(block) for block in blocks]
    hits = [hit for part in parsed for hit in part.hits.to_dicts()]
    rejects = [reject for part in parsed for reject in part.rejects.to_dicts()]
    return hits, rejects, sum((part.account for part in parsed), Account())


@settings(max_examples=50, deadline=None)
@given(logs(), st.integers(1, 500))
def test_every_line_is_accounted_for_wherever_the_log_is_cut(log: tuple[str, bytes], size: int) -> None:
    name, data = log
    hits, rejects, account = told(name, blocks_of(name, data))
    assert account.lines == data.removeprefix(b"\xef\xbb\xbf").count(b"\n") + (data != b"" and data[-1:] != b"\n")
    assert account.lines == account.hits + account.blank + sum(account.rejected.values())
    assert (len(hits), len(rejects)) == (account.hits, sum(account.rejected.values()))
    numbers = [row["line"] for row in [*hits, *rejects]]
    assert len(set(numbers)) == len(numbers)
    assert told(name, blocks_of(name, data, size)) == (hits, rejects, account)


@settings(max_examples=50, deadline=None)
@given(logs())
def test_lines_are_parsed_as_the_reference_alone_would(log: tuple[str, bytes]) -> None:
    name, data = log
    for block in blocks_of(name, data):
        layout = in_force(KERNELS[name].layout, block.header)
        found = parse_lines(block, layout)
        every = pl.concat([found.frame.select("line", "text"), found.rejects.select("line", "text")]).sort("line")
        lines = every.select(pl.col("line").alias("number"), pl.col("text").alias("line"))
        expected = PARSERS[layout.parser].reference(lines, layout)
        fits = expected["f0"].is_not_null()
        names = [f"f{at}" for at in range(len(layout.fields))]
        assert found.frame.select(names).rows() == expected.filter(fits).select(names).rows()
        assert found.rejects["text"].to_list() == expected.filter(~fits)["line"].to_list()


# W3C: headers, against a reader that goes line by line.

FIELD_SETS = [
    "date time c-ip cs-method cs-uri-stem",
    "time date cs-uri-stem sc-status",
    "time cs-uri-stem",
    "date c-ip cs-uri-stem",  # no time: nothing behind it can be read
    "date time cs-uri-stem sc-bytes cs(User-Agent)",
]
VALUES = {
    "date": st.sampled_from(["2015-05-17", "2015-05-18"]),
    "time": st.sampled_from(["10:05:03", "23:59:59"]),
    "cs-uri-stem": st.sampled_from(["/", "/a", '/"q"']),
}
DATES = st.sampled_from(["#Date: 2016-01-01 00:00:00", "#Date: 2017-01-01 00:00:00"])


@st.composite
def w3c_logs(draw: st.DrawFn) -> list[str]:
    lines, fields = [], FIELD_SETS[0].split()
    for _ in range(draw(st.integers(1, 25))):
        kind = draw(st.integers(0, 9))
        if kind == 0:
            fields = draw(st.sampled_from(FIELD_SETS)).split()
            lines.append("#Fields: " + " ".join(fields))
        elif kind == 1:
            lines.append(draw(DATES))
        elif kind == 2:
            lines.append(draw(st.sampled_from(["", "#Software: x", "broken", "a #Fields: time"])))
        else:
            lines.append(" ".join(draw(VALUES.get(field, st.just("7"))) for field in fields))
    return lines


def by_line(lines: list[str]) -> list[tuple[int, str, str]]:
    """Number, time and path of every line that a plain reader can read."""
    fields, date, out = FIELD_SETS[0].split(), "", []
    for number, line in enumerate(lines, 1):
        if line.startswith("#Fields:"):
            fields = line.split()[1:]
        elif line.startswith("#Date:"):
            date = line.split()[1]
        elif line and not line.startswith("#"):
            values = dict(zip(fields, line.split(" "), strict=False))
            day, time = values.get("date", "" if "date" in fields else date), values.get("time")
            if len(line.split(" ")) == len(fields) and day and time:
                try:
                    datetime.fromisoformat(f"{day}T{time}")
                except ValueError:
                    continue
                out.append((number, f"{day}T{time}+00:00", values["cs-uri-stem"]))
    return out


def test_a_header_of_too_many_columns_rejects_the_lines_behind_it() -> None:
    data = b"#Fields: date time cs-uri-stem" + b" x" * 5000 + b"\n2015-05-17 10:05:03 /\n"
    _, (reject,), account = told("w3c", blocks_of("w3c", data))
    assert (account.hits, account.blank) == (0, 1)
    assert "5003 columns are more than" in reject["field"]


@settings(max_examples=50, deadline=None)
@given(w3c_logs(), st.integers(1, 300))
@example(["#Fields: time cs-uri-stem", "10:05:03 /", "#Date: 2016-01-01", "10:05:03 /a"], 1)
def test_a_header_rules_the_lines_behind_it(lines: list[str], size: int) -> None:
    spec = LogFormat("x", "w3c", "#Fields: " + FIELD_SETS[0])
    kernel = Kernel.of(compile_pattern(spec), Rules(), b"key")
    data = "\n".join(lines).encode()
    blocks = list(cut(read_blocks(io.BytesIO(data), tail_is_line=True, size=size), spec))
    assert b"".join(block.data for block in blocks) == data
    assert all(one.end == other.offset for one, other in pairwise(blocks))
    hits = [hit for block in blocks for hit in kernel.parse(block).hits.to_dicts()]
    assert [(hit["line"], hit["ts"].isoformat(), hit["path"]) for hit in hits] == by_line(lines)


def test_a_header_that_is_said_again_cuts_no_block() -> None:
    header = b"#Date: 2015-05-17\n#Fields: date time cs-uri-stem\n"
    data = (header + b"2015-05-17 10:05:03 /\n") * 5
    assert len(list(cut([Block(data, 0, len(data), 1)], LogFormat("x", "w3c", "#Fields: date time cs-uri-stem")))) == 1


def test_the_lines_behind_a_header_without_time_are_rejected_and_say_so() -> None:
    hits, rejects, account = told("w3c", blocks_of("w3c", b"#Fields: date cs-uri-stem\n2015-05-17 /\n"))
    assert (hits, account.blank) == ([], 1)
    assert "has no time" in rejects[0]["field"]


# CSV, against Python's own reader and writer.


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.lists(st.text(alphabet='a,"" -é', max_size=4), min_size=3, max_size=3).map(tuple), min_size=1, max_size=6
    ),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
)
def test_values_of_csv_are_those_that_were_written(rows: list[tuple[str, ...]], quoting: Any) -> None:
    lines = []
    for row in rows:
        out = io.StringIO()
        csv.writer(out, quoting=quoting, lineterminator="").writerow(row)
        lines.append(out.getvalue())
    layout = compile_pattern(LogFormat("x", "csv", "a,b,c", keys={"time": "a", "request": "b"}))
    frame = pl.DataFrame({"line": lines})
    read = separated.reference(frame, layout).select("f0", "f1", "f2").rows()
    assert read == rows
    planned = separated.plan(frame, layout)
    for shown, found, row in zip(planned["proven"], planned.select("f0", "f1", "f2").rows(), rows, strict=True):
        assert not shown or found == row
    if quoting == csv.QUOTE_ALL:
        assert planned["proven"].to_list() == [not any('"' in value for value in row) for row in rows]


# JSON, where the plan is Polars' parser and the reference Python's.

JSON = LogFormat(
    "x",
    "json",
    keys={"time": ["ts", "a.t"], "request": "a.r", "agent": "a.h[]", "host": "b.c.d", "status": "s", "login": "x\\.y"},
)
KEYS = st.sampled_from(["ts", "a", "t", "r", "h", "b", "c", "d", "s", "x.y", "other", "é"])
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64)
    | st.floats(allow_nan=True, allow_infinity=True)
    | st.text(max_size=6)
    | st.sampled_from(["GET /", "-", "[x]", "{x}", "2015-05-17", "\\", '"', "\ud83d\ude00", "\ud800", "\0", "/"])
)
THINGS = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4))
LISTS = st.lists(st.text(max_size=3) | SCALARS, max_size=3)
LIKELY = st.fixed_dictionaries(
    {"ts": SCALARS, "a": st.fixed_dictionaries({"r": st.text(min_size=1, max_size=4)}, optional={"h": LISTS})},
    optional={"s": SCALARS, "x.y": SCALARS, "b": st.fixed_dictionaries({"c": st.just({"d": "x"})}), "other": THINGS},
)
ODD_JSON = [*JUNK, '"ts":1,', "1e400", "1E5", "0.10", "\r"]


@st.composite
def json_texts(draw: st.DrawFn) -> str:
    kind = draw(st.integers(0, 9))
    thing = draw(THINGS if kind == 0 else LIKELY)
    text = json.dumps(thing, ensure_ascii=draw(st.booleans()), separators=(",", draw(st.sampled_from([":", ": "]))))
    if kind < 3:
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(st.sampled_from(ODD_JSON)) + text[at + draw(st.integers(0, 2)) :]
    return text.replace("\n", " ").encode("utf-8", "replace").decode()


def layout_of_json() -> Layout:
    return compile_pattern(JSON)


@settings(max_examples=120, deadline=None)
@given(st.lists(json_texts(), min_size=1, max_size=20))
@example(['{"ts":"x","a":[{"r":"y"}', '{"r":"z"}]}', '{"ts":1,"a":{"r":"1"}},{"ts":2,"a":{"r":"2"}}'])
@example(['{"ts":1,"a":{"r":"x","h":["y",["z"],{"u":1},null,1.50,true]}}'])
@example(['{"ts":1e22,"ts":2,"a":{"r":"x","r":"y"}}', '{"ts":-0,"a":{"r":-0.0}}', '{"ts":1e-7,"a":{"r":1.0}}'])
def test_what_the_plan_proves_of_json_is_as_the_reference_reads_it(lines: list[str]) -> None:
    layout = layout_of_json()
    frame = pl.DataFrame({"number": range(len(lines)), "line": lines})
    names = ["number", *(f"f{at}" for at in range(len(layout.fields))), "line"]
    expected = json_lines.reference(frame, layout).select(names)
    alone = pl.concat([json_lines.plan(frame[at], layout) for at in range(len(lines))])
    for planned in (json_lines.plan(frame, layout), alone):
        for shown, found, wanted in zip(planned["proven"], planned.select(names).rows(), expected.rows(), strict=True):
            assert not shown or found == wanted


@pytest.mark.parametrize(
    ("written", "agent"),
    [
        (b"\xe4\xf6 \xff", r"\xe4\xf6 \xff"),
        (rb"\\xe4", r"\xe4"),
        (b"\\\\\xe4", r"\\xe4"),
        (b'\xe4\\"\xff\xff', r'\xe4"\xff\xff'),
    ],
)
def test_bytes_that_are_not_utf_8_stay_visible_in_json(written: bytes, agent: str) -> None:
    line = b'{"msec":"1431857104.042","request":"GET / HTTP/1.1","http_user_agent":"%s"}\n'
    data = line.replace(b"%s", b"x") + line.replace(b"%s", written)
    hits, rejects, _ = told("nginx-json", blocks_of("nginx-json", data))
    assert rejects == []
    assert [hit["agent"] for hit in hits] == ["x", agent]


def test_a_request_that_says_nothing_is_a_hit_in_json_too() -> None:
    data = b'{"msec":"1431857104.042","request":"","status":400}\n{"msec":"1431857104.042","status":400}\n'
    (hit,), (reject,), _ = told("nginx-json", blocks_of("nginx-json", data))
    assert (hit["line"], hit["method"], hit["path"], hit["status"]) == (1, None, None, 400)
    assert reject["line"] == 2


def test_ordinary_lines_of_json_are_proven_beside_broken_ones() -> None:
    good = [f'{{"ts":{n}.5,"a":{{"r":"GET /é \\u0026 \\"{n}\\"","h":["x","y"]}},"s":200}}' for n in range(1, 2000)]
    lines = [*good[:1000], "{broken}", *good[1000:]]
    proven = json_lines.plan(pl.DataFrame({"line": lines}), layout_of_json())["proven"]
    assert len(lines) - json_lines.FEW <= proven.sum() < len(lines)


REJECTED = {
    "{broken": "object of JSON",
    "[1]": "object of JSON",
    "null": "object of JSON",
    "{" * 5000: "object of JSON",
    '{"a":{"r":"GET /"}}': "ts or a.t",
    '{"ts":1,"a":{}}': "a.r",
    '{"ts":1,"a":"x"}': "a.r",
}


@pytest.mark.parametrize("line", REJECTED)
def test_a_line_of_json_that_is_none_or_lacks_what_a_hit_needs_is_rejected_with_its_key(line: str) -> None:
    data = line.encode()
    rejects = parse_lines(Block(data, 0, len(data), 1), layout_of_json()).rejects.to_dicts()
    assert [(row["field"], row["text"]) for row in rejects] == [(REJECTED[line], line)]


# Fields that touch.

TOUCHING = {
    '[$time_local] "$scheme://$host$request_uri" $status': (
        '[17/May/2015:10:05:03 +0000] "https://www.example.com:8443/a/b?c=d" 200',
        {"host": "www.example.com:8443", "path": "/a/b", "query": "c=d", "status": 200},
    ),
    "[$time_local] $host$request_uri $status": (
        "[17/May/2015:10:05:03 +0000] www.example.com/a?b 200",
        {"host": "www.example.com", "path": "/a", "query": "b", "status": 200},
    ),
    "$msec$status $host$uri$is_args$args": (
        "1431857103.042200 www.example.com/a?b",
        {"host": "www.example.com", "path": "/a", "query": "b", "status": 200},
    ),
}


@pytest.mark.parametrize("pattern", TOUCHING)
def test_fields_that_touch_are_parted_by_their_own_patterns(engine: Any, pattern: str) -> None:
    line, expected = TOUCHING[pattern]
    hit = engine.hit(pattern, line)
    assert {key: hit[key] for key in expected} == expected
    layout = compile_pattern(engine.format(pattern))
    assert PARSERS[layout.parser].plan(pl.DataFrame({"line": [line]}), layout, None)["proven"].item()


def test_where_the_border_is_nowhere_to_be_seen_the_first_field_takes_its_alphabet(engine: Any) -> None:
    hit = engine.hit('%h%u %t "%r"', '203.0.113.9li [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1"')
    assert (hit["address"], hit["login"]) == ("203.0.113.9", "li")
    hit = engine.hit('%t "%r" "%{Referer}i%{User-Agent}i"', '[17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" "ab"')
    assert (hit["referrer"], hit["agent"]) == (None, "ab")
