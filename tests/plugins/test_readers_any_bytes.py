import io
import sys
from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.content import Content, Read
from crm.errors import CrmError, Unusable, UsageError
from plugins.readers import readers
from plugins.writers import writers

WRITERS = {writer.name: writer for writer in writers()}
READERS = {reader.name: reader for reader in readers()}


def read(name: str, data: bytes, **options: str) -> Read:
    return READERS[name].read(Content("the file", data, **options))


def written(name: str, frame: pl.DataFrame) -> bytes:
    out = io.BytesIO()
    WRITERS[name].write(frame.lazy(), out)
    return out.getvalue()


def rejects(found: Read) -> list[tuple[Any, ...]]:
    return [] if found.rejects is None else found.rejects.rows()


def workbook(*sheets: tuple[str, list[list[Any]]]) -> bytes:
    from xlsxwriter import Workbook

    out = io.BytesIO()
    book = Workbook(out)
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    for name, rows in sheets:
        sheet = book.add_worksheet(name)
        for at, row in enumerate(rows):
            for column, value in enumerate(row):
                if isinstance(value, date):
                    sheet.write_datetime(at, column, value, day)
                elif isinstance(value, str):
                    sheet.write_string(at, column, value)
                elif value is not None:
                    sheet.write_number(at, column, value)
    book.close()
    return out.getvalue()


class TestXlsx:
    BOOK = workbook(
        ("First", [[], ["id", "n", None, "day"], ["007", 1, None, date(2026, 3, 2)], [], ["8", 2, "x", None]]),
        ("Second", [["a"], [1.5]]),
        ("Nothing", []),
    )

    def test_cells_keep_their_types_and_texts_their_zeros(self) -> None:
        found = read("xlsx", self.BOOK)
        assert found.frame.rows() == [("007", 1, None, date(2026, 3, 2)), ("8", 2, "x", None)]
        assert found.frame.columns == ["id", "n", "column_3", "day"]
        assert found.said == ("sheet `First` of First, Second, Nothing",)

    def test_a_sheet_is_named(self) -> None:
        assert read("xlsx", self.BOOK, sheet="Second").frame.rows() == [(1.5,)]
        with pytest.raises(UsageError, match="did you mean `Second`"):
            read("xlsx", self.BOOK, sheet="Secnod")
        with pytest.raises(Unusable, match="`Nothing` is empty"):
            read("xlsx", self.BOOK, sheet="Nothing")

    def test_numbers_among_texts_are_texts(self) -> None:
        found = read("xlsx", workbook(("S", [["id"], ["007"], [8], [9.5]])))
        assert found.frame.rows() == [("007",), ("8",), ("9.5",)]

    def test_the_missing_extra_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "fastexcel", None)
        with pytest.raises(UsageError, match=r"pip install 'crm-toolkit\[excel\]'"):
            read("xlsx", self.BOOK)


V21 = (
    b"BEGIN:VCARD\r\nVERSION:2.1\r\n"
    b"N;CHARSET=GB18030;ENCODING=QUOTED-PRINTABLE:=CD=F5;=D0=A1=\r\n=C3=F7;;;\r\n"
    b"FN;CHARSET=GB18030;ENCODING=QUOTED-PRINTABLE:=CD=F5=D0=A1=C3=F7\r\n"
    b"TEL;HOME:010-1\r\nTEL;CELL:13800138000\r\nNOTE:C:\\temp\r\nEND:VCARD\r\n"
)
V30 = (
    "begin:vcard\nversion:3.0\nN:Müller;Jörg;;;\nitem1.EMAIL;TYPE=work:a@b.c\nitem2.EMAIL;TYPE=home,pref:d@e.f\n"
    "ADR;TYPE=home:;;Main St 1\\, rear;Bonn;;53111;\nORG:A\\;B;Sales\nNOTE:one\\ntwo\\\\\n"
    "PHOTO;ENCODING=b:AAAA\n BBBB\nend:vcard\n"
)
V40 = (
    'BEGIN:VCARD\r\nVERSION:4.0\r\nFN:王小\r\n 明\r\nTEL;VALUE=uri;TYPE="voice,home":tel:+86-10-1\r\n'
    "TEL;VALUE=uri;PREF=1:tel:+86-138\r\nBDAY:19900102\r\nEND:VCARD\r\n"
)


def cards(data: bytes, **options: str) -> list[dict[str, str]]:
    return [
        {name: text for name, text in row.items() if text} for row in read("vcard", data, **options).frame.to_dicts()
    ]


class TestVcard:
    def test_version_2(self) -> None:
        wanted = {"name": "王小明", "family": "王", "given": "小明", "phone": "13800138000", "phone_2": "010-1"}
        assert cards(V21) == [{**wanted, "note": "C:\\temp"}]

    def test_version_3(self) -> None:
        assert cards(V30.encode()) == [
            {
                "name": "Jörg Müller",
                "family": "Müller",
                "given": "Jörg",
                "email": "d@e.f",
                "email_2": "a@b.c",
                "address": "Main St 1, rear, Bonn, 53111",
                "organisation": "A;B, Sales",
                "note": "one\ntwo\\",
            }
        ]

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
    def test_version_4_in_any_encoding(self, encoding: str) -> None:
        wanted = {"name": "王小明", "phone": "+86-138", "phone_2": "+86-10-1", "birthday": "1990-01-02"}
        assert cards(V40.encode(encoding)) == [wanted]
        assert cards(V40.encode("gb18030"), encoding="gbk") == [wanted]

    def test_a_fold_may_cut_a_character(self) -> None:
        data = (
            "BEGIN:VCARD\nVERSION:3.0\nFN:王".encode() + "小".encode()[:1] + b"\n " + "小".encode()[1:] + b"\nEND:VCARD"
        )
        assert cards(data) == [{"name": "王小"}]

    def test_a_card_within_a_card_belongs_to_it(self) -> None:
        agent = b"AGENT:\nBEGIN:VCARD\nFN:Other\nTEL:2\nEND:VCARD\n"
        assert cards(b"BEGIN:VCARD\nVERSION:2.1\nFN:Boss\n" + agent + b"TEL:1\nEND:VCARD") == [
            {"name": "Boss", "phone": "1"}
        ]

    def test_a_card_that_does_not_end_is_set_aside(self) -> None:
        found = read("vcard", b"BEGIN:VCARD\nFN:a\nBEGIN:VCARD\nFN:b\nEND:VCARD\nwhat\nBEGIN:VCARD\nFN:c\n")
        assert found.frame["name"].to_list() == ["b"]
        assert [(row, line) for row, line, _, _ in rejects(found)] == [(1, 1), (3, 7)]
        assert "1 line" in found.warnings[0]

    def test_a_file_without_cards_is_told(self) -> None:
        with pytest.raises(Unusable, match="BEGIN:VCARD"):
            read("vcard", b"name,phone\n")


FRAME = pl.DataFrame({"name": ["Li", "Wu"], "n": [1, 2]})
SEEDS = [*(written(name, FRAME) for name in ("csv", "tsv", "json", "ndjson", "parquet", "xlsx")), V21, V40.encode()]

ENCODINGS = [None, "gb18030", "utf-16", "big5"]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A good file of any format with bytes put in, taken out or cut off."""
    data = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(data)))
        data = data[:at] + draw(st.binary(max_size=4)) + data[at + draw(st.integers(0, 4)) :]
    return data[: draw(st.integers(0, len(data)))] if draw(st.booleans()) else data


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60) | damaged(), st.sampled_from(list(READERS)), st.sampled_from(ENCODINGS))
def test_any_bytes_are_a_table_or_a_sentence(data: bytes, name: str, encoding: str | None) -> None:
    content = Content("the file", data, None if READERS[name].binary else encoding)
    try:
        found = READERS[name].read(content)
    except CrmError as error:
        sentence = str(error)
        assert "\n" not in sentence
        return
    assert len(set(found.frame.columns)) == found.frame.width
    assert all(column.strip() for column in found.frame.columns)
    assert len(found.numbers()) == found.frame.height


@pytest.mark.parametrize("name", [name for name, reader in READERS.items() if reader.binary])
def test_what_does_not_apply_to_a_format_is_refused(name: str) -> None:
    for option in ("encoding", "separator"):
        with pytest.raises(UsageError, match=f"--{option} does not apply"):
            read(name, b"", **{option: ","})
