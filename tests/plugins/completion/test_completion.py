"""Completion: the scripts, and the values that are completed, in real shells where they are there."""

import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest
from click.testing import CliRunner

from cli.main import main
from crm.completing import MOST
from plugins.completion.scripts import SHELLS, script

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm

PATIENCE = 60.0
"""So many seconds a shell may take to complete a word."""

CUSTOMERS = "id,name,city\n" + "".join(f"K{n:03},张三,深圳\n" for n in range(MOST + 20))


def completed(crm: "Crm", *words: str) -> list[str]:
    """What the shell is offered for the last of the words."""
    line = " ".join(["crm", "-w", str(crm.workspace), *words])
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CRM_")}
    environment |= {"COMP_WORDS": line, "COMP_CWORD": str(2 + len(words)), "_CRM_COMPLETE": "bash_complete"}
    code = "from cli.main import run; run()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stderr == ""
    return done.stdout.split()


@pytest.fixture
def people(crm: "Crm") -> "Crm":
    file = crm.folder / "people.csv"
    file.write_text(CUSTOMERS, encoding="utf-8")
    crm("customers", "import", file)
    return crm


def test_commands_and_options(crm: "Crm") -> None:
    assert completed(crm, "customers", "seg") == ["plain,segment", "plain,segments"]
    assert completed(crm, "logs", "mine", "--verif") == ["plain,--verify"]


def test_files(crm: "Crm") -> None:
    assert completed(crm, "logs", "mine", "acc") == ["file,acc"]
    assert completed(crm, "customers", "list", "-o", "x") == ["file,x"]
    assert completed(crm, "customers", "rfm", "--input", "x") == ["file,x"]


def test_tables_and_their_columns(crm: "Crm") -> None:
    assert completed(crm, "tables", "seg") == ["plain,segment_members"]
    assert "plain,city" in completed(crm, "customers", "list", "--columns", "ci")
    found = completed(crm, "customers", "list", "--columns", "city,c")
    assert "plain,city,customer" in found
    assert "plain,city,city" not in found


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("logs", "parse", "--log-format", "comb"), ["combined"]),
        (("logs", "mine", "--log-format", "au"), ["auto"]),
        (("logs", "mine", "--log-tz", "Asia/Shang"), ["Asia/Shanghai"]),
        (("tickets", "quality", "--by", "fault_c"), ["fault_cause", "fault_code"]),
        (("tickets", "quality", "--by", "fault_cause,fault_c"), ["fault_cause,fault_code"]),
        (("recommend", "for", "--algorithm", "pop"), ["popularity"]),
        (("recommend", "evaluate", "--algorithms", "popularity,pop"), []),
        (("push", "send", "--channel", "ema"), ["email"]),
        (("tickets", "events", "list", "--columns", "be"), ["before"]),
        (("tickets", "list", "--columns", "st"), ["state"]),
        (("push", "tiers", "--columns", ""), ["customer", "grade", "tier"]),
        (("query", "--columns", ""), []),
        (("paths", "pages", "--columns", "e"), ["entries", "exits", "exit_rate"]),
        (("paths", "pages", "--columns", "exits,exit"), ["exits,exit_rate"]),
    ],
)
def test_names_that_the_program_knows(crm: "Crm", words: tuple[str, ...], offered: list[str]) -> None:
    assert completed(crm, *words) == [f"plain,{name}" for name in offered]


def test_tickets_and_what_belongs_to_them(crm: "Crm") -> None:
    workspace = crm.open()
    with workspace.records.begin() as connection:
        for table, key, ids in (("tickets", "ticket", ["T001", "T002"]), ("dealers", "dealer", ["D1"])):
            workspace.records.append(connection, table, pl.DataFrame({key: ids}))
        workspace.records.append(connection, "seats", pl.DataFrame({"seat": ["S1"], "level": [1]}))
    for command in ("show", "submit", "settle"):
        assert completed(crm, "tickets", command, "T") == ["plain,T001", "plain,T002"]
    assert completed(crm, "tickets", "settle", "--dealer", "") == ["plain,D1"]
    assert completed(crm, "tickets", "queue", "--seat", "") == ["plain,S1"]


def test_customers_once_something_is_typed_and_not_too_many(people: "Crm") -> None:
    assert completed(people, "customers", "show", "K00") == [f"plain,K00{n}" for n in range(10)]
    assert len(completed(people, "customers", "show", "K")) == MOST
    assert completed(people, "customers", "show", "") == []
    assert completed(people, "customers", "show", "k0_") == []


def test_customers_only_for_those_who_may_see_them(people: "Crm") -> None:
    people.configure("access: {role: viewer}\n")
    assert completed(people, "customers", "show", "K00") == []


def test_segments_and_campaigns(people: "Crm") -> None:
    rules = people.folder / "rules.yaml"
    rules.write_text("segments: {深圳人: \"city = '深圳'\", others: \"city != '深圳'\"}\n", encoding="utf-8")
    people("customers", "segment", rules)
    assert completed(people, "customers", "export", "--segment", "") == ["plain,深圳人"]
    workspace = people.open()
    with workspace.records.begin() as connection:
        for table, name in (("campaign_arms", "spring"), ("outbox", "summer"), ("outbox", "winter")):
            key = {"campaign_arms": "customer", "outbox": "message"}[table]
            workspace.records.append(connection, table, pl.DataFrame({key: [name], "campaign": [name]}))
    assert completed(people, "push", "effect", "s") == ["plain,spring", "plain,summer"]
    assert completed(people, "push", "send", "--campaign", "w") == ["plain,winter"]


def test_where_the_configuration_cannot_be_read_there_are_no_values_and_no_traceback(crm: "Crm") -> None:
    crm.configure("access: {role: nobody}\n")
    assert completed(crm, "customers", "list", "--columns", "ci") == []


def test_without_a_workspace_there_are_no_values(crm: "Crm") -> None:
    crm.workspace = crm.folder / "none"
    assert completed(crm, "customers", "show", "K") == []
    assert not crm.workspace.exists()


@pytest.mark.parametrize("shell", list(SHELLS))
def test_the_script_is_installed_where_the_shell_looks_for_it(tmp_path: Path, shell: str) -> None:
    home = {"HOME": str(tmp_path), "XDG_DATA_HOME": "", "XDG_CONFIG_HOME": "", "ZDOTDIR": "", "SHELL": f"/bin/{shell}"}
    done = CliRunner().invoke(main, ["completion", "install"], env=home)
    assert done.exit_code == 0, done.output
    file = Path(done.stdout.strip())
    places = {
        "bash": ".local/share/bash-completion/completions/crm",
        "zsh": ".zfunc/_crm",
        "fish": ".config/fish/completions/crm.fish",
    }
    assert file == tmp_path / places[shell]
    assert file.read_text() == script(shell) == CliRunner().invoke(main, ["completion", "show", shell]).stdout
    assert "new shell" in done.stderr


def test_where_nothing_can_be_written_a_sentence_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    home = {"HOME": str(tmp_path / "file"), "XDG_DATA_HOME": ""}
    done = CliRunner().invoke(main, ["completion", "install", "bash"], env=home)
    assert done.exit_code == 4
    assert "cannot be made" in done.stderr


def test_an_unknown_shell_is_asked_for() -> None:
    done = CliRunner().invoke(main, ["completion", "show"], env={"SHELL": "/bin/ash"})
    assert done.exit_code == 2
    assert "bash, zsh, fish" in done.stderr


@pytest.fixture
def home(people: "Crm", tmp_path: Path) -> dict[str, str]:
    """The environment of somebody who has installed the scripts of all shells, and the program."""
    folder = tmp_path / "home"
    programs = folder / "bin"
    programs.mkdir(parents=True)
    (programs / "crm").write_text(f'#!/bin/sh\nexec {sys.executable} -m cli "$@"\n')
    (programs / "crm").chmod(0o755)
    own = {"HOME": str(folder), "LANG": "C.UTF-8", "TERM": "vt100", "CRM_WORKSPACE": str(people.workspace)}
    for shell in SHELLS:
        places = {"XDG_DATA_HOME": "", "XDG_CONFIG_HOME": "", "ZDOTDIR": ""}
        assert CliRunner().invoke(main, ["completion", "install", shell], env=own | places).exit_code == 0
    return own | {"PATH": f"{programs}:{os.environ['PATH']}"}


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_in_bash(home: dict[str, str]) -> None:
    assert offered_in_bash(home, "crm customers show K00") == [f"K00{n}" for n in range(10)]
    assert offered_in_bash(home, "crm  logs mi") == ["mine"]


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
@pytest.mark.parametrize(
    ("typed", "finished"),
    [
        ("crm customers show --tz Asia/Shangh", "crm customers show --tz Asia/Shanghai "),
        ("crm customers export --segment tier:", "crm customers export --segment tier:A "),
        ("crm customers export --segment ti", "crm customers export --segment tier:A "),
        ("crm customers export --segment=ti", "crm customers export --segment=tier:A "),
        ("crm customers export --segment=tier:", "crm customers export --segment=tier:A "),
        ('crm customers export --segment "tier:', 'crm customers export --segment "tier:A" '),
        ("crm push send --campaign 春", "crm push send --campaign 春\\ sale "),
        ("crm push send --campaign '春", "crm push send --campaign '春 sale' "),
    ],
)
def test_bash_finishes_words_of_several_parts(people: "Crm", home: dict[str, str], typed: str, finished: str) -> None:
    """Bash ends words at `:` and `=`, and takes values apart at spaces."""
    workspace = people.open()
    with workspace.records.begin() as connection:
        workspace.records.append(connection, "outbox", pl.DataFrame({"message": ["m"], "campaign": ["春 sale"]}))
        members = {"segment": ["tier:A"], "who": ["K000"]}
        workspace.records.append(connection, "segment_members", pl.DataFrame(members))
    assert finished_in_bash(home, typed) == finished


def offered_in_bash(home: dict[str, str], line: str) -> list[str]:
    """What a line that ends in a word is offered for that word."""
    words = line.split()
    code = (
        ". ~/.local/share/bash-completion/completions/crm\n"
        f"COMP_LINE='{line}'; COMP_POINT={len(line)}; COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}\n"
        'compopt() { :; }; _crm_completion crm; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(["bash", "-c", code], capture_output=True, text=True, check=True, env=home)
    return done.stdout.splitlines()


def finished_in_bash(home: dict[str, str], typed: str) -> str:
    """What stands in the line of a terminal once Tab has been pressed."""
    process, terminal = pty.fork()
    if process == 0:
        os.execvpe("bash", ["bash", "--norc", "--noprofile", "-i"], home | {"COLUMNS": "200", "PS1": "$ "})
    try:
        show = 'show() { echo "<$READLINE_LINE>"; }; bind -x \'"\\C-t": show\''
        place = "~/.local/share/bash-completion/completions/crm"
        os.write(terminal, f". {place}; {show}; echo lo''aded\n".encode())
        said_until(terminal, b"loaded")
        os.write(terminal, f"{typed}\t\x14".encode())
        said = said_until(terminal, b">").decode()
    finally:
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        os.close(terminal)
    return said[said.rindex("<") + 1 : said.rindex(">")]


@pytest.mark.skipif(shutil.which("fish") is None, reason="needs fish")
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("crm customers show K00", [f"K00{n}" for n in range(10)]),
        ("crm logs mi", ["mine"]),
        ("crm paths pages --columns views,ex", ["views,exits", "views,exit_rate"]),
        ("crm paths pages --columns=ex", ["--columns=exits", "--columns=exit_rate"]),
    ],
)
def test_in_fish(home: dict[str, str], line: str, offered: list[str]) -> None:
    done = subprocess.run(["fish", "-c", f"complete -C '{line}'"], capture_output=True, text=True, check=True, env=home)
    assert [found.split("\t")[0] for found in done.stdout.splitlines()] == offered


@pytest.mark.skipif(shutil.which("zsh") is None, reason="needs zsh")
def test_in_zsh(people: "Crm", home: dict[str, str]) -> None:
    """Its completion works on a terminal alone."""
    process, terminal = pty.fork()
    if process == 0:
        os.execvpe("zsh", ["zsh", "-f", "-i"], home | {"COLUMNS": "200"})
    try:
        os.write(terminal, b"fpath=(~/.zfunc $fpath); autoload -U compinit; compinit -u -D; echo lo''aded\n")
        said_until(terminal, b"loaded")
        os.write(terminal, b"crm customers show K01\t")
        said_until(terminal, b"K019")
        os.write(terminal, b"\x15crm logs mi\t")
        said_until(terminal, b"logs mine")
        os.write(terminal, b"\x15crm paths pages --columns views,entr\t")
        said_until(terminal, b"views,entries")
        (people.workspace / "crm.yaml").write_text("push: {}\npush: {}\n")
        os.write(terminal, b"\x15crm paths pages --columns views,dw\t")
        assert b"warning" not in said_until(terminal, b"views,dwell_s")
    finally:
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        os.close(terminal)


def said_until(terminal: int, wanted: bytes) -> bytes:
    """Read a terminal until something is on it; padding and what moves the cursor aside."""
    said, end = b"", time.monotonic() + PATIENCE
    while wanted not in (plain := re.sub(rb"\x1b\[[0-9;?]*\w|\0", b"", said)):
        assert time.monotonic() < end, said
        if select.select([terminal], [], [], 0.1)[0]:
            said += os.read(terminal, 65536)
    return plain
