"""What reads logs and makes sessions and miners' tables: this machine, or a cluster (`plugins.logs.spark`).

An engine is chosen in one place (`plugins.logs.mining.Mine`); what it makes does not depend on which one that is.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import date
from typing import TYPE_CHECKING, Protocol, TypeVar

import polars as pl

from logparse.rules import SessionRules
from plugins.logs import derive, miners
from plugins.logs.derive import Touched

if TYPE_CHECKING:
    from crm.hookspecs import Miner
    from crm.lake import Lake
    from plugins.logs.ingest import Intake, Outcome
    from plugins.logs.inputs import Input

Timed = Callable[[str], AbstractContextManager[None]]
"""Tells how long something took that has this name."""

V = TypeVar("V")
"""How an engine holds the ids of visitors."""


class Engine(Protocol[V]):
    """Reads logs into hits, and brings sessions and miners' tables up to them."""

    def read(self, intake: "Intake", inputs: "Sequence[Input]", timed: Timed) -> "list[Outcome]":
        """Read logs, in their order; their data files wait for the commit of the hits.

        Args:
            intake: What it takes.
            inputs: The logs.
            timed: Tells the user how long something took.
        """

    def touched(self, lake: "Lake", built: int, before: date | None, rules: SessionRules) -> Touched[V]:
        """What has changed since the sessions were made.

        Args:
            lake: The lake, with the hits committed.
            built: The run that the sessions were made from; 0 for everything.
            before: All hits before this date have been taken out since, and nothing else has changed.
            rules: The session rules.
        """

    def rebuild(
        self, lake: "Lake", rules: SessionRules, sources: pl.DataFrame, run: int, what: Touched[V]
    ) -> list[date]:
        """Make the touched sessions anew and commit them as of a run; the dates whose sessions may have changed.

        Args:
            lake: The lake.
            rules: The session rules.
            sources: `source`, `first_ts` and `fingerprint` of every source: the order of hits of one instant.
            run: Number of the run.
            what: What `touched` has returned.
        """

    def mine(
        self,
        lake: "Lake",
        working: "Sequence[Miner]",
        changed: tuple[int, Sequence[date]] | None,
        run: int,
        failed: "Callable[[Miner, BaseException], None]",
        noted: Callable[[str], None],
    ) -> None:
        """Bring every miner's tables up to a run, as `plugins.logs.miners.mine` does."""


class Local:
    """This process."""

    def read(self, intake: "Intake", inputs: "Sequence[Input]", timed: Timed) -> "list[Outcome]":
        """Read logs one by one."""
        outcomes = []
        for number, item in enumerate(inputs):
            with timed(f"read {item.name}"):
                outcomes.append(intake.read(item, number))
        return outcomes

    def touched(self, lake: "Lake", built: int, before: date | None, rules: SessionRules) -> Touched[pl.Series]:
        """What has changed since the sessions were made."""
        return derive.touched(lake, built, rules) if before is None else derive.pruned(lake, before, rules)

    def rebuild(
        self, lake: "Lake", rules: SessionRules, sources: pl.DataFrame, run: int, what: Touched[pl.Series]
    ) -> list[date]:
        """Make the touched sessions anew, window by window."""
        return derive.rebuild(lake, rules, sources, run, what)

    def mine(
        self,
        lake: "Lake",
        working: "Sequence[Miner]",
        changed: tuple[int, Sequence[date]] | None,
        run: int,
        failed: "Callable[[Miner, BaseException], None]",
        noted: Callable[[str], None],
    ) -> None:
        """Run the miners here."""
        miners.mine(lake, working, changed, run, failed, noted)
