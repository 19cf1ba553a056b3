"""A few kills; `benchmarks/soak_import.py` runs the full count."""

from pathlib import Path
from types import ModuleType


def test_imports_that_are_killed_have_stored_all_or_nothing(soak_import: ModuleType, tmp_path: Path) -> None:
    outcomes, wrong = soak_import.soak(tmp_path, 3, 1000, 5)
    assert wrong == []
    assert outcomes.total() == 3
