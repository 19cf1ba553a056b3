"""The crontab line, the units and the logrotate snippet of docs/operations.md, taken from the page and tried."""

import configparser
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"
GOOD = '192.0.2.{} - - [02/Mar/2026:10:15:{:02}  +0000] "GET /a HTTP/1.1" 200 5 "-" "Mozilla/5.0"'.replace("  ", " ")


def block(kind: str, title: str = "") -> str:
    """A block of the page; there is one of each."""
    info = f'{kind} title="{title}"' if title else kind
    (found,) = re.findall(rf"^```{re.escape(info)}\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    return str(found)


class Machine:
    """The folders that the page names, in a folder of the test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("opt/crm/bin", "srv/crm", "srv/metrics", "var/log/nginx", "home"):
            (folder / name).mkdir(parents=True)
        self.program = folder / "opt/crm/bin/crm"
        self.program.write_text(f'#!/bin/sh\nexec {sys.executable} -P -m cli "$@"\n')
        self.program.chmod(0o755)
        self.log = folder / "var/log/nginx/access.log"
        self.log.write_text("".join(f"{GOOD.format(n, n)}\n" for n in range(1, 9)))

    def here(self, text: str) -> str:
        """A text of the page with its paths in the folder."""
        for name in ("/opt/crm", "/srv/", "/var/log/nginx"):
            assert name in text
        return re.sub(r"(?<![\w/])/(opt|srv|var)/", rf"{self.folder}/\1/", text)

    def check_runs(self, run: "list[str]", environment: dict[str, str]) -> None:
        """A command stores the log and is quiet; it is loud about what is wrong."""

        def call() -> "subprocess.CompletedProcess[str]":
            return subprocess.run(
                run, env=environment, cwd=self.folder / "home", capture_output=True, text=True, check=False, timeout=60
            )

        first = call()
        assert (first.returncode, first.stdout, first.stderr) == (0, "", "")
        metrics = (self.folder / "srv/metrics/crm.prom").read_text()
        assert "crm_logs_hits_total 8\n" in metrics
        self.log.rename(self.log.with_name("access.log.1"))
        self.log.write_text(f"{GOOD.format(1, 30)}\n" * 3 + "broken\n")
        second = call()
        assert (second.returncode, second.stdout) == (3, "")
        assert "1 of 4 lines were rejected, more than 1% are allowed" in second.stderr
        assert "crm_logs_hits_total 11\n" in (self.folder / "srv/metrics/crm.prom").read_text()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def cron_lines(text: str) -> tuple[dict[str, str], list[tuple[list[str], str]]]:
    """The variables of a crontab, and its jobs: five fields and a command with `%` as cron reads it."""
    variables: dict[str, str] = {}
    jobs = []
    for line in text.splitlines():
        if assigned := re.fullmatch(r"(\w+)\s*=\s*(.*)", line):
            variables[assigned[1]] = assigned[2]
        else:
            *fields, command = line.split(None, 5)
            before_percent = re.split(r"(?<!\\)%", command)[0]
            jobs.append((fields, before_percent.replace(r"\%", "%")))
    return variables, jobs


def field_is_valid(field: str, low: int, high: int) -> bool:
    """Whether a field of a crontab is a list of numbers, ranges and steps within its limits."""
    for item in field.split(","):
        match = re.fullmatch(r"(?:\*|(\d+)(?:-(\d+))?)(?:/(\d+))?", item)
        if not match:
            return False
        first, last, step = (int(number) if number else None for number in match.groups())
        if any(number is not None and not low <= number <= high for number in (first, last)) or step == 0:
            return False
        if first is not None and last is not None and last < first:
            return False
    return True


LIMITS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))


def test_the_crontab_has_five_valid_fields() -> None:
    _, ((fields, _),) = cron_lines(block("crontab"))
    assert [field_is_valid(field, *limits) for field, limits in zip(fields, LIMITS, strict=True)] == [True] * 5
    for wrong in ("60", "*/0", "5-3", "x", "", "*/"):
        assert not field_is_valid(wrong, 0, 59)


def test_the_crontab_line_works_as_cron_calls_it(machine: Machine) -> None:
    variables, ((_, command),) = cron_lines(machine.here(block("crontab")))
    assert "'" in command
    environment = {"HOME": str(machine.folder / "home"), "LOGNAME": "crm", "SHELL": "/bin/sh", "PATH": "/usr/bin:/bin"}
    machine.check_runs(["/bin/sh", "-c", command], environment | variables)


def test_the_service_runs_what_it_says(machine: Machine) -> None:
    unit = configparser.RawConfigParser(strict=True)
    unit.optionxform = str  # type: ignore[assignment,method-assign]  # keys keep their case
    unit.read_string(machine.here(block("ini", "crm-mine.service")))
    service = unit["Service"]
    words = [word.replace("%%", "%") for word in shlex.split(service["ExecStart"])]
    name, _, value = service["Environment"].partition("=")
    words.remove("--log-json")
    machine.check_runs(words, {"PATH": "/usr/bin:/bin", name: value})
    written = service["ReadWritePaths"].split()
    assert all(Path(path).is_dir() for path in written)
    assert value in written
    assert any(word.startswith(path) for word in words for path in written)


def test_systemd_understands_the_units(machine: Machine) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    service = machine.here(block("ini", "crm-mine.service")).replace("User=crm", "User=root")
    (machine.folder / "crm-mine.service").write_text(service)
    (machine.folder / "crm-mine.timer").write_text(block("ini", "crm-mine.timer"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "crm-mine.service", "crm-mine.timer"],
        cwd=machine.folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "SYSTEMD_UNIT_PATH": f"{machine.folder}:"},
    )
    if "Failed to initialize manager" in done.stderr or "Failed to setup working directory" in done.stderr:
        pytest.skip(f"systemd-analyze does not work here: {done.stderr.splitlines()[0]}")
    assert [line for line in done.stderr.splitlines() if "crm-mine" in line] == []
    assert done.returncode == 0, done.stderr


UNIT_KEYS = {
    "crm-mine.service": {
        "Unit": {"Description", "Documentation"},
        "Service": {
            *("Type", "User", "SupplementaryGroups", "Environment", "ExecStart", "Nice", "NoNewPrivileges"),
            *("PrivateTmp", "ProtectSystem", "ReadWritePaths"),
        },
    },
    "crm-mine.timer": {
        "Unit": {"Description"},
        "Timer": {"OnCalendar", "RandomizedDelaySec", "Persistent"},
        "Install": {"WantedBy"},
    },
}


@pytest.mark.parametrize("name", UNIT_KEYS)
def test_the_units_have_only_known_keys_in_their_sections(name: str) -> None:
    unit = configparser.RawConfigParser(strict=True)
    unit.optionxform = str  # type: ignore[assignment,method-assign]  # keys keep their case
    unit.read_string(block("ini", name))
    assert {section: set(unit[section]) for section in unit.sections()} == UNIT_KEYS[name]


def test_the_timer_comes_every_five_minutes_like_the_crontab() -> None:
    assert "OnCalendar=*:0/5\n" in block("ini", "crm-mine.timer")
    assert block("crontab").splitlines()[1].startswith("*/5 * * * * ")


def test_logrotate_understands_the_snippet_and_the_pattern_matches_what_it_makes(machine: Machine) -> None:
    program = shutil.which("logrotate", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if program is None:
        pytest.skip("logrotate is not installed")
    text = re.sub(r"(?<![\w/])/var/", f"{machine.folder}/var/", block("logrotate"))
    assert "create 0640 www-data adm" in text
    text = text.replace("www-data adm", "root root") if os.geteuid() == 0 else text.replace(" www-data adm", "")
    config = machine.folder / "logrotate.conf"
    config.write_text(text)
    config.chmod(0o644)
    for folder in (machine.folder / "var/log/nginx", machine.folder / "var/log", machine.folder / "var"):
        folder.chmod(0o755)
    state = machine.folder / "state"
    tried = subprocess.run([program, "-d", "-s", state, config], capture_output=True, text=True, check=False)
    assert (tried.returncode, "error" in tried.stderr.lower()) == (0, False), tried.stderr
    assert "considering log" in tried.stderr
    done = subprocess.run([program, "-f", "-s", state, config], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    names = {file.name for file in (machine.folder / "var/log/nginx").glob("access.log*")}
    assert names == {"access.log", "access.log.1"}


def test_the_page_names_every_metric_and_no_other() -> None:
    from plugins.logs.metrics import HELP

    page = PAGE.read_text("utf-8").partition("## Monitoring")[2].partition("\n```promql")[0]
    named: set[str] = set()
    for row in re.findall(r"^\| (`.*?`) \|", page, re.MULTILINE):
        names = [re.sub(r"\{.*", "", name) for name in re.findall(r"`([^`]+)`", row)]
        first = names[0]
        shared = "last_run" if first.startswith("last_run_") else ""
        named |= {f"{shared}{name}" if name.startswith("_") else name for name in names}
    assert named == set(HELP)
