"""Let agents, dealers, the store and clerks work on the same tickets at once, each in a process of its own.

    python benchmarks/soak_tickets.py [--tickets 400] [--processes 8] [--rounds 200] [--seed 1] [--records URL]
    python benchmarks/soak_tickets.py --machine 2000  # so many runs of random events beside the model instead

Every process looks at where tickets are, picks some, and only then asks for events, so that others are often first. It
tells the events that it has brought about. At the end the events that are stored must be those that were told, each
once; their numbers without gaps; every story must lead to where its ticket is; no ticket may have been given to a seat
while another one had it; no part and no money may have come from nowhere. Printed are how many events there were in a
second, how often somebody else was first, and what is wrong; the exit code is 1 where anything is.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from crm.app import App
from crm.schema import polars_schema
from crm.workspace import Workspace, write_key
from plugins import DEFAULT_PLUGINS
from plugins.tickets import contracts
from plugins.tickets.config import TicketsConfig
from plugins.tickets.flow.case import Actor, Asked, Case, Standing
from plugins.tickets.flow.desk import Desk, Done, at_second, opened
from plugins.tickets.flow.following import followed
from plugins.tickets.flow.funds import batch
from plugins.tickets.flow.parts import return_part, ship
from plugins.tickets.flow.seats import assign, move_seat
from plugins.tickets.flow.story import standing_of
from plugins.tickets.flow.table import Event, Role

CONFIG = TicketsConfig(levels=[1000.0, 5000.0], open_per_seat=4)
DEALERS, SEATS = ("D1", "D2", "D3"), tuple(f"S{number}" for number in range(1, 9))
STOCK = {"D1": 20.0, "D2": 5.0, "east": 60.0, "west": 500.0}
PART, AT_ONCE = "P1", 4
START = datetime(2026, 3, 2, tzinfo=UTC)

Told = list[tuple[str, int, str]]
"""Events: the ticket, the number, and what has happened."""


@dataclass
class Worker:
    """One process: who does a little of everything.

    Attributes:
        workspace: The workspace.
        chance: What decides.
        told: What it has brought about.
        refused: How often it was refused.
    """

    workspace: Workspace
    chance: random.Random
    told: Told = field(default_factory=list)
    refused: int = 0

    def work(self, rounds: int) -> None:
        """Do this and that."""
        jobs = (self.review, self.review, self.move, self.ship, self.settle, self.pay, self.seat, self.receive)
        for _ in range(rounds):
            self.chance.choice(jobs)()

    def some(self, *states: str) -> list[str]:
        """A few tickets that are in one of some states, as it was a moment ago."""
        rows = self.workspace.records.frame("ticket_states", columns=["ticket", "state"])
        its = sorted(rows.filter(pl.col("state").is_in(states))["ticket"])
        return self.chance.sample(its, min(AT_ONCE, len(its)))

    def do(self, work: Callable[[Desk, datetime], Iterable[Done]]) -> None:
        """Work on tickets in one transaction."""
        time.sleep(self.chance.random() / 100)  # time for others to be first
        with opened(self.workspace, CONFIG, now=True) as desk:
            found = list(work(desk, at_second()))
        for done in found:
            self.told += [(step.ticket, step.standing.events, step.asked.event) for step in done.steps]
            self.refused += len(done.refused)

    def ask(self, ids: list[str], event: Event, role: Role) -> None:
        """Ask for an event that needs nothing else."""
        actor = Actor(role, "soak")
        self.do(lambda desk, at: [desk.do(ids, lambda _case: Asked(event, actor, at, "soak"))])

    def review(self) -> None:
        """Review what a seat has; then tickets are given to seats again."""
        seat = self.chance.choice(SEATS)
        rows = self.workspace.records.frame("ticket_states").filter(seat=seat)
        event: Event = self.chance.choice(("approve", "approve", "approve", "approve", "reject", "send_back"))
        ids, actor = sorted(rows["ticket"]), Actor("agent", seat)
        self.do(
            lambda desk, at: [
                desk.do(ids, lambda _case: Asked(event, actor, at, "soak", seat)),
                assign(desk, at),
            ]
        )

    def move(self) -> None:
        """Do what a dealer does."""
        moves: dict[Event, tuple[str, ...]] = {
            "submit": ("sent_back",), "serve": ("approved", "parts_ready"), "sign": ("served",), "refuse": ("served",),
        }  # fmt: skip
        event = self.chance.choice(list(moves))
        self.ask(self.some(*moves[event]), event, "dealer")

    def ship(self) -> None:
        """Send parts, and defective ones back."""
        ids, back = self.some("approved"), self.some("signed")
        store, dealer = Actor("store", "soak"), Actor("dealer", "soak")
        self.do(
            lambda desk, at: [
                desk.do(ids, ship(desk, store, at, None, source=None, carrier="SF", number=None)),
                desk.do(back, return_part(desk, dealer, at, None, carrier="SF", number=None)),
            ]
        )

    def receive(self) -> None:
        """Receive some of what is on its way, and give some up."""
        kinds: dict[str, tuple[Event, Role]] = {
            "parts_shipped": ("receive", "dealer"),
            "returning": ("receive_return", "store"),
        }
        state = self.chance.choice(list(kinds))
        event, role = kinds[state] if self.chance.random() < 0.9 else ("lose", "store")
        ids = self.some(state)
        rows = self.workspace.records.frame("shipments").filter(pl.col("ticket").is_in(ids))
        numbers = dict(rows.sort("shipped").select("ticket", "shipment").iter_rows())
        ids = [name for name in ids if name in numbers]

        def ask(case: Case) -> Asked:
            return Asked(event, Actor(role, "soak"), at_second(), data={"shipment": numbers[case.id]})

        self.do(lambda desk, _at: [desk.do(ids, ask)])

    def settle(self) -> None:
        """Settle what is ready, and let pass what is held."""
        self.ask(self.some("signed", "part_returned"), self.chance.choice(("settle", "settle", "release")), "clerk")

    def pay(self) -> None:
        """Put settled tickets together, pay, and confirm."""
        payments = self.workspace.records.frame("payments")
        clerk, dealer = Actor("clerk", "soak"), Actor("dealer", "soak")
        of = self.workspace.records.frame("ticket_states").filter(pl.col("payment").is_not_null())
        chosen = self.chance.sample(sorted(payments["payment"]), min(2, payments.height))
        steps: tuple[tuple[Event, Actor], ...] = (("pay", clerk), ("confirm", dealer))
        event, actor = self.chance.choice(steps)

        def work(desk: Desk, at: datetime) -> Iterator[Done]:
            yield batch(desk, clerk, at, None)[1]
            for payment in chosen:
                its = sorted(of.filter(payment=payment)["ticket"])
                yield desk.do(its, lambda _case: Asked(event, actor, at, data={"payment": payment}))  # noqa: B023

        self.do(work)

    def seat(self) -> None:
        """A seat comes or goes."""
        seat, state = self.chance.choice(SEATS), self.chance.choice(("online", "online", "offline"))
        self.do(lambda desk, at: [move_seat(desk, seat, state, Actor("agent", seat), at) or Done()])


def prepare(workspace: Workspace, count: int, seed: int) -> None:
    """Put a service centre with submitted tickets into a workspace; every seventh amount does not agree."""
    chance = random.Random(seed)
    rows = []
    for number in range(count):
        cost = chance.choice((300.0, 800.0, 1500.0, 9000.0))
        rows.append({
            "ticket": f"T{number:05d}", "dealer": chance.choice(DEALERS), "vin": f"V{number}", "labour_code": "L1",
            "part": PART if number % 3 else None, "quantity": 1.0, "labour_cost": cost, "parts_cost": 0.0,
            "amount": cost + (100.0 if number % 7 == 0 else 0.0), "opened": START + timedelta(minutes=number),
        })  # fmt: skip
    seats = [{"seat": seat, "level": 1 + at % 3, "state": "online"} for at, seat in enumerate(SEATS)]
    with workspace.records.begin() as connection:
        for contract, its in (
            (contracts.TICKETS, rows),
            (contracts.SEATS, seats),
            (contracts.DEALERS, [{"dealer": dealer} for dealer in DEALERS]),
            (contracts.PARTS, [{"part": PART, "returned": True}]),
            (contracts.STOCK, [{"place": place, "part": PART, "quantity": n} for place, n in STOCK.items()]),
        ):
            frame = pl.DataFrame(its, schema=polars_schema(contract))
            workspace.records.append(connection, contract.name, frame)


def submit(workspace: Workspace) -> Told:
    """Submit all tickets, and give the first of them to seats."""
    worker = Worker(workspace, random.Random(0))
    ids = sorted(workspace.records.frame("tickets", columns=["ticket"])["ticket"])
    worker.ask(ids, "submit", "dealer")
    worker.do(lambda desk, at: [assign(desk, at)])
    return worker.told


def run(path: Path, processes: int, rounds: int, seed: int) -> tuple[Told, int]:
    """Let processes work at once; gives all that they have told, and how often they were refused."""
    command = [sys.executable, str(Path(__file__).resolve()), "--work", str(path), "--rounds", str(rounds), "--seed"]
    started = [
        subprocess.Popen([*command, str(seed + number)], stdout=subprocess.PIPE, text=True)
        for number in range(processes)
    ]
    told: Told = []
    refused = 0
    for process in started:
        out, _ = process.communicate()
        if process.returncode:
            raise RuntimeError("a process has failed")
        found = json.loads(out)
        told += [tuple(each) for each in found["told"]]
        refused += found["refused"]
    return told, refused


def check(workspace: Workspace, told: Told) -> list[str]:
    """What is wrong after all that was told; empty if nothing is."""
    frame = workspace.records.frame
    events = frame("ticket_events").sort("ticket", "number")
    stored = Counter(events.select("ticket", "number", "event").iter_rows())
    said = Counter(told)
    wrong = []
    if stored != said:
        wrong.append(f"{(said - stored).total()} events are lost, {(stored - said).total()} came from nowhere")
    return [*wrong, *_stories(workspace, events), *_parts(workspace, events), *_money(workspace)]


def _stories(workspace: Workspace, events: pl.DataFrame) -> Iterator[str]:
    where = {row["ticket"]: standing_of(row) for row in workspace.records.frame("ticket_states").iter_rows(named=True)}
    for (name,), its in events.partition_by("ticket", as_dict=True).items():
        standing = Standing()
        for row in its.iter_rows(named=True):
            if row["event"] == "assign" and standing.seat is not None:
                yield f"{name} was given to {row['seat']} while {standing.seat} had it"
            if row["event"] in ("approve", "reject", "send_back") and json.loads(row["data"])["seat"] != standing.seat:
                yield f"{name} was reviewed by a seat that did not have it"
            try:
                standing, _ = followed(standing, row)
            except ValueError as error:
                yield f"{name}: {error}"
                break
        if standing != where.get(str(name)):
            yield f"{name} is not where its story leads"
    for seat, number in Counter(each.seat for each in where.values() if each.seat).items():
        if number > CONFIG.open_per_seat:
            yield f"the seat {seat} has {number} tickets"


def _parts(workspace: Workspace, events: pl.DataFrame) -> Iterator[str]:
    stock = workspace.records.frame("stock")["quantity"]
    sent = workspace.records.frame("shipments").filter(kind="part")
    under_way = sent.filter(pl.col("received").is_null(), pl.col("lost").is_null()).height
    gone = events.filter(
        pl.col("event").is_in(["use_stock", "receive"])
        | ((pl.col("event") == "lose") & (pl.col("before") == "parts_shipped"))
    ).height
    if stock.sum() + under_way + gone != sum(STOCK.values()) or min(stock) < 0:
        yield "parts have come or gone"
    if under_way != workspace.records.frame("ticket_states").filter(state="parts_shipped").height:
        yield "parts on their way are not those of the tickets that wait for them"


def _money(workspace: Workspace) -> Iterator[str]:
    frame = workspace.records.frame
    its = frame("ticket_states").filter(pl.col("payment").is_not_null()).join(frame("tickets"), on="ticket")
    sums = {
        key[0]: (len(rows), rows["dealer"].unique().to_list(), round(rows["amount"].sum(), 2))
        for key, rows in its.partition_by("payment", as_dict=True).items()
    }
    for row in frame("payments").iter_rows(named=True):
        if sums.pop(row["payment"], None) != (row["tickets"], [row["dealer"]], row["total"]):
            yield f"the payment {row['payment']} is not that of its tickets"
    if sums:
        yield "tickets are in payments that are not there"


def soak(folder: Path, options: argparse.Namespace) -> list[str]:
    """Prepare a workspace, let processes work, and say what is wrong."""
    path = folder / "ws"
    write_key(path, bytes(32))
    if options.records:
        (path / "crm.yaml").write_text(f"records: {{url: '{options.records}'}}\n", encoding="utf-8")
    workspace = App(DEFAULT_PLUGINS, path).workspace()
    prepare(workspace, options.tickets, options.seed)
    told = submit(workspace)
    begin = time.perf_counter()
    more, refused = run(path, options.processes, options.rounds, options.seed)
    seconds = time.perf_counter() - begin
    states = Counter(workspace.records.frame("ticket_states")["state"].to_list())
    print(
        f"{len(more):,} events by {options.processes} processes in {seconds:.1f} s, {len(more) / seconds:,.0f} a second"
    )
    print(f"{refused:,} times somebody else was first, or a rule stood in the way")
    print(", ".join(f"{number:,} {state}" for state, number in sorted(states.items())))
    return check(workspace, told + more)


def machine(count: int) -> int:
    """Run the test with the model, with so many examples."""
    root = Path(__file__).resolve().parents[1]
    test = root / "tests" / "plugins" / "tickets" / "test_flow_machine.py"
    environment = {**os.environ, "CRM_TICKET_EXAMPLES": str(count)}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", str(test)],
        cwd=root,
        env=environment,
    ).returncode


def main() -> int:
    """Soak, work, or run the machine."""
    parser = argparse.ArgumentParser(description="Let many processes work on the same tickets at once.")
    parser.add_argument("--tickets", type=int, default=400)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--records", help="URL of an empty PostgreSQL database  [default: SQLite]")
    parser.add_argument("--machine", type=int, metavar="N", help="run N examples of the model-based test instead")
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.machine:
        return machine(options.machine)
    if options.work:
        worker = Worker(App(DEFAULT_PLUGINS, options.work).workspace(), random.Random(options.seed))
        worker.work(options.rounds)
        print(json.dumps({"told": worker.told, "refused": worker.refused}))
        return 0
    with tempfile.TemporaryDirectory(prefix="crm-soak-") as folder:
        wrong = soak(Path(folder), options)
    print("\n".join(wrong[:20]) or "nothing is wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
