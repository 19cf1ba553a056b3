"""`--metrics` and `--json-summary -`: what monitoring reads."""

import json
import re
import time
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from plugins.logs import metrics

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_SAMPLE = re.compile(rf"({_NAME})(?:\{{(.*)\}})? (-?\d+(?:\.\d+)?)")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"')

Key = tuple[str, tuple[tuple[str, str], ...]]


def parsed(text: str) -> dict[Key, float]:
    """The samples of the text format, read strictly: one HELP and TYPE before each family, nothing twice."""
    assert text.endswith("\n")
    found: dict[Key, float] = {}
    families: dict[str, str] = {}
    helped = family = ""
    for line in text.removesuffix("\n").split("\n"):
        if line.startswith("# HELP "):
            helped = line.split(" ", 3)[2]
            assert helped not in families
            assert "\\" not in line
        elif line.startswith("# TYPE "):
            _, _, family, kind = line.split(" ")
            assert family == helped
            assert (kind == "counter") == family.endswith("_total")
            families[family] = kind
        else:
            match = _SAMPLE.fullmatch(line)
            assert match, line
            name, labels, value = match.groups()
            assert name == family
            pairs = _LABEL.findall(labels or "")
            assert ",".join(f'{key}="{text}"' for key, text in pairs) == (labels or "")
            key = name, tuple((key, re.sub(r"\\(.)", _unescaped, text)) for key, text in pairs)
            assert key not in found, line
            found[key] = float(value)
    return found


def _unescaped(match: re.Match[str]) -> str:
    return "\n" if match[1] == "n" else match[1]


def test_they_say_what_the_run_did_and_what_is_stored(crm: "Crm") -> None:
    crm.configure("logs: {drop: [{name: 'he\"alth', path: [/health]}]}")
    log = crm.log('a "b"\\c.log', crm.line(), crm.line(1, "/health"), "", "broken", crm.line(2))
    file = crm.folder / "crm.prom"
    crm("logs", "mine", log, "--metrics", file)
    found = parsed(file.read_text(encoding="utf-8"))
    name = (("log", str(log)),)
    wanted = {
        ("run", ()): 1,
        ("sources", ()): 1,
        ("last_run_success", ()): 1,
        ("last_run_refused_logs", ()): 0,
        ("last_run_failed_miners", ()): 0,
        ("last_run_sessions", ()): 1,
        ("last_run_visitors", ()): 1,
        ("stored_rows", (("table", "hits"),)): 2,
        ("stored_rows", (("table", "sessions"),)): 1,
        ("last_run_log_lines", name): 5,
        ("last_run_log_hits", name): 2,
        ("last_run_log_rejected", name): 1,
        ("last_run_log_refused", name): 0,
        ("newest_hit_timestamp_seconds", ()): crm.START.timestamp() + 2,
        **{
            (f"{before}{what}{after}", labels): count
            for before, after in (("", "_total"), ("last_run_", ""))
            for what, labels, count in (
                ("lines", (), 5),
                ("hits", (), 2),
                ("blank", (), 1),
                ("filtered", (("rule", 'he"alth'),), 1),
                ("rejected", (("reason", "does not fit the format"),), 1),
            )
        },
    }
    for (metric, labels), value in wanted.items():
        assert found[f"crm_logs_{metric}", labels] == value, metric
    now = time.time()
    assert now - 60 < found["crm_logs_last_run_timestamp_seconds", ()] <= now
    age = found["crm_logs_newest_hit_age_seconds", ()]
    assert abs(now - age - found["crm_logs_newest_hit_timestamp_seconds", ()]) < 60
    assert {metric.removeprefix("crm_logs_") for metric, _ in found} == set(metrics.HELP)
    assert 0 < found["crm_logs_last_run_seconds", ()] < 60


def test_totals_grow_and_those_of_the_last_run_are_its_own(crm: "Crm") -> None:
    log, file = crm.log("a.log", *crm.lines(5)), crm.folder / "crm.prom"
    crm("logs", "mine", log, "--metrics", file)
    crm.grow(log, *crm.lines(3, first=10))
    crm("logs", "mine", log, "--metrics", file)
    found = parsed(file.read_text())
    assert (found["crm_logs_lines_total", ()], found["crm_logs_last_run_lines", ()]) == (8, 3)
    crm("logs", "mine", log, "--metrics", file)
    found = parsed(file.read_text())
    assert (found["crm_logs_lines_total", ()], found["crm_logs_last_run_lines", ()]) == (8, 0)
    assert found["crm_logs_run", ()] == 2


def test_a_run_without_success_keeps_the_time_of_the_last_one(crm: "Crm") -> None:
    log, file = crm.log("a.log", *crm.lines(5)), crm.folder / "crm.prom"
    crm("logs", "mine", log, "no.log", "--metrics", file, code=4)
    found = parsed(file.read_text())
    assert ("crm_logs_last_success_timestamp_seconds", ()) not in found
    assert (found["crm_logs_last_run_refused_logs", ()], found["crm_logs_last_run_success", ()]) == (1, 0)
    assert found["crm_logs_last_run_log_refused", (("log", "no.log"),)] == 1
    crm("logs", "mine", log, "--metrics", file)
    first = parsed(file.read_text())["crm_logs_last_success_timestamp_seconds", ()]
    crm.grow(log, "broken")
    crm("logs", "mine", log, "--metrics", file, "--max-rejects", "0", code=3)
    found = parsed(file.read_text())
    assert (
        found["crm_logs_last_success_timestamp_seconds", ()] == first < found["crm_logs_last_run_timestamp_seconds", ()]
    )
    assert found["crm_logs_last_run_success", ()] == 0


@given(st.text(), st.floats(0, 1e15))
def test_any_label_and_number_can_be_read(label: str, value: float) -> None:
    line = metrics._family("lines_total", [("lines_total", {"log": label}, value)])
    ((_, ((_, read),)), number), *more = parsed(line).items()
    assert not more
    assert read == label.encode("utf-8", "backslashreplace").decode()
    assert abs(number - value) <= 1e-6 * max(1, value)


def test_the_summary_may_go_to_standard_output_with_the_one_for_people_on_stderr(crm: "Crm") -> None:
    result = crm("logs", "mine", crm.log("a.log", *crm.lines(5)), "--json-summary", "-")
    assert json.loads(result.stdout)["lines"] == 5
    assert "5 lines = 5 hits" in result.stderr
    result = crm("-q", "logs", "mine", crm.log("a.log", *crm.lines(6)), "--json-summary", "-")
    assert (json.loads(result.stdout)["run"], result.stderr) == (2, "")
