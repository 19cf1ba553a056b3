"""Escapes of servers and of URLs: what is decoded, what stays, and the laws behind it."""

import json
import re
from typing import Any
from urllib.parse import quote, unquote_to_bytes

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from logparse.charsets import reading
from logparse.text import map_where, readable, unescape

unicode_text = st.text(st.characters(exclude_categories=["Cs"]))
url_pieces = st.sampled_from(
    [
        *["%", "%%", "%4", "%41", "%2F", "%2f", "%3F", "%26", "%3D", "%23", "%25", "%00", "%E5%AE%A2", "%e5"],
        *["%AE", "%C2%A0", "%E2%80%8E", "%F0%9F%98%80", "%7E", "%20", "%ED%A0%80"],
        *["/", "?", "&", "=", "#", "a", "1", "F", "客", " ", "+"],
    ]
)
urls = st.lists(url_pieces, max_size=12).map("".join) | unicode_text.map(lambda text: quote(text, safe="/?&=#%"))

READABLE = {
    "/%E5%AE%A2%E6%88%B7": "/客户",
    "/caf%C3%A9": "/café",
    "/%F0%9F%98%80": "/😀",
    "/%7Eli/%41%2d%5f": "/~li/A-_",
    "/a%2Fb%2fc": "/a%2Fb%2Fc",
    "%3F%26%3D%23%25%2B%20": "%3F%26%3D%23%25%2B%20",
    "%00%0A%1f%7F": "%00%0A%1F%7F",
    "%E5%AE": "%E5%AE",
    "%ff%e5%ae%a2%fe": "%FF客%FE",
    "%C3%A9%E9": "é%E9",
    "%C0%AF": "%C0%AF",
    "%ED%A0%80": "%ED%A0%80",
    "%E2%80%8E%C2%A0%C2%85": "%E2%80%8E%C2%A0%C2%85",
    "100%": "100%",
    "%zz%4": "%zz%4",
    "%2541": "%2541",
    "%%34%31": "%%341",
    "%4%31": "%4%31",
    "": "",
}


@pytest.mark.parametrize("text", READABLE)
def test_what_is_safe_to_read_is_decoded(text: str) -> None:
    assert readable(text) == READABLE[text]


@settings(max_examples=300, deadline=None)
@given(urls)
@example("%%34%31")
@example("%4%31")
def test_decoding_twice_is_decoding_once(text: str) -> None:
    assert readable(readable(text)) == readable(text)


@settings(max_examples=300, deadline=None)
@given(urls)
def test_decoding_never_changes_where_a_text_splits(text: str) -> None:
    for mark in "/?&=#":
        assert readable(text).split(mark) == [readable(piece) for piece in text.split(mark)]


@settings(max_examples=300, deadline=None)
@given(urls)
def test_decoding_never_changes_what_a_text_stands_for(text: str) -> None:
    assert unquote_to_bytes(readable(text)) == unquote_to_bytes(text)


@settings(max_examples=200, deadline=None)
@given(unicode_text)
def test_what_stays_encoded_is_reserved_or_invisible(text: str) -> None:
    shown = readable(quote(text, safe=""))
    expected = "".join(
        char if char.isprintable() and (char > "\x7f" or re.match(r"[A-Za-z0-9._~-]", char)) else quote(char, safe="")
        for char in text
    )
    assert shown == expected


def apache(text: str) -> str:
    """As Apache's ap_escape_logitem writes a text."""
    letters = {"\b": r"\b", "\n": r"\n", "\r": r"\r", "\t": r"\t", "\v": r"\v", '"': r"\"", "\\": r"\\"}
    return "".join(
        letters.get(char) or (char if " " <= char <= "~" else "".join(f"\\x{byte:02x}" for byte in char.encode()))
        for char in text
    )


def nginx(text: str) -> str:
    """As nginx writes a variable, `escape=default`."""
    return "".join(
        char if " " <= char <= "~" and char not in '"\\' else "".join(f"\\x{byte:02X}" for byte in char.encode())
        for char in text
    )


def nginx_json(text: str) -> str:
    """As nginx writes a variable, `escape=json`."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


@settings(max_examples=200, deadline=None)
@given(unicode_text)
def test_escapes_of_every_server_are_undone(text: str) -> None:
    for escape in (apache, nginx, nginx_json):
        assert unescape(escape(text)) == text


@settings(max_examples=30, deadline=None)
@given(texts=st.lists(unicode_text, min_size=1, max_size=8))
def test_a_hit_has_the_agent_that_the_client_sent(engine: Any, texts: list[str]) -> None:
    for escape in (apache, nginx, nginx_json):
        lines = [
            f'203.0.113.9 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 5 "-" "{escape(text)}"'
            for text in texts
        ]
        data = "\n".join(lines).encode()
        agents = engine.parse("combined", data).hits["agent"].to_list()
        assert agents == [None if text in ("", "-") else text for text in texts]


UNESCAPED = {
    r"\xe5\xae\xa2": "客",
    r"\xff": r"\xff",
    r"caf\xe9": r"caf\xe9",
    r"\x41\X41": r"A\X41",
    r"\x4": r"\x4",
    r"\u5ba2\u001B": "客\x1b",
    r"\ud83d": r"\ud83d",
    r"\u12": r"\u12",
    r"\q\'\0": r"\q\'\0",
    "\\": "\\",
    r"\\n": r"\n",
    r"\客": r"\客",
}


@pytest.mark.parametrize("text", UNESCAPED)
def test_escape_at_the_edge(text: str) -> None:
    assert unescape(text) == UNESCAPED[text]


@settings(max_examples=200, deadline=None)
@given(st.text('\\"xnu0aE9客', max_size=12))
def test_any_text_can_be_unescaped(text: str) -> None:
    unescape(text).encode()


def test_map_where_changes_only_texts_with_the_mark() -> None:
    texts = pl.Series("t", ["a", "b%", None, "b%", "c", "%"])
    calls: list[str] = []

    def double(text: str) -> str:
        calls.append(text)
        return text * 2

    assert map_where(texts, "%", double).to_list() == ["a", "b%b%", None, "b%b%", "c", "%%"]
    assert sorted(calls) == ["%", "b%"]
    assert map_where(pl.Series("t", [], dtype=pl.String), "%", double).to_list() == []
    assert map_where(pl.Series("t", [None], dtype=pl.String), "%", double).to_list() == [None]


class TestCharsets:
    """Texts in a charset: what is encoded in it, in UTF-8, and in neither."""

    @pytest.mark.parametrize(
        ("charset", "text", "expected"),
        [
            ("gbk", "/%B9%FA/%CA%D6%BB%FA", "/国/手机"),
            ("gbk", "q=%D0%A1%C3%D7&n=1", "q=小米&n=1"),  # both characters are letters in UTF-8, too
            ("gbk", "q=%E5%9B%BD&p=%B9%FA", "q=国&p=国"),  # some of it in UTF-8
            ("gbk", "%E5%9B%BDa", "国a"),
            ("gbk", "a%2Fb%26%41%40@", "a%2Fb%26A%40@"),
            ("gbk", "%81%40%81@%81A", "丂丂丄"),
            ("gbk", "%B9%FA%2F%ff", "国%2F%FF"),
            ("gbk", "%ff%B9%FA", "%FF国"),
            ("gbk", "100%%B9%FA", "100%%B9%FA"),
            ("gbk", "%A1%A1x", "%A1%A1x"),  # a blank
            ("gb18030", "%95%32%82%36", "𠀀"),
            ("big5hkscs", "%A4%A4%B0%EA", "中國"),
            ("big5hkscs", "q=%A4@%A4A&r=%A5\\%B3%5C%BB\\", "q=一乙&r=功許蓋"),
            ("big5hkscs", "%A4%41|%7C", "乙|%7C"),
            ("cp932", "%83\\%83e%83X", "ソテス"),
            ("cp1251", "%CF%F0%E8%E2%E5%F2 %D0%9F%D1%80", "Привет Пр"),
            ("iso8859-1", "caf%E9 caf%C3%A9", "café café"),
        ],
    )
    def test_percent_encoded_bytes_are_decoded(self, charset: str, text: str, expected: str) -> None:
        assert readable(text, charset) == expected

    @pytest.mark.parametrize(
        ("charset", "text", "expected"),
        [
            ("gbk", r"\xb9\xfa \xE5\x9B\xBD", "国 国"),
            ("gbk", r"\\xb9\xb9\xfa", r"\xb9国"),
            ("gbk", r"\xb9\xfa\"\n\xff\xff", '国"\n\\xff\\xff'),
            ("gbk", "手\\xb9\\xfa\\u56fd", "手国国"),
            ("big5hkscs", r"\xa4@\xa4A\xa5\\\xb3\x5c", "一乙功許"),
            ("big5hkscs", r"\xa5\\\\\xa4", r"功\\xa4"),
            ("cp1251", r"\xcf\xf0", "Пр"),
        ],
    )
    def test_escaped_bytes_are_decoded(self, charset: str, text: str, expected: str) -> None:
        assert unescape(text, charset) == expected

    @given(st.text("国a小/%4B?&=+-_~é", max_size=12))
    def test_what_is_utf8_is_read_alike_with_and_without_a_charset_of_two_bytes(self, text: str) -> None:
        encoded = quote(text.replace("é", "").replace("%", ""))
        assert readable(encoded, "gbk") == readable(encoded)

    @given(
        st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), max_size=3), st.sampled_from(["", "a", "9"])
    )
    def test_chinese_survives_in_the_charset(self, text: str, more: str) -> None:
        raw = (text + more).encode("gbk")
        if reading(raw, "gbk") == "gbk":
            assert readable(quote(raw, safe=""), "gbk") == text + more
            escaped = "".join(f"\\x{byte:02x}" if byte > 126 else chr(byte) for byte in raw.replace(b"\\", b"\\\\"))
            assert unescape(escaped, "gbk") == text + more
