"""How the program ends: exit codes, and what it says on stderr."""

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Program

ENDS = {"CrmError": 1, "TooManyRejects": 3, "Unusable": 4, "Locked": 5, "NothingFound": 6, "Refused": 7}


def said(stderr: str) -> list[str]:
    """What was said, without the built-in plugins' own failures."""
    return [line for line in stderr.splitlines() if "of crm-toolkit" not in line]


@pytest.mark.parametrize("name", ENDS)
def test_a_users_mistake_is_one_sentence_with_its_exit_code(crm: "Program", name: str) -> None:
    result = crm("probe", "raises", name)
    assert result.exit_code == ENDS[name]
    assert said(result.stderr) == ["crm: what is wrong"]
    assert result.stdout == "before\n"


def test_wrong_usage_is_exit_code_2(crm: "Program") -> None:
    assert crm("probe", "raises", "UsageError").exit_code == 2
    assert crm("probe", "raises", "exit", "superfluous").exit_code == 2
    assert crm("--no-such-option").exit_code == 2
    assert crm("-q", "-v", "probe", "app").exit_code == 2


def test_a_command_chooses_its_own_exit_code(crm: "Program") -> None:
    assert crm("probe", "raises", "exit").exit_code == 7


def test_success_is_exit_code_0(crm: "Program") -> None:
    assert crm("probe", "app").exit_code == 0


def test_a_bug_says_that_it_is_one_of_which_type_and_whose(crm: "Program") -> None:
    result = crm("probe", "raises", "KeyError")
    assert result.exit_code == 1
    (sentence,) = said(result.stderr)
    assert sentence.startswith("crm: this is a bug in plugin 'crm_plugin_probe' of ")
    assert "(KeyError: 'what is wrong')" in sentence
    assert "-v" in sentence


def test_a_bug_shows_its_traceback_with_v(crm: "Program") -> None:
    result = crm("-v", "probe", "raises", "KeyError")
    assert result.exit_code == 1
    assert "Traceback" in result.stderr
    assert 'raise kinds[name]("what is wrong")' in result.stderr


def test_a_full_disk_is_no_bug(crm: "Program") -> None:
    result = crm("probe", "raises", "full")
    assert result.exit_code == 4
    assert said(result.stderr) == ["crm: No space left on device"]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("files", "crm: Too many open files"),
        ("denied", "crm: /there/it is: permission denied"),
        ("memory", "crm: there is too little memory, or too little is allowed (ulimit -v)"),
    ],
)
def test_a_limit_of_the_caller_is_no_bug(crm: "Program", name: str, sentence: str) -> None:
    result = crm("probe", "raises", name)
    assert result.exit_code == 4
    assert said(result.stderr) == [sentence]


def test_a_command_that_cannot_be_imported_names_its_plugin_and_the_others_go_on(crm: "Program") -> None:
    result = crm("probe", "lost")
    assert result.exit_code == 1
    (sentence,) = said(result.stderr)
    assert "plugin 'crm_plugin_probe'" in sentence
    assert "No module named 'no_such_module'" in sentence
    assert "Traceback" in crm("-v", "probe", "lost").stderr
    assert crm("probe", "app").exit_code == 0


def test_help_of_a_group_with_a_command_that_cannot_be_imported_works(crm: "Program") -> None:
    assert "lost    Is not there." in crm("probe", "--help").stdout


def test_ctrl_c_ends_with_130_and_one_sentence(crm: "Program") -> None:
    with crm.process("-q", "probe", "sleep") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130
    assert said(stderr.decode()) == ["crm: interrupted"]


def test_ctrl_c_while_the_program_is_still_being_imported_ends_it_in_the_same_way() -> None:
    program = """
import sys
class Interrupted:
    def find_spec(self, name, *_):
        if name == "cli.main":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupted())
from cli.start import run
run()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "crm: interrupted\n")


def test_nothing_that_a_terminal_would_obey_is_in_a_message(crm: "Program") -> None:
    done = crm("probe", "raises", "\x1b[31mred")
    assert (done.exit_code, "\x1b" in done.stderr) == (1, False)
    assert r"\x1b[31mred" in done.stderr
    done = crm("probe", "\x1b[31mred")
    assert (done.exit_code, "\x1b" in done.stderr) == (2, False)
    assert r"\x1b[31mred" in done.stderr


def test_a_reader_that_goes_away_ends_the_program_quietly(crm: "Program") -> None:
    with crm.process("probe", "lines") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"0\n"
        process.stdout.close()
        process.stdout = None
        _, stderr = process.communicate(timeout=30)
    assert process.returncode == 141
    assert said(stderr.decode()) == []


@pytest.mark.parametrize(("gone", "left"), [("stdout", "stderr"), ("stderr", "stdout")])
def test_a_stream_that_closes_before_the_last_flush_is_quiet_too(crm: "Program", gone: str, left: str) -> None:
    with crm.process("-q", "probe", "late") as process:
        assert process.stdin is not None
        getattr(process, gone).close()
        process.stdin.write(b"go\n")
        process.stdin.close()
        seen = getattr(process, left).read()
        assert process.wait(timeout=30) == 141
    assert said(seen.decode()) == ["late"]


def test_closed_standard_output_is_no_bug(crm: "Program") -> None:
    command = f"{sys.executable} -m cli --version >&-"
    done = subprocess.run(["sh", "-c", command], capture_output=True, env=crm.environment, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_full_disk_behind_standard_output_is_named_once(crm: "Program") -> None:
    command = f"{sys.executable} -m cli --version >/dev/full"
    done = subprocess.run(["sh", "-c", command], capture_output=True, env=crm.environment, check=False)
    assert done.returncode == 4
    assert done.stderr == b"crm: stdout: no space left on device\n"


@pytest.mark.parametrize("python", [{}, {"PYTHONUNBUFFERED": "1"}])
def test_a_full_disk_behind_a_table_is_named_once(crm: "Program", python: dict[str, str]) -> None:
    command = f"{sys.executable} -m cli -q tables >/dev/full"
    done = subprocess.run(["sh", "-c", command], capture_output=True, env=crm.environment | python, check=False)
    assert done.returncode == 4
    assert done.stderr == b"crm: stdout: no space left on device\n"


def test_any_text_prints_in_a_plain_c_locale(crm: "Program") -> None:
    environment = {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    with crm.process("probe", "text", env=environment) as process:
        stdout, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert stdout == "café 客户 \\ud800 \\udcff\n".encode()
