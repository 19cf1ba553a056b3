"""The scripts of the folder benchmarks, imported by their names: they lie side by side and are no package."""

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def load(name: str) -> ModuleType:
    sys.path.insert(0, str(BENCHMARKS))
    try:
        return import_module(name)
    finally:
        sys.path.remove(str(BENCHMARKS))


@pytest.fixture(scope="session")
def soak_kill() -> ModuleType:
    return load("soak_kill")


@pytest.fixture(scope="session")
def rotated_log() -> ModuleType:
    return load("rotated_log")


@pytest.fixture(scope="session")
def mutations() -> ModuleType:
    return load("mutations")


@pytest.fixture(scope="session")
def soak_fuzz() -> ModuleType:
    return load("soak_fuzz")


@pytest.fixture(scope="session")
def soak_import() -> ModuleType:
    return load("soak_import")


@pytest.fixture(scope="session")
def quality_alarms() -> ModuleType:
    return load("quality_alarms")
