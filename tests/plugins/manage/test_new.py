"""`crm plugins new`: what it writes can be installed, tested and used at once."""

import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from crm.errors import Unusable
from plugins.manage import scaffolding
from plugins.manage.scaffolding import PARTS, Names, scaffold


def installed(package: Path, site: Path) -> dict[str, str]:
    """Install a package into a folder; the environment in which it is seen."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--target", str(site)]
    subprocess.run([*command, *options, str(package)], check=True)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("CRM_", "PYTEST_"))}
    return inherited | {"PYTHONPATH": os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH")])])}


@pytest.mark.parametrize("parts", [PARTS, *((part,) for part in PARTS)], ids="-".join)
def test_it_can_be_installed_its_tests_pass_and_nothing_is_wrong_with_it(crm: Any, parts: tuple[str, ...]) -> None:
    package = crm.folder / "made"
    crm("plugins", "new", "hours", "--into", package, *(word for part in parts for word in ("--with", part)))
    environment = installed(package, crm.folder / "site")
    options = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--strict-markers", "-W", "error"]
    tests = [sys.executable, "-m", "pytest", *options, "--rootdir", str(package), str(package)]
    done = subprocess.run(tests, capture_output=True, text=True, check=False, env=environment, cwd=crm.folder)
    assert done.returncode == 0, done.stdout
    checked = crm("plugins", "check", package)
    assert (checked.stdout, checked.stderr) == ("", "nothing is wrong\n")


def test_its_command_is_the_programs(crm: Any) -> None:
    package = crm.folder / "made"
    crm("plugins", "new", "hours", "--into", package)
    environment = installed(package, crm.folder / "site")
    called = [sys.executable, "-m", "cli", "-w", str(crm.workspace)]
    log = crm.log("access.log", *crm.lines(8))
    for words in (["logs", "mine", str(log)], ["hours", "-f", "csv"]):
        done = subprocess.run([*called, *words], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.startswith("entry,sessions\n/")


def test_what_it_writes_is_in_the_style_of_this_program(tmp_path: Path) -> None:
    scaffold(tmp_path / "made", Names.of("shop-hours"), PARTS)
    for words in (["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy", "--strict", "src"]):
        done = subprocess.run(
            [sys.executable, "-m", *words], capture_output=True, text=True, check=False, cwd=tmp_path / "made"
        )
        assert done.returncode == 0, done.stdout


def test_files_are_named_after_it_and_printed(crm: Any) -> None:
    made = crm("plugins", "new", "crm-shop-hours", "--with", "command", "--into", crm.folder / "x").stdout.splitlines()
    assert made == [str(crm.folder / "x" / name) for name in (
        ".github/workflows/test.yml", ".gitignore", "README.md", "pyproject.toml", "src/crm_shop_hours/__init__.py",
        "src/crm_shop_hours/commands.py", "tests/conftest.py", "tests/test_crm_shop_hours.py",
    )]  # fmt: skip
    assert 'shop-hours = "crm_shop_hours"' in (crm.folder / "x" / "pyproject.toml").read_text()


@pytest.mark.parametrize("name", ["Hours", "shop hours", "9lives", "crm-", "a--b", "a_b", "-x", "時"])
def test_a_name_that_cannot_be_one_is_refused(crm: Any, name: str) -> None:
    refused = crm("plugins", "new", "--into", crm.folder / "x", "--", name, code=2)
    assert "is no name for a plugin" in refused.stderr
    assert not (crm.folder / "x").exists()


@pytest.mark.parametrize("name", ["logs", "crm-customers", "writers"])
def test_a_name_that_is_taken_is_refused(crm: Any, name: str) -> None:
    assert "already" in crm("plugins", "new", name, "--into", crm.folder / "x", code=2).stderr


def test_a_folder_that_is_not_empty_is_left_alone(crm: Any) -> None:
    place = crm.folder / "x"
    place.mkdir()
    (place / "mine.txt").write_text("mine")
    assert "not an empty folder" in crm("plugins", "new", "hours", "--into", place, code=4).stderr
    assert [file.name for file in place.iterdir()] == ["mine.txt"]


def test_where_the_disk_is_full_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[Path] = []

    def full(file: Path, text: str) -> None:
        if len(written) == 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        written.append(file)

    monkeypatch.setattr(scaffolding, "_write", full)
    (tmp_path / "empty").mkdir()
    for name in ("made", "empty"):
        written.clear()
        with pytest.raises(Unusable, match=f"{name} cannot be written: No space left on device"):
            scaffold(tmp_path / name, Names.of("hours"), PARTS)
    assert [file.name for file in tmp_path.rglob("*")] == ["empty"]


def test_an_empty_folder_is_filled(crm: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (crm.folder / "here").mkdir()
    monkeypatch.chdir(crm.folder / "here")
    crm("plugins", "new", "hours", "--into", ".")
    assert {"pyproject.toml", "src", "tests"} <= {file.name for file in Path().iterdir()}
