"""Random events by random actors: the work flow does what a slow model of it does, and loses no money and no parts."""

import importlib.util
import os
import sys
import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from crm.app import App
from crm.schema import polars_schema
from crm.workspace import Workspace, write_key
from plugins import DEFAULT_PLUGINS
from plugins.tickets import contracts
from plugins.tickets.config import TicketsConfig
from plugins.tickets.flow.case import Actor, Asked, Case, Step
from plugins.tickets.flow.desk import Desk
from plugins.tickets.flow.funds import batch
from plugins.tickets.flow.machine import step
from plugins.tickets.flow.seats import assign, move_seat
from plugins.tickets.flow.story import replayed, standing_of
from plugins.tickets.flow.table import EVENTS, ROLES

if TYPE_CHECKING:
    from types import ModuleType

ONWARD: dict[str, tuple[tuple[str, str], ...]] = {
    "opened": (("submit", "dealer"),),
    "sent_back": (("submit", "dealer"),),
    "in_review": (("approve", "agent"), ("approve", "agent"), ("approve", "agent"), ("send_back", "agent")),
    "approved": (("serve", "dealer"), ("use_stock", "store"), ("ship", "store")),
    "parts_shipped": (("receive", "dealer"), ("receive", "dealer"), ("lose", "store")),
    "parts_ready": (("serve", "dealer"),),
    "served": (("sign", "dealer"), ("sign", "dealer"), ("refuse", "dealer")),
    "signed": (("return_part", "dealer"), ("settle", "clerk"), ("release", "clerk"), ("hold", "clerk")),
    "returning": (("receive_return", "store"), ("receive_return", "store"), ("lose", "store")),
    "part_returned": (("settle", "clerk"), ("release", "clerk"), ("hold", "clerk")),
    "settled": (("pay", "clerk"),),
    "paid": (("confirm", "dealer"),),
}
"""By state, what leads on, and who may do it."""
HERE = Path(__file__).parent
SHM = Path("/dev/shm")
COUNT = int(os.environ.get("CRM_TICKET_EXAMPLES", "10"))
"""So many runs of random events; the soak script wants more."""
CONFIG = TicketsConfig(levels=[1000.0, 5000.0], open_per_seat=2)
STOCK = {("D1", "P1"): 2, ("east", "P1"): 4, ("east", "P2"): 3}
FREE = [event for event in EVENTS if event not in ("change", "assign", "hand_back", "batch")]
REVIEWS = ("approve", "reject", "send_back")
NAMES = [f"T{number}" for number in range(6)]


def loaded(name: str) -> "ModuleType":
    spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


MODEL = loaded("flow_model")
START = datetime(2026, 3, 2, 8, tzinfo=UTC)


class Centre(RuleBasedStateMachine):
    """A small service centre beside its model."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(dir=SHM if SHM.is_dir() else None)  # a disk would wait at every step
        path = Path(self.folder.name) / "ws"
        write_key(path, bytes(32))
        self.workspace: Workspace = App(DEFAULT_PLUGINS, path).workspace()
        self.model = MODEL.Model(CONFIG.levels, STOCK)
        self.at = START
        self.settled: dict[str, dict[str, Any]] = {}

    def teardown(self) -> None:
        self.workspace.records.engine.dispose()
        self.folder.cleanup()

    def write(self, table: str, rows: list[dict[str, Any]]) -> None:
        contract = next(each for each in contracts.TABLES if each.name == table)
        with self.workspace.records.begin() as connection:
            self.workspace.records.append(connection, table, pl.DataFrame(rows, schema=polars_schema(contract)))

    def frame(self, table: str) -> pl.DataFrame:
        return self.workspace.records.frame(table)

    @initialize(steps=st.lists(st.integers(0, 12), min_size=len(NAMES), max_size=len(NAMES)))
    def begin(self, steps: list[int]) -> None:
        """Fill the centre, and bring each ticket so many steps forward, or chance would seldom get past the review."""
        self._fill()
        for name, count in zip(NAMES, steps, strict=True):
            for _ in range(count):
                self._forward(name)
        self._give()

    def _forward(self, name: str) -> None:
        """Let happen to a ticket what should, by whom it should."""
        repair = self.model.repairs[name]
        if repair.state == "in_review" and repair.seat is None:
            self._give()
        here = bool(self.model.stock.get((repair.dealer, repair.part or "")))
        by_fact = {
            "approved": ("serve", "dealer") if not repair.part else ("use_stock" if here else "ship", "store"),
            "signed": ("return_part", "dealer") if repair.part and repair.returned else ("settle", "clerk"),
        }
        event, role = by_fact.get(repair.state, ONWARD.get(repair.state, ((None, None),))[0])
        if event is not None:
            self._ask(name, event, role, repair.seat, wrong=False)

    def _fill(self) -> None:
        self.write("parts", [{"part": "P1", "returned": True}, {"part": "P2", "returned": False}])
        self.write("stock", [{"place": place, "part": part, "quantity": n} for (place, part), n in STOCK.items()])
        seats = [("S1", 1, "online"), ("S2", 2, "online"), ("S3", 3, "online")]
        self.write("seats", [{"seat": seat, "level": level, "state": state} for seat, level, state in seats])
        kinds = [(None, 200.25, True), ("P1", 1000.0, True), ("P2", 200.0, False), ("P1", 5000.0, True),
                 (None, 1500.4, False), ("P1", 200.0, False)]  # fmt: skip
        rows = []
        for name, (part, amount, fair) in zip(NAMES, kinds, strict=True):
            asked = amount if fair else amount + 500
            rows.append({"ticket": name, "dealer": "D1", "vin": name, "part": part, "quantity": 1.0, "parts_cost": 0.0,
                         "labour_cost": amount, "amount": asked, "opened": START})  # fmt: skip
            self.model.repairs[name] = MODEL.Repair("D1", asked, part, part == "P1", fair)
        self.write("tickets", rows)

    @rule(name=st.sampled_from(NAMES), event=st.sampled_from(FREE), role=st.sampled_from(ROLES),
          seat=st.sampled_from([None, "S1", "S2", "S3", "S9"]), wrong=st.booleans())  # fmt: skip
    def happen(self, name: str, event: Any, role: Any, seat: str | None, wrong: bool) -> None:
        """Ask for any event by anybody."""
        self._ask(name, event, role, seat, wrong=wrong)

    def _ask(self, name: str, event: Any, role: Any, seat: str | None, *, wrong: bool) -> None:
        """Ask for an event, with the data that it needs."""
        repair = self.model.repairs[name]
        payment = "PAY-999999" if wrong else repair.payment
        self.at += timedelta(seconds=1)
        ways = {"ship": {"origin": "east", "goal": "D1"}, "return_part": {"origin": "D1", "goal": "centre"}}
        data: dict[str, str | None] = {}
        if event in ways:
            data = {**ways[event], "shipment": f"{name}-{self.at.timestamp()}"}
        if event in ("receive", "receive_return", "lose"):
            data = {"shipment": self._under_way(name)}
        if event in ("pay", "confirm"):
            data = {"payment": payment}

        def ask(case: Case) -> Asked:
            self._compare_all(case, data)
            return Asked(event, Actor(role, "somebody"), self.at, "because", seat, data)

        with self.workspace.records.begin() as connection:
            done = Desk(self.workspace, connection, CONFIG).do([name], ask)
        happened = [step.asked.event for step in done.steps if step.asked.event == event]
        expected = self.model.allows(name, event, role, seat, payment)
        assert bool(happened) == expected, (name, event, role, seat, done.refused)

    def _compare_all(self, case: Case, data: dict[str, str | None]) -> None:
        """Whatever anybody may ask of a ticket as it is now is allowed where the model allows it, and nowhere else."""
        repair = self.model.repairs[case.id]
        seats = {repair.seat, None, "S1", "S2", "S3"}
        for event, role in product([*FREE, "batch"], ROLES):
            for seat in seats if event in REVIEWS else (None,):
                for payment in (repair.payment, "PAY-999999"):
                    asked = Asked(event, Actor(role, "somebody"), self.at, "because", seat,
                                  {"origin": "east", "goal": "D1", **data, "payment": payment})  # fmt: skip
                    allowed = self.model.would_allow(case.id, event, role, seat, payment)
                    assert isinstance(step(case, asked), Step) == allowed, (case, asked)
        nowhere = Asked("ship", Actor("store", "somebody"), self.at, data={"origin": "west", "shipment": "x"})
        assert isinstance(step(case, nowhere), str)
        held = replace(case, standing=replace(case.standing, held="odd"))
        for role in ROLES:
            assert isinstance(step(held, Asked("settle", Actor(role, "somebody"), self.at)), str)

    @rule(name=st.sampled_from(NAMES), picks=st.lists(st.integers(0, 5), min_size=1, max_size=12))
    def go_on(self, name: str, picks: list[int]) -> None:
        """Ask for what is likely to happen to one ticket, by whom it should be, step by step."""
        for pick in picks:
            repair = self.model.repairs[name]
            likely = ONWARD.get(repair.state, ())
            if likely:
                if repair.state == "in_review" and repair.seat is None:
                    self._give()
                event, role = likely[pick % len(likely)]
                self._ask(name, event, role, repair.seat, wrong=False)

    def _under_way(self, name: str) -> str | None:
        its = self.frame("shipments").filter(
            pl.col("ticket") == name, pl.col("received").is_null(), pl.col("lost").is_null()
        )
        return its["shipment"][0] if its.height else None

    @rule()
    def give(self) -> None:
        """Seats get what waits; who has what is taken over from the records, once it is seen to be fair."""
        self._give()

    def _give(self) -> None:
        self.at += timedelta(seconds=1)
        with self.workspace.records.begin() as connection:
            assign(Desk(self.workspace, connection, CONFIG), self.at)
        self._take_over()

    @rule(seat=st.sampled_from(["S1", "S2", "S3"]), state=st.sampled_from(["online", "offline"]))
    def come_and_go(self, seat: str, state: str) -> None:
        self.at += timedelta(seconds=1)
        with self.workspace.records.begin() as connection:
            move_seat(Desk(self.workspace, connection, CONFIG), seat, state, Actor("agent", "somebody"), self.at)
        self._take_over()

    def _take_over(self) -> None:
        seats = {row["seat"]: row for row in self.frame("seats").iter_rows(named=True)}
        for row in self.frame("ticket_states").iter_rows(named=True):
            repair = self.model.repairs[row["ticket"]]
            repair.seat = row["seat"]
            if row["seat"] is not None:
                assert repair.state == "in_review"
                assert seats[row["seat"]]["state"] == "online"
                assert seats[row["seat"]]["level"] >= repair.level
                assert row["seat"] not in repair.approvers

    @rule()
    def settle_whatever_there_is(self) -> None:
        """A clerk tries to settle everything: only what was signed, and whose part is back, can be."""
        for name in NAMES:
            self._ask(name, "settle", "clerk", None, wrong=False)

    @rule()
    def put_together(self) -> None:
        self.at += timedelta(seconds=1)
        with self.workspace.records.begin() as connection:
            rows, _ = batch(Desk(self.workspace, connection, CONFIG), Actor("clerk", "somebody"), self.at, None)
        ready = [name for name, each in self.model.repairs.items() if each.state == "settled" and not each.payment]
        assert bool(rows) == bool(ready)
        for name in ready:
            assert self.model.allows(name, "batch", "clerk", None, rows[0]["payment"])

    @invariant()
    def states_are_those_of_the_model(self) -> None:
        where = {row["ticket"]: row for row in self.frame("ticket_states").iter_rows(named=True)}
        for name, repair in self.model.repairs.items():
            row = where.get(name)
            assert (row["state"] if row else "opened") == repair.state
            assert bool(row and row["held"]) == repair.held
            assert set(standing_of(row).approvers if row else ()) == repair.approvers
            assert (row["level"] or 0 if row else 0) == repair.level
            assert (row["payment"] if row else None) == repair.payment

    @invariant()
    def what_is_settled_was_signed_and_its_part_is_back(self) -> None:
        for repair in self.model.repairs.values():
            if repair.state in ("settled", "paid", "confirmed"):
                assert repair.signed
                assert repair.back or not (repair.part and repair.returned)

    @invariant()
    def stories_lead_to_where_tickets_are(self) -> None:
        events = self.frame("ticket_events").sort("ticket", "number")
        where = {row["ticket"]: row for row in self.frame("ticket_states").iter_rows(named=True)}
        assert set(events["ticket"]) == set(where)
        for (name,), its in events.partition_by("ticket", as_dict=True).items():
            assert replayed(its.iter_rows(named=True)) == standing_of(where[str(name)])

    @invariant()
    def parts_are_neither_made_nor_lost(self) -> None:
        lie = self.frame("stock")["quantity"]
        assert not lie.len() or lie.min() >= 0  # type: ignore[operator]  # numbers
        sent = self.frame("shipments").filter(kind="part")
        under_way = sent.filter(pl.col("received").is_null(), pl.col("lost").is_null()).height
        if lie.len():
            assert lie.sum() + under_way + self.model.used + self.model.lost == sum(STOCK.values())
            assert {
                (row["place"], row["part"]): row["quantity"] for row in self.frame("stock").to_dicts()
            } == self.model.stock

    @invariant()
    def sums_of_money_agree(self) -> None:
        amounts = dict(self.frame("tickets").select("ticket", "amount").iter_rows())
        states = self.frame("ticket_states").filter(pl.col("payment").is_not_null())
        for row in self.frame("payments").iter_rows(named=True):
            its = states.filter(payment=row["payment"])["ticket"].to_list()
            assert (row["tickets"], row["total"]) == (len(its), round(sum(amounts[name] for name in its), 2))
            known = {self.model.repairs[name].state for name in its}
            assert (row["paid"] is not None) == bool(known & {"paid", "confirmed"})
            assert (row["confirmed"] is not None) == ("confirmed" in known)

    @invariant()
    def what_is_settled_stays_as_it_is(self) -> None:
        facts = {row["ticket"]: row for row in self.frame("tickets").to_dicts()}
        for name, repair in self.model.repairs.items():
            if repair.state in ("settled", "paid", "confirmed"):
                assert self.settled.setdefault(name, facts[name]) == facts[name]


TestCentre = Centre.TestCase
TestCentre.settings = settings(
    max_examples=COUNT, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck)
)
