"""One run of `crm logs mine`: recover, read, commit hits, rebuild sessions, run the miners. Exactly once."""

import json
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import polars as pl

from crm.cells import visible
from crm.compaction import compact
from crm.errors import Unusable
from logparse.kernel import Account
from logparse.robots import Robots, list_version
from logparse.rules import Rules, SessionRules
from logparse.spec import LogFormat
from plugins.logs import rehits
from plugins.logs.config import LogsConfig
from plugins.logs.engine import Engine, Local
from plugins.logs.ingest import Intake, Outcome
from plugins.logs.inputs import Input
from plugins.logs.ledger import Ledger, Run
from plugins.logs.parallel import Pool
from plugins.logs.rejects import RejectsFile
from plugins.logs.words import differences

if TYPE_CHECKING:
    from crm.app import App
    from crm.hookspecs import Miner
    from crm.workspace import Workspace


KEEP_REPLACED = timedelta(hours=1)
"""Data files that have been replaced are kept for so long, for queries that are under way."""


@dataclass(frozen=True)
class Result:
    """What a run did.

    Attributes:
        outcomes: What became of every input.
        account: Where every new line went.
        changed: The dates whose sessions were rebuilt.
        rules: The session rules in force.
        failed: The miners that did not work, each with its error.
        notes: What the miners have to say.
    """

    outcomes: list[Outcome]
    account: Account
    changed: list[date]
    rules: SessionRules
    failed: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Pruned:
    """What a prune took out: days with hits, hits, and sessions; miners that did not work, and what they have said."""

    days: int
    hits: int
    sessions: int
    failed: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Mine:
    """A workspace, locked by the caller, that is mined by one set of rules.

    Attributes:
        workspace: The workspace.
        config: The section `logs` of its configuration.
        session_rules: The session rules in force.
        miners: What plugins have registered.
        note: Tells the user something.
        debug: Tells the user what happens inside, with an event and its fields.
        complain: Tells the user of a miner that does not work, once.
        engine: Reads logs, and makes sessions and miners' tables.
        failed: The miners that did not work in this run, each with its error; they are not run again.
        notes: What the miners have said in this run.
    """

    workspace: "Workspace"
    config: LogsConfig
    session_rules: SessionRules
    miners: "Sequence[Miner]"
    note: Callable[[str], None]
    debug: Callable[..., None]
    complain: "Callable[[Miner, BaseException], None]"
    engine: Engine[Any]
    failed: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @classmethod
    def of(
        cls,
        app: "App",
        session_rules: SessionRules | None = None,
        note: Callable[[str], None] | None = None,
        debug: Callable[..., None] | None = None,
        config: LogsConfig | None = None,
        engine: Engine[Any] | None = None,
    ) -> "Mine":
        """The workspace of a run of the program, with its configuration and its plugins' miners.

        Args:
            app: The run of the program.
            session_rules: The session rules in force; None for those of the configuration.
            note: Tells the user something; None for `app.note`.
            debug: Tells the user what happens inside; None for `app.debug`.
            config: The section `logs`; None for that of the configuration.
            engine: Reads logs, and makes sessions and miners' tables; None for this process.
        """
        config = config or app.config.get("logs", LogsConfig)
        rules = session_rules or config.session_rules()
        miners = app.host.miners(app.config)

        def complain(miner: "Miner", error: BaseException) -> None:
            plugin = app.host.owner("miner", miner.name)
            assert plugin is not None
            app.host.fail(plugin, f"its miner {miner.name!r} does not work", error)

        workspace, debug = app.workspace(create=True), debug or app.debug
        named = ", ".join(miner.name for miner in miners)
        debug(f"workspace {workspace.path}, configuration {app.config.path or 'none'}, miners: {named}")
        return cls(workspace, config, rules, miners, note or app.note, debug, complain, engine or Local())

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
        pool: Pool,
        rejects: RejectsFile | None = None,
    ) -> Result:
        """Mine the new lines of some logs.

        Args:
            inputs: The logs.
            formats: The formats to detect.
            wanted: The format to use; None to detect it.
            verify: Open also files that look unchanged.
            progress: Called with the lines of every block and the offset where it ends.
            pool: Works on blocks; its workers are ended with the reading.
            rejects: Takes the rejected lines, if they are wanted.
        """
        started = datetime.now(UTC)
        with self._timed("open the workspace and catch up"):
            ledger, last, changed = self._caught_up(*self._opened())
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
            pool,
            rejects,
        )
        outcomes = self.engine.read(intake, inputs, self._timed)
        pool.close()  # the sessions want its memory
        readings = [outcome.reading for outcome in outcomes if outcome.reading is not None]
        if any(reading.account.lines for reading in readings):
            with self._timed(f"commit hits as run {run}"):
                ledger.write(Run(run, "mine", self.rules_text(), started), readings)
                self.workspace.lake.commit("hits", [part for outcome in outcomes for part in outcome.parts], run)
            changed |= set(self._derive(ledger, run))
            with self._timed("put small files together and delete replaced ones"):
                self._tidy()
        else:
            ledger.write_files(last, readings)
        account = sum((reading.account for reading in readings), Account())
        return Result(outcomes, account, sorted(changed), self.session_rules, self.failed, self.notes)

    @contextmanager
    def _timed(self, phase: str) -> Iterator[None]:
        """Tell how long a phase of a run took."""
        began = time.perf_counter()
        yield
        seconds = time.perf_counter() - began
        self.debug(f"{seconds:.3f} s: {visible(phase)}", "phase", phase=phase, seconds=round(seconds, 6))

    def _tidy(self) -> None:
        """Put small files together, and delete those that were replaced so long ago that nobody reads them."""
        lake = self.workspace.lake
        for name, contract in lake.contracts.items():
            if contract.by_date:
                compact(lake, name)
            lake.vacuum(name, KEEP_REPLACED)

    def rebuild(self) -> Result:
        """Make page, kind and robot of every stored hit anew, then all sessions and tables."""
        ledger, last = self._opened()
        changed: list[date] = []
        if last:
            self._check_visitors(ledger)
            changed = self._remake(ledger, last, hits=True)
        return Result([], Account(), changed, self.session_rules, self.failed, self.notes)

    def drop(self, sources: Collection[int] | None) -> int:
        """Forget sources: their hits, their sessions, their rows of the ledger. Returns how many hits went.

        Args:
            sources: Their numbers; None for all, which is possible whatever has become of the rules.
        """
        ledger, last = self._opened()
        if sources is None:
            sources = list(ledger.sources)
        else:
            ledger, last, _ = self._caught_up(ledger, last)
        run = last + 1
        lake = self.workspace.lake
        parts, dates, gone = rehits.without(lake, sorted(sources), run)
        ledger.write(Run(run, "drop", self.rules_text(), datetime.now(UTC), tuple(sorted(sources))), [])
        lake.commit("hits", parts, run, replace=dates)
        ledger.recover(run)
        self._derive(ledger, run)
        for name in lake.contracts:
            lake.vacuum(name, timedelta(0))
        return gone

    def prune(self, before: date, audit: Callable[[int], None]) -> Pruned:
        """Take out all hits before a date, with their sessions and what miners made of these.

        The ledger stays as it is, so that no line of them is read again. Sessions that had begun before the date
        are gone; their hits since then make sessions of their own, as if the logs had begun there.

        Args:
            before: The first UTC date that is kept.
            audit: Told how many hits will go, before they do.
        """
        ledger, last, _ = self._caught_up(*self._opened())
        lake = self.workspace.lake
        old = lake.files("hits").filter(pl.col("date") < before)
        hits, sessions = int(old["rows"].sum()), int(lake.files("sessions")["rows"].sum())
        if not old.height:
            return Pruned(0, 0, 0)
        audit(hits)
        run, days = last + 1, old["date"].unique().to_list()
        ledger.write(Run(run, "prune", self.rules_text(), datetime.now(UTC), (before.isoformat(),)), [])
        lake.commit("hits", [], run, replace=days)
        self._derive(ledger, run)
        left = int(lake.files("sessions")["rows"].sum())
        return Pruned(len(days), hits, sessions - left, self.failed, self.notes)

    def _opened(self) -> tuple[Ledger, int]:
        """The ledger and the number of the last run; what a run that never committed has left is gone.

        Raises:
            Unusable: lake and records are not of the same state, so lines could be stored twice.
        """
        lake = self.workspace.lake
        last = lake.transaction("hits")
        for name in lake.contracts:
            lake.sweep(name)
        ledger = Ledger(self.workspace.local)
        ledger.recover(last)
        found = ledger.last_run()
        if found != last:
            raise Unusable(
                f"the ledger in {self.workspace.local.file} ends with run {found}, the hits in {lake.place.name} "
                f"with run {last}; restore both from one backup"
            )
        return ledger, last

    def _caught_up(self, ledger: Ledger, last: int) -> tuple[Ledger, int, set[date]]:
        """Bring everything up to the last run and to the rules in force; also the dates that this changed.

        Raises:
            Unusable: the visitor rules have changed, by which the stored hits cannot be renamed.
        """
        if not last:
            return ledger, last, set()
        changed = self._changed_rules(ledger)
        if changed:
            days = self._remake(ledger, last, hits=changed != ["sessions"])
            return ledger, last + 1, set(days)
        if self.workspace.lake.transaction("sessions") < last:
            self.note("the last run was interrupted before its sessions were made: they are made now")
        return ledger, last, set(self._derive(ledger, last))

    def _changed_rules(self, ledger: Ledger) -> list[str]:
        """Which rules other than the visitors' are not those of the last run; the user is told."""
        self._check_visitors(ledger)
        before, now = _parts(ledger.last_rules()), _parts(self.rules_text())
        changed = [name for name in ("pages", "robots", "sessions") if before.get(name) != now[name]]
        if changed == ["sessions"]:
            old = msgspec.convert(before["sessions"], SessionRules)
            self.note(f"all sessions are made anew by other rules: {differences(old, self.session_rules)}")
        elif changed:
            self.note(f"the rules of {', '.join(changed)} have changed: all hits and sessions are made anew")
        return changed

    def _check_visitors(self, ledger: Ledger) -> None:
        """Stop where the visitor rules have changed: stored hits cannot name their visitors anew."""
        before, now = _parts(ledger.last_rules()), _parts(self.rules_text())
        if before.get("visitors") != now["visitors"]:
            raise Unusable(
                "the rules of visitors (logs.visitors) have changed, and stored hits cannot be renamed; "
                "put the old rules back, or `crm logs drop --all` and mine the logs again"
            )

    def _remake(self, ledger: Ledger, last: int, *, hits: bool) -> list[date]:
        """Make all sessions, and all hits if asked, anew as one run; the dates that this changed."""
        run, lake = last + 1, self.workspace.lake
        parts = rehits.rewrite(lake, self.rules, run) if hits else []
        dates = lake.files("hits")["date"].unique().to_list() if hits else None
        ledger.write(Run(run, "rebuild", self.rules_text(), datetime.now(UTC)), [])
        lake.commit("hits", parts, run, replace=dates)
        return self._derive(ledger, run)

    def _derive(self, ledger: Ledger, run: int) -> list[date]:
        """Bring sessions and miners' tables up to a run; the dates whose sessions were rebuilt."""
        lake = self.workspace.lake
        built = lake.transaction("sessions")
        changed: tuple[int, list[date]] | None = None
        if built < run:
            before = ledger.pruned_since(built) if built else None
            whole = before is None and bool(ledger.kinds_since(built) - {"mine"})
            what = self.engine.touched(lake, 0 if whole else built, before, self.session_rules)
            with self._timed(f"make the sessions of {len(what.dates):,} days"):
                changed = built, self.engine.rebuild(lake, self.session_rules, _ranks(ledger), run, what)
        working = [miner for miner in self.miners if miner.name not in self.failed]
        with self._timed("run the miners"):
            self.notes.clear()
            self.engine.mine(lake, working, changed, run, self._fail, self.notes.append)
        return changed[1] if changed else []

    def _fail(self, miner: "Miner", error: BaseException) -> None:
        self.failed[miner.name] = f"{type(error).__name__}: {' '.join(str(error).split())}".rstrip(": ")
        self.complain(miner, error)

    def rules_text(self) -> str:
        """The rules that stored tables depend on, as JSON with sorted keys."""
        parts = {
            "visitors": self.rules.visitors,
            "pages": self.rules.pages,
            "robots": {"rules": self.rules.robots, "list": list_version()},
            "sessions": self.session_rules,
        }
        return msgspec.json.encode(parts, order="deterministic").decode()


def _parts(rules: str | None) -> dict[str, object]:
    found: dict[str, object] = json.loads(rules or "{}")
    return found


def _ranks(ledger: Ledger) -> pl.DataFrame:
    """What orders hits of one instant from several sources."""
    return pl.DataFrame(
        [(s.number, s.first_ts, s.position.fingerprint) for s in ledger.sources.values()],
        schema={"source": pl.Int64, "first_ts": pl.Datetime("us", "UTC"), "fingerprint": pl.String},
        orient="row",
    )
