"""The scripts of completion, and where each shell looks for them."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click
from click.shell_completion import get_completion_class

PROGRAM: Final = "crm"
VARIABLE: Final = "_CRM_COMPLETE"


@dataclass(frozen=True)
class Shell:
    """A shell.

    Attributes:
        place: The file that it reads, for a home folder and an environment.
        next: What the user does then.
    """

    place: Callable[[Path, Mapping[str, str]], Path]
    next: str


def _data(home: Path, environ: Mapping[str, str]) -> Path:
    return Path(environ.get("XDG_DATA_HOME") or home / ".local" / "share")


def _config(home: Path, environ: Mapping[str, str]) -> Path:
    return Path(environ.get("XDG_CONFIG_HOME") or home / ".config")


SHELLS: Final = {
    "bash": Shell(
        lambda home, environ: _data(home, environ) / "bash-completion" / "completions" / PROGRAM,
        "open a new shell; it needs the package bash-completion",
    ),
    "zsh": Shell(
        lambda home, environ: Path(environ.get("ZDOTDIR") or home) / ".zfunc" / f"_{PROGRAM}",
        "open a new shell; .zshrc needs `fpath=(~/.zfunc $fpath)` before `autoload -U compinit; compinit`",
    ),
    "fish": Shell(
        lambda home, environ: _config(home, environ) / "fish" / "completions" / f"{PROGRAM}.fish",
        "open a new shell",
    ),
}
"""The shells that are known."""


def script(shell: str) -> str:
    """The script for a shell, with a line end. What goes wrong while values are looked up is not told in the line."""
    if shell == "bash":
        return _BASH
    made = get_completion_class(shell)
    assert made is not None
    text = made(click.Command(PROGRAM), {}, PROGRAM, VARIABLE).source().rstrip("\n") + "\n"
    for there, instead in _CHANGES[shell]:
        before, found, after = text.partition(there)
        assert found, there
        text = f"{before}{instead}{after}"
    return text


_BASH: Final = f"""\
_{PROGRAM}_completion() {{
    local IFS=$'\\n' line=${{COMP_LINE:0:COMP_POINT}} word words=() type value begin
    # Bash ends words at : and = too, and splits one that is typed; what follows at once is the same word.
    for word in "${{COMP_WORDS[@]:0:COMP_CWORD+1}}"; do
        if [[ ${{#words[@]}} -eq 0 || $line == [[:space:]]* ]]; then
            line=${{line#"${{line%%[![:space:]]*}}"}}
            words+=("$word")
        else
            words[-1]+=$word
        fi
        line=${{line#"$word"}}
    done
    begin=${{words[-1]}}
    [[ $begin == -*=* ]] && begin=${{begin#*=}}
    [[ $begin == [\\'\\"]* ]] && begin= || begin=${{begin%"${{begin##*["$COMP_WORDBREAKS"]}}"}}
    COMPREPLY=()
    while IFS=',' read -r type value; do
        if [[ $type == dir ]]; then
            compopt -o dirnames
        elif [[ $type == file ]]; then
            compopt -o default
        elif [[ $type == plain ]]; then
            value=${{value#"$begin"}}
            [[ ${{words[-1]}} == [\\'\\"]* ]] || printf -v value %q "$value"
            COMPREPLY+=("$value")
        fi
    done < <(
        env COMP_WORDS="${{words[*]}}" COMP_CWORD=$((${{#words[@]}} - 1)) {VARIABLE}=bash_complete "$1" 2> /dev/null
    )
}}
complete -o nosort -F _{PROGRAM}_completion {PROGRAM}
"""
"""The script for bash. Click's takes `a:b` and `--option=value` for three words, and parts values at spaces."""

_CALL: Final = f"{VARIABLE}=zsh_complete {PROGRAM}"
_AUTOLOADED: Final = "if [[ $zsh_eval_context[-1] == loadautofunc ]]"
_EACH: Final = "    for completion in $response;\n"
_CHANGES: Final = {
    "zsh": (
        (_CALL, f"{_CALL} 2> /dev/null"),
        # Read from a folder, it registers itself only when it is read for the second time, which is when a word is
        # completed for the second time, and then completes nothing.
        (_AUTOLOADED, f"compdef _{PROGRAM}_completion {PROGRAM}\n{_AUTOLOADED}"),
    ),
    "fish": (
        (f"(commandline -t) {PROGRAM})", f"(commandline -t) {PROGRAM} 2> /dev/null)"),
        # A value may hold a comma, and follow `--option=`, which fish takes for a part of it.
        ('string split "," $completion', 'string split --max 1 "," $completion'),
        (_EACH, f"    set -l begin (string match --regex -- '^-.*=' (commandline -t)); or set begin ''\n{_EACH}"),
        ("echo $metadata[2];", "echo $begin$metadata[2];"),
    ),
}
"""What is different from click's scripts."""


def users_shell(environ: Mapping[str, str] = os.environ) -> str | None:
    """The user's shell, if it is one that is known."""
    name = Path(environ.get("SHELL", "")).name
    return name if name in SHELLS else None
