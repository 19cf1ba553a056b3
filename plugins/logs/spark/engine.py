"""The engine that reads logs and makes sessions and miners' tables on a cluster of Apache Spark."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from logparse.rules import SessionRules
from plugins.logs import miners
from plugins.logs.derive import Touched
from plugins.logs.engine import Timed
from plugins.logs.spark import sessions, touched
from plugins.logs.spark.intake import FarIntake
from plugins.logs.spark.miners import OnCluster

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from crm.hookspecs import Miner
    from crm.lake import Lake
    from plugins.logs.ingest import Intake, Outcome
    from plugins.logs.inputs import Input

STEP = 64 << 20


@dataclass(frozen=True)
class Spark:
    """A cluster (an `Engine`).

    Attributes:
        spark: The session, open.
        step: About so many bytes of a log are a task.
    """

    spark: "SparkSession"
    step: int = STEP

    def read(self, intake: "Intake", inputs: "Sequence[Input]", timed: Timed) -> "list[Outcome]":
        """Read logs on the workers, which write the hits."""
        with timed(f"read {len(inputs):,} logs on {self.spark.sparkContext.master}"):
            outcomes = FarIntake(self.spark, intake, self.step).read(inputs)
        parts = [part for outcome in outcomes for part in outcome.parts]
        intake.lake.keep("hits", intake.run, parts)
        return outcomes

    def touched(self, lake: "Lake", built: int, before: date | None, rules: SessionRules) -> "Touched[DataFrame]":
        """What has changed since the sessions were made."""
        if before is None:
            return touched.touched(self.spark, lake, built, rules)
        return touched.pruned(self.spark, lake, before, rules)

    def rebuild(
        self, lake: "Lake", rules: SessionRules, sources: pl.DataFrame, run: int, what: "Touched[DataFrame]"
    ) -> list[date]:
        """Make the touched sessions anew, on the workers, which write them."""
        return sessions.rebuild(self.spark, lake, rules, sources, run, what)

    def mine(
        self,
        lake: "Lake",
        working: "Sequence[Miner]",
        changed: tuple[int, Sequence[date]] | None,
        run: int,
        failed: "Callable[[Miner, BaseException], None]",
        noted: Callable[[str], None],
    ) -> None:
        """Run the miners by date on the workers, and those of the newest sessions here."""
        miners.mine(lake, working, changed, run, failed, noted, OnCluster(self.spark))
