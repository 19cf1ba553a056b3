"""Formats with headers, of JSON and of the configuration, from run to run."""

import gzip
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm

KNOWN = sorted((Path(__file__).parents[2] / "logparse" / "known").glob("*.yaml"))
IIS = "#Fields: date time c-ip cs-method cs-uri-stem sc-status"
SHORT = "#Fields: sc-status cs-uri-stem time date"


def iis(minute: int, path: str = "/") -> str:
    return f"2026-03-02 10:{minute:02}:00 192.0.2.1 GET {path} 200"


def paths(crm: "Crm") -> list[str]:
    return [row["path"] for row in crm.rows("query", "select ts, path from hits order by ts")]


def sources(crm: "Crm") -> list[dict[str, Any]]:
    return crm.rows("logs", "status")


class TestHeaders:
    def test_lines_that_come_later_are_read_by_the_header_in_force(self, crm: "Crm") -> None:
        log = crm.log("u_ex.log", "#Version: 1.0", IIS, iis(0, "/a"))
        crm("logs", "mine", log)
        crm.grow(log, iis(1, "/b"))
        crm("logs", "mine", log)
        crm.grow(log, SHORT)
        crm("logs", "mine", log)
        crm.grow(log, "404 /c 10:02:00 2026-03-02")
        crm("logs", "mine", log)
        crm.grow(log, "404 /d 10:03:00 2026-03-02", IIS, iis(4, "/e"))
        crm("logs", "mine", log)
        assert paths(crm) == ["/a", "/b", "/c", "/d", "/e"]
        (source,) = sources(crm)
        assert (source["format"], source["lines"], source["hits"], source["blank"]) == ("w3c", 9, 5, 4)

    def test_pieces_give_what_one_pass_gives(self, crm: "Crm", new_crm: Any, tmp_path: Path, same: Any) -> None:
        lines = [IIS, iis(0, "/a"), iis(1, "/b"), SHORT, "200 /c 10:02:00 2026-03-02", IIS, iis(3, "/d")]
        (tmp_path / "one").mkdir()
        whole = new_crm(tmp_path / "one")
        whole("logs", "mine", whole.log("whole.log", *lines))
        log = crm.log("u_ex.log", lines[0], lines[1])
        crm("logs", "mine", log)
        for line in lines[2:]:
            crm.grow(log, line)
            crm("logs", "mine", log)
        same(crm.tables(), whole.tables())

    def test_a_date_that_only_the_header_says_is_kept_from_run_to_run(self, crm: "Crm") -> None:
        log = crm.log("u_ex.log", "#Date: 2026-03-02 00:00:00", "#Fields: time cs-uri-stem", "10:00:00 /a")
        crm("logs", "mine", log)
        crm.grow(log, "10:01:00 /b", "#Date: 2026-03-03 00:00:00", "10:02:00 /c")
        crm("logs", "mine", log)
        rows = crm.rows("query", "select ts, path from hits order by ts")
        assert [(row["ts"][:16], row["path"]) for row in rows] == [
            ("2026-03-02T10:00", "/a"),
            ("2026-03-02T10:01", "/b"),
            ("2026-03-03T10:02", "/c"),
        ]

    def test_a_date_is_kept_for_a_header_of_a_later_run_that_needs_it(self, crm: "Crm") -> None:
        log = crm.log("u_ex.log", IIS, iis(0, "/a"), "#Date: 2026-03-03 00:00:00")
        crm("logs", "mine", log)
        crm.grow(log, "2026-03-03 10:01:00 192.0.2.1 GET /b 200")
        crm("logs", "mine", log)
        crm.grow(log, "#Fields: time cs-uri-stem", "10:02:00 /c")
        crm("logs", "mine", log)
        assert paths(crm) == ["/a", "/b", "/c"]
        assert crm.rows("query", "select max(ts) as newest from hits")[0]["newest"][:16] == "2026-03-03T10:02"

    def test_a_header_without_time_spoils_only_the_lines_behind_it(self, crm: "Crm") -> None:
        log = crm.log("u_ex.log", IIS, iis(0, "/a"), iis(1, "/b"), "#Fields: cs-uri-stem", "/c")
        result = crm("logs", "mine", log)
        assert "line 5 rejected: does not fit the format at the #Fields: line before it" in result.stdout
        crm.grow(log, "/d", IIS, iis(2, "/e"))
        crm("logs", "mine", log)
        assert paths(crm) == ["/a", "/b", "/e"]

    def test_logs_that_share_a_header_are_different_sources(self, crm: "Crm") -> None:
        columns = '"time_micros","c_ip","cs_method","cs_uri","sc_status"'
        for number, path in enumerate("ab"):
            crm.log(f"iis{number}.log", "#Software: x" * 500, IIS, iis(number, f"/{path}"))
            crm.log(f"gcs{number}.csv", columns, f'"177240960{number}000000","192.0.2.1","GET","/{path}{path}","200"')
        crm("logs", "mine", *(crm.folder / name for name in ("iis0.log", "iis1.log", "gcs0.csv", "gcs1.csv")))
        assert [(source["format"], source["hits"]) for source in sources(crm)] == [("w3c", 1)] * 2 + [("gcs", 1)] * 2
        crm("logs", "mine", crm.folder / "iis1.log", crm.folder / "gcs1.csv", "--verify")
        assert len(paths(crm)) == 4

    def test_a_file_of_nothing_but_its_header_has_nothing_to_read_yet(self, crm: "Crm") -> None:
        log = crm.log("gcs.csv", '"time_micros","cs_uri"')
        assert "nothing to read yet" in crm("logs", "mine", log).stdout
        crm.grow(log, '"1772409600000000","/a"')
        crm("logs", "mine", log)
        assert paths(crm) == ["/a"]

    def test_a_rotated_and_compressed_log_goes_on_with_its_header(self, crm: "Crm") -> None:
        log = crm.log("u_ex.log", SHORT, "200 /a 10:00:00 2026-03-02")
        crm("logs", "mine", log)
        crm.grow(log, "200 /b 10:01:00 2026-03-02")
        packed = crm.folder / "u_ex.log.1.gz"
        packed.write_bytes(gzip.compress(log.read_bytes()))
        log.unlink()
        crm("logs", "mine", packed)
        assert paths(crm) == ["/a", "/b"]
        assert len(sources(crm)) == 1


class TestOfTheConfiguration:
    KEYS = (
        'logs: {formats: {shop: {syntax: json, keys: {"time:milliseconds": at, address: [ip, from.ip], target: url}}}}'
    )

    def test_a_map_of_keys_is_detected_and_named(self, crm: "Crm") -> None:
        crm.configure(self.KEYS)
        log = crm.log(
            "app.log", '{"at":1772445600000,"from":{"ip":"192.0.2.1"},"url":"/a"}', '{"at":1772445660000,"url":"/b"}'
        )
        assert "format shop" in crm("logs", "mine", log).stdout
        assert paths(crm) == ["/a", "/b"]
        listed = {row["name"]: row for row in crm.rows("logs", "formats")}
        assert listed["shop"]["syntax"] == "json"
        assert listed["shop"]["pattern"].startswith('{"time:milliseconds": "at"')

    def test_columns_of_csv_are_named_by_keys(self, crm: "Crm") -> None:
        crm.configure(
            'logs: {formats: {shop: {syntax: csv, pattern: "when,url", keys: {"time:iso": when, target: url}}}}'
        )
        log = crm.log(
            "app.csv", "when,url", '2026-03-02T10:00:00Z,"/a,b"', "when,url,status", "2026-03-02T10:01:00Z,/c,200"
        )
        crm("logs", "mine", log)
        assert paths(crm) == ["/a,b", "/c"]

    def test_a_format_comes_before_one_of_the_same_name(self, crm: "Crm") -> None:
        crm.configure("logs: {formats: {common: {syntax: named, pattern: '{time:iso} {target}', help: Ours.}}}")
        rows = [row for row in crm.rows("logs", "formats") if row["name"] == "common"]
        assert rows == [{"name": "common", "syntax": "named", "help": "Ours.", "pattern": "{time:iso} {target}"}]

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("{syntax: named, pattern: '{time}'}", "logs.formats.x: the format '{time}' has no request"),
            ("{syntax: json}", "logs.formats.x: '' is no map of keys"),
            ("{syntax: jason}", "logs.formats.x: no syntax `jason` (did you mean `json`?); there are"),
            ("{pattern: '%h'}", "logs.formats.x: the format '%h' has no time"),
            ("{pattern: 'a b'}", "logs.formats.x: 'a b' is no known format name"),
        ],
    )
    def test_a_mistake_is_told_with_its_place(self, crm: "Crm", text: str, said: str) -> None:
        crm.configure(f"logs: {{formats: {{x: {text}}}}}")
        assert said in crm("logs", "mine", crm.log("access.log", crm.line()), code=4).stderr

    def test_a_map_of_keys_is_remembered_without_its_name(self, crm: "Crm") -> None:
        crm.configure(self.KEYS)
        log = crm.log("app.log", '{"at":1772445600000,"url":"/a"}')
        crm("logs", "mine", log)
        crm.configure("")
        crm.grow(log, '{"at":1772445660000,"url":"/b"}')
        crm("logs", "mine", log)
        assert paths(crm) == ["/a", "/b"]


PATTERNS = {
    '{"time": "at", "target": "url"}': '{"at":"2026-03-02T10:00:00Z","url":"/a"}',
    "{time:iso} {target}": "2026-03-02T10:00:00Z /a",
    "#Fields: date time cs-uri-stem": "2026-03-02 10:00:00 /a",
    "[$time_iso8601] $host$request_uri": "[2026-03-02T10:00:00+00:00] www.example.com/a",
}


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_of_any_syntax_is_an_option(crm: "Crm", pattern: str) -> None:
    rows = crm.rows("logs", "parse", "--log-format", pattern, crm.log("any.log", PATTERNS[pattern]))
    assert [(row["ts"], row["path"]) for row in rows] == [("2026-03-02T10:00:00+00:00", "/a")]


@pytest.mark.parametrize("path", KNOWN, ids=lambda path: path.stem)
def test_every_known_log_is_detected_and_parsed(crm: "Crm", path: Path) -> None:
    sample = yaml.safe_load(path.read_text(encoding="utf-8"))
    log = crm.log("any.log", sample["log"], end="")
    assert f"{log}: {path.stem} fits 100.0%" in crm("logs", "formats", "--detect", log).stderr
    rows = crm.rows("logs", "parse", log)
    assert [row["path"] for row in rows] == [hit.get("path") for hit in sample["hits"]]
