"""What Spark's own configuration says, before there is a Spark that could be asked."""

import os
import re
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Final

NAME: Final = "spark-defaults.conf"

_ENTRY: Final = re.compile(r"\s*(spark\.[^\s=:]+)\s*[\s=:]\s*(.*?)\s*")


def own_settings(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The settings of `spark-defaults.conf` by their names; empty where there is none."""
    try:
        text = (_folder(environ) / NAME).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    found = (_ENTRY.fullmatch(line) for line in text.splitlines())
    return {match[1]: match[2] for match in found if match}


def _folder(environ: Mapping[str, str]) -> Path:
    """Where Spark looks for its configuration."""
    if folder := environ.get("SPARK_CONF_DIR"):
        return Path(folder)
    if home := environ.get("SPARK_HOME"):
        return Path(home) / "conf"
    spec = find_spec("pyspark")
    return Path(spec.origin or ".").parent / "conf" if spec else Path()
