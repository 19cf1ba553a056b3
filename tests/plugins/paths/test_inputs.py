"""Files of sessions: the three formats, and what is wrong with them."""

import bz2
import gzip
import lzma
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
import zstandard

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm

SESSIONS = """\
session,page,ts
2,/b,2026-03-02T10:01:00Z
1,/a,2026-03-02T09:00:00Z
2,/a,2026-03-02T10:00:00Z
1,/c,2026-03-02T09:00:30Z
"""
PATHS = [["/a", "/c"], ["/a", "/b"]]


def views(crm: "Crm", *options: object) -> list[tuple[Any, str, str | None]]:
    return [(row["session"], row["page"], row["ts"]) for row in crm.rows("paths", "views", *options)]


@pytest.fixture
def write(crm: "Crm") -> Any:
    def written(name: str, text: str | bytes) -> Path:
        file = crm.folder / name
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return file

    return written


class TestSessions:
    WANTED = (
        ("1", "/a", "2026-03-02T09:00:00+00:00"),
        ("1", "/c", "2026-03-02T09:00:30+00:00"),
        ("2", "/a", "2026-03-02T10:00:00+00:00"),
        ("2", "/b", "2026-03-02T10:01:00+00:00"),
    )

    @pytest.mark.parametrize("separator", [",", "\t", ";"])
    def test_csv_in_order_of_time(self, crm: "Crm", write: Any, separator: str) -> None:
        file = write("s.csv", SESSIONS.replace(",", separator))
        assert views(crm, "--input", file) == list(self.WANTED)

    @pytest.mark.parametrize(
        ("ending", "pack"),
        [("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress), ("zst", zstandard.compress)],
    )
    def test_compressed(self, crm: "Crm", write: Any, ending: str, pack: Any) -> None:
        assert views(crm, "--input", write(f"s.csv.{ending}", pack(SESSIONS.encode()))) == list(self.WANTED)
        file = write(f"x.spmf.{ending}", pack(b"1 -1 2 -1 -2\n"))
        assert crm.rows("paths", "top", "--input", file)[0]["path"] == ["1", "2"]

    def test_times_with_and_without_a_zone_may_be_mixed(self, crm: "Crm", write: Any) -> None:
        times = ["2026-03-02T10:00:00", "2026-03-02 18:00:30+08:00", "2026-03-02T10:01:00Z"]
        rows = [f"1,/{n},{time}" for n, time in enumerate(times)]
        found = views(crm, "--input", write("s.csv", "\n".join(["session,page,ts", *rows])))
        assert [ts for *_, ts in found] == [f"2026-03-02T10:0{time}+00:00" for time in ("0:00", "0:30", "1:00")]

    def test_an_empty_file_has_no_sessions(self, crm: "Crm", write: Any) -> None:
        for name in ("s.csv", "s.spmf", "s.baskets"):
            for command in ("top", "patterns", "clusters"):
                assert crm.rows("paths", command, "--input", write(name, "")) == [], (name, command)

    def test_on_standard_input(self, crm: "Crm") -> None:
        done = crm("paths", "top", "--input", "-", "-f", "csv", stdin=SESSIONS.encode())
        assert done.stdout.splitlines() == ["path,length,sessions,share", "/a > /b,2,1,0.5", "/a > /c,2,1,0.5"]

    def test_without_times_in_order_of_the_rows(self, crm: "Crm", write: Any) -> None:
        file = write("s.csv", "page,session\n/b,x\n/q,y\n/a,x\n")
        assert views(crm, "--input", file) == [("x", "/b", None), ("x", "/a", None), ("y", "/q", None)]

    def test_parquet_with_a_row_a_view(self, crm: "Crm") -> None:
        times = [datetime(2026, 3, 2, 10, n, tzinfo=UTC) for n in (1, 0)]
        file = crm.folder / "s.parquet"
        pl.DataFrame({"session": [7, 7], "page": ["/b", "/a"], "ts": times}).write_parquet(file)
        assert views(crm, "--input", file) == [
            (7, "/a", "2026-03-02T10:00:00+00:00"),
            (7, "/b", "2026-03-02T10:01:00+00:00"),
        ]

    def test_what_logs_sessions_writes_can_be_read(self, crm: "Crm") -> None:
        log = crm.log("a.log", *crm.lines(40))
        file = crm.folder / "sessions.parquet"
        crm("logs", "sessions", log, "-o", file)
        crm("logs", "mine", log)
        for command in ("pages", "transitions", "top", "patterns"):
            assert crm.rows("paths", command, "--input", file) == crm.rows("paths", command), command

    def test_what_views_writes_can_be_read(self, crm: "Crm") -> None:
        crm("logs", "mine", crm.log("a.log", *crm.lines(40)))
        for ending in ("csv", "parquet"):
            file = crm.folder / f"views.{ending}"
            crm("paths", "views", "-o", file)
            assert crm.rows("paths", "transitions", "--input", file) == crm.rows("paths", "transitions")

    def test_what_logs_sessions_knows_of_sessions_counts(self, crm: "Crm") -> None:
        """Hits after the last view, and robots by behaviour."""
        crm.configure("logs: {robots: {no_assets: 3}}\n")
        people = [crm.line(n, page, who=1) for n, page in ((0, "/a"), (60, "/b"), (100, "/b.png"))]
        robot = [crm.line(9000 + n, f"/{n}", who=2) for n in range(4)]
        log, file = crm.log("a.log", *people, *robot), crm.folder / "sessions.parquet"
        crm("logs", "mine", log)
        crm("logs", "sessions", log, "--with-robots", "-o", file)
        for call in (
            ["times", "--of", "pages"],
            ["top", "--where", "hits > views"],
            ["top", "--with-robots"],
            ["pages"],
        ):
            assert crm.rows("paths", *call, "--input", file) == crm.rows("paths", *call), call
        assert crm.rows("paths", "top")[0]["sessions"] == 1
        assert "1 session of robots by behaviour left out" in crm("paths", "top", "--input", file).stderr

    def test_views_of_one_moment_are_put_in_the_order_of_their_number(self, crm: "Crm", write: Any) -> None:
        rows = [f"1,{n},/{name},2026-03-02T09:00:00Z" for n, name in ((10, "c"), (2, "b"), (1, "a"))]
        file = write("s.csv", "\n".join(["session,n,page,ts", *rows]))
        assert [page for _, page, _ in views(crm, "--input", file)] == ["/a", "/b", "/c"]

    def test_without_a_visitor_none_are_counted(self, crm: "Crm", write: Any) -> None:
        (row,) = crm.rows("paths", "funnel", "/a", "--input", write("s.csv", SESSIONS))
        assert (row["sessions"], row["visitors"]) == (2, None)
        some = write("v.csv", "session,page,visitor\n1,/a,x\n2,/a,\n3,/a,x\n4,/a,\n")
        (row,) = crm.rows("paths", "funnel", "/a", "--input", some)
        assert (row["sessions"], row["visitors"]) == (4, 3)

    def test_filters_choose_among_sessions(self, crm: "Crm", write: Any) -> None:
        file = write("s.csv", SESSIONS)
        assert {row[0] for row in views(crm, "--input", file, "--since", "2026-03-02T09:30")} == {"2"}
        assert {row[0] for row in views(crm, "--input", file, "--where", "exit = '/c' and duration_s = 30")} == {"1"}

    def test_rows_without_session_or_page_are_left_out_and_told(self, crm: "Crm", write: Any) -> None:
        done = crm("paths", "top", "--input", write("s.csv", "session,page\n1,/a\n,/b\n1,\n"), "-f", "csv")
        assert done.stdout.splitlines()[1:] == ["/a,1,1,1.0"]
        assert "s.csv: 2 rows without session or page left out" in done.stderr

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("visit,page\n1,/a\n", "there is no column `session`; there are: visit, page"),
            ("session,pages\n1,/a\n", "there is no column `page` (did you mean `pages`?)"),
            ("a,b,c\n", "other files need --input-format spmf or baskets"),
            ("session,page,ts\n1,/a,soon\n", "row 1: `soon` is no time; write it as 2026-03-02T10:00:00Z"),
            ("session,page,ts\n1,/a,2026-03-02\n1,/b,\n", "row 2 has no ts, and others have"),
            (b"PAR1 and no more", "neither CSV nor Parquet"),
            (b"\x1f\x8b and no more", "cannot be read: damaged gzip data"),
        ],
    )
    def test_what_is_wrong_is_told(self, crm: "Crm", write: Any, text: str | bytes, said: str) -> None:
        assert said in crm("paths", "top", "--input", write("s.csv", text), code=4).stderr

    def test_what_needs_the_workspace_or_times_is_refused(self, crm: "Crm", write: Any) -> None:
        file = write("s.csv", "session,page\n1,/a\n")
        for options, said in {
            ("--segment", "x"): "--segment is about the workspace",
            ("--since", "2026-01-01"): "has no times (a column ts)",
            ("--complete",): "has no referrers (a column `referrer`)",
        }.items():
            assert said in crm("paths", "top", "--input", file, *options, code=2).stderr
        assert "none: No such file" in crm("paths", "top", "--input", crm.folder / "none", code=4).stderr

    def test_a_file_needs_no_workspace(self, crm: "Crm", write: Any) -> None:
        file = write("s.csv", SESSIONS)
        assert len(crm.rows("-w", crm.folder / "none", "paths", "pages", "--input", file)) == 3

    def test_names_of_columns_cannot_write_to_the_terminal(self, crm: "Crm", write: Any) -> None:
        said = crm("paths", "top", "--input", write("s.csv", "a\x1b[2J,b\n1,2\n"), code=4).stderr
        assert r"there are: a\x1b[2J, b" in said


class TestSpmf:
    def test_sequences_with_comments_and_names(self, crm: "Crm", write: Any) -> None:
        text = "@ITEM=1=apple\n@ITEM=2=a=b\n# note\n% note\n1 -1 2 -1 3 -1 -2\n\n-2\n2  -1 -2\n"
        rows = crm.rows("paths", "top", "--input", write("x.spmf", text))
        assert [row["path"] for row in rows] == [[], ["a=b"], ["apple", "a=b", "3"]]

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("1 -1 2 -1\n", "line 1 is no sequence; expected `1 -1 2 -1 -2`, got `1 -1 2 -1`"),
            ("1 -1 -2\n1 2 -1 -2\n", "line 2 has several items in one set"),
            ("a -1 -2\n", "line 1 is no sequence"),
            (b"1 -1 -2\n\xff\n", "not UTF-8 at byte 8; convert it: iconv"),
        ],
    )
    def test_what_is_wrong_is_told(self, crm: "Crm", write: Any, text: str | bytes, said: str) -> None:
        assert said in crm("paths", "top", "--input", write("x.spmf", text), code=4).stderr


class TestBaskets:
    def test_a_basket_has_no_order_and_no_item_twice(self, crm: "Crm", write: Any) -> None:
        file = write("x.csv", "\ufeff牛奶, 面包,牛奶\r\n面包,牛奶\n\n,\n")
        rows = crm.rows("paths", "top", "--input", file, "--input-format", "baskets")
        assert [(row["path"], row["sessions"]) for row in rows] == [(["牛奶", "面包"], 2), ([], 1)]

    def test_where_order_matters_it_is_told_that_there_is_none(self, crm: "Crm", write: Any) -> None:
        file, word = write("x.baskets", "b,a\nc,d\n"), "baskets have no order"
        ordered = (["transitions"], ["pages"], ["next", "a"], ["funnel", "a", "b"], ["evaluate"], ["suggest-links"])
        for command in ordered:
            assert word in crm("paths", *command, "--input", file).stderr, command
        for command in (["patterns"], ["itemsets"], ["rules"], ["clusters"]):
            assert word not in crm("paths", *command, "--input", file).stderr, command

    def test_the_ending_tells_the_format(self, crm: "Crm", write: Any) -> None:
        for name in ("x.baskets", "x.baskets.csv", "X.BASKETS.gz"):
            data = gzip.compress(b"a,b\n") if name.endswith("gz") else b"a,b\n"
            assert crm.rows("paths", "top", "--input", write(name, data))[0]["path"] == ["a", "b"]
