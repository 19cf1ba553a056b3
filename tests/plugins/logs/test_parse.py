"""`crm logs parse` and `crm logs sessions`: logs read without storing anything."""

import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from click.testing import CliRunner, Result

from cli.main import main

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm


def alone(folder: Path, *args: object, code: int = 0) -> Result:
    """Call the program where there is no workspace."""
    result = CliRunner().invoke(main, ["-w", str(folder / "nothing"), *map(str, args)])
    assert result.exit_code == code, (result.output, result.exception)
    assert not (folder / "nothing").exists()
    return result


def objects(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


class TestParse:
    def test_hits_come_in_the_order_of_files_and_lines_with_both_named(self, crm: "Crm") -> None:
        late, early = crm.log("z.log", crm.line(60, "/b"), crm.line(0, "/a")), crm.log("a.log", crm.line())
        found = objects(alone(crm.folder, "logs", "parse", late, early, "-f", "ndjson"))
        assert [(row["file"], row["line"], row["page"]) for row in found] == [
            (str(late), 1, "/b"),
            (str(late), 2, "/a"),
            (str(early), 1, "/"),
        ]

    def test_every_format_of_output_holds_the_same_rows(self, crm: "Crm") -> None:
        log = crm.log("access.log", *(crm.line(n, f"/page{n}", size="-") for n in range(5)))
        for name in ("csv", "json", "ndjson", "parquet", "tsv", "table", "md", "xlsx"):
            out = crm.folder / f"out.{name}"
            alone(crm.folder, "logs", "parse", log, "-f", name, "-o", out)
            if name == "parquet":
                frame = pl.read_parquet(out)
                assert frame["page"].to_list() == [f"/page{n}" for n in range(5)]
                assert frame.schema["ts"] == pl.Datetime("us", "UTC")
            elif name != "xlsx":
                assert [f"/page{n}" in out.read_text() for n in range(6)] == [True] * 5 + [False]

    def test_chosen_columns_and_rows_are_all_that_is_printed(self, crm: "Crm") -> None:
        log = crm.log("access.log", *(crm.line(n, f"/{n}") for n in range(5)))
        result = alone(crm.folder, "logs", "parse", log, "-n", 2, "--columns", "page,file", "-f", "csv")
        assert result.stdout == f"page,file\n/0,{log}\n/1,{log}\n"
        assert "reading ended with row 2; so far:" in result.stderr

    def test_where_every_line_went_is_told_on_stderr(self, crm: "Crm") -> None:
        one, two = crm.log("1.log", crm.line(), "broken", "# no"), crm.log("2.log", crm.line(), crm.line(1))
        said = alone(crm.folder, "logs", "parse", one, two).stderr
        assert f"{one}: format combined, which fits 50% of its first lines\n" in said
        assert "  line 2 rejected: does not fit the format at %h\n" in said
        assert said.endswith(
            "5 lines = 3 hits + 0 filtered + 1 rejected + 1 blank\n  1 rejected: does not fit the format\n"
        )

    def test_rejected_lines_are_counted_but_only_the_first_are_named(self, crm: "Crm") -> None:
        log = crm.log("access.log", *(crm.line(n) for n in range(9)), *["broken"] * 8)
        said = alone(crm.folder, "logs", "parse", log).stderr
        assert said.count(" rejected: does not fit the format at") == 5
        assert "  and 3 more lines rejected\n" in said

    def test_a_log_that_cannot_be_used_is_refused_and_the_others_are_printed(self, crm: "Crm") -> None:
        good, bad = crm.log("good.log", crm.line()), crm.log("bad.log", *["broken"] * 3)
        result = alone(crm.folder, "logs", "parse", "none.log", bad, good, "-f", "ndjson", code=4)
        assert [row["file"] for row in objects(result)] == [str(good)]
        assert "crm: 2 of 3 logs could not be used: none.log: No such file or directory; " in result.stderr

    def test_more_than_half_rejected_ends_with_exit_code_4(self, crm: "Crm") -> None:
        log = crm.log("access.log", crm.line(), *["broken"] * 2)
        result = alone(crm.folder, "logs", "parse", log, "--log-format", "combined", code=4)
        assert "more than half of its lines do not fit the format combined" in result.stderr

    def test_the_last_line_counts_without_its_end(self, crm: "Crm") -> None:
        log = crm.log("access.log", crm.line(), crm.line(1), end="")
        assert len(objects(alone(crm.folder, "logs", "parse", log, "-f", "ndjson"))) == 2

    def test_gzip_and_standard_input_are_read(self, crm: "Crm") -> None:
        data = gzip.compress(f"{crm.line()}\n".encode())
        (crm.folder / "a.gz").write_bytes(data)
        assert len(objects(alone(crm.folder, "logs", "parse", crm.folder / "a.gz", "-f", "ndjson"))) == 1
        result = crm("logs", "parse", "-", "-f", "ndjson", stdin=data)
        assert [row["file"] for row in objects(result)] == ["stdin"]

    def test_personal_values_are_masked_unless_it_is_recorded(self, crm: "Crm") -> None:
        log = crm.log("access.log", crm.line(login="wang"))
        columns = ("--columns", "address,login", "-f", "csv")
        assert crm("logs", "parse", log, *columns).stdout == "address,login\n192.0.*.*,w***\n"
        shown = crm("logs", "parse", "-", *columns, "--unmask", stdin=log.read_bytes()).stdout
        assert shown == "address,login\n192.0.2.0,wang\n"
        (entry,) = crm.rows("query", "select action, what, rows from audit")
        assert (entry["action"], entry["rows"]) == ("unmask", None)
        assert entry["what"].endswith("logs parse: address, login")

    def test_visitor_ids_repeat_without_a_workspace_and_follow_its_key_with_one(self, crm: "Crm") -> None:
        log = crm.log("access.log", crm.line())
        (first,), (again,) = (objects(alone(crm.folder, "logs", "parse", log, "-f", "ndjson")) for _ in "12")
        (own,) = objects(crm("logs", "parse", log, "-f", "ndjson"))
        crm("logs", "mine", log)
        assert first["visitor"] == again["visitor"] != own["visitor"]
        assert crm.table("hits")["visitor"].to_list() == [own["visitor"]]

    def test_a_workspace_is_left_as_it_was(self, crm: "Crm") -> None:
        before = sorted(crm.workspace.rglob("*"))
        crm("logs", "parse", crm.log("access.log", crm.line()))
        crm("logs", "sessions", crm.log("access.log", crm.line()))
        assert sorted(crm.workspace.rglob("*")) == before

    def test_rules_of_the_configuration_hold(self, crm: "Crm") -> None:
        crm.configure("logs: {pages: {numeric_ids: true}, drop: [{name: health, path: [/health]}]}")
        result = crm("logs", "parse", crm.log("a.log", crm.line(page="/i/7"), crm.line(1, "/health")), "-f", "csv")
        assert "/i/*" in result.stdout
        assert "2 lines = 1 hit + 1 filtered + 0 rejected + 0 blank\n  1 filtered: health\n" in result.stderr


class TestSessions:
    def test_sessions_of_all_logs_are_cut_together_and_ordered_by_start(self, crm: "Crm") -> None:
        one = crm.log("1.log", crm.line(3600, "/c", who=1), crm.line(0, "/a", who=1))
        two = crm.log("2.log", crm.line(900, "/b", who=1), crm.line(1, "/x", who=2))
        found = crm.rows("logs", "sessions", one, two, "--columns", "start,views,path")
        assert [(row["start"][11:19], row["path"]) for row in found] == [
            ("00:00:00", ["/a", "/b"]),
            ("00:00:01", ["/x"]),
            ("01:00:00", ["/c"]),
        ]

    def test_the_rule_in_force_and_the_account_are_told(self, crm: "Crm") -> None:
        log = crm.log("access.log", crm.line(), "broken", crm.line(600, "/a"))
        said = crm("logs", "sessions", log, "--idle", "90s", "--max-hits", "7").stderr
        assert "3 lines = 2 hits + 0 filtered + 1 rejected + 0 blank\n" in said
        assert "rule: a session ends after 1m30s without a hit, has at most 7 hits, a different login" in said

    @pytest.mark.parametrize(
        ("options", "hits"),
        [
            ((), [6]),
            (("--idle", "10m"), [3, 3]),
            (("--idle", "599s"), [1] * 6),
            (("--max-hits", "4"), [4, 2]),
            (("--max-length", "20m"), [3, 3]),
            (("--new-referrer",), [4, 2]),
        ],
    )
    def test_options_cut_as_they_say(self, crm: "Crm", options: tuple[str, ...], hits: list[int]) -> None:
        referrers = ["-", "-", "-", "-", "https://other.example/", "https://shop.example/"]
        times = [0, 600, 1200, 1801, 2401, 3001]
        log = crm.log(
            "access.log",
            *(crm.line(at, f"/{at}", referrer=site) for at, site in zip(times, referrers, strict=True)),
        )
        crm.configure("logs: {sessions: {sites: [shop.example]}}")
        assert [row["hits"] for row in crm.rows("logs", "sessions", log, *options)] == hits

    def test_raw_makes_a_view_of_every_hit(self, crm: "Crm") -> None:
        log = crm.log(
            "access.log",
            crm.line(0, "/a.png"),
            crm.line(1, "/no", status=404),
            crm.line(2, "/r", agent=crm.GOOGLEBOT),
        )
        assert crm.rows("logs", "sessions", log) == []
        result = crm("logs", "sessions", log, "--raw", "-f", "ndjson")
        assert [(row["path"], row["bot"]) for row in objects(result)] == [
            (["/a.png", "/no"], None),
            (["/r"], "Googlebot"),
        ]
        assert "every hit is a view" in result.stderr

    def test_the_columns_are_those_of_the_table(self, crm: "Crm") -> None:
        columns = [row["column"] for row in crm.rows("tables", "sessions")]
        assert list(crm.rows("logs", "sessions", crm.log("a.log", crm.line()))[0]) == columns

    def test_of_a_refused_log_there_is_no_session(self, crm: "Crm") -> None:
        bad = crm.log("bad.log", crm.line(who=9), *["broken"] * 2)
        good = crm.log("good.log", crm.line(who=1))
        result = crm("logs", "sessions", bad, good, "--log-format", "combined", "-f", "ndjson", code=4)
        assert len(objects(result)) == 1

    def test_rules_that_contradict_are_refused(self, crm: "Crm") -> None:
        log = crm.log("access.log", crm.line())
        assert "at most 1d" in crm("logs", "sessions", log, "--idle", "2d", code=4).stderr
        assert "duration" in crm("logs", "sessions", log, "--idle", "soon", code=2).stderr
