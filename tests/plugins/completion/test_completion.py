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
    line = 'COMP_WORDS=(crm customers show K00); COMP_CWORD=3; _crm_completion crm; echo "${COMPREPLY[@]}"'
    code = f". ~/.local/share/bash-completion/completions/crm\n{line}\n"
    done = subprocess.run(["bash", "-c", code], capture_output=True, text=True, check=True, env=home)
    assert done.stdout.split() == [f"K00{n}" for n in range(10)]


@pytest.mark.skipif(shutil.which("fish") is None, reason="needs fish")
def test_in_fish(home: dict[str, str]) -> None:
    code = "complete -C 'crm customers show K00'; complete -C 'crm logs mi'"
    done = subprocess.run(["fish", "-c", code], capture_output=True, text=True, check=True, env=home)
    *ids, command = done.stdout.splitlines()
    assert [line.split("\t")[0] for line in ids] == [f"K00{n}" for n in range(10)]
    assert command.split("\t")[0] == "mine"


@pytest.mark.skipif(shutil.which("zsh") is None, reason="needs zsh")
def test_in_zsh(home: dict[str, str]) -> None:
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
    finally:
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        os.close(terminal)


def said_until(terminal: int, wanted: bytes) -> None:
    """Read a terminal until something is on it; padding and what moves the cursor aside."""
    said, end = b"", time.monotonic() + PATIENCE
    while wanted not in re.sub(rb"\x1b\[[0-9;?]*\w|\0", b"", said):
        assert time.monotonic() < end, said
        if select.select([terminal], [], [], 0.1)[0]:
            said += os.read(terminal, 65536)
