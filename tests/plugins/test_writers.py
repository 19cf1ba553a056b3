import csv
import io
import json
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.main import main
from crm.cells import ESCAPES
from crm.errors import UsageError
from plugins.writers import excel, grid, writers

WRITERS = {writer.name: writer for writer in writers()}
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
TIME = st.datetimes(min_value=datetime(1900, 1, 2), max_value=datetime(2200, 1, 1)).map(
    lambda time: time.replace(tzinfo=UTC)
)
SCHEMA = {
    "number": pl.Int64,
    "share": pl.Float64,
    "flag": pl.Boolean,
    "text": pl.String,
    "time": pl.Datetime("us", "UTC"),
    "day": pl.Date,
    "path": pl.List(pl.String),
    "times": pl.List(pl.Datetime("us", "UTC")),
}
ROW = st.tuples(
    st.none() | st.integers(-(2**63), 2**63 - 1),
    st.none() | st.floats(allow_nan=False, allow_infinity=False),
    st.none() | st.booleans(),
    st.none() | TEXT,
    st.none() | TIME,
    st.none() | st.dates(),
    st.none() | st.lists(TEXT, max_size=3),
    st.none() | st.lists(TIME, max_size=3),
)
FRAMES = st.lists(ROW, max_size=5).map(lambda rows: pl.DataFrame(rows, schema=SCHEMA, orient="row"))


def written(name: str, frame: pl.DataFrame) -> bytes:
    out = io.BytesIO()
    WRITERS[name].write(frame.lazy(), out)
    return out.getvalue()


def text(name: str, **columns: Any) -> str:
    return written(name, pl.DataFrame(columns)).decode()


def iso(value: datetime | date | None) -> str | None:
    return None if value is None else value.isoformat()


def as_json(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """The rows with times as datetimes, which is how `from_json` reads them."""
    return [{**row, "day": iso(row["day"])} for row in frame.to_dicts()]


def from_json(row: dict[str, Any]) -> dict[str, Any]:
    time, times = row["time"], row["times"]
    return {
        **row,
        "time": None if time is None else datetime.fromisoformat(time),
        "times": None if times is None else [datetime.fromisoformat(each) for each in times],
    }


@given(FRAMES)
def test_json_reads_back_as_the_table(frame: pl.DataFrame) -> None:
    assert [from_json(row) for row in json.loads(written("json", frame))] == as_json(frame)


@given(FRAMES)
def test_ndjson_reads_back_as_the_table_a_row_a_line(frame: pl.DataFrame) -> None:
    lines = written("ndjson", frame).decode().split("\n")
    assert lines.pop() == ""
    assert [from_json(json.loads(line)) for line in lines] == as_json(frame)


@given(FRAMES)
def test_parquet_reads_back_as_the_table(frame: pl.DataFrame) -> None:
    back = pl.read_parquet(written("parquet", frame))
    assert back.schema == frame.schema
    assert back.equals(frame)


def cell(value: Any) -> str:
    """What a cell of csv or tsv should hold."""
    if isinstance(value, list):
        return " > ".join(cell(item) for item in value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime | date):
        return value.isoformat()
    return "" if value is None else str(value)


def same(got: str, value: Any) -> bool:
    """Whether a cell says the value; numbers and times by what they mean."""
    if isinstance(value, float):
        return float(got) == value
    if isinstance(value, datetime):
        return datetime.fromisoformat(got) == value
    if isinstance(value, list) and value and isinstance(value[0], datetime):
        return [datetime.fromisoformat(item) for item in got.split(" > ")] == value
    return got == cell(value)


@given(FRAMES)
def test_csv_reads_back_as_the_table(frame: pl.DataFrame) -> None:
    content = io.StringIO(written("csv", frame).decode(), newline="")
    header, *rows = list(csv.reader(content, strict=True))
    assert header == frame.columns
    assert len(rows) == frame.height
    for row, values in zip(rows, frame.iter_rows(), strict=True):
        assert all(same(*pair) for pair in zip(row, values, strict=True))


@given(st.lists(st.tuples(st.none() | TEXT, st.integers(0, 9))))
def test_csv_tells_null_from_the_empty_text(rows: list[tuple[str | None, int]]) -> None:
    schema = {"text": pl.String, "number": pl.Int64}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    assert pl.read_csv(written("csv", frame), schema=schema).equals(frame)


UNESCAPED = {r"\t": "\t", r"\n": "\n", r"\r": "\r", r"\\": "\\"}


@given(FRAMES)
def test_tsv_is_one_row_a_line_and_reads_back_as_the_table(frame: pl.DataFrame) -> None:
    lines = written("tsv", frame).decode().split("\n")
    assert lines.pop() == ""
    assert lines.pop(0).split("\t") == frame.columns
    assert len(lines) == frame.height
    for line, values in zip(lines, frame.iter_rows(), strict=True):
        cells = [re.sub(r"\\.", lambda found: UNESCAPED[found[0]], each) for each in line.split("\t")]
        assert all(same(*pair) for pair in zip(cells, values, strict=True))


@given(FRAMES, TEXT.filter(bool))
def test_tables_for_people_hold_no_control_characters_and_a_row_a_line(frame: pl.DataFrame, name: str) -> None:
    frame = frame.rename({"text": f"text {name}"})
    for style, extra in (("table", 2), ("md", 2)):
        content = written(style, frame).decode()
        assert not set(content) & (set(ESCAPES) - {"\n"})
        assert content.count("\n") == frame.height + extra


@given(TEXT)
def test_a_markdown_row_has_as_many_cells_as_the_table(value: str) -> None:
    line = text("md", a=[value], b=["x"]).splitlines()[2]
    bare = re.sub(r"\\[\\|]", "", line)  # GFM: a backslash keeps the pipe after it, and the backslash
    assert bare.count("|") == 3
    assert "<" not in re.sub(r"\\<", "", line)


def test_chinese_columns_are_aligned() -> None:
    assert text("table", page=["/购物车", "/a"], hits=[10, 5]).splitlines() == [
        "page       hits",
        "-------  ------",
        "/购物车      10",
        "/a            5",
    ]


def test_markdown_is_a_table() -> None:
    assert text("md", page=["a|b", None], hits=[10, 5]).splitlines() == [
        "| page   |   hits |",
        "|:-------|-------:|",
        r"| a\|b   |     10 |",
        "|        |      5 |",
    ]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (1.0, "1"),
        (1234.56789, "1234.5679"),
        (0.123456, "0.1235"),
        (0.0000123456, "0.00001235"),
        (-0.000015, "-0.000015"),
        (1e-30, "0"),
        (-1e-30, "0"),
        (1e20, "100000000000000000000"),
        (float("nan"), "NaN"),
        (float("inf"), "inf"),
    ],
)
def test_people_get_numbers_without_exponent(value: float, shown: str) -> None:
    assert grid.number(value) == shown


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e9, max_value=1e9))
def test_a_number_for_people_is_near_and_short(value: float) -> None:
    shown = grid.number(value)
    assert re.fullmatch(r"-?\d+(\.\d{1,12})?", shown)
    assert float(shown) == pytest.approx(
        value, rel=5.1e-4 if abs(value) < 1 else 0, abs=5.1e-5 if abs(value) >= 1 else 1e-12
    )


def test_other_formats_keep_full_precision() -> None:
    assert text("csv", share=[1 / 3]) == "share\n0.3333333333333333\n"
    assert json.loads(text("json", share=[1 / 3])) == [{"share": 1 / 3}]


def test_lists_are_joined_for_people_and_arrays_in_json() -> None:
    path = [["/", "/cart"], [], None]
    assert text("csv", path=path) == 'path\n/ > /cart\n""\n\n'
    assert text("table", path=path).splitlines()[2] == "/ > /cart"
    assert [row["path"] for row in json.loads(text("json", path=path))] == path


@pytest.mark.parametrize("name", ["csv", "tsv", "json", "ndjson", "table", "md", "xlsx"])
def test_rarer_types_are_texts(name: str) -> None:
    frame = pl.DataFrame(
        {
            "span": [timedelta(minutes=90), None],
            "bytes": [b"\xff\x00", None],
            "pair": [{"a": 1, "b": "x"}, None],
            "name": pl.Series(["a", None], dtype=pl.Categorical),
            "nothing": [None, None],
            "fixed": pl.Series([[1, 2], None], dtype=pl.Array(pl.Int8, 2)),
            "lists": [[b"\xff"], None],
        }
    )
    content = written(name, frame)
    if name == "xlsx":
        content = pl.read_excel(content).write_csv().encode()
    for expected in (b"PT1H30M", b"ff00", b"a"):
        assert expected in content


def test_an_empty_table_is_its_header() -> None:
    frame = pl.DataFrame({"page": [], "hits": []}, schema={"page": pl.String, "hits": pl.Int64})
    assert written("csv", frame) == b"page,hits\n"
    assert written("tsv", frame) == b"page\thits\n"
    assert written("json", frame) == b"[]\n"
    assert written("ndjson", frame) == b""
    assert written("table", frame).decode().split("\n")[0].split() == ["page", "hits"]
    assert pl.read_parquet(written("parquet", frame)).schema == frame.schema
    assert pl.read_excel(written("xlsx", frame)).columns == ["page", "hits"]


def test_a_large_array_is_put_together_from_its_parts() -> None:
    frame = pl.DataFrame({"number": range(200_000)})
    assert pl.Series([row["number"] for row in json.loads(written("json", frame))]).equals(frame["number"])


class TestExcel:
    @settings(max_examples=25, deadline=None)
    @given(FRAMES)
    def test_any_table_can_be_written(self, frame: pl.DataFrame) -> None:
        assert written("xlsx", frame).startswith(b"PK")

    def test_cells_have_their_types(self) -> None:
        frame = pl.DataFrame(
            {
                "time": [datetime(2026, 3, 2, 18, 15, 32)],
                "day": [date(2026, 3, 2)],
                "flag": [True],
                "number": [-3],
                "share": [0.25],
                "path": [["/a", "/b"]],
            }
        ).with_columns(pl.col("time").dt.replace_time_zone("Asia/Shanghai"))
        back = pl.read_excel(written("xlsx", frame))
        assert back.row(0) == (datetime(2026, 3, 2, 18, 15, 32), date(2026, 3, 2), True, -3, 0.25, "/a > /b")

    def test_texts_are_never_formulas_or_links(self) -> None:
        texts = ["=1+1", "+1", "-1", "@SUM(A1)", "https://example.org", "{=1}", "00012"]
        content = written("xlsx", pl.DataFrame({"text": texts}))
        assert pl.read_excel(content)["text"].to_list() == texts
        assert b"<f>" not in inside(content)

    def test_long_numbers_stay_exact_as_texts(self) -> None:
        back = pl.read_excel(written("xlsx", pl.DataFrame({"visitor": [2**62 + 1]})))
        assert back["visitor"].to_list() == [str(2**62 + 1)]

    def test_times_before_excels_first_day_are_texts(self) -> None:
        back = pl.read_excel(written("xlsx", pl.DataFrame({"day": [date(1830, 1, 1)]})))
        assert back["day"].to_list() == ["1830-01-01"]

    def test_a_cell_that_is_too_long_is_named(self) -> None:
        frame = pl.DataFrame({"a": ["x", "x"], "b": ["x", "😀" * 16_384]})
        with pytest.raises(UsageError, match="a cell of b has 32,768 characters, and Excel holds 32,767"):
            written("xlsx", frame)
        assert written("xlsx", pl.DataFrame({"b": ["x" * 32_767]}))

    def test_too_many_rows_or_columns_are_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(excel, "MOST_ROWS", 3)
        assert written("xlsx", pl.DataFrame({"a": [1, 2]}))
        with pytest.raises(UsageError, match="at most 2 rows; use -n, or write csv or parquet"):
            written("xlsx", pl.DataFrame({"a": [1, 2, 3]}))
        monkeypatch.setattr(excel, "MOST_COLUMNS", 1)
        with pytest.raises(UsageError, match="at most 1 columns"):
            written("xlsx", pl.DataFrame({"a": [1], "b": [1]}))

    def test_without_the_extra_the_sentence_says_what_to_install(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setitem(__import__("sys").modules, "xlsxwriter", None)
        done = CliRunner().invoke(main, ["logs", "formats", "-o", str(tmp_path / "formats.xlsx")])
        assert (done.exit_code, done.stdout) == (2, "")
        assert "pip install 'crm-toolkit[excel]'" in done.stderr
        assert list(tmp_path.iterdir()) == []


def inside(archive: bytes) -> bytes:
    import zipfile

    with zipfile.ZipFile(io.BytesIO(archive)) as book:
        return b"".join(book.read(name) for name in book.namelist())


def test_formats_are_offered_by_the_program() -> None:
    assert CliRunner().invoke(main, ["--help"]).exit_code == 0
    assert [writer.name for writer in writers() if writer.binary] == ["parquet", "xlsx"]
