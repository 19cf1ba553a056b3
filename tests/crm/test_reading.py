import bz2
import gzip
import io
import subprocess
import sys
from pathlib import Path
from random import Random

import click
import polars as pl
import pytest
import zstandard
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from crm.app import App, pass_app
from crm.encodings import codec, decoded, is_utf8
from crm.errors import CrmError, Unusable, UsageError
from crm.output import impersonal, table_output
from crm.reading import current_table, table_file
from plugins import DEFAULT_PLUGINS

CSV = b"id,name\n007,Li\n8,\n"
ROWS = "id,name\n007,Li\n8,\n"
FAMILIES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖"
GIVEN = "翠聪丹岚琳璐茜颖筱峻铭皓轩楠睿霖旭昊坤"
OLD_FAMILIES = "王李張劉陳楊黃趙吳周徐孫馬朱胡郭何高林羅鄭梁謝宋唐許韓馮鄧曹彭曾蕭"
OLD_GIVEN = "翠聰丹嵐琳璐茜穎筱峻銘皓軒楠睿霖旭昊坤"
WESTERN = [
    "José García",
    "François Müller",
    "Zoë Gößmann",
    "Søren Åkesson",
    "Jürgen Groß",
    "Núñez Peña",
    "João Conceição",
]


class Refusal(click.ClickException):
    """A mistake as the program shows it."""


def run(folder: Path, *args: str, stdin: bytes | None = None) -> Result:
    @click.command()
    @table_file
    @table_output("csv")
    @pass_app
    def command(app: App) -> pl.DataFrame:
        impersonal()  # the tables here are about nobody
        try:
            return current_table(app)
        except CrmError as error:
            refusal = Refusal(str(error))
            refusal.exit_code = error.exit_code
            raise refusal from error

    return CliRunner().invoke(command, args, obj=App(DEFAULT_PLUGINS, folder / "none"), input=stdin)


def read(folder: Path, name: str, data: bytes, *args: str) -> Result:
    file = folder / name
    file.write_bytes(data)
    return run(folder, "--input", str(file), *args)


class TestFiles:
    @pytest.mark.parametrize("pack", [bytes, gzip.compress, zstandard.compress, bz2.compress])
    def test_is_read_also_packed_and_from_standard_input(self, tmp_path: Path, pack) -> None:
        assert read(tmp_path, "any.csv.gz", pack(CSV)).stdout == ROWS
        assert run(tmp_path, "--input", "-", stdin=pack(CSV)).stdout == ROWS

    @pytest.mark.parametrize(
        ("name", "data"),
        [
            ("a.tsv", b"id\tname\n007\tLi\n8\t\n"),
            ("a.ndjson.zst", b'{"id":"007","name":"Li"}\n{"id":"8"}'),
            ("noending", b'\xef\xbb\xbf [{"id":"007","name":"Li"},{"id":"8"}]'),
            ("noending", b'{"id":"007","name":"Li"}\n{"id":"8"}'),
            ("a.txt", CSV.replace(b",", b"\t")),
        ],
    )
    def test_the_format_goes_by_the_ending_or_the_first_bytes(self, tmp_path: Path, name: str, data: bytes) -> None:
        assert read(tmp_path, name, data).stdout == ROWS

    def test_bytes_that_are_no_text_tell_more_than_the_ending(self, tmp_path: Path) -> None:
        out = io.BytesIO()
        pl.DataFrame({"id": ["007", "8"], "name": ["Li", None]}).write_parquet(out)
        assert read(tmp_path, "wrong.csv", out.getvalue()).stdout == ROWS
        assert run(tmp_path, "--input", "-", stdin=gzip.compress(out.getvalue())).stdout == ROWS

    @pytest.mark.parametrize(
        ("name", "data"),
        [
            ("a.csv", "*,^x.*$,^x,column_1,*姓名\n1,2,3,4,张\n".encode()),
            ("a.json", '[{"*":"1","^x.*$":"2","^x":"3","column_1":"4","*姓名":"张"}]'.encode()),
        ],
    )
    def test_a_name_that_is_a_pattern_of_names_is_another_one_then(
        self, tmp_path: Path, name: str, data: bytes
    ) -> None:
        result = read(tmp_path, name, data)
        assert result.stdout == "column_1_,column_2,^x,column_1,*姓名\n1,2,3,4,张\n"
        assert "the name `*` stands for several columns; column 1 is called `column_1_`" in result.stderr

    def test_the_user_tells_more_than_the_file(self, tmp_path: Path) -> None:
        assert read(tmp_path, "a.json", CSV, "--input-format", "csv").stdout == ROWS

    @pytest.mark.parametrize(
        ("data", "args", "code", "sentence"),
        [
            (b"", (), 4, "a.csv: it is empty"),
            (b"%PDF-1.7", (), 4, "it is a PDF"),
            (gzip.compress(CSV, mtime=0)[:-6], (), 4, "damaged gzip data"),
            (CSV, ("--input-format", "cvs"), 2, "did you mean `csv`?"),
            (CSV, ("--sheet", "x"), 2, "--sheet does not apply"),
            (CSV, ("--encoding", "klingon"), 2, "`klingon` is no encoding"),
            (CSV, ("--separator", "::"), 2, "`::` cannot separate fields"),
            (b"a,b\n1\n2\n3,4\n", (), 4, "2 of 3 rows cannot be read"),
        ],
    )
    def test_a_mistake_is_a_sentence(self, tmp_path: Path, data: bytes, args, code: int, sentence: str) -> None:
        result = read(tmp_path, "a.csv", data, *args)
        assert result.exit_code == code
        assert sentence in result.stderr

    def test_no_file_and_a_folder_are_told(self, tmp_path: Path) -> None:
        for path in (tmp_path / "none.csv", tmp_path):
            result = run(tmp_path, "--input", str(path))
            assert result.exit_code == 4
            assert f"{path}: cannot be read" in result.stderr
        assert "Missing option '--input'" in run(tmp_path).stderr

    def test_what_was_found_out_and_left_out_is_told(self, tmp_path: Path) -> None:
        data = "编号;姓名;姓名\n1;王;x\n2;李\n3;张;y\n4;刘;z\n".encode("gb18030")
        result = read(tmp_path, "a.csv", data)
        said = result.stderr.replace(str(tmp_path / "a.csv"), "FILE").splitlines()
        assert said == [
            "FILE: encoding gb18030, separator `;`",
            "crm: warning: FILE: there is another column `姓名`; column 3 is called `姓名_2`",
            "crm: warning: FILE: 1 row left out: line 3 has 2 fields, and the header has 3",
        ]
        assert read(tmp_path, "a.csv", "编号,姓名\n1,王\n".encode()).stderr == ""

    def test_help_lists_the_formats_without_polars(self, tmp_path: Path) -> None:
        assert "csv|tsv|json|ndjson|yaml|parquet|xlsx|vcard" in run(tmp_path, "--help").stdout.replace("\n", "")
        program = "import sys, crm.reading, plugins.readers as r; r.readers(); assert 'polars' not in sys.modules"
        subprocess.run([sys.executable, "-c", program], check=True)


def names(families: str, given: str) -> st.SearchStrategy[list[str]]:
    name = st.tuples(st.sampled_from(families), st.text(st.sampled_from(given), min_size=1, max_size=2)).map("".join)
    return st.lists(name, min_size=3, max_size=12, unique=True)


class TestEncodings:
    @given(
        st.one_of(
            st.tuples(st.just("gb18030"), names(FAMILIES, GIVEN)),
            st.tuples(st.just("big5"), names(OLD_FAMILIES, OLD_GIVEN)),
            st.tuples(st.just("windows-1252"), st.lists(st.sampled_from(WESTERN), min_size=1, max_size=9)),
        ),
        st.sampled_from(["1380013800{n}", "x{n}@example.com", ""]),
    )
    def test_short_lists_of_names_are_told_apart(self, chosen: tuple[str, list[str]], rest: str) -> None:
        encoding, people = chosen
        text = "id,name,more\n" + "".join(f"{n},{name},{rest.format(n=n)}\n" for n, name in enumerate(people))
        found = decoded(text.encode(encoding), "f")
        assert (found.data.decode(), found.said) == (text, (f"encoding {encoding}",))

    @pytest.mark.parametrize(
        ("encoding", "leads", "trails"),
        [
            ("gb18030", range(0xB0, 0xD7), range(0xA1, 0xFF)),
            ("big5", range(0xA4, 0xC6), [*range(0x40, 0x7F), *range(0xA1, 0xFF)]),
        ],
    )
    def test_so_are_lists_of_any_characters_of_everyday_use(self, encoding: str, leads, trails) -> None:
        signs = [bytes([lead, trail]) for lead in leads for trail in trails]
        random = Random(5)
        for _ in range(100):
            data = b"name\n" + b"\n".join(b"".join(random.choices(signs, k=3)) for _ in range(10))
            assert decoded(data, "f").said == (f"encoding {encoding}",)

    @given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff")))
    def test_utf8_and_marks_are_never_in_doubt(self, text: str) -> None:
        assert decoded(text.encode(), "f").data.decode() == text
        for encoding in ("utf-8-sig", "utf-16", "utf-32"):
            found = decoded(text.encode(encoding), "f")
            assert found.data.decode() == text
            assert bool(found.said) == (encoding != "utf-8-sig")

    @pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
    def test_utf16_without_a_mark(self, encoding: str) -> None:
        text = "编号\t姓名\n1\t王小明\n2\t李雷\n"
        assert decoded(text.encode(encoding), "f").data.decode() == text

    def test_a_fault_in_utf8_leaves_the_rest_as_it_is(self) -> None:
        found = decoded("name\n王小明\nZoë\n".encode() + b"\xff\n", "f")
        assert found.data.decode() == "name\n王小明\nZoë\n\ufffd\n"
        assert found.warnings == ("no utf-8 text in 1 place, which is read as \ufffd",)

    @given(st.text(st.sampled_from("王小明aé,\n"), min_size=1), st.sampled_from(["gbk", "GB2312", "utf-16", "utf-8"]))
    def test_the_named_one_is_taken(self, text: str, name: str) -> None:
        encoded = text.encode("gb18030" if name in ("gbk", "GB2312") else name)
        assert decoded(encoded, "f", name).data.decode() == text
        assert decoded(encoded, "f", name).said == ()

    def test_a_text_in_another_one_than_named_is_refused_with_its_place(self) -> None:
        with pytest.raises(Unusable, match="f: line 2 is not utf-8 at byte 3; leave --encoding out"):
            decoded(b"a\nx\xffy", "f", "utf-8")

    @pytest.mark.parametrize("name", ["", "hex", "rot13", "nonsense", "undefined", "\0"])
    def test_what_is_no_encoding_is_refused(self, name: str) -> None:
        with pytest.raises(UsageError, match="is no encoding"):
            codec(name)

    @given(st.binary(max_size=40))
    def test_any_bytes_become_utf8(self, data: bytes) -> None:
        assert is_utf8(decoded(data, "f").data)

    @given(
        st.binary(max_size=40) | st.text(max_size=9, alphabet=st.characters(exclude_categories=["Cs"])).map(str.encode)
    )
    def test_is_utf8_agrees_with_python(self, data: bytes) -> None:
        try:
            data.decode()
        except UnicodeDecodeError:
            assert not is_utf8(data)
        else:
            assert is_utf8(data)
