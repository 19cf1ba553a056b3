"""`crm plugins list`."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.main import main


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "ws" / "plugins"
    folder.mkdir(parents=True)
    folder.chmod(0o755)
    (folder.parent / "crm.yaml").write_text("plugins: {folder: plugins, block: [crm_plugin_blocked]}\n")
    return folder.parent


def add(workspace: Path, name: str, body: str) -> None:
    file = workspace / "plugins" / f"{name}.py"
    file.write_text(f"from crm import Column, CommandRef, Miner, Table, hookimpl\n{body}\n")
    file.chmod(0o644)


def listed(workspace: Path, **env: str) -> dict[str, dict[str, str]]:
    result = CliRunner().invoke(main, ["-w", str(workspace), "plugins", "list", "-f", "json"], env=env)
    assert result.exit_code == 0, result.stderr
    return {row["name"]: row for row in json.loads(result.stdout)}


def test_shows_name_distribution_version_hooks_state_and_reason(workspace: Path) -> None:
    manage = listed(workspace)["manage"]
    assert list(manage) == ["name", "distribution", "version", "hooks", "state", "reason"]
    assert (manage["distribution"], manage["hooks"]) == ("crm-toolkit", "register_commands")
    assert (manage["state"], manage["reason"]) == ("loaded", "")


def test_shows_what_is_blocked_and_what_failed_and_why(workspace: Path) -> None:
    add(workspace, "blocked", "1 / 0")
    add(workspace, "broken", "1 / 0")
    rows = listed(workspace, CRM_BLOCK_PLUGINS="query")
    assert rows["crm_plugin_blocked"]["state"] == rows["query"]["state"] == "blocked"
    assert rows["crm_plugin_broken"]["state"] == "failed"
    assert "ZeroDivisionError: division by zero" in rows["crm_plugin_broken"]["reason"]


@pytest.mark.parametrize("hook", ["register_commands", "tables", "log_formats", "writers", "config_sections", "miners"])
def test_asks_every_hook_so_that_its_failure_shows(workspace: Path, hook: str) -> None:
    add(workspace, "broken", f"@hookimpl\ndef {hook}(): 1 / 0")
    row = listed(workspace)["crm_plugin_broken"]
    assert (row["state"], row["hooks"]) == ("failed", hook)
    assert f"its hook '{hook}' does not work" in row["reason"]


def test_shows_what_of_a_plugin_was_left_out(workspace: Path) -> None:
    add(
        workspace,
        "clash",
        "@hookimpl\ndef register_commands(): return [CommandRef('plugins list', 'L.', 'a:b')]",
    )
    row = listed(workspace)["crm_plugin_clash"]
    assert row["state"] == "loaded"
    assert row["reason"].startswith("its command 'plugins list' is left out: plugin 'manage' of crm-toolkit")


def test_works_with_a_configuration_that_cannot_be_used(workspace: Path) -> None:
    add(workspace, "third", "1 / 0")
    (workspace / "crm.yaml").write_text("plugins: {folder: plugins}\noutput: [\n")
    args = ["-w", str(workspace), "plugins", "list", "--tz", "UTC", "-f", "json"]
    result = CliRunner().invoke(main, args)
    rows = {row["name"]: row for row in json.loads(result.stdout)}
    assert result.exit_code == 0
    assert rows["manage"]["state"] == "loaded"
    assert "crm_plugin_third" not in rows
    assert "only the built-in plugins are loaded" in result.stderr
