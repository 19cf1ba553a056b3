"""Kill `crm push send` by SIGKILL at random moments; every customer must get every message, and none anew.

    python benchmarks/soak_outbox.py [--messages 10000] [--kills 30] [--workers 4] [--seed 1] [--keep FOLDER]

Messages to so many invented customers go to a mail server on loopback (smtp_sink.py) that keeps which ids it has taken,
and when. Runs are killed while they start, claim, send and store. At the end one run sends the rest. Then every id of
the outbox must have come to its recipient; one that came twice must have been taken just before a kill, when the run
could not store it any more; and the outbox must call every message sent.

Printed are how fast one run sends that nobody kills, the kills, the copies, and the verdict; the exit code is 1 where
anything is wrong.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from crm.app import App
from crm.outbox import enqueue
from crm.workspace import write_key
from plugins import DEFAULT_PLUGINS

KEY = bytes(range(32))
JUST_BEFORE_S = 3.0
"""A copy is explained by a kill so many seconds, at most, after the server had taken the first one."""

CONFIGURATION = """\
push:
  smtp: {{host: 127.0.0.1, port: {port}, tls: none, from: "Shop <news@shop.example>"}}
  unsubscribe: {{url: "https://shop.example/u/{{message}}"}}
"""


@dataclass
class Report:
    """What a soak found.

    Attributes:
        messages: How many there were.
        kills: How many runs were killed, by what they had sent: nothing, some.
        copies: How many messages came more than once.
        most: How often one came at most.
        seconds: How long the runs took in all.
        wrong: What is not as it should be; empty if all is well.
    """

    messages: int
    kills: Counter[str] = field(default_factory=Counter)
    copies: int = 0
    most: int = 0
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)


@dataclass
class Soak:
    """A workspace, the mail server, and what was done.

    Attributes:
        folder: Where everything lies.
        messages: How many messages are sent.
        workers: How many at a time.
        chance: What decides.
    """

    folder: Path
    messages: int
    workers: int
    chance: random.Random

    def __post_init__(self) -> None:
        self.workspace = self.folder / "ws"
        self.log = self.folder / "taken.log"
        self.killed: list[float] = []
        self.report = Report(self.messages)

    def run(self, kills: int) -> Report:
        """Queue, kill so many runs, let the last one end, and check."""
        begin = time.monotonic()
        with sink(self.log) as port:
            self.wanted = prepare(self.workspace, port, self.messages)
            for number in range(1, kills + 1):
                self._kill(number * self.messages // (kills + 1))
            last = sending(self.workspace, self.workers)
            said = last.communicate()[1].decode(errors="replace")
            if last.returncode:
                self.report.wrong.append(f"the last run ended with {last.returncode}: {said[-1000:]}")
        self.report.seconds = time.monotonic() - begin
        self._check()
        return self.report

    def _kill(self, goal: int) -> None:
        """Start a run, and end it: soon after it started, or when the server has taken so many mails."""
        before = lines(self.log)
        process = sending(self.workspace, self.workers)
        early = self.chance.random() < 0.2
        end = time.monotonic() + (self.chance.uniform(0, 2) if early else 120)
        while process.poll() is None and time.monotonic() < end and (early or lines(self.log) < goal):
            time.sleep(0.005)
        time.sleep(self.chance.uniform(0, 0.05))
        process.kill()
        self.killed.append(time.time())
        process.communicate()
        if process.returncode not in (0, -9):
            self.report.wrong.append(f"a run ended by itself with {process.returncode}, before it was killed")
        sent = "with nothing sent" if lines(self.log) == before else "with some sent"
        self.report.kills["after its end" if process.returncode == 0 else sent] += 1

    def _check(self) -> None:
        """Compare what the server has taken with what was queued."""
        taken: dict[str, list[float]] = {}
        strangers = 0
        for line in self.log.read_text(encoding="ascii").splitlines():
            at, name, recipient = line.split(" ")
            strangers += self.wanted.get(name) != recipient
            taken.setdefault(name, []).append(float(at))
        missing = len(self.wanted.keys() - taken.keys())
        copies = {name: times for name, times in taken.items() if len(times) > 1}
        self.report.copies, self.report.most = len(copies), max(map(len, taken.values()), default=0)
        odd = sum(not self._explained(at) for times in copies.values() for at in times[:-1])
        states = outbox_states(self.workspace)
        for number, what in (
            (missing, "messages never came"),
            (strangers, "mails had an id that was not queued, or another recipient"),
            (odd, "copies were sent though no run was killed just after the one before"),
            (self.messages - states["sent"], f"messages are not called sent: {dict(states)}"),
        ):
            if number:
                self.report.wrong.append(f"{number} {what}")

    def _explained(self, at: float) -> bool:
        return any(0 <= killed - at + 0.1 <= JUST_BEFORE_S for killed in self.killed)


def prepare(workspace: Path, port: int, messages: int) -> dict[str, str]:
    """Make a workspace with customers who agree, and queue a message for each; returns recipients by id."""
    write_key(workspace, KEY)
    (workspace / "crm.yaml").write_text(CONFIGURATION.format(port=port), encoding="utf-8")
    opened = App(DEFAULT_PLUGINS, workspace).workspace()
    who = pl.select(customer=pl.format("C{}", pl.int_range(messages, dtype=pl.Int64)))
    mail = pl.format("{}@example.com", pl.col("customer").str.to_lowercase()).alias("email")
    now = pl.lit(datetime.now(UTC))
    with opened.records.begin() as connection:
        opened.records.append(
            connection, "customers", who.with_columns(mail, name=pl.lit("王芳"), language=pl.lit("zh"))
        )
        consents = who.with_columns(channel=pl.lit("email"), ts=now, granted=pl.lit(True), source=pl.lit("soak"))
        opened.records.append(connection, "consents", consents)
        rows = who.with_columns(
            key=pl.col("customer"),
            campaign=pl.lit("soak"),
            channel=pl.lit("email"),
            template=pl.lit("default"),
            items=pl.lit(["1001"], dtype=pl.List(pl.String)),
            data=pl.lit("{}"),
            send_after=now,
            expires=pl.lit(None, dtype=pl.Datetime("us", "UTC")),
        )
        enqueue(opened, connection, rows)
    ids = opened.records.frame("outbox", columns=["message", "customer"])
    return {name: f"{customer.lower()}@example.com" for name, customer in ids.iter_rows()}


def outbox_states(workspace: Path) -> Counter[str]:
    """How many messages are in which state."""
    frame = App(DEFAULT_PLUGINS, workspace).workspace().records.frame("outbox", columns=["state"])
    return Counter(frame["state"].to_list())


@contextlib.contextmanager
def sink(log: Path) -> Iterator[int]:
    """A mail server in a process of its own; gives its port."""
    program = Path(__file__).with_name("smtp_sink.py")
    process = subprocess.Popen(
        [sys.executable, str(program), str(log)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


def lines(log: Path) -> int:
    """How many mails the server has taken."""
    return log.read_bytes().count(b"\n") if log.exists() else 0


def sending(workspace: Path, workers: int) -> subprocess.Popen[bytes]:
    """Start `crm push send` in a process of its own."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CRM_")}
    words = ["-q", "-w", str(workspace), "push", "send", "--workers", str(workers)]
    return subprocess.Popen(
        [sys.executable, "-m", "cli", *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=environment,
        cwd=Path(__file__).parents[1],
    )


def clean_run(folder: Path, messages: int, workers: int) -> float:
    """How many seconds a run takes that nobody kills."""
    with sink(folder / "taken.log") as port:
        prepare(folder / "ws", port, messages)
        begin = time.monotonic()
        process = sending(folder / "ws", workers)
        said = process.communicate()[1].decode(errors="replace")
        took = time.monotonic() - begin
    assert process.returncode == 0, said
    return took


def main() -> int:
    """Run as a program: 0 when all is well, 1 when something is wrong."""
    parser = argparse.ArgumentParser(description="Kill crm push send at random moments, and look for what is lost.")
    parser.add_argument("--messages", type=int, default=10_000, help="how many messages to send (default: 10000)")
    parser.add_argument("--kills", type=int, default=30, help="how many runs to kill (default: 30)")
    parser.add_argument("--workers", type=int, default=4, help="how many to send at a time (default: 4)")
    parser.add_argument("--seed", type=int, default=1, help="what is drawn at random (default: 1)")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="a new folder for everything, to look at it")
    arguments = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = arguments.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="crm-soak-")))
        for name in ("clean", "killed"):
            (folder / name).mkdir(parents=True)
        took = clean_run(folder / "clean", arguments.messages, arguments.workers)
        soak = Soak(folder / "killed", arguments.messages, arguments.workers, random.Random(arguments.seed))
        report = soak.run(arguments.kills)
    rate = arguments.messages / took
    print(f"{arguments.messages:,} messages by {arguments.workers} workers in {took:.1f} s: {rate:,.0f} a second")
    print(f"{sum(report.kills.values())} runs killed ({dict(report.kills)}), {report.seconds:.1f} s in all")
    print(f"{report.copies} messages came more than once, {report.most} times at most, each with the same id")
    for wrong in report.wrong:
        print(f"WRONG: {wrong}")
    print("FAILED" if report.wrong else "PASSED: every message came, and the outbox knows it")
    return int(bool(report.wrong))


if __name__ == "__main__":
    sys.exit(main())
