import csv
import io
import json
import math
from datetime import date, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from crm.content import Content, Read
from crm.errors import Unusable, UsageError
from plugins.readers import readers, scanning
from plugins.writers import writers

WRITERS = {writer.name: writer for writer in writers()}
READERS = {reader.name: reader for reader in readers()}
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
MOMENT = st.datetimes(datetime(1901, 1, 1), datetime(2100, 1, 1)).map(lambda time: time.replace(microsecond=0))
NAME = TEXT.map(str.strip).filter(bool).filter(lambda name: name[0] != "\ufeff")


def read(name: str, data: bytes, **options: str) -> Read:
    return READERS[name].read(Content("the file", data, **options))


def written(name: str, frame: pl.DataFrame) -> bytes:
    out = io.BytesIO()
    WRITERS[name].write(frame.lazy(), out)
    return out.getvalue()


def rejects(found: Read) -> list[tuple[Any, ...]]:
    return [] if found.rejects is None else found.rejects.rows()


@st.composite
def texts(draw: st.DrawFn) -> pl.DataFrame:
    names = draw(st.lists(NAME, min_size=1, max_size=3, unique=True))
    row = st.tuples(*(st.none() | TEXT for _ in names))
    return pl.DataFrame(draw(st.lists(row, max_size=4)), schema=dict.fromkeys(names, pl.String), orient="row")


class TestBackFromWriters:
    @given(texts())
    def test_csv(self, frame: pl.DataFrame) -> None:
        assume(not frame.columns[0].lower().startswith("sep="))
        found = read("csv", written("csv", frame), separator=",")
        assert found.frame.equals(frame)
        assert (found.said, found.warnings, rejects(found)) == ((), (), [])

    @given(texts())
    def test_tsv_but_for_empty_texts(self, frame: pl.DataFrame) -> None:
        found = read("tsv", written("tsv", frame))
        assert found.frame.equals(frame.with_columns(pl.all().replace("", None)))

    @given(
        st.lists(
            st.tuples(
                st.none() | st.integers(-(2**63), 2**63 - 1),
                st.none() | st.floats(allow_nan=False, allow_infinity=False),
                st.none() | st.booleans(),
                st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
                st.none() | st.lists(TEXT, max_size=2),
            ),
            min_size=1,
            max_size=4,
        ),
        st.sampled_from(["json", "ndjson", "parquet"]),
    )
    def test_typed_columns(self, rows: list[tuple[Any, ...]], name: str) -> None:
        schema = {"n": pl.Int64, "x": pl.Float64, "yes": pl.Boolean, "text": pl.String, "list": pl.List(pl.String)}
        frame = pl.DataFrame(rows, schema=schema, orient="row")
        back = read(name, written(name, frame)).frame
        assert back.columns == frame.columns
        assert back.rows() == frame.rows()

    @settings(max_examples=30)
    @given(
        st.lists(
            st.tuples(
                st.integers(-(10**14), 10**14),
                st.none() | st.floats(-1e9, 1e9).filter(lambda x: x == 0 or abs(x) > 1e-9),
                st.none() | st.booleans(),
                st.none() | st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8),
                st.none() | st.dates(date(1901, 1, 1), date(2100, 1, 1)),
                st.none()
                | st.datetimes(datetime(1901, 1, 1), datetime(2100, 1, 1)).map(lambda t: t.replace(microsecond=0)),
            ),
            min_size=1,
            max_size=4,
        )
    )
    def test_xlsx(self, rows: list[tuple[Any, ...]]) -> None:
        assume(not any("_x" in (row[3] or "") for row in rows))  # an escape of its format
        schema = {
            "n": pl.Int64,
            "x": pl.Float64,
            "yes": pl.Boolean,
            "t": pl.String,
            "d": pl.Date,
            "at": pl.Datetime("us"),
        }
        frame = pl.DataFrame(rows, schema=schema, orient="row")
        back = read("xlsx", written("xlsx", frame)).frame
        assert back.columns == frame.columns
        for got, wanted in zip(back.rows(), frame.rows(), strict=True):
            assert (got[0], type(got[0])) == (wanted[0], int)
            assert (got[1] is None and wanted[1] is None) or math.isclose(got[1], wanted[1], rel_tol=1e-12)
            assert got[2:5] == wanted[2:5]
            assert as_time(got[5]) == wanted[5]


def as_time(value: date | datetime | None) -> datetime | None:
    """Midnights alone come back as days."""
    if value is None or isinstance(value, datetime):
        return value
    return datetime(value.year, value.month, value.day)


def by_hand(text: str) -> tuple[list[list[str | None]], list[int]]:
    """Rows of two fields, sign by sign, and the lines of those that are set aside: slow and obvious."""
    rows: list[list[str | None]] = []
    aside: list[int] = []
    at, line = 0, 1
    while at < len(text):
        fields, behind, lines = fields_of(text, at)
        if fields is None:
            aside.append(line)
        elif len(fields) == 2 or (len(fields) > 2 and not any(fields[2:])):
            rows.append([field or None for field in fields[:2]])
        elif fields:
            aside.append(line)
        at, line = behind, line + lines
    return rows, aside


def fields_of(text: str, at: int) -> tuple[list[str] | None, int, int]:
    """The fields of the row that begins here, none of an empty line; where the next begins; its lines.

    Fields are None where quotes are faulty.
    """
    start, fields, lines = at, [], 0
    while True:
        field = ""
        quoted = text[at : at + 1] == '"'
        if quoted:
            at += 1
            while text[at : at + 1] != '"' or text[at : at + 2] == '""':
                if at >= len(text):
                    return None, *next_line(text, start)
                step = 2 if text[at] == '"' else 1
                lines += text[at] == "\n" or (text[at] == "\r" and text[at + 1 : at + 2] != "\n")
                field += text[at]
                at += step
            at += 1
            if text[at : at + 1] not in ("", ",", "\r", "\n") and at < len(text):
                return None, *next_line(text, start)
        while at < len(text) and text[at] not in ",\r\n":
            field += text[at]
            at += 1
        empty = not (quoted or field or fields)
        fields.append(field)
        if text[at : at + 1] != ",":
            behind, more = next_line(text, at)
            return [] if empty else fields, behind, lines + more
        at += 1


def next_line(text: str, at: int) -> tuple[int, int]:
    while at < len(text) and text[at] not in "\r\n":
        at += 1
    return at + (2 if text[at : at + 2] == "\r\n" else 1), 1


class TestCsv:
    @settings(max_examples=400)
    @given(st.text('ab,"\n\r', max_size=24))
    @example('"a"b,c\nd,e')
    @example('"\r\n",\r\r\nx')
    def test_reads_what_a_reading_sign_by_sign_finds(self, body: str) -> None:
        found = read("csv", f"x,y\n{body}".encode(), separator=",")
        rows, aside = by_hand(body)
        assert [[field or None for field in row] for row in found.frame.rows()] == rows
        assert [line for _, line, _, _ in rejects(found)] == [line + 1 for line in aside]

    @given(st.text('ab,"\n\r;', max_size=40), st.integers(1, 9))
    def test_does_not_depend_on_where_the_text_is_cut(self, text: str, size: int) -> None:
        data, _ = scanning.unify(text.encode(), ord(","), quoting=True)
        whole = scanning.scan(data, ord(","), quoting=True)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(scanning, "_CHUNK", size)
            pieces = scanning.scan(data, ord(","), quoting=True)
        assert pieces.regular == whole.regular
        for name in ("starts", "ends", "fields", "returns"):
            assert getattr(pieces, name).tolist() == getattr(whole, name).tolist()

    def test_sets_rows_aside_with_number_line_reason_and_text(self) -> None:
        found = read("csv", b'a,b\n"x\ny",1\n1,2,3\n\n4\n5,6,,\n')
        assert found.frame.rows() == [("x\ny", "1"), ("5", "6")]
        assert rejects(found) == [
            (2, 4, "has 3 fields, and the header has 2", "1,2,3"),
            (3, 6, "has 1 field, and the header has 2", "4"),
        ]
        assert found.numbers().to_list() == [1, 4]

    def test_a_faulty_quote_spoils_its_own_line_alone(self) -> None:
        found = read("csv", b'a,b\n1,2\n"open,3\n4,5\n6" pipe,7\n"x"y,8\n"9","1,0"\n')
        assert found.frame.rows() == [("1", "2"), ("4", "5"), ('6" pipe', "7"), ("9", "1,0")]
        assert [(row, line, text) for row, line, _, text in rejects(found)] == [(2, 3, '"open,3'), (5, 6, '"x"y,8')]
        assert found.numbers().to_list() == [1, 3, 4, 6]

    @pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    def test_finds_the_separator(self, sign: str, end: str) -> None:
        lines = [sign.join(row) for row in (["name", "note", "sum"], ["Li", '"a, b; c | d"', "1.5"], ["Wu", "", "2"])]
        found = read("csv", end.join(lines).encode())
        assert found.frame.rows() == [("Li", "a, b; c | d", "1.5"), ("Wu", None, "2")]
        assert found.said == ({",": (), "\t": ("separator `tab`",)}.get(sign, (f"separator `{sign}`",)))

    def test_a_comma_in_numbers_does_not_separate(self) -> None:
        assert read("csv", b"id;sum\n1;2,50\n2;3,75\n").frame.columns == ["id", "sum"]

    def test_a_first_line_may_name_the_separator(self) -> None:
        found = read("csv", b"sep=|\r\na,b|c\r\n1|2\r\n3\r\n")
        assert found.frame.rows() == [("1", "2")]
        assert rejects(found)[0][:2] == (2, 4)

    def test_names_that_are_empty_or_there_already_are_changed_and_told(self) -> None:
        found = read("csv", b"a, a ,,a_2,b,\n1,2,3,4,5,6\n")
        assert found.frame.columns == ["a", "a_3", "column_3", "a_2", "b", "column_6"]
        assert len(found.warnings) == 3

    @pytest.mark.parametrize("data", [b"", b"\n\n", b" \r\n", b"\xef\xbb\xbf", b"\xff\xfe"])
    def test_an_empty_file_is_told(self, data: bytes) -> None:
        with pytest.raises(Unusable, match="it is empty"):
            read("csv", data)

    @pytest.mark.parametrize("data", [b"a,b", b"a,b\n", b"\n\na,b\r\n\r\n", b"a,b\n\0\0\0"])
    def test_a_header_alone_is_a_table_without_rows(self, data: bytes) -> None:
        found = read("csv", data)
        assert (found.frame.columns, found.frame.height, rejects(found)) == (["a", "b"], 0, [])

    def test_nul_bytes_are_kept_within_texts(self) -> None:
        assert read("csv", b"a,b\n1\0,x\n").frame.rows() == [("1\0", "x")]

    def test_all_is_text(self) -> None:
        assert read("csv", b"id,day\n007,2026-01-02\n").frame.rows() == [("007", "2026-01-02")]

    def test_many_rows_with_many_faults_are_all_accounted_for(self) -> None:
        lines = ["1,2,3" if n % 3 == 0 else f'{n},"x,{n}"' if n % 3 == 1 else f"{n},y,,," for n in range(30_000)]
        found = read("csv", ("a,b\n" + "\n".join(lines)).encode())
        assert found.frame.height == 20_000
        assert len(rejects(found)) == 10_000
        assert found.numbers().to_list() == [n + 1 for n in range(30_000) if n % 3]

    @pytest.mark.parametrize("sign", ["ab", '"', "\n", "é"])
    def test_what_cannot_separate_is_refused(self, sign: str) -> None:
        with pytest.raises(UsageError, match="--separator"):
            read("csv", b"a,b\n", separator=sign)

    def test_tsv_tells_of_quotes_that_it_keeps(self) -> None:
        found = read("tsv", b'a\tb\n"x"\t1\n')
        assert found.frame.rows() == [('"x"', "1")]
        assert "--input-format csv --separator tab" in found.warnings[0]


class TestJson:
    def test_objects_within_objects_become_dotted_columns(self) -> None:
        data = [{"who": {"name": "Li", "at": {"city": "北京"}}, "n": 1}, {"who": None, "n": 2.5}, {}]
        wanted = [("Li", "北京", 1), (None, None, 2.5), (None, None, None)]
        for name, text in (("json", json.dumps(data)), ("ndjson", "\n".join(map(json.dumps, data)))):
            found = read(name, text.encode()).frame
            assert found.columns == ["who.name", "who.at.city", "n"]
            assert found.rows() == wanted

    def test_columns_of_several_types_are_text(self) -> None:
        found = read("json", b'[{"a": 1}, {"a": "007"}, {"a": true}, {"a": [1]}, {"a": null}]').frame
        assert found.rows() == [("1",), ("007",), ("true",), ("[1]",), (None,)]

    def test_lines_that_are_no_objects_are_set_aside(self) -> None:
        found = read("ndjson", b'{"a": 1}\nnonsense\n\n[2]\n{"a": 3}\n')
        assert found.frame.rows() == [(1,), (3,)]
        assert [(row, line, text) for row, line, _, text in rejects(found)] == [(2, 2, "nonsense"), (3, 4, "[2]")]

    def test_an_array_under_one_name_and_lines_of_objects_are_understood(self) -> None:
        assert read("json", b'{"count": 1, "customers": [{"a": 1}]}').frame.rows() == [(1,)]
        assert read("json", b'{"a": 1}\n{"a": 2}\n').frame.rows() == [(1,), (2,)]

    @pytest.mark.parametrize("data", [b"", b"[1]", b"[[1]]", b'"x"', b"[{]", b'[{"a": 1}, 2]', b"[" * 9999])
    def test_what_is_no_array_of_objects_is_told(self, data: bytes) -> None:
        with pytest.raises(Unusable, match="the file: "):
            read("json", data)

    def test_deep_objects_are_text_from_some_depth_on(self) -> None:
        deep = b'{"a":' * 300 + b"1" + b"}" * 300
        for name, data in (("json", b"[" + deep + b"]"), ("ndjson", deep)):
            frame = read(name, data).frame
            assert (frame.height, frame.columns[0].count("a")) == (1, 32)
            assert json.loads(frame.item())["a"]

    def test_half_characters_are_no_text(self) -> None:
        assert read("ndjson", b'{"a": "\\ud83d\\ude00"}').frame.rows() == [("😀",)]
        found = read("ndjson", b'{"a": "\\ud800"}\n{"a": "b"}')
        assert (found.frame.rows(), len(rejects(found))) == ([("b",)], 1)


def test_python_agrees_on_regular_csv() -> None:
    rows = [["a", 'say "hi"'], ["line\nend", ""], ["x", "y, z"]]
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows([["p", "q"], *rows])
    found = read("csv", out.getvalue().encode()).frame
    assert [list(row) for row in found.fill_null("").rows()] == rows


BOMB = "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9) if n else 'x'}]" for n in range(10))


class TestYaml:
    @pytest.mark.parametrize(
        ("text", "rows"),
        [
            ("- {a: 1, b: x}\n- {a: 2}\n", [{"a": 1, "b": "x"}, {"a": 2, "b": None}]),
            ("things:\n  - {a: 2026-01-02, 1: y}\n", [{"a": "2026-01-02", "1": "y"}]),
            ("- &one {a: 1}\n- *one\n", [{"a": 1}, {"a": 1}]),
        ],
    )
    def test_lists_of_mappings_are_rows(self, text: str, rows: list[dict[str, Any]]) -> None:
        assert read("yaml", text.encode()).frame.to_dicts() == rows

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("5\n", "expected a list of mappings, .*, and it is a single value"),
            ("- a: 1\n- b\n", "its entry 2 is a single value"),
            ("- {a: 1\n", "line 2, column 1: no valid YAML"),
            ("- 1\n", "its entry 1 is a single value"),
            ("a: !!python/object:os.system x\n", "no valid YAML"),
            ("a: &a [*a]\n", "stands for more than"),
            (BOMB, "stands for more than"),
        ],
    )
    def test_other_files_are_refused_in_a_sentence(self, text: str, said: str) -> None:
        with pytest.raises(Unusable, match=said):
            read("yaml", text.encode())
