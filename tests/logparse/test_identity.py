"""What tells one log from another, and how far it has been read."""

from hashlib import blake2b

from hypothesis import given, settings
from hypothesis import strategies as st

from logparse.identity import HEAD_BYTES, Position, digest, head

lines = st.lists(
    st.sampled_from([b"#Fields: a\n", b"#\n", b"line\n", b"\n", b"\r\n", b"\0\0\n", b" # no\n", b"x" * 900 + b"\n"])
)


def position(data: bytes, tail: bytes = b"") -> Position:
    beginning = head(data)
    return Position(digest(beginning), len(beginning), len(data), 1 + data.count(b"\n"), digest(tail), len(tail))


@settings(max_examples=200, deadline=None)
@given(lines.map(b"".join))
def test_head_is_the_first_bytes_of_lines_that_are_neither_comments_nor_empty(data: bytes) -> None:
    lines = [line + b"\n" for line in data.split(b"\n")[:-1]]
    kept = [line for line in lines if line.strip(b"\0\r\n") and not line.startswith(b"#")]
    assert head(data) == b"".join(kept)[:HEAD_BYTES]


def test_a_hole_before_the_first_line_is_no_part_of_the_head() -> None:
    assert head(bytes(10_000) + b"one\ntwo\n") == head(b"one\ntwo\n") == b"one\ntwo\n"


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
