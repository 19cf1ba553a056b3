"""A few kills; `benchmarks/soak_outbox.py` runs the full count."""

import random
from pathlib import Path

import pytest


def test_a_sender_that_is_killed_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
    import soak_outbox

    report = soak_outbox.Soak(tmp_path, 200, 4, random.Random(1)).run(4)
    assert report.wrong == []
    assert sum(report.kills.values()) == 4
