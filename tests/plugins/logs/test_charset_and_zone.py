"""`--charset` and `--log-tz`: what they do from the command line, and that nothing mixes."""

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.plugins.conftest import Crm

LOCAL = '%h - %u [%{%Y-%m-%d %H:%M:%S}t] "%r" %s %b'
GBK_QUERY = quote("q=手机 小米".encode("gbk"), safe="=")
BIG5_QUERY = quote("q=許功蓋 一乙".encode("big5"), safe="=")


def queries(crm: "Crm", *args: object) -> list[Any]:
    return [row["query"] for row in crm.rows("logs", "parse", *args)]


def local(crm: "Crm", name: str, *times: str) -> "Path":
    return crm.log(name, *(f'192.0.2.{n} - - [{time}] "GET /{n} HTTP/1.1" 200 5' for n, time in enumerate(times)))


class TestCharset:
    def test_query_strings_of_gbk_and_big5_survive(self, crm: "Crm") -> None:
        one = crm.log("gbk.log", crm.line(0, f"/s?{GBK_QUERY}"), crm.line(1, f"/s?{quote('q=手机', safe='=')}"))
        assert queries(crm, one, "--charset", "gbk") == ["q=手机%20小米", "q=手机"]
        assert queries(crm, one, "--charset", "GB2312") == ["q=手机%20小米", "q=手机"]
        assert "手机%20" not in queries(crm, one)[0]
        two = crm.log("big5.log", crm.line(0, f"/s?{BIG5_QUERY}"), crm.line(1, f"/s?{quote('q=許功', safe='=')}"))
        assert queries(crm, two, "--charset", "big5") == ["q=許功蓋%20一乙", "q=許功"]

    @pytest.mark.parametrize("name", ["gbk", "big5"])
    def test_bytes_of_lines_are_in_it_raw_or_escaped_by_the_server(self, crm: "Crm", name: str) -> None:
        words = "中文" if name == "gbk" else "許功蓋中文"
        log = crm.folder / "raw.log"
        raw = words.encode(name)
        escaped = "".join(f"\\x{byte:02X}" if byte > 126 or byte == 92 else chr(byte) for byte in raw)
        log.write_bytes(
            crm.line(0, "/RAW", agent="Firefox RAW").replace("RAW", words).encode(name)
            + b"\n"
            + crm.line(1, f"/{escaped}", agent=f"Firefox {escaped}").encode()
            + b"\n"
        )
        crm("logs", "mine", log, "--charset", name)
        found = crm.rows("query", "select page, agent from hits order by line")
        assert found == [{"page": f"/{words}", "agent": f"Firefox {words}"}] * 2

    def test_the_configuration_names_it_and_the_option_comes_first(self, crm: "Crm") -> None:
        crm.configure("logs: {charset: GBK}")
        log = crm.log("a.log", crm.line(0, f"/s?{GBK_QUERY}"))
        assert queries(crm, log) == ["q=手机%20小米"]
        assert "手" not in queries(crm, log, "--charset", "utf-8")[0]
        (row,) = crm.rows("logs", "sessions", log, "--charset", "gb18030")
        assert row["views"] == 1

    def test_formats_are_detected_in_it(self, crm: "Crm") -> None:
        log = crm.folder / "big5.log"
        log.write_bytes(b"".join(crm.line(n, "/", referrer="http://a/功").encode("big5") + b"\n" for n in range(4)))
        assert "combined fits 100.0%" in crm("logs", "formats", "--detect", log, "--charset", "big5").stderr
        crm.configure("logs: {charset: big5}")
        assert "combined fits 100.0%" in crm("logs", "formats", "--detect", log).stderr

    @pytest.mark.parametrize(
        ("name", "said"),
        [("klingon", "`klingon` is not a charset"), ("utf-16", "does not keep ASCII as it is")],
    )
    def test_one_that_cannot_be_used_is_told_in_a_sentence(self, crm: "Crm", name: str, said: str) -> None:
        log = crm.log("a.log", crm.line())
        for command in (["parse", log], ["mine", log], ["sessions", log], ["formats", "--detect", log]):
            assert said in crm("logs", *command, "--charset", name, code=2).stderr
        crm.configure(f"logs: {{charset: {name}}}")
        result = crm("logs", "mine", log, code=4)
        assert said in result.stderr
        assert "logs.charset" in result.stderr

    def test_a_log_does_not_go_on_in_another(self, crm: "Crm") -> None:
        log, other = crm.log("a.log", crm.line(0, f"/s?{GBK_QUERY}")), crm.log("b.log", crm.line(1, "/b"))
        crm("logs", "mine", log)
        log.touch()
        crm("logs", "mine", log, "--charset", "gbk")  # nothing is new
        crm.grow(log, crm.line(60, "/c"))
        result = crm("logs", "mine", log, other, "--charset", "gbk", code=4)
        assert "read in the charset utf-8 before and cannot go on in gbk" in result.stderr
        assert "`crm logs drop 1`" in result.stderr
        assert crm.counts() == (2, 2)
        assert [row["charset"] for row in crm.rows("logs", "status")] == ["utf-8", "gbk"]
        crm("logs", "drop", 1, "--yes")
        crm("logs", "mine", log, "--charset", "gbk")
        assert crm.rows("query", "select query from hits where page = '/s'") == [{"query": "q=手机%20小米"}]
        assert crm.counts() == (3, 2)

    def test_a_rebuild_keeps_what_was_decoded(self, crm: "Crm") -> None:
        log = crm.log("a.log", crm.line(0, quote("/手机".encode("gbk"))))
        crm("logs", "mine", log, "--charset", "gbk")
        before = crm.tables()
        crm("logs", "rebuild")
        assert all(frame.equals(before[name]) for name, frame in crm.tables().items())
        assert crm.table("hits")["page"].to_list() == ["/手机"]


class TestZone:
    def test_times_without_an_offset_are_in_it(self, crm: "Crm") -> None:
        log = local(crm, "a.log", "2026-03-02 00:30:00")
        options = ("--log-format", LOCAL)
        for given, utc in (((), "2026-03-02T00:30"), (("--log-tz", "Asia/Shanghai"), "2026-03-01T16:30")):
            (hit,) = crm.rows("logs", "parse", log, *options, *given)
            (session,) = crm.rows("logs", "sessions", log, *options, *given)
            assert hit["ts"][:16] == session["start"][:16] == utc
        crm.configure("logs: {tz: Asia/Shanghai}")
        crm("logs", "mine", log, *options)
        assert crm.rows("query", "select date, ts from hits", "--tz", "Asia/Shanghai") == [
            {"date": "2026-03-01", "ts": "2026-03-02T00:30:00+08:00"}
        ]

    def test_a_night_on_which_clocks_are_put_back_keeps_every_line(self, crm: "Crm") -> None:
        times = [f"2026-10-25 02:{minute}:00" for minute in ("10", "50", "10", "50")] + ["2026-10-25 03:10:00"]
        log = local(crm, "a.log", *times)
        crm("logs", "mine", log, "--log-format", LOCAL, "--log-tz", "Europe/Berlin")
        found = [row["ts"] for row in crm.rows("query", "select ts from hits order by line", "--tz", "Europe/Berlin")]
        assert found == [
            "2026-10-25T02:10:00+02:00",
            "2026-10-25T02:50:00+02:00",
            "2026-10-25T02:10:00+02:00",
            "2026-10-25T02:50:00+02:00",
            "2026-10-25T03:10:00+01:00",
        ]

    def test_where_lines_have_offsets_the_zone_is_of_no_matter(self, crm: "Crm") -> None:
        log = crm.log("a.log", crm.line(0), crm.line(5).replace("+0000", "+0800"))
        crm("logs", "mine", log, "--log-tz", "Asia/Tokyo")
        assert [row["tz"] for row in crm.rows("logs", "status")] == [None]
        assert crm.table("hits")["ts"].dt.hour().to_list() == [16, 0]
        crm.grow(log, crm.line(60))
        crm("logs", "mine", log, "--log-tz", "Europe/Berlin")
        assert crm.counts() == (3, 1)

    def test_a_log_does_not_go_on_in_another(self, crm: "Crm") -> None:
        log = local(crm, "a.log", "2026-03-02 00:30:00")
        crm("logs", "mine", log, "--log-format", LOCAL, "--log-tz", "Asia/Shanghai")
        crm.grow(log, '192.0.2.1 - - [2026-03-02 01:00:00] "GET / HTTP/1.1" 200 5')
        result = crm("logs", "mine", log, code=4)
        assert "read in the time zone Asia/Shanghai before and cannot go on in UTC" in result.stderr
        assert crm.counts() == (1, 1)
        crm("logs", "mine", log, "--log-tz", "Asia/Shanghai")
        assert crm.counts() == (2, 1)
        assert [row["tz"] for row in crm.rows("logs", "status")] == ["Asia/Shanghai"]

    def test_an_unknown_zone_is_told_with_the_nearest(self, crm: "Crm") -> None:
        said = crm("logs", "mine", crm.log("a.log", crm.line()), "--log-tz", "Asia/Shangai", code=2).stderr
        assert "did you mean `Asia/Shanghai`?" in said


def test_columns_that_a_ledger_of_an_older_version_lacks_are_added(crm: "Crm") -> None:
    import sqlite3

    log = crm.log("a.log", *crm.lines(3))
    crm("logs", "mine", log)
    connection = sqlite3.connect(crm.workspace / "records.db")
    for column in ("charset", "tz", "cut"):
        connection.execute(f"alter table sources drop column {column}")
    connection.commit()
    connection.close()
    assert crm.rows("logs", "status")[0]["charset"] == "utf-8"
    crm.grow(log, *crm.lines(1, first=9))
    crm("logs", "mine", log)
    assert crm.counts() == (4, 1)
