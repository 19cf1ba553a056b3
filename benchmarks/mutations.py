"""Lines spoilt in every way that a log line gets spoilt: part of soak_fuzz.py.

A mutation takes a line, what decides, and the other lines of its format, and gives bytes; they may hold line ends.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

LONGEST = 1_200_000
"""So many bytes are repeated at most: a line of more than 1 MiB is rejected."""

Mutation = Callable[[bytes, random.Random, Sequence[bytes]], bytes]

MARKS = (b'"', b"[", b"]", b" ", b"\t", b",", b"-", b"|", b":", b"{", b"}", b"%", b"?", b"&", b"#", b"=", b";")
ESCAPES = (
    b'\\"',
    b"\\\\",
    b"\\x",
    b"\\x4",
    b"\\x16",
    b"\\xe4",
    b"\\u",
    b"\\u12",
    b"\\u4f60",
    b"\\ud800",
    b"\\n",
    b"\\",
    b"%zz",
    b"%",
)
NUMBERS = (
    b"9" * 19,
    b"9" * 20,
    b"9" * 400,
    b"-1",
    b"1e9",
    b"0x10",
    b"00",
    b"1.",
    b".5",
    b"2147483648",
    b"9223372036854775808",
)
TEXTS = (
    *("é", "你好", "\u2028", "\x85", "\u202e", "\ufeff", "\U0001f600", "\x1b[2J", "\x0b", "\x0c", "\x1c", "\x7f"),
    *("31/Feb/2026:10:00:00 +0000", "29/Feb/2027:23:59:60 +2460", "0000-00-00T00:00:00Z", "99999-01-01T00:00:00+00:00"),
    *("::ffff:192.0.2.1", "fe80::1%eth0", "999.999.999.999", "unix:", "-", "GET", "HTTP/9.9"),
)
RAW = (
    b"\xff",
    b"\xc0\x80",
    b"\xed\xa0\x80",
    b"\xf8\x88\x80\x80\x80",
    b"\xe4\xbd",
    b"\xc4\xe3\xba\xc3",
    b"\x16\x03\x01\x02",
)
LINE_ENDS = (b"\n", b"\r", b"\r\n", b"\n\n", b"\n#", b"\n#Fields: date time\n")
OPENINGS = (b"\xef\xbb\xbf", b"#", b"\x1f\x8b\x08", b"BZh9", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"x\x9c", b"\0", b" ")


def place(line: bytes, chance: random.Random) -> int:
    """A place in a line: anywhere, at its ends, or beside something that parts its fields."""
    kind = chance.random()
    if kind < 0.3:
        return chance.choice((0, len(line)))
    beside = [match.start() for match in re.finditer(rb'["\[\] ]', line)] if kind < 0.6 else []
    return chance.choice(beside) + chance.randrange(2) if beside else chance.randrange(len(line) + 1)


def flip(line: bytes, chance: random.Random, _: Sequence[bytes]) -> bytes:
    """One bit or one byte is another."""
    if not line:
        return line
    at = chance.randrange(len(line))
    new = line[at] ^ (1 << chance.randrange(8)) if chance.random() < 0.5 else chance.randrange(256)
    return line[:at] + bytes([new]) + line[at + 1 :]


def delete(line: bytes, chance: random.Random, _: Sequence[bytes]) -> bytes:
    """Some bytes are missing."""
    start, end = sorted(chance.randrange(len(line) + 1) for _ in range(2))
    return line[:start] + line[min(end, start + chance.choice((1, 2, 8, 1000))) :]


def truncate(line: bytes, chance: random.Random, _: Sequence[bytes]) -> bytes:
    """The line ends early, or begins late."""
    at = chance.randrange(len(line) + 1)
    return line[:at] if chance.random() < 0.7 else line[at:]


def splice(line: bytes, chance: random.Random, others: Sequence[bytes]) -> bytes:
    """The beginning of one line and the end of another."""
    other = chance.choice(others)
    return line[: chance.randrange(len(line) + 1)] + other[chance.randrange(len(other) + 1) :]


def repeat(line: bytes, chance: random.Random, _: Sequence[bytes]) -> bytes:
    """A piece comes several times; seldom very many."""
    start, end = sorted(chance.randrange(len(line) + 1) for _ in range(2))
    times = min(chance.choice((1, 1, 2, 9, 9, 300)), LONGEST // (end - start + 1))
    return line[:end] + line[start:end] * times + line[end:]


def double_quotes(line: bytes, chance: random.Random, _: Sequence[bytes]) -> bytes:
    """Quotes are doubled, dropped or escaped, all of them or one."""
    new = chance.choice((b'""', b"", b'\\"', b"'", b'\\\\"'))
    return line.replace(b'"', new, chance.choice((1, 2, -1)))


def number(line: bytes, chance: random.Random, _: Sequence[bytes]) -> bytes:
    """A number is huge, negative, or none."""
    found = list(re.finditer(rb"\d+", line))
    if not found:
        return line
    match = chance.choice(found)
    return line[: match.start()] + chance.choice(NUMBERS) + line[match.end() :]


def holes(line: bytes, chance: random.Random, _: Sequence[bytes]) -> bytes:
    """NUL bytes before, behind or in the line."""
    at = place(line, chance)
    return line[:at] + bytes(chance.choice((1, 3, 5000))) + line[at:]


def opening(line: bytes, chance: random.Random, _: Sequence[bytes]) -> bytes:
    """The line begins like a comment, like a compressed file, or with a byte-order mark."""
    return chance.choice(OPENINGS) + line


def insert(pieces: Sequence[bytes]) -> Mutation:
    """Something is put in."""

    def mutation(line: bytes, chance: random.Random, _: Sequence[bytes]) -> bytes:
        at = place(line, chance)
        return line[:at] + chance.choice(pieces) + line[at:]

    return mutation


MUTATIONS: tuple[Mutation, ...] = (
    flip,
    delete,
    truncate,
    splice,
    repeat,
    double_quotes,
    number,
    holes,
    opening,
    insert(MARKS),
    insert(ESCAPES),
    insert([text.encode() for text in TEXTS]),
    insert(RAW),
    insert(LINE_ENDS),
)


def mutated(line: bytes, chance: random.Random, others: Sequence[bytes]) -> bytes:
    """A line after a few mutations, or none."""
    for _ in range(chance.choice((0, 0, 1, 1, 1, 2, 5))):
        line = chance.choice(MUTATIONS)(line, chance, others)
    return line
