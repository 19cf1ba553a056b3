"""The sample year of a service centre, and a small centre into which tests write their tickets."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from crm.schema import polars_schema
from plugins.tickets import contracts
from plugins.tickets.config import TicketsConfig
from plugins.tickets.flow.story import replayed, standing_of

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm

SAMPLES = Path(__file__).parents[3] / "sample_data"
ORDER = ("dealers", "labour", "faults", "parts", "stock", "seats", "vehicles")
BEHIND = ("shipments", "payments", "ratings")

Year = Callable[..., dict[str, pl.DataFrame]]


@pytest.fixture(scope="session")
def sample_year() -> Year:
    """Makes a year of tickets: `tickets` of sample_data/generate_tickets.py."""
    sys.path.insert(0, str(SAMPLES))
    try:
        from generate_tickets import tickets  # type: ignore[import-not-found]  # a script beside the packages
    finally:
        sys.path.remove(str(SAMPLES))
    made: Year = tickets
    return made


@pytest.fixture(scope="session")
def small_year(sample_year: Year) -> dict[str, pl.DataFrame]:
    """A year with few tickets."""
    return sample_year(7, 120)


@pytest.fixture
def filled(small_year: dict[str, pl.DataFrame]) -> "Callable[[Crm], Crm]":
    """Puts the small year into a workspace."""

    def fill(crm: "Crm") -> "Crm":
        for name, words in steps():
            crm(*words, "import", written(crm, name, small_year[name]))
        return crm

    return fill


def steps() -> list[tuple[str, tuple[str, ...]]]:
    """The tables in the order in which they go in, and the group of commands of each."""
    before = [(name, ("centre", name)) for name in ORDER]
    middle = [("tickets", ("tickets",)), ("events", ("tickets", "events"))]
    return [*before, *middle, *((name, ("centre", name)) for name in BEHIND)]


def written(crm: "Crm", name: str, frame: pl.DataFrame) -> Path:
    """A table as a file."""
    file = crm.folder / f"{name}.parquet"
    frame.write_parquet(file)
    return file


START = datetime(2026, 3, 2, 8, tzinfo=UTC)
BASE: dict[str, list[dict[str, Any]]] = {
    "dealers": [
        {"dealer": "D1", "region": "north", "group": "a", "rate": 100.0},
        {"dealer": "D2", "region": "south", "group": "a", "rate": 120.0},
    ],
    "labour_codes": [
        {"labour_code": "L1", "title": "pump", "part_category": "engine", "hours": 2.0},
        {"labour_code": "L2", "title": "check", "part_category": "engine", "hours": 1.0},
    ],
    "parts": [
        {"part": "P1", "part_category": "engine", "price": 300.0, "returned": True},
        {"part": "P2", "part_category": "lamps", "price": 50.0, "returned": False},
    ],
    "stock": [
        {"place": "D1", "part": "P1", "quantity": 2.0},
        {"place": "east", "part": "P1", "quantity": 3.0},
        {"place": "west", "part": "P1", "quantity": 5.0},
        {"place": "west", "part": "P2", "quantity": 4.0},
    ],
    "seats": [
        {"seat": "S1", "name": "甲", "level": 1, "state": "online"},
        {"seat": "S2", "name": "乙", "level": 2, "state": "online"},
        {"seat": "S3", "name": "丙", "level": 3, "state": "online"},
    ],
}


@dataclass
class Centre:
    """The program on a workspace of a service centre."""

    crm: "Crm"

    def write(self, table: str, rows: list[dict[str, Any]]) -> None:
        """Write rows into a table as they are."""
        contract = next(each for each in contracts.TABLES if each.name == table)
        schema = polars_schema(contract)
        workspace = self.crm.open()
        with workspace.records.begin() as connection:
            workspace.records.upsert(connection, table, pl.DataFrame(rows, schema=schema))

    def ticket(self, name: str, **facts: Any) -> str:
        """Write a ticket: a repair of D1 that needs no part and costs what it should."""
        usual = {"dealer": "D1", "vin": f"VIN{name}", "labour_code": "L1", "part_category": "engine", "quantity": 1.0}
        costs = {"parts_cost": 0.0, "labour_cost": 200.0, "amount": 200.0, "opened": START}
        self.write("tickets", [{"ticket": name, **usual, **costs, **facts}])
        return name

    def with_part(self, name: str, part: str = "P1", price: float = 300.0, **facts: Any) -> str:
        """Write a ticket whose repair takes a part."""
        return self.ticket(name, **{"part": part, "parts_cost": price, "amount": 200.0 + price, **facts})

    def rows(self, table: str) -> list[dict[str, Any]]:
        """All rows of a table, by its key."""
        contract = next(each for each in contracts.TABLES if each.name == table)
        return self.crm.open().records.frame(table).sort(contract.key).to_dicts()

    def states(self) -> dict[str, str]:
        """The state of each ticket to which something has happened."""
        return {row["ticket"]: row["state"] for row in self.rows("ticket_states")}

    def stock(self) -> dict[tuple[str, str], float]:
        """How many of each part lie where."""
        return {(row["place"], row["part"]): row["quantity"] for row in self.rows("stock")}

    def check_stories(self) -> None:
        """Every ticket's events, in order and without gaps, lead to where it is."""
        events = pl.DataFrame(self.rows("ticket_events"), schema=polars_schema(contracts.EVENTS))
        where = {row["ticket"]: row for row in self.rows("ticket_states")}
        assert set(events["ticket"]) == set(where)
        for name, row in where.items():
            its = events.filter(ticket=name).sort("number")
            assert replayed(its.iter_rows(named=True)) == standing_of(row)

    def __call__(self, *words: object, code: int = 0) -> str:
        """Call `crm tickets ...`; gives what it prints on both streams."""
        result = self.crm("tickets", *words, code=code)
        return result.stdout + result.stderr

    def bring(self, name: str, *events: str) -> None:
        """Let commands happen to a ticket, one after the other; `review` by the seat that has it."""
        for event in events:
            if event == "review":
                seat = next(row["seat"] for row in self.rows("ticket_states") if row["ticket"] == name)
                self("review", name, "--seat", seat)
            elif event in ("receive", "receive back"):
                open_ = [row for row in self.rows("shipments") if row["ticket"] == name and not row["received"]]
                self("receive", open_[-1]["shipment"])
            else:
                self(event, name)


def centre_of(crm: "Crm", config: str = "levels: [1000, 5000]") -> Centre:
    """A service centre in a workspace."""
    crm.configure(f"tickets: {{{config}}}\n")
    centre = Centre(crm)
    for table, rows in BASE.items():
        centre.write(table, rows)
    return centre


@pytest.fixture
def centre(crm: "Crm") -> Centre:
    return centre_of(crm)


@pytest.fixture
def centre_on(crm_on: "Crm") -> Centre:
    return centre_of(crm_on)


@pytest.fixture
def new_centre() -> "Callable[..., Centre]":
    return centre_of


@pytest.fixture
def tickets_config() -> TicketsConfig:
    return TicketsConfig(levels=[1000.0, 5000.0])


@pytest.fixture
def days() -> Callable[[float], datetime]:
    return lambda number: START + timedelta(days=number)
