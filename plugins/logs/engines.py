"""Which engine works on logs: the one of the options, else of the configuration. Spark is imported only if it does."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from crm import errors
from crm.errors import CrmError, Unusable, UsageError

if TYPE_CHECKING:
    from polars import DataFrame
    from pyspark.sql import SparkSession

    from crm.app import App
    from plugins.logs.config import LogsConfig
    from plugins.logs.engine import Engine
    from plugins.logs.reading import Parse, Reader

RAISED = re.compile(r"^crm\.errors\.(\w+): (.+)", re.MULTILINE)
"""The last line of a worker's traceback where it has raised a mistake of the user."""

NO_PYTHON = re.compile(r"Cannot run program \"([^\"]+)\"")
"""What Java says where a worker has no such Python, or may not run it."""

LAST = re.compile(r"^(\w[\w.]*(?:Error|Exception)\b.*)", re.MULTILINE)
"""The last line of any traceback."""


@contextmanager
def mining(app: "App", config: "LogsConfig") -> "Iterator[Engine[Any] | None]":
    """What mines logs (see `plugins.logs.engine`); None for this machine.

    Args:
        app: The run of the program.
        config: The section `logs`, which the options of the command come before.

    Raises:
        UsageError: a cluster is named for the local engine.
        Unusable: there is no Spark, or no such cluster.
    """
    with _session(app, config) as spark:
        if spark is None:
            yield None
            return
        from plugins.logs.spark.engine import Spark

        yield Spark(spark, config.spark.range)


@contextmanager
def parsing(app: "App", config: "LogsConfig") -> "Iterator[Callable[[Reader], AbstractContextManager[Parse]]]":
    """Where the blocks of a `Reader` are parsed; arguments and errors are those of `mining`."""
    from plugins.logs.reading import here

    with _session(app, config) as spark:
        if spark is None:
            yield here
            return
        from plugins.logs.spark.parsing import far

        yield partial(far, spark, config.spark.range)


@contextmanager
def cutting(app: "App", config: "LogsConfig") -> "Iterator[Callable[..., DataFrame]]":
    """What makes sessions of a `Reader`, as `plugins.logs.reading.sessions` does; the rest is as for `mining`."""
    from plugins.logs import reading

    with _session(app, config) as spark:
        if spark is None:
            yield reading.sessions
            return
        from plugins.logs.spark import unstored

        yield partial(unstored.sessions, spark, config.spark.range)


@contextmanager
def _session(app: "App", config: "LogsConfig") -> "Iterator[SparkSession | None]":
    """A session of Spark; None for the local engine."""
    from plugins.logs.options import given_engine

    engine, master = given_engine()
    if (engine or config.engine) == "local":
        if master:
            raise UsageError("--master names a cluster, which the engine local has not; add --engine spark")
        yield None
        return
    from plugins.logs.spark.session import check_installed, spark_session

    check_installed()
    doing = Doing()
    with _plainly(), app.working(doing), spark_session(config.spark, master, app.note, app.verbosity > 0) as spark:
        doing.spark = spark
        try:
            yield spark
        finally:
            doing.spark, doing.otherwise = None, "ending Spark"


class Doing:
    """What a session of Spark is about at the moment, in words.

    Attributes:
        spark: The session while it can be asked: not before it has started, nor once it is about to end.
        otherwise: What is said while it cannot.
    """

    spark: "SparkSession | None" = None
    otherwise = "starting Spark"

    def __call__(self) -> str:
        """How many tasks are done of those that are under way."""
        if self.spark is None:
            return self.otherwise
        from py4j.protocol import Py4JError  # type: ignore[import-untyped]

        try:
            tracker = self.spark.sparkContext.statusTracker()
            stages = [found for each in tracker.getActiveStageIds() if (found := tracker.getStageInfo(each))]
        except (Py4JError, AttributeError, OSError):  # it has ended meanwhile, or Java is gone
            return "Spark"
        tasks = sum(stage.numTasks for stage in stages)
        return f"Spark, {sum(stage.numCompletedTasks for stage in stages)} of {tasks} tasks" if tasks else "Spark"


@contextmanager
def _plainly() -> Iterator[None]:
    """What Spark raises because a worker has failed, as one sentence; what else it raises is a bug."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        yield
    except (PySparkException, Py4JError) as error:
        raise in_words(str(error)) or error from error


def in_words(error: str) -> CrmError | None:
    """What a worker's traceback says to the user; None where it says nothing to anybody but us.

    Args:
        error: What Spark tells, with the traceback.
    """
    if found := RAISED.findall(error):
        name, sentence = found[-1]
        kind: type[CrmError] = getattr(errors, name)
        return kind(sentence)
    last = next(reversed(LAST.findall(error)), "")
    if last.startswith(("ModuleNotFoundError", "ImportError")):
        return Unusable(
            f"the Python of the workers lacks a package ({last.partition(': ')[2]}); install crm-toolkit[spark] "
            "of this version there, or name a Python that has it in logs.spark.settings (spark.pyspark.python)"
        )
    if lacking := NO_PYTHON.search(error):
        return Unusable(
            f"the workers cannot run the Python {lacking[1]}; name one that they have, with crm-toolkit[spark], in "
            "logs.spark.settings (spark.pyspark.python)"
        )
    if "PYTHON_VERSION_MISMATCH" in error:
        return Unusable(
            "the workers have another version of Python than this machine; name one of the same version in "
            "logs.spark.settings (spark.pyspark.python)"
        )
    for sign, sentence in LOST.items():
        if sign in error:
            return Unusable(sentence)
    return None


LOST = {
    "PACKAGE_NOT_INSTALLED": "the Python of the workers lacks pandas or pyarrow, or has too old ones; install "
    "crm-toolkit[spark] of this version there",
    "stopped SparkContext": "the cluster has ended the session; see its own logs, and run the command again",
    "SparkContext was shut down": "the cluster has ended the session; see its own logs, and run the command again",
    "ExecutorLostFailure": "workers have been lost again and again; give them more memory "
    "(spark.executor.memoryOverhead in logs.spark.settings), and run the command again",
}
"""What Spark says when a cluster gives up, and what the user is told."""
