"""Runs of `crm logs mine` that end by SIGKILL leave what one clean run makes; the soak sees where they do not."""

import random
from pathlib import Path
from types import ModuleType

import pytest


def test_five_kills_at_random_moments_leave_what_one_clean_run_makes(soak_kill: ModuleType, tmp_path: Path) -> None:
    report = soak_kill.Soak(tmp_path, random.Random(2026)).run(5)
    assert report.differences == []
    assert sum(report.kills.values()) == 5


@pytest.fixture
def mined(soak_kill: ModuleType, rotated_log: ModuleType, tmp_path: Path) -> tuple[Path, Path]:
    """Two workspaces; the other has mined the log and, with another beginning, its last lines once more."""
    with rotated_log.RotatedLog(tmp_path / "logs", tmp_path / "whole.log", random.Random(1)) as log:
        log.grow(50)
    one, other = (soak_kill.new_workspace(tmp_path / name) for name in ("one", "other"))
    again = tmp_path / "again.log"
    again.write_bytes(b"".join((tmp_path / "whole.log").read_bytes().splitlines(keepends=True)[-5:]))
    for workspace, files in ((one, [tmp_path / "whole.log"]), (other, [tmp_path / "whole.log", again])):
        for file in files:
            process = soak_kill.mining(workspace, file)
            assert (process.communicate()[1], process.returncode) == (b"", 0)
    return one, other


def test_what_is_stored_twice_is_seen(soak_kill: ModuleType, mined: tuple[Path, Path]) -> None:
    one, other = mined
    assert soak_kill.table_differences(one, one, soak_kill.WHEREABOUTS) == []
    assert soak_kill.ledger_differences(one, one) == []
    found = soak_kill.table_differences(other, one, soak_kill.WHEREABOUTS)
    assert any(difference.startswith("table hits: ") for difference in found)
    (source,) = soak_kill.ledger_differences(other, one)
    assert source.endswith("instead of None")


def test_a_run_that_breaks_off_is_seen(soak_kill: ModuleType, tmp_path: Path) -> None:
    soak = soak_kill.Soak(tmp_path, random.Random(1))
    (soak.workspace / "crm.yaml").write_text("nonsense: 1\n")
    report = soak.run(5)
    assert "ended with 4" in report.differences[0]
    assert report.runs < 5
