"""The engine stands alone: a notebook can use it without the rest of the toolkit."""

import subprocess
import sys

IMPORT_ALL = """
import importlib, pkgutil, sys
import logparse
for module in pkgutil.iter_modules(logparse.__path__):
    importlib.import_module(f"logparse.{module.name}")
ours = {"crm", "cli", "plugins"}
print(sorted(name for name in sys.modules if name.partition(".")[0] in ours))
"""


def test_engine_imports_nothing_else_of_ours() -> None:
    done = subprocess.run([sys.executable, "-c", IMPORT_ALL], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_what_a_format_is_can_be_said_without_polars() -> None:
    code = "import sys, logparse.spec, logparse.formats, logparse.errors; print('polars' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
