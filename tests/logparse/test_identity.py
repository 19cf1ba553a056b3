"""What tells one log from another, and how far it has been read."""

from hashlib import blake2b

from hypothesis import given, settings
from hypothesis import strategies as st

from logparse.identity import HEAD_BYTES, Position, digest, head

lines = st.lists(st.sampled_from([b"#Fields: a\n", b"#\n", b"line\n", b"\n", b" # no comment\n", b"x" * 900 + b"\n"]))


def position(data: bytes, tail: bytes = b"") -> Position:
    beginning = head(data)
    return Position(digest(beginning), len(beginning), len(data), 1 + data.count(b"\n"), digest(tail), len(tail))


@settings(max_examples=200, deadline=None)
@given(lines.map(b"".join))
def test_head_is_the_first_bytes_of_lines_that_are_no_comments(data: bytes) -> None:
    kept = b"".join(line for line in data.splitlines(keepends=True) if not line.startswith(b"#"))
    assert head(data) == kept[:HEAD_BYTES]


def test_digest_is_stable() -> None:
    assert digest(b"a log") == blake2b(b"a log", digest_size=16).hexdigest()


@settings(max_examples=100, deadline=None)
@given(lines.map(b"".join), lines.map(b"".join))
def test_a_log_that_grew_begins_as_the_one_that_was_read(data: bytes, more: bytes) -> None:
    assert position(data).begins(head(data + more))


def test_a_log_that_begins_differently_is_another() -> None:
    assert not position(b"one\n").begins(head(b"two\n"))
    assert not position(b"one\ntwo\n").begins(head(b"one\n"))


def test_headers_that_many_logs_share_do_not_make_them_one() -> None:
    header = b"#Software: x\n" * 1000
    assert not position(header + b"one\n").begins(head(header + b"two\n"))


def test_last_line_that_was_read() -> None:
    assert position(b"one\n", b"one\n").ends(b"one\n")
    assert not position(b"one\n", b"one\n").ends(b"two\n")
