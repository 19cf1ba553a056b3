"""The ready-to-copy configurations are right, and work on the sample log."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.main import main

ROOT = Path(__file__).parents[2]
CAMPAIGN = ROOT / "configs" / "campaign.yaml"
CONFIGS = sorted(file for file in ROOT.glob("configs/*.yaml") if file != CAMPAIGN)


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CRM_WORKSPACE", "CRM_CONFIG", "CRM_BLOCK_PLUGINS"):
        monkeypatch.delenv(name, raising=False)


def crm(workspace: Path, config: Path, *args: str) -> Result:
    return CliRunner().invoke(main, ["-w", str(workspace), "-c", str(config), *args])


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.name)
def test_a_configuration_is_right(config: Path, tmp_path: Path) -> None:
    done = crm(tmp_path / "ws", config, "config", "check")
    assert (done.exit_code, done.stdout) == (0, f"OK: {config}\n"), done.stderr


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.name)
def test_a_configuration_changes_something(config: Path, tmp_path: Path) -> None:
    assert crm(tmp_path / "ws", config, "config", "show", "--changed").stdout != ""


def test_the_shop_finds_the_sessions_of_the_sample_log(tmp_path: Path) -> None:
    summary = tmp_path / "summary.json"
    log = ROOT / "sample_logs" / "shop.log"
    config = ROOT / "configs" / "shop.yaml"
    done = crm(tmp_path / "ws", config, "logs", "mine", str(log), "--json-summary", str(summary))
    assert done.exit_code == 0, done.stderr
    found = json.loads(summary.read_text(encoding="utf-8"))
    truth = json.loads((ROOT / "sample_logs" / "shop.truth.json").read_text(encoding="utf-8"))
    assert found["sessions"]["sessions"] == len(truth["sessions"])
    assert found["sessions"]["views"] == truth["views"]


def test_the_shop_drops_health_checks_by_name(tmp_path: Path) -> None:
    line = '192.0.2.1 - - [02/Mar/2026:10:00:0{} +0800] "GET {} HTTP/1.1" 200 5 "-" "{}"\n'
    log = tmp_path / "access.log"
    log.write_text(
        line.format(0, "/healthz", "Mozilla/5.0 (X11; Linux x86_64)")
        + line.format(1, "/", "kube-probe/1.31")
        + line.format(2, "/", "Mozilla/5.0 (X11; Linux x86_64)")
    )
    summary = tmp_path / "summary.json"
    config = ROOT / "configs" / "shop.yaml"
    done = crm(tmp_path / "ws", config, "logs", "mine", str(log), "--json-summary", str(summary))
    assert done.exit_code == 0, done.stderr
    found = json.loads(summary.read_text(encoding="utf-8"))
    assert found["filtered"] == {"health check": 1, "load balancer": 1}
    assert (found["lines"], found["hits"]) == (3, 1)


def test_the_campaign_lists_candidates_of_the_sample_shop(tmp_path: Path) -> None:
    config = ROOT / "configs" / "shop.yaml"
    place = tmp_path / "ws"
    assert crm(place, config, "logs", "mine", str(ROOT / "sample_logs" / "shop.log")).exit_code == 0
    for table in ("catalog", "customers", "consents"):
        assert crm(place, config, table, "import", str(ROOT / "sample_data" / f"{table}.csv")).exit_code == 0
    words = ("push", "candidates", "--campaign", str(CAMPAIGN), "--at", "2026-03-16", "-f", "json")
    rows = json.loads(crm(place, config, *words).stdout)
    assert {row["category"].split("/")[0] for row in rows} == {"food", "home", "sport"}
    assert {row["channel"] for row in rows} == {"email"}
