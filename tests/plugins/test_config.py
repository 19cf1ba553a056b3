import re
import stat
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import pytest
import yaml
from click.testing import CliRunner, Result

from crm.app import App
from crm.config import load
from crm.errors import Unusable
from crm.units import Duration
from plugins.config.commands import check, init, show
from plugins.config.text import as_yaml, template

KEY = "0123456789abcdef" * 4


def run(command: object, *args: str, workspace: Path, config: Path | None = None) -> Result:
    app = App(("plugins.config", "plugins.writers"), workspace, config)
    return CliRunner().invoke(command, args, obj=app)  # type: ignore[arg-type]


def key_file(tmp_path: Path, text: str = KEY, mode: int = 0o600) -> str:
    file = tmp_path / "secret"
    file.write_text(text)
    file.chmod(mode)
    return str(file)


def uncommented(text: str) -> str:
    return re.sub("^# ", "", text, flags=re.MULTILINE)


def test_init_writes_a_file_that_changes_nothing(tmp_path: Path) -> None:
    workspace = tmp_path / "deep" / "shop"
    result = run(init, workspace=workspace)
    assert result.exit_code == 0
    assert (result.stdout, result.stderr) == ("", f"wrote {workspace / 'crm.yaml'}\n")
    assert yaml.safe_load((workspace / "crm.yaml").read_text()) is None
    assert stat.S_IMODE((workspace / "crm.yaml").stat().st_mode) == 0o600
    assert stat.S_IMODE(workspace.stat().st_mode) == 0o700
    assert run(show, "--changed", workspace=workspace).stdout == ""


def test_the_file_without_its_comment_marks_holds_the_defaults(tmp_path: Path) -> None:
    run(init, workspace=tmp_path)
    file = tmp_path / "crm.yaml"
    text = file.read_text()
    assert "## Time zone in which times print" in text.replace("##   ", "## ")
    file.write_text(uncommented(text))
    assert yaml.safe_load(file.read_text()) == yaml.safe_load(run(show, workspace=tmp_path).stdout)
    assert run(show, "--changed", workspace=tmp_path).stdout == ""


def test_init_leaves_a_file_that_exists_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "crm.yaml").write_text("output: {}\n")
    result = run(init, "--key-file", key_file(tmp_path), workspace=tmp_path)
    assert isinstance(result.exception, Unusable)
    assert str(result.exception) == f"{tmp_path / 'crm.yaml'} exists and is left as it is"
    assert (tmp_path / "crm.yaml").read_text() == "output: {}\n"
    assert not (tmp_path / "key").exists()


def test_init_fixes_the_key(tmp_path: Path) -> None:
    workspace = tmp_path / "shop"
    assert run(init, "--key-file", key_file(tmp_path, f"{KEY}\n"), workspace=workspace).exit_code == 0
    assert (workspace / "key").read_text().strip() == KEY
    assert stat.S_IMODE((workspace / "key").stat().st_mode) == 0o600


def test_init_does_not_replace_a_key(tmp_path: Path) -> None:
    workspace = tmp_path / "shop"
    run(init, "--key-file", key_file(tmp_path), workspace=workspace)
    (workspace / "crm.yaml").unlink()
    result = run(init, "--key-file", key_file(tmp_path, "f" * 64), workspace=workspace)
    assert isinstance(result.exception, Unusable)
    assert (workspace / "key").read_text().strip() == KEY
    assert not (workspace / "crm.yaml").exists()


@pytest.mark.parametrize(
    ("text", "mode", "message"),
    [
        (KEY, 0o640, "others may read it (mode 0640); chmod 600 it"),
        (KEY, 0o604, "others may read it (mode 0604); chmod 600 it"),
        (KEY[:-2], 0o600, "expected 32 bytes in hex, got 31"),
        (KEY + "00", 0o600, "expected 32 bytes in hex, got 33"),
        ("", 0o600, "expected 32 bytes in hex, got 0"),
        ("no key at all", 0o600, "expected 64 hexadecimal digits"),
        ("\u0661" * 64, 0o600, "expected 64 hexadecimal digits"),
    ],
)
def test_init_refuses_a_bad_key_and_writes_nothing(tmp_path: Path, text: str, mode: int, message: str) -> None:
    result = run(init, "--key-file", key_file(tmp_path, text, mode), workspace=tmp_path / "shop")
    assert isinstance(result.exception, Unusable)
    assert str(result.exception) == f"key file {tmp_path / 'secret'}: {message}"
    assert not (tmp_path / "shop").exists()


def test_init_names_a_key_file_that_is_not_there(tmp_path: Path) -> None:
    result = run(init, "--key-file", str(tmp_path / "missing"), workspace=tmp_path / "shop")
    assert isinstance(result.exception, Unusable)
    assert "missing: No such file" in str(result.exception)


def test_show_prints_all_values_or_those_that_were_changed(tmp_path: Path) -> None:
    (tmp_path / "crm.yaml").write_text("output: {tz: Asia/Shanghai}\nplugins:\n")
    everything = yaml.safe_load(run(show, workspace=tmp_path).stdout)
    assert everything["output"] == {"tz": "Asia/Shanghai"}
    assert everything["plugins"] == {"folder": None, "block": []}
    assert run(show, "--changed", workspace=tmp_path).stdout == "output:\n  tz: Asia/Shanghai\n"


def test_check_says_which_file_is_right(tmp_path: Path) -> None:
    assert run(check, workspace=tmp_path).stdout == "OK: no configuration file, everything is at its default\n"
    file = tmp_path / "crm.yaml"
    file.write_text("output: {tz: UTC}\n")
    assert run(check, workspace=tmp_path).stdout == f"OK: {file}\n"
    other = tmp_path / "other.yaml"
    other.write_text("")
    assert run(check, workspace=tmp_path, config=other).stdout == f"OK: {other}\n"


def test_check_says_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "crm.yaml").write_text("output: {tzz: UTC}\n")
    result = run(check, workspace=tmp_path)
    assert isinstance(result.exception, Unusable)
    assert str(result.exception) == f"{tmp_path / 'crm.yaml'}: `output`: unknown key `tzz` (did you mean `tz`?)"


class Inner(msgspec.Struct, frozen=True):
    """What is inside."""

    idle: Duration = Duration(minutes=30)
    names: tuple[str, ...] = ("a: b", "#c")
    most: Annotated[int, msgspec.Meta(ge=1, description="Most of them.")] | None = None
    kind: Annotated[Literal["page", "asset"], msgspec.Meta(description="What kind.")] = "page"


class Outer(msgspec.Struct, frozen=True):
    """What is outside.

    And more about it.
    """

    inner: Inner = Inner()
    url: str = ""
    api_token: str = ""
    labels: dict[str, str] = {}


class Empty(msgspec.Struct):
    pass


def test_the_template_nests_and_explains(tmp_path: Path) -> None:
    text = template({"outer": Outer, "empty": Empty})
    assert "## What is outside.\n# outer:\n##   What is inside.\n#   inner:\n#     idle: 30m\n" in text
    assert "##     Most of them.\n#     most: null\n" in text
    assert "##     What kind. One of: asset, page.\n#     kind: page\n" in text
    file = tmp_path / "crm.yaml"
    file.write_text(uncommented(text))
    assert load(file, {"outer": Outer, "empty": Empty}).sections["outer"] == Outer()


def test_changes_are_shown_down_to_the_setting(tmp_path: Path) -> None:
    file = tmp_path / "crm.yaml"
    file.write_text("outer: {inner: {idle: 90s}, labels: {a: b}}\n")
    changed = as_yaml(load(file, {"outer": Outer}), changed=True)
    assert yaml.safe_load(changed) == {"outer": {"inner": {"idle": "1m30s"}, "labels": {"a": "b"}}}


def test_passwords_are_hidden(tmp_path: Path) -> None:
    file = tmp_path / "crm.yaml"
    file.write_text("outer: {url: 'postgresql://crm:p/w@db:5432/crm', api_token: abc, labels: {password: x}}\n")
    shown = yaml.safe_load(as_yaml(load(file, {"outer": Outer})))["outer"]
    assert shown["url"] == "postgresql://crm:***@db:5432/crm"
    assert (shown["api_token"], shown["labels"]) == ("***", {"password": "***"})
