"""A session on a cluster of Apache Spark: what it needs is checked, and it keeps quiet."""

import logging
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from ipaddress import ip_address
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urlsplit

from crm.errors import Unusable
from plugins.logs.config import SparkConfig
from plugins.logs.spark.interrupts import cancelling
from plugins.logs.spark.own import own_settings

if TYPE_CHECKING:
    from pyspark import SparkConf
    from pyspark.sql import SparkSession

PACKAGES = ("pyspark", "pyarrow", "pandas")
OLDEST_JAVA = 17

SETTINGS: Mapping[str, str] = {
    "spark.app.name": "crm",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
    "spark.executorEnv.POLARS_MAX_THREADS": "1",
}
"""What is set unless the configuration says otherwise. Each core runs a task, so one of Polars' threads is enough."""

LOOPBACK: Mapping[str, str] = {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
"""What is set where all of the cluster is on this machine, whose own name may have no address."""

DRIVER: Mapping[str, str] = {"spark.driver.defaultJavaOptions": "-XX:TieredStopAtLevel=1"}
"""What is set where others do the work: the driver has too little to do to be worth Java's second compiler."""

STOPPED = "stopped SparkContext"
"""What Spark complains of when it has asked a cluster for a minute in vain, and given up."""

THROWN = re.compile(r"(?:Exception in thread \"[^\"]*\"|Caused by:|:)?\s*(?:[\w$]+\.)+\w*(?:Exception|Error)\b")
"""The line that says what Java has thrown."""

PATIENCE_S = 30.0
"""So long the cluster may take until the user is told that it gives no worker."""


@contextmanager
def spark_session(
    config: SparkConfig, master: str | None, note: Callable[[str], None], verbose: bool = False
) -> "Iterator[SparkSession]":
    """A session on the cluster, which ends with the block.

    Args:
        config: The section `logs.spark`.
        master: The cluster's URL; None for that of the configuration, else of Spark's own.
        note: Tells the user something.
        verbose: What Spark has to say goes to stderr.

    Raises:
        Unusable: a package or Java is missing, or there is no such cluster.
    """
    check_installed()
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    conf = _conf(config, master)
    where = conf.get("spark.master", "local[*]")
    with tempfile.TemporaryFile() as said, _quiet(not verbose):
        try:
            spark = SparkSession(_context(conf, None if verbose else said))
        except PySparkException as error:
            raise Unusable(f"there is no session of Spark on {where}: {_said(said) or error}") from error
        except Exception as error:  # Py4J's, of which the first line is Java's own
            why = "it does not answer, or has refused" if STOPPED in str(error) else java_says(error)
            raise Unusable(f"there is no session of Spark on {where}: {why}") from error
        try:
            with cancelling(spark.sparkContext.cancelAllJobs):
                _await_workers(spark, note)
                yield spark
        finally:
            with suppress(Exception):  # Java may be gone, and with it what was to be stopped
                spark.stop()


def check_installed() -> None:
    """Find out whether there is all that Spark needs.

    Raises:
        Unusable: something is missing, and how to get it.
    """
    if missing := [name for name in PACKAGES if find_spec(name) is None]:
        raise Unusable(f"the engine spark needs {' and '.join(missing)}: pip install 'crm-toolkit[spark]'")
    java = shutil.which("java", path=_java_path())
    version = _java_version(Path(java)) if java else None
    if java is None or (version is not None and version < OLDEST_JAVA):
        found = f"java {version} is too old" if version else "there is no java on the PATH or in JAVA_HOME"
        raise Unusable(
            f"the engine spark needs Java {OLDEST_JAVA} or later, and {found}; install one, "
            f"such as Debian's openjdk-{OLDEST_JAVA}-jre-headless"
        )


def _java_path() -> str | None:
    """Where Spark looks for Java."""
    home = os.environ.get("JAVA_HOME")
    return str(Path(home) / "bin") if home else None


def _java_version(java: Path) -> int | None:
    """The version of a Java, as the file beside it says; None where there is none, as Spark will find out."""
    try:
        release = (java.resolve().parents[1] / "release").read_text(errors="replace")
    except OSError:
        return None
    found = re.search(r'^JAVA_VERSION="(?:1\.)?(\d+)', release, re.MULTILINE)
    return int(found[1]) if found else None


@contextmanager
def _quiet(quiet: bool) -> Iterator[None]:
    """Have what speaks with Java log nothing, such as the traceback of a Ctrl-C."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL if quiet else before)
    try:
        yield
    finally:
        logging.disable(before)


def _conf(config: SparkConfig, master: str | None) -> "SparkConf":
    from pyspark import SparkConf

    submitted = "PYSPARK_GATEWAY_PORT" in os.environ  # then Java has them, and those of the submission, already
    given = ({} if submitted else own_settings()) | {name: _text(value) for name, value in config.settings.items()}
    where = master or config.master or given.get("spark.master")
    conf = SparkConf(loadDefaults=False)
    here, far = _is_here(where), where is not None and not where.startswith("local")
    for name, value in {**SETTINGS, **(LOOPBACK if here else {}), **(DRIVER if far else {}), **given}.items():
        conf.set(name, value)
    if where:
        conf.setMaster(where)
    return conf


def _text(value: str | int | float | bool) -> str:
    """A value as Spark writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _is_here(master: str | None) -> bool:
    """Whether a cluster is on this machine alone."""
    if master is None:
        return "PYSPARK_GATEWAY_PORT" not in os.environ  # else it was submitted
    if master.startswith("local"):
        return True
    with suppress(ValueError):
        return ip_address(urlsplit(master).hostname or "").is_loopback
    return False


def _context(conf: "SparkConf", said: IO[bytes] | None) -> Any:
    """A context of Spark; what its Java says goes to a file, if one is given."""
    from pyspark import SparkContext

    os.environ.setdefault("PYSPARK_PYTHON", str(conf.get("spark.pyspark.python", sys.executable)))
    return SparkContext(conf=conf, gateway=_gateway(conf, said))


def _gateway(conf: "SparkConf", said: IO[bytes] | None) -> Any:
    from pyspark import SparkContext
    from pyspark.java_gateway import launch_gateway

    if SparkContext._gateway is not None:
        return SparkContext._gateway
    return launch_gateway(conf, {"stdout": said or sys.stderr, "stderr": said})  # type: ignore[no-untyped-call]


def _await_workers(spark: "SparkSession", note: Callable[[str], None]) -> None:
    """Wait for the first worker, so that the number of cores is known; tell the user if there is none."""
    context = spark.sparkContext
    on_demand = context.getConf().get("spark.dynamicAllocation.enabled", "false") == "true"
    master = str(context.master)
    if master.startswith("local") or on_demand:
        return
    end = time.monotonic() + PATIENCE_S
    while context._jsc.sc().getExecutorMemoryStatus().size() < 2:  # the driver is one of them
        if time.monotonic() > end:
            note(
                f"{master} has given no worker yet; the run waits until one has the memory and the cores "
                "that are asked for (spark.executor.memory, spark.executor.cores)"
            )
            return
        time.sleep(0.1)


def java_says(error: object) -> str:
    """What a failure on Java's side is, and what has caused it, without the places in its code.

    Args:
        error: What is raised, or what Java has printed.
    """
    lines = [line.strip() for line in str(error).splitlines()]
    thrown = [_CLASS.sub("", line) for line in lines if THROWN.match(line)]
    if not thrown:
        return (lines or [type(error).__name__])[0]
    first, last = thrown[0], thrown[-1]
    return first if last in first else f"{first.rstrip('.')} ({last})"


_CLASS = re.compile(r"^.*?(?:[\w$]+\.)+(?=\w+(?:Exception|Error)\b)")
"""What comes before the name of what is thrown."""


def _said(said: IO[bytes]) -> str:
    """Why Java has ended: what it has thrown, else what it calls an error, else the last thing that it has said."""
    said.seek(0)
    lines = [line for line in said.read().decode(errors="replace").splitlines() if line.strip()]
    if any(THROWN.match(line.strip()) for line in lines):
        return java_says("\n".join(lines))
    return next((line for line in lines if line.startswith("Error: ")), lines[-1] if lines else "").strip()
