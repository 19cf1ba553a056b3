"""Any bytes whatsoever: every line is accounted for, whole or cut into blocks, and nothing raises."""

import io
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logparse.blocks import Block, read_blocks
from logparse.kernel import HITS, Account, Parsed
from logparse.lines import REJECTS
from logparse.rules import DropRule, PageRules, Rules, VisitorRules

COMBINED = b'203.0.113.9 - - [17/May/2015:10:05:03 +0000] "GET /a?b=%E4 HTTP/1.1" 200 512 "-" "curl/8 \\"x\\" \\xe4"'
LINES = [
    COMBINED,
    b"shop.example.com:80 " + COMBINED,
    COMBINED + b' "198.51.100.7, 10.0.0.1"',
    b'2001:db8::1 - li [17/May/2015:10:05:60 +0530] "-" 408 -',
    b'203.0.113.9 - - [31/Feb/2015:10:05:03 +0000] "\\x16\\x03\\x01" 400 0 "-" "-"',
    b"2015-05-17T10:05:03+00:00\tGET\t/a/1?b=c&id=7\tabc\t200",
    b"1431857103.123 GET /a HTTP/1.1|200",
    b"99999999999999999999 GET /a HTTP/1.1|200",
    b'{"time":"2015-05-17T10:05:03+00:00","request":"GET / HTTP/1.1","status":200}',
]
FORMATS = [
    "common",
    "combined",
    "vcombined",
    "forwarded",
    r"$time_iso8601\t$request_method\t$request_uri\t$cookie_sid\t$status",
    "$msec $request|$status",
    '{"time":"$time_iso8601","request":"$request","status":$status}',
    "%{%d/%b/%Y %T}t.%{msec_frac}t %{%z}t %h %l %u %U%q %>s",
]
PIECES = [
    b"\n",
    b"\n",
    b"\r\n",
    b"\0\0",
    b"\\",
    b'"',
    b" ",
    b"#",
    b"\xff",
    b"\xef\xbb\xbf",
    b"x\x01",
    b"\x1f\x8b",
]
RULES = [
    Rules(),
    Rules(
        visitors=VisitorRules(cookie="sid", query_key="id", forwarded="last", addresses="none"),
        pages=PageRules(query_keep=("*",), query_drop=("c",), numeric_ids=True, lower_case=True, with_host=True),
        drop=(DropRule(name="a", path=("/a*",), status=(200,)), DropRule(name="post", method=("POST",))),
    ),
]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A line with a few bytes taken out or put in."""
    line = draw(st.sampled_from(LINES))
    at = draw(st.integers(0, len(line)))
    return line[:at] + draw(st.binary(max_size=3)) + line[at + draw(st.integers(0, 5)) :]


pieces = st.sampled_from(LINES) | st.sampled_from(PIECES) | mutated() | st.binary(max_size=20)
anything = st.lists(pieces, max_size=12).map(b"".join) | st.lists(pieces, max_size=12).map(b"\n".join)


def check_account(parsed: Parsed, data: bytes) -> None:
    account = parsed.account
    counted = account.hits + sum(account.filtered.values()) + sum(account.rejected.values()) + account.blank
    text = data.removeprefix(b"\xef\xbb\xbf")  # a byte-order mark alone is no line
    assert account.lines == counted
    assert account.lines == text.count(b"\n") + (not text.endswith(b"\n") and text != b"")
    assert account.hits == parsed.hits.height
    assert sum(account.rejected.values()) == parsed.rejects.height
    assert account.rejected == {
        reason: parsed.rejects["reason"].to_list().count(reason) for reason in parsed.rejects["reason"].unique()
    }
    assert dict(parsed.hits.schema) == HITS
    assert dict(parsed.rejects.schema) == REJECTS
    numbers = parsed.hits["line"].to_list()
    assert numbers == sorted(numbers)
    assert parsed.rejects["line"].is_sorted()
    every = [*numbers, *parsed.rejects["line"]]
    assert len(set(every)) == len(every)
    assert all(1 <= number <= account.lines for number in every)
    for column in ("ts", "visitor", "kind"):
        assert parsed.hits[column].null_count() == 0


@settings(max_examples=60, deadline=None)
@given(data=anything, text=st.sampled_from(FORMATS), rules=st.sampled_from(RULES))
def test_every_line_is_accounted_for(engine: Any, data: bytes, text: str, rules: Rules) -> None:
    check_account(engine.kernel(text, rules).parse(Block(data, 0, len(data), 1)), data)


def whole(engine: Any, text: str, data: bytes) -> tuple[list[Any], list[Any], Account]:
    return told([engine.kernel(text).parse(Block(data, 0, len(data), 1))])


def told(parsed: list[Parsed]) -> tuple[list[Any], list[Any], Account]:
    """The hits, the rejects and the account of several blocks."""
    hits = [hit for part in parsed for hit in part.hits.to_dicts()]
    rejects = [reject for part in parsed for reject in part.rejects.to_dicts()]
    return hits, rejects, sum((part.account for part in parsed), Account())


@settings(max_examples=40, deadline=None)
@given(data=anything, text=st.sampled_from(FORMATS), size=st.integers(1, 400))
def test_blocks_give_together_what_the_whole_gives(engine: Any, data: bytes, text: str, size: int) -> None:
    blocks = list(read_blocks(io.BytesIO(data), tail_is_line=True, size=size))
    parsed = [engine.kernel(text).parse(block) for block in blocks]
    assert told(parsed) == whole(engine, text, data)


@settings(max_examples=60, deadline=None)
@given(data=anything, size=st.integers(1, 400), tail_is_line=st.booleans())
def test_blocks_follow_one_another_to_the_end(data: bytes, size: int, tail_is_line: bool) -> None:
    blocks = list(read_blocks(io.BytesIO(data), tail_is_line=tail_is_line, size=size))
    check_blocks(blocks, data, tail_is_line)


@settings(max_examples=60, deadline=None)
@given(data=anything, size=st.integers(1, 300), near=st.integers(1, 50), start=st.integers(0, 3))
def test_blocks_of_a_file_follow_one_another_to_the_end(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, size: int, near: int, start: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.log"
    path.write_bytes(b"\n" * start + data)
    with path.open("rb") as stream, pytest.MonkeyPatch.context() as patch:
        patch.setattr("logparse.blocks.NEAR_END", near)
        stream.seek(start)
        blocks = list(read_blocks(stream, tail_is_line=False, offset=start, line=1 + start, size=size))
    assert all(block.line == 1 + start + data[: block.offset - start].count(b"\n") for block in blocks)
    moved = [replace(block, offset=block.offset - start, end=block.end - start) for block in blocks]
    check_blocks([replace(block, line=block.line - start) for block in moved], data, False)


def check_blocks(blocks: list[Block], data: bytes, tail_is_line: bool) -> None:
    """Blocks stand where they say, one after another, and end where they should."""
    at = 0
    for block in blocks:
        assert block.offset == at
        assert block.data == data[block.offset : block.end]
        assert block.line == 1 + data[:at].count(b"\n")
        assert block.data.endswith(b"\n") or (tail_is_line and block is blocks[-1])
        at = block.end
    assert at == (len(data) if tail_is_line else data.rfind(b"\n") + 1)


@settings(max_examples=15, deadline=None)
@given(data=anything, size=st.integers(1, 400), cut=st.integers(0, 5))
def test_reading_goes_on_where_it_ended(engine: Any, data: bytes, size: int, cut: int) -> None:
    ends = [at + 1 for at, byte in enumerate(data) if byte == 10]
    offset = ends[cut % len(ends)] if ends else 0
    stream = io.BytesIO(data[:offset])
    first = list(read_blocks(stream, tail_is_line=False, size=size))
    stream = io.BytesIO(data)
    stream.seek(offset)
    line = 1 + data[:offset].count(b"\n")
    rest = list(read_blocks(stream, tail_is_line=True, offset=offset, line=line, size=size))
    parsed = [engine.kernel("combined").parse(block) for block in [*first, *rest]]
    assert told(parsed) == whole(engine, "combined", data)


@settings(max_examples=15, deadline=None)
@given(
    lines=st.lists(st.binary(max_size=60).map(lambda line: line.translate(None, b"\n\r\0")), max_size=5),
    size=st.integers(1, 100),
)
def test_endless_lines_are_cut_alike_whatever_is_read_at_once(engine: Any, lines: list[bytes], size: int) -> None:
    data = b"\n".join(lines)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("logparse.blocks.MAX_LINE", 20)
        patch.setattr("logparse.lines.MAX_LINE", 20)
        blocks = list(read_blocks(io.BytesIO(data), tail_is_line=True, size=size))
        parsed = [engine.kernel("combined").parse(block) for block in blocks]
        expected = whole(engine, "combined", data)
    assert [block.offset for block in blocks[1:]] == [block.end for block in blocks[:-1]]
    assert sum(block.end - block.offset for block in blocks) == len(data)
    assert [(reject["line"], reject["reason"]) for reject in told(parsed)[1]] == [
        (reject["line"], reject["reason"]) for reject in expected[1]
    ]
    assert told(parsed)[2] == expected[2]
    assert all(len(line) <= 23 + size for block in blocks for line in block.data.split(b"\n"))
