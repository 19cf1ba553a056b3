"""Charsets: which there are, that they leave the shape of a line alone, and which reading encoded bytes get."""

import encodings.aliases
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logparse.charsets import charset, decoded, reading, to_utf8


def known() -> list[str]:
    """All charsets that logs can be read in."""
    found = set()
    for name in set(encodings.aliases.aliases.values()):
        try:
            found.add(charset(name))
        except ValueError:
            continue
    return sorted(found)


KNOWN = known()
SHAPE = " \n\r\t\"#%&/=?+:.,'()-<>"
"""What gives a line and a request their shape; a character's second byte may be any other sign, as `\\` in Big5."""


@pytest.mark.parametrize(
    ("given_name", "name"),
    [
        ("UTF8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("ascii", "utf-8"),
        ("GB2312", "gbk"),
        ("gb18030", "gb18030"),
        ("Big5", "big5hkscs"),
        ("Shift_JIS", "cp932"),
        ("windows-1251", "cp1251"),
    ],
)
def test_names_mean_what_browsers_mean_by_them(given_name: str, name: str) -> None:
    assert charset(given_name) == name


@pytest.mark.parametrize("name", ["klingon", "", "a b", "é", "\0", "x" * 500])
def test_what_is_no_charset_is_told(name: str) -> None:
    with pytest.raises(ValueError, match="is not a charset; known are utf-8, gbk"):
        charset(name)


@pytest.mark.parametrize(
    "name", ["utf-16", "utf-7", "iso2022_jp", "hz", "johab", "cp037", "hex", "rot13", "unicode_escape", "idna"]
)
def test_what_does_not_keep_ascii_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="does not keep ASCII as it is"):
        charset(name)


@pytest.mark.parametrize("name", KNOWN)
def test_no_bytes_whatever_change_the_shape_of_lines(name: str) -> None:
    chance = random.Random(7)
    for _ in range(300):
        data = bytes(chance.choice(b'\n\n"\\ ]A0\x81\x8e\x8f\xa4\xb9\xfe\xff') for _ in range(30))
        data += bytes(chance.randrange(256) for _ in range(10))
        text = decoded(data, name)
        signs = [chr(byte) for byte in data if chr(byte) in SHAPE]
        assert [sign for sign in text if sign in SHAPE] == signs
        assert name == "utf-8" or to_utf8(data, name).decode() == text


def test_common_charsets_are_among_them() -> None:
    assert {"gbk", "gb18030", "big5hkscs", "cp950", "cp932", "euc_jp", "cp949", "koi8-r", "iso8859-1"} <= set(KNOWN)


HANZI = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=1, max_size=8)
"""Of these GBK has all."""


@given(HANZI, st.text("09azAZ_~", max_size=4), st.sampled_from(["gbk", "gb18030", "big5hkscs", "cp932", "cp949"]))
def test_chinese_in_utf8_is_never_taken_for_a_charset_of_two_bytes(text: str, more: str, name: str) -> None:
    assert reading((text + more).encode(), name) == "utf-8"
    assert reading((more + text).encode(), name) == "utf-8"


@given(HANZI, st.sampled_from(["gbk", "gb18030"]))
def test_chinese_in_gbk_is_taken_for_it_unless_utf8_would_be_shorter(text: str, name: str) -> None:
    raw = text.encode(name)
    try:
        shorter = len(raw.decode()) < len(text)
    except UnicodeDecodeError:
        shorter = False
    assert reading(raw, name) == ("utf-8" if shorter else name)


@pytest.mark.parametrize("text", ["小", "小心", "拢", "恼", "摹", "联通", "茅台"])
@pytest.mark.parametrize("name", ["gbk", "gb18030"])
def test_words_of_gbk_whose_bytes_are_also_utf8_stay_chinese(text: str, name: str) -> None:
    assert reading(text.encode(name), name) == name


def test_some_of_these_words_are_utf8_too() -> None:
    readable = []
    for text in ("小", "拢", "恼", "摹", "茅台"):
        try:
            readable.append(text.encode("gbk").decode())
        except UnicodeDecodeError:
            readable.append("")
    assert sum(map(bool, readable)) >= 3


@pytest.mark.parametrize("text", ["café", "Привет", "naïve", "Ελλάδα"])
def test_utf8_is_seen_where_a_charset_of_single_bytes_could_read_anything(text: str) -> None:
    for name in ("iso8859-1", "cp1251", "koi8-r"):
        assert reading(text.encode(), name) == "utf-8"
    assert reading("Привет".encode("cp1251"), "cp1251") == "cp1251"


def test_bytes_that_are_no_text_have_no_reading() -> None:
    assert reading(b"\xff\xff", "gbk") is None
    assert reading(b"\xff\xff", "utf-8") is None
    assert decoded(b"\xb9\xfa\xff", "gbk") == "国\\xff"
