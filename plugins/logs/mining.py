"""One run of `crm logs mine`: recover, read, commit hits, rebuild sessions, run the miners. Exactly once."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import msgspec
import polars as pl

from crm.errors import Unusable
from logparse.kernel import Account
from logparse.robots import Robots
from logparse.rules import Rules, SessionRules
from logparse.spec import LogFormat
from plugins.logs import derive, miners, rehits
from plugins.logs.config import LogsConfig
from plugins.logs.ingest import Intake, Outcome
from plugins.logs.inputs import Input
from plugins.logs.ledger import Ledger, Run

if TYPE_CHECKING:
    from crm.hookspecs import Miner
    from crm.workspace import Workspace


@dataclass(frozen=True)
class Result:
    """What a run did.

    Attributes:
        outcomes: What became of every input.
        account: Where every new line went.
        changed: The dates whose sessions were rebuilt.
        rules: The session rules in force.
    """

    outcomes: list[Outcome]
    account: Account
    changed: list[date]
    rules: SessionRules


@dataclass(frozen=True)
class Mine:
    """A workspace, locked by the caller, that is mined by one set of rules."""

    workspace: "Workspace"
    config: LogsConfig
    session_rules: SessionRules
    miners: "Sequence[Miner]"
    note: Callable[[str], None]

    @property
    def rules(self) -> Rules:
        """The rules by which lines become hits."""
        return self.config.rules()

    def run(
        self,
        inputs: Sequence[Input],
        formats: Sequence[LogFormat],
        wanted: LogFormat | None,
        *,
        verify: bool,
        progress: Callable[[int, int], None],
    ) -> Result:
        """Mine the new lines of some logs.

        Args:
            inputs: The logs.
            formats: The formats to detect.
            wanted: The format to use; None to detect it.
            verify: Open also files that look unchanged.
            progress: Called with the lines of every block and the offset where it ends.
        """
        ledger, last = self.recovered()
        started = datetime.now(UTC)
        run = last + 1
        intake = Intake(
            self.workspace.lake,
            ledger,
            self.rules,
            self.workspace.key,
            Robots(self.rules.robots),
            formats,
            wanted,
            run,
            verify,
            progress,
        )
        outcomes = [intake.read(item, number) for number, item in enumerate(inputs)]
        readings = [outcome.reading for outcome in outcomes if outcome.reading is not None]
        changed: list[date] = []
        if readings:
            ledger.write(Run(run, "mine", self.rules_text(), started), readings)
            self.workspace.lake.commit("hits", [part for outcome in outcomes for part in outcome.parts], run)
            changed = self._derive(ledger, run)
        account = sum((reading.account for reading in readings), Account())
        return Result(outcomes, account, changed, self.session_rules)

    def recovered(self) -> tuple[Ledger, int]:
        """The ledger and the number of the last run, after what an interrupted run has left is put right.

        Raises:
            Unusable: the visitor rules have changed, by which the stored hits cannot be renamed.
        """
        lake, records = self.workspace.lake, self.workspace.records
        last = lake.transaction("hits")
        for name in lake.contracts:
            lake.sweep(name)
        ledger = Ledger(records)
        ledger.recover(last)
        if last:
            last = self._follow_rules(ledger, last)
            self._derive(ledger, last)
        return ledger, last

    def _follow_rules(self, ledger: Ledger, last: int) -> int:
        """Rebuild what was made by other rules than those now in force; the number of the last run."""
        before, now = json.loads(ledger.last_rules() or "{}"), json.loads(self.rules_text())
        changed = [name for name in now if before.get(name) != now[name]]
        if "visitors" in changed:
            raise Unusable(
                "the rules of visitors (logs.visitors) have changed, and stored hits cannot be renamed; "
                "put the old rules back, or `crm logs drop --all` and mine the logs again"
            )
        if not set(changed) & {"pages", "robots", "sessions"}:
            return last
        self.note(f"the rules of {', '.join(changed)} have changed: hits and sessions are rebuilt")
        return self.rebuild(ledger, last)

    def rebuild(self, ledger: Ledger, last: int) -> int:
        """Make page, kind and robot of every hit anew, then all sessions; the number of the run."""
        run = last + 1
        parts = rehits.rewrite(self.workspace.lake, self.rules, run)
        ledger.write(Run(run, "rebuild", self.rules_text(), datetime.now(UTC)), [])
        dates = self.workspace.lake.files("hits")["date"].unique().to_list()
        self.workspace.lake.commit("hits", parts, run, replace=dates)
        self._derive(ledger, run)
        return run

    def drop(self, sources: Sequence[int]) -> int:
        """Forget sources: their hits, their sessions, their rows of the ledger. Returns how many hits went."""
        ledger, last = self.recovered()
        run = last + 1
        lake = self.workspace.lake
        parts, dates, gone = rehits.without(lake, sources, run)
        ledger.write(Run(run, "drop", self.rules_text(), datetime.now(UTC), tuple(sources)), [])
        lake.commit("hits", parts, run, replace=dates)
        ledger.recover(run)
        self._derive(ledger, run)
        return gone

    def _derive(self, ledger: Ledger, run: int) -> list[date]:
        """Bring sessions and miners' tables up to a run."""
        lake = self.workspace.lake
        built = lake.transaction("sessions")
        sources = pl.DataFrame(
            [(s.number, s.first_ts, s.position.fingerprint) for s in ledger.sources.values()],
            schema={"source": pl.Int64, "first_ts": pl.Datetime("us", "UTC"), "fingerprint": pl.String},
            orient="row",
        )
        if ledger.kinds_since(built) - {"mine"}:
            everything = derive.touched(lake, 0, self.session_rules)
            changed = derive.rebuild(lake, self.session_rules, sources, run, everything) if built < run else []
        else:
            changed = derive.derive(lake, self.session_rules, sources, run)
        miners.mine(lake, self.miners, changed, run)
        return changed

    def rules_text(self) -> str:
        """The rules that stored tables depend on, as JSON with sorted keys."""
        parts = {
            "visitors": self.rules.visitors,
            "pages": self.rules.pages,
            "robots": self.rules.robots,
            "sessions": self.session_rules,
        }
        return msgspec.json.encode(parts, order="deterministic").decode()
