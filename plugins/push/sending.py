"""Sends what is due: claims messages in small batches, has them sent by threads, and stores what became of each.

One thread, the one that calls `Run.run`, reads and writes the records; the others compose and send. What is sent is
stored as soon as it is known: a run that is killed has sent no more without storing it than what was on its way.
"""

import os
import secrets
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from crm import outbox
from crm.delivery import GiveUpError, TryAgainError
from crm.errors import CrmError, Locked, Unusable
from crm.outbox import OUTBOX, Outcome, State
from plugins.push.backoff import pause
from plugins.push.composing import Composer, Job
from plugins.push.config import PushConfig
from plugins.push.receipts import promised
from plugins.push.ways import channels_of

if TYPE_CHECKING:
    from crm.app import App
    from crm.delivery import Sender
    from crm.hookspecs import Channel
    from crm.workspace import Workspace

LEASE: Final = timedelta(minutes=5)
"""For so long a claim holds; a sender that lives renews it."""

_AHEAD: Final = 16
"""So many messages for each worker are claimed before they are needed."""

_PATIENCE_S: Final = 1.0
"""So long the thread that stores waits for a result before it looks at the clock."""

NIGHT: Final = "it is in quiet hours"

TIDY_S: Final = 60.0
"""So many seconds lie between two looks for messages that are over, or were not acknowledged."""

_STUBBORN: Final = 5
"""So often it is tried to store results while another program keeps the records locked."""

_DOWN_AFTER: Final = 3
"""So many messages in a row for which a channel cannot be used, and it is left alone for the rest of the run."""


@dataclass(frozen=True)
class Wanted:
    """What is to be sent.

    Attributes:
        channel: Only by this channel; None for all.
        campaign: Only of this campaign; None for all.
        workers: How many are sent at the same time.
        most: How many at most; None for all.
        until_empty: Wait for what is to be tried again, or sent later.
    """

    channel: str | None = None
    campaign: str | None = None
    workers: int = 4
    most: int | None = None
    until_empty: bool = False


@dataclass
class Report:
    """What a run has done.

    Attributes:
        states: How many messages have come to each state; `queued` are those that are tried again.
        reasons: How often something went wrong, by state and reason.
        down: Channels and templates that could not be used, and why.
    """

    states: Counter[State] = field(default_factory=Counter)
    reasons: Counter[tuple[State, str]] = field(default_factory=Counter)
    down: dict[str, str] = field(default_factory=dict)

    def add(self, state: State, count: int = 1, reason: str | None = None) -> None:
        """Count messages that have come to a state."""
        if count:
            self.states[state] += count
        if count and reason:
            self.reasons[state, reason] += count


class Lane:
    """A channel in a run: its sender, opened when it is first needed, and whether it works.

    Args:
        app: The run of the program.
        channel: The channel.
    """

    def __init__(self, app: "App", channel: "Channel") -> None:
        self.name = channel.name
        self.down: str | None = None
        self._app, self._channel = app, channel
        self._lock = threading.Lock()
        self._sender: Sender | None = None
        self._failures = 0
        self._why = ""
        self._worked = False

    def sender(self) -> "Sender":
        """What sends.

        Raises:
            Unusable: the configuration does not do; then the channel is left alone at once.
        """
        with self._lock:
            if self._sender is None:
                assert self._channel.open is not None
                try:
                    self._sender = self._channel.open(self._app)
                except Exception as error:  # a plugin's channel may raise anything; the others go on
                    known = isinstance(error, CrmError)
                    self.down = str(error) if known else f"it cannot be opened: {type(error).__name__}: {error}"
                    raise Unusable(self.down) from error
            return self._sender

    def failed(self, why: str) -> None:
        """It could not be used for a message."""
        with self._lock:
            self._failures, self._why = self._failures + 1, why
            if self._failures >= _DOWN_AFTER:
                self.down = self.down or why

    def works(self) -> None:
        """It could be used for a message."""
        self._failures, self._worked = 0, True

    @property
    def unusable(self) -> str | None:
        """Why it could not be used at all, or no more; None if it could."""
        return self.down or (None if self._worked else self._why or None)

    def close(self) -> None:
        """Let go of connections and files."""
        if self._sender is not None:
            with suppress(Exception):
                self._sender.close()


class Run:
    """One run of `push send`.

    Args:
        app: The run of the program.
        workspace: The workspace.
        wanted: What is to be sent.
    """

    def __init__(self, app: "App", workspace: "Workspace", wanted: Wanted) -> None:
        channels = channels_of(app)
        self._config = app.config.get("push", PushConfig)
        self._records, self._wanted = workspace.records, wanted
        self._table = self._records.table(OUTBOX.name)
        self._known, self._receipts = list(channels), promised(self._config, channels)
        self._composer = Composer(app, workspace, channels)
        self._lanes = {name: Lane(app, each) for name, each in channels.items() if each.open is not None}
        self._home = home(workspace)
        self._me = f"{self._home}.{secrets.token_hex(8)}"
        self._results: SimpleQueue[Outcome] = SimpleQueue()
        self._under_way = self._claimed = 0
        self._stopping = self._alone = False
        self._unfit: dict[str, str] = {}
        self._renewed, self._cleaned = time.monotonic(), -TIDY_S
        self.report = Report()

    def run(self) -> Report:
        """Send what is due; whatever ends it, what was sent is stored, and the rest is let go."""
        with self._records.begin() as connection:
            outbox.let_go(connection, self._table, self._home, _now())
        pool = ThreadPoolExecutor(self._wanted.workers, thread_name_prefix="push")
        try:
            self._go(pool)
        finally:
            self._end(pool)
        self.report.down |= {f"template {name}": why for name, why in self._unfit.items()}
        self.report.down |= {f"channel {lane.name}": lane.unusable for lane in self._lanes.values() if lane.unusable}
        return self.report

    def _end(self, pool: ThreadPoolExecutor) -> None:
        """Wait for what is on its way, store what has become of it, and let go of the rest."""
        self._stopping = True
        pool.shutdown(cancel_futures=True)
        for lane in self._lanes.values():
            lane.close()
        self._store(list(self._drained()))
        self._let_go()

    def _go(self, pool: ThreadPoolExecutor) -> None:
        while True:
            if self._under_way < self._wanted.workers * _AHEAD // 2 and not (self._under_way and self._alone):
                self._fill(pool)
            if self._under_way:
                self._collect()
            elif not self._more_later():
                return

    def _fill(self, pool: ThreadPoolExecutor) -> None:
        """Claim messages, and have them sent."""
        now, limit = _now(), self._wanted.workers * _AHEAD
        if self._wanted.most is not None:
            limit = min(limit, self._wanted.most - self._claimed)
        open_lanes = [lane.name for lane in self._lanes.values() if lane.down is None]
        where = self._where(open_lanes)
        with self._records.begin() as connection:
            if time.monotonic() - self._cleaned >= TIDY_S:
                self._cleaned = time.monotonic()
                self._clean_up(connection, now)
            if limit <= 0 or not open_lanes:
                return
            idle, tries = not self._under_way, self._config.retry.tries
            if idle:
                lost = outbox.deadly(connection, self._table, now, tries, sender=self._me, where=where)
                self.report.add("failed", lost, outbox.ENDED)
            rows = outbox.claim(self._records, connection, now, limit, LEASE, sender=self._me, where=where, idle=idle)
        self._alone = rows["error"].to_list() == [outbox.ENDED]
        self._claimed += rows.height
        self._under_way += rows.height
        for job in self._composer.jobs(rows) if rows.height else ():
            pool.submit(self._work, job)

    def _where(self, channels: Sequence[str]) -> "sa.ColumnElement[bool]":
        """The messages that this run is about."""
        c, wanted = self._table.c, self._wanted
        where = sa.and_(
            c.channel.in_([each for each in channels if wanted.channel in (None, each)]),
            c.template.not_in(list(self._unfit)),
        )
        return where if wanted.campaign is None else sa.and_(where, c.campaign == wanted.campaign)

    def _clean_up(self, connection: "sa.Connection", now: datetime) -> None:
        """What is over has expired, and what was not acknowledged is queued again."""
        where = self._where(self._known)
        expired = outbox.expire(connection, self._table, now, where)
        failed = outbox.overdue(connection, self._table, now, self._receipts, self._config.retry.tries, where)
        self.report.add("expired", expired, "its time was over")
        self.report.add("failed", failed, "not acknowledged in time")

    def _work(self, job: Job) -> None:
        """Send one message, in a thread; whatever happens, there is an outcome."""
        try:
            outcome = self._outcome(job)
        except BaseException as error:  # a bug of a plugin's sender must not stop the others
            outcome = self._again(job, f"the channel fails: {type(error).__name__}")
        self._results.put(outcome)

    def _outcome(self, job: Job) -> Outcome:
        lane = self._lanes[job.row["channel"]]
        if self._stopping or lane.down is not None:
            return Outcome(job.id, "release", lane.down)
        now = _now()
        if (awake := self._composer.awake(job, now)) > now:
            return Outcome(job.id, "release", NIGHT, awake)
        try:
            message = self._composer.compose(job)
        except Unusable as error:
            self._unfit[job.row["template"]] = str(error)
            return Outcome(job.id, "release", str(error))
        except GiveUpError as error:
            return Outcome(job.id, "give up", str(error))
        try:
            received = lane.sender().send(message)
        except TryAgainError as error:
            lane.works()
            return self._again(job, str(error), error.after)
        except GiveUpError as error:
            lane.works()
            return Outcome(job.id, "give up", str(error))
        except Unusable as error:
            lane.failed(str(error))
            return Outcome(job.id, "release", str(error))
        lane.works()
        return Outcome(job.id, "acknowledged" if received else "sent")

    def _again(self, job: Job, why: str, after: timedelta | None = None) -> Outcome:
        """Another try later, unless there were enough."""
        tries = job.row["tries"]
        if tries >= self._config.retry.tries:
            return Outcome(job.id, "give up", f"{why}; tried {tries} times")
        soonest = _now() + pause(job.id, tries, self._config.retry, after)
        return Outcome(job.id, "again", why, self._composer.awake(job, soonest))

    def _collect(self) -> None:
        """Store the results that are there, after waiting for the first one."""
        with suppress(Empty):
            first = self._results.get(timeout=_PATIENCE_S)
            self._store([first, *self._drained()])
        if time.monotonic() - self._renewed > LEASE.total_seconds() / 3:
            self._renewed = time.monotonic()
            with self._records.begin() as connection:
                outbox.renew(connection, self._table, self._me, _now() + LEASE)

    def _drained(self) -> Iterator[Outcome]:
        with suppress(Empty):
            while True:
                yield self._results.get_nowait()

    def _store(self, outcomes: Sequence[Outcome]) -> None:
        """Store results in one transaction; while another program keeps the records locked, wait for it.

        Raises:
            Locked: it does not end; the messages are sent again by another run, with the same ids.
        """
        for attempt in range(1, _STUBBORN + 1) if outcomes else ():
            try:
                with self._records.begin() as connection:
                    outbox.settle(connection, self._table, outcomes, _now(), self._me)
                break
            except Locked:
                if attempt == _STUBBORN:
                    raise
        self._under_way -= len(outcomes)
        for each in outcomes:
            self.report.add(outbox.TRANSITIONS[each.event][1], 1, each.error)

    def _let_go(self) -> None:
        """End the claims that are left: what nobody has begun to send."""
        mine = sa.and_(self._table.c.sender == self._me, self._table.c.state == "sending")
        with self._records.begin() as connection:
            tries = self._table.c.tries - 1
            outbox.move(connection, self._table, "release", mine, claimed=None, sender=None, tries=tries)

    def _more_later(self) -> bool:
        """Wait for what is to be sent later, if that is wanted; false if there is nothing to wait for."""
        done = self._wanted.most is not None and self._claimed >= self._wanted.most
        lanes = [lane.name for lane in self._lanes.values() if lane.down is None]
        if not self._wanted.until_empty or done or not lanes:
            return False
        c = self._table.c
        waits = sa.and_(self._where(lanes), c.state.in_(["queued", "sending"]))
        moment = sa.func.coalesce(c.next_try, c.claimed, c.send_after)
        with self._records.engine.connect() as connection:
            first = connection.execute(sa.select(sa.func.min(moment, type_=sa.DateTime)).where(waits)).scalar()
        if first is None:
            return False
        wait = (first.replace(tzinfo=UTC) - _now()).total_seconds()
        time.sleep(min(max(wait, 0.05), 30.0))
        return True


def home(workspace: "Workspace") -> str:
    """What the names of a workspace's senders begin with; no other workspace, here or elsewhere, has the same."""
    place = f"{socket.gethostname()}:{os.path.realpath(workspace.path)}"
    return blake2b(place.encode(), digest_size=8, key=workspace.key, person=b"sender").hexdigest()


@contextmanager
def alone(workspace: "Workspace") -> Iterator[None]:
    """Be the only one who sends from this workspace, so that all claims of its senders are those of dead ones.

    Raises:
        Locked: another run is sending.
        Unusable: the workspace cannot be written.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(workspace.path / "push.lock", timeout=0, mode=0o600)
    try:
        lock.acquire()
    except Timeout:
        raise Locked(f"another `crm push send` is running on {workspace.path}; try again when it has ended") from None
    except OSError as error:
        raise Unusable(f"the workspace {workspace.path} cannot be written: {error.strerror or error}") from error
    try:
        yield
    finally:
        lock.release()


def _now() -> datetime:
    return datetime.now(UTC)
