"""Lines that servers really write: each becomes a hit, a blank, or a reject with its reason."""

from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

from logparse.blocks import Block
from logparse.kernel import Account

Line = Callable[..., str]


def account(engine: Any, data: bytes, text: str = "combined") -> Account:
    return engine.parse(text, data).account  # type: ignore[no-any-return]  # an Account


def test_escaped_quotes(engine: Any, combined: Line) -> None:
    line = combined(request=r"GET /a?q=\"b\" HTTP/1.1", referrer=r"https://example.org/\"", agent=r"a \"b\" \\ c")
    hit = engine.hit("combined", line)
    assert hit["query"] == 'q="b"'
    assert hit["referrer"] == 'https://example.org/"'
    assert hit["agent"] == 'a "b" \\ c'


@pytest.mark.parametrize("before", [b"\0", b"\r", b""])
def test_a_quote_too_many_is_seen_whatever_is_stripped(engine: Any, combined: Line, before: bytes) -> None:
    good = combined().encode()
    parsed = engine.parse("combined", good + b"\n" + before + good + b'"\n' + good + b"\n")
    assert parsed.rejects["line"].to_list() == [2]


def test_escape_before_the_closing_quote(engine: Any, combined: Line) -> None:
    hit = engine.hit("combined", combined(referrer="\\\\", agent=r"\""))
    assert (hit["referrer"], hit["agent"]) == ("\\", '"')


def test_hexadecimal_escapes_of_utf_8(engine: Any, combined: Line) -> None:
    hit = engine.hit("combined", combined(request=r"GET /\xe4\xbd\xa0\xE5\xA5\xBD HTTP/1.1", agent=r"\x22Firefox\x22"))
    assert (hit["path"], hit["agent"]) == ("/你好", '"Firefox"')


def test_hexadecimal_escapes_that_are_not_utf_8_stay_visible(engine: Any, combined: Line) -> None:
    hit = engine.hit("combined", combined(agent=r"caf\xe9 \xff\xe4\xbd\xa0"))
    assert hit["agent"] == r"caf\xe9 \xff你"


def test_escapes_in_fields_without_quotes(engine: Any) -> None:
    line = r'203.0.113.9 - Li\"Wei\xe4\xbd\xa0 [17/May/2015:10:05:03 +0000] "GET /cart HTTP/1.1" 200 5'
    assert engine.hit("common", line)["login"] == 'Li"Wei你'
    line = r"[17/May/2015:10:05:03 +0000] GET /a\"b\xe4\xbd\xa0?q=\\ HTTP/1.1"
    hit = engine.hit("%t %m %U%q %H", line)
    assert (hit["path"], hit["query"]) == ('/a"b你', "q=\\")


def test_escapes_mean_the_same_in_every_line_of_a_block(engine: Any, combined: Line) -> None:
    odd = combined(agent=r"caf\xe9")
    plain = combined(referrer="C:/temp")
    alone = [engine.hit("combined", line) for line in (plain, odd)]
    together = engine.hits("combined", plain, odd)
    assert [hit["agent"] for hit in together] == [hit["agent"] for hit in alone]


def test_raw_utf_8(engine: Any, combined: Line) -> None:
    hit = engine.hit("combined", combined(request="GET /你好?q=客户 HTTP/1.1", login="李伟"))
    assert (hit["path"], hit["query"], hit["login"]) == ("/你好", "q=客户", "李伟")


def test_bytes_that_are_not_utf_8(engine: Any, combined: Line) -> None:
    data = (combined(agent="AGENT") + "\n" + combined(login="li") + "\n").encode().replace(b"AGENT", b"caf\xe9 \xff")
    first, second = engine.parse("combined", data).hits.to_dicts()
    assert first["agent"] == r"caf\xe9 \xff"
    assert second == {**engine.hit("combined", combined(login="li")), "line": 2}


def test_different_bytes_that_are_not_utf_8_make_different_visitors(engine: Any, combined: Line) -> None:
    data = "".join(combined(agent=f"A{byte}") + "\n" for byte in "xy").encode()
    hits = engine.parse("combined", data.replace(b'"Ax"', b'"\xe9"').replace(b'"Ay"', b'"\xe8"')).hits
    assert hits["visitor"].n_unique() == 2


def test_nul_bytes_around_a_line(engine: Any, combined: Line) -> None:
    data = b"\0" * 4096 + combined().encode() + b"\0\0\n\0\0\0\n\r\0" + combined().encode() + b"\r\0\r\n"
    parsed = engine.parse("combined", data)
    assert parsed.hits["line"].to_list() == [1, 3]
    assert parsed.account == Account(lines=3, hits=2, blank=1)


def test_line_ends_of_windows(engine: Any, combined: Line) -> None:
    data = f"{combined()}\r\n\r\n{combined(login='li')}\r\n".encode()
    parsed = engine.parse("combined", data)
    assert parsed.hits["login"].to_list() == [None, "li"]
    assert parsed.account == Account(lines=3, hits=2, blank=1)


def test_line_ends_of_windows_after_a_number(engine: Any) -> None:
    line = b'203.0.113.9 - - [17/May/2015:10:05:03 +0000] "GET /cart HTTP/1.1" 200 512\r\n'
    assert engine.parse("common", line).hits["bytes"].to_list() == [512]


def test_byte_order_mark(engine: Any, combined: Line) -> None:
    data = b"\xef\xbb\xbf" + combined().encode() + b"\n"
    assert engine.parse("combined", data).hits["address"].to_list() == ["203.0.113.9"]
    assert account(engine, b"\xef\xbb\xbf# comment\n" + combined().encode() + b"\n").blank == 1


def test_comments_and_empty_lines_are_blank(engine: Any, combined: Line) -> None:
    assert account(engine, f"# {combined()}\n\n#\n{combined()}\n".encode()) == Account(lines=4, hits=1, blank=3)


def test_no_bytes_are_no_lines(engine: Any) -> None:
    assert account(engine, b"") == Account()


def test_last_line_without_an_end(engine: Any, combined: Line) -> None:
    assert account(engine, f"{combined()}\n{combined()}".encode()) == Account(lines=2, hits=2)


def test_ipv6_addresses(engine: Any, combined: Line) -> None:
    for address in ("2001:db8::7", "::1", "fe80::1%eth0", "::ffff:203.0.113.9"):
        assert engine.hit("combined", combined(address=address))["address"] == address


def test_ipv6_virtual_host_with_port(engine: Any, combined: Line) -> None:
    hit = engine.hit("vcombined", f"[2001:db8::80]:443 {combined(address='2001:db8::7')}")
    assert (hit["host"], hit["address"]) == ("[2001:db8::80]", "2001:db8::7")


def test_request_of_a_hyphen_is_other_without_page(engine: Any, combined: Line) -> None:
    for request in ("-", ""):
        hit = engine.hit("combined", combined(request=request, status="408", size="-"))
        assert [hit[name] for name in ("method", "path", "page", "query", "bytes")] == [None] * 5
        assert (hit["kind"], hit["status"]) == ("other", 408)


@pytest.mark.parametrize(
    ("logged", "path"),
    [
        (r"\x16\x03\x01\x02\x00\x01\x00", "\x16\x03\x01\x02\0\x01\0"),
        (r"\x16\x03\x01\x00\xfc /?\xff", "\x16\x03\x01\0\\xfc /?\\xff"),
        (r"t3 12.1.2\n", "t3 12.1.2\n"),
        (r"\n", "\n"),
        ("SSH-2.0-Go", "SSH-2.0-Go"),
        ("你好", "你好"),
        ("GET", "GET"),
    ],
)
def test_what_is_no_request_stays_visible_in_the_path(engine: Any, combined: Line, logged: str, path: str) -> None:
    hit = engine.hit("combined", combined(request=logged, status="400"))
    if logged.startswith("t3"):  # by chance a method and a target
        assert (hit["method"], hit["path"]) == ("t3", "12.1.2\n")
    else:
        assert (hit["method"], hit["path"], hit["query"], hit["page"]) == (None, path, None, None)
    assert hit["kind"] == "other"


def test_raw_tls_bytes_in_the_request(engine: Any, combined: Line) -> None:
    data = combined(request="REQUEST").encode().replace(b"REQUEST", b"\x16\x03\x01\x02\0\xfc\x8b") + b"\n"
    (hit,) = engine.parse("combined", data).hits.to_dicts()
    assert (hit["method"], hit["page"], hit["kind"]) == (None, None, "other")


REQUESTS = {
    "GET / HTTP/1.1": ("GET", "/", None),
    "GET /a": ("GET", "/a", None),
    "GET /a?": ("GET", "/a", ""),
    "GET /a?b?c HTTP/3": ("GET", "/a", "b?c"),
    "GET /a b HTTP/1.1": ("GET", "/a b", None),
    "GET /a HTTP/1.1 HTTP/1.1": ("GET", "/a HTTP/1.1", None),
    "PROPFIND /a HTTP/1.1": ("PROPFIND", "/a", None),
    "M-SEARCH * HTTP/1.1": ("M-SEARCH", "*", None),
    "OPTIONS * HTTP/1.1": ("OPTIONS", "*", None),
    "CONNECT example.com:443 HTTP/1.1": ("CONNECT", "example.com:443", None),
    "GET http://example.com/a?b HTTP/1.1": ("GET", "/a", "b"),
    "GET HTTPS://example.com:8443/a HTTP/1.1": ("GET", "/a", None),
    "GET http://example.com HTTP/1.1": ("GET", "/", None),
    "GET http://example.com?b HTTP/1.1": ("GET", "/", "b"),
    "GET /a#top HTTP/1.1": ("GET", "/a", None),
    "GET /a?b=c#top HTTP/1.1": ("GET", "/a", "b=c"),
    "GET //a HTTP/1.1": ("GET", "//a", None),
    "get /a HTTP/1.1": ("get", "/a", None),
}


@pytest.mark.parametrize("request_line", REQUESTS)
def test_request_line(engine: Any, combined: Line, request_line: str) -> None:
    hit = engine.hit("combined", combined(request=request_line))
    assert (hit["method"], hit["path"], hit["query"]) == REQUESTS[request_line]


def test_all_request_lines_in_one_block_are_as_each_alone(engine: Any, combined: Line) -> None:
    requests = [*REQUESTS, "-", r"\x16\x03", *REQUESTS]
    together = engine.hits("combined", *(combined(request=request) for request in requests))
    alone = [engine.hit("combined", combined(request=request)) for request in requests]
    assert [{**hit, "line": 1} for hit in together] == alone


def test_numbers_beyond_their_column_are_unknown(engine: Any, combined: Line) -> None:
    hit = engine.hit("combined", combined(status="99999", size="9" * 30))
    assert (hit["status"], hit["bytes"]) == (None, None)
    assert engine.hit("combined", combined(size=str(2**62)))["bytes"] == 2**62


def test_digits_of_other_scripts_are_no_numbers(engine: Any, combined: Line) -> None:
    parsed = engine.parse("combined", combined(status="２００").encode())
    assert parsed.rejects["field"].to_list() == ["%>s"]


@pytest.mark.parametrize("first", [b"x\x01", b"x\x9c", b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"BZh9", b"\xfd7zXZ\0", b"PK"])
def test_block_whose_first_bytes_look_compressed(engine: Any, combined: Line, first: bytes) -> None:
    data = first + b" abc\n" + combined().encode() + b"\n"
    parsed = engine.parse("combined", data)
    assert parsed.hits["line"].to_list() == [2]
    assert parsed.account.rejected == {"does not fit the format": 1}


def test_address_whose_first_letter_looks_compressed(engine: Any, combined: Line) -> None:
    for host in ("x.example.com", "(null)", "Beta.example.com"):
        assert engine.hit("combined", combined(address=host))["address"] == host


def test_other_line_separators_of_unicode_do_not_end_a_line(engine: Any, combined: Line) -> None:
    agent = "a\x0bb\x0cc\x85d\u2028e\rf"
    assert engine.hit("combined", combined(agent=agent))["agent"] == agent


def test_truncated_line_is_rejected_at_the_field_that_is_cut(engine: Any, combined: Line) -> None:
    line = combined()
    parsed = engine.parse("combined", f"{line[:-1]}\n{line[:20]}\n{line} more\n".encode())
    assert parsed.rejects["line"].to_list() == [1, 2, 3]
    assert parsed.rejects["field"].to_list() == ["%{User-Agent}i", "%t", "end of line"]
    assert set(parsed.rejects["reason"]) == {"does not fit the format"}
    assert parsed.rejects["text"].to_list() == [line[:-1], line[:20], f"{line} more"]


def test_line_numbers_begin_where_the_block_begins(engine: Any, combined: Line) -> None:
    data = f"{combined()}\nbroken\n".encode()
    parsed = engine.kernel("combined").parse(Block(data, 1000, 1000 + len(data), 41))
    assert (parsed.hits["line"].to_list(), parsed.rejects["line"].to_list()) == ([41], [42])


def test_account_adds_up_by_reason(engine: Any, combined: Line) -> None:
    bad_time = combined(time="31/Feb/2015:10:05:03 +0000")
    total = account(engine, f"{combined()}\nbroken\n{bad_time}\n".encode()) + account(engine, b"broken\n\n")
    assert total == Account(5, 1, 1, {}, {"does not fit the format": 2, "no valid time": 1})


def test_hits_keep_the_order_of_lines(engine: Any, combined: Line) -> None:
    lines = [combined(login=f"u{number}", agent=r"\"" if number % 3 else "a") for number in range(50)]
    hits = engine.parse("combined", "\n".join(lines).encode()).hits
    assert hits["login"].to_list() == [f"u{number}" for number in range(50)]
    assert hits["line"].equals(pl.Series("line", range(1, 51), dtype=pl.Int64))
