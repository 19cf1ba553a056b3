"""The sample year of a service centre is the same on every run, its truth is true, and its stories are possible."""

import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from plugins.tickets import contracts
from plugins.tickets.flow.story import replayed
from plugins.tickets.flow.table import STATES
from plugins.tickets.records import vins

SAMPLES = Path(__file__).parents[2] / "sample_data"
PROGRAM = SAMPLES / "generate_tickets.py"
TABLES = {
    "dealers": contracts.DEALERS,
    "labour": contracts.LABOUR,
    "faults": contracts.FAULTS,
    "parts": contracts.PARTS,
    "stock": contracts.STOCK,
    "seats": contracts.SEATS,
    "vehicles": contracts.VEHICLES,
    "tickets": contracts.TICKETS,
    "events": contracts.EVENTS,
    "shipments": contracts.SHIPMENTS,
    "payments": contracts.PAYMENTS,
    "ratings": contracts.RATINGS,
}

Frames = dict[str, pl.DataFrame]


def made(folder: Path, *words: str) -> dict[str, bytes]:
    subprocess.run([sys.executable, str(PROGRAM), str(folder), *words], check=True)
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def year() -> Frames:
    sys.path.insert(0, str(SAMPLES))
    try:
        from generate_tickets import tickets  # type: ignore[import-not-found]  # a script beside the packages
    finally:
        sys.path.remove(str(SAMPLES))
    frames: Frames = tickets(3, 20_000)
    return frames


def test_the_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    one, again, other = (
        made(tmp_path / name, "--seed", seed, "--tickets", "300")
        for name, seed in (("one", "1"), ("again", "1"), ("other", "2"))
    )
    assert one == again
    assert [name for name in one if one[name] != other[name]] != []
    assert set(one) == {*(f"{name}.csv" for name in TABLES), "classes.csv", "labels.csv", "truth.json"}


def test_without_problems_there_is_nothing_to_be_found(tmp_path: Path) -> None:
    files = made(tmp_path, "--tickets", "300", "--clean")
    truth = json.loads(files["truth.json"])
    assert truth["planted"] == []
    assert truth["rows"]["tickets"] == 300


def test_columns_are_those_of_the_contracts(year: Frames) -> None:
    behind = {"extras", "original", "source"}
    for name, table in TABLES.items():
        assert year[name].columns == [each.name for each in table.columns if each.name not in behind], name


def test_the_problems_stand_out_as_the_truth_says(year: Frames) -> None:
    rows = year["tickets"]
    batch, dealer, rise = year["planted"].sort("kind").to_dicts()
    found = rows.filter(batch=batch["batch"], fault_code=batch["fault_code"]).height
    assert found == batch["tickets"] > 30
    assert rows.filter(fault_code=batch["fault_code"]).group_by("batch").len()["len"].sort()[-2] < found / 5
    same = rows.filter(labour_code=dealer["labour_code"]).join(rows.group_by("dealer").len(), on="dealer")
    share = same.group_by("dealer").agg((pl.len() / pl.col("len").first()).alias("share")).sort("share")
    assert share["dealer"][-1] == dealer["dealer"]
    assert share["share"][-1] > 3 * share["share"].median()
    rising = rows.filter(fault_code=rise["fault_code"])
    since = rising.filter(pl.col("opened").dt.date() >= rise["since"]).height
    every = rows.filter(pl.col("opened").dt.date() >= rise["since"]).height
    assert since / rising.height > every / rows.height + 0.05


def test_a_clean_year_has_none_of_them(year: Frames) -> None:
    from generate_tickets import tickets

    clean = tickets(3, 20_000, planted=False, story=False)
    batch = year["planted"].filter(kind="batch").row(0, named=True)
    assert clean["tickets"].filter(batch=batch["batch"], fault_code=batch["fault_code"]).height < 5
    assert clean["planted"].is_empty()


def test_varied_rates_make_batches_differ_more(year: Frames) -> None:
    from generate_tickets import tickets

    def spread(frames: Frames) -> float:
        counts = frames["tickets"].group_by("batch").len()
        begin = pl.max_horizontal("sold", pl.date(2025, 3, 1))
        days = (pl.coalesce("gone", pl.date(2026, 3, 1)) - begin).dt.total_days().clip(0).sum().alias("days")
        sizes = frames["vehicles"].group_by("batch").agg(days)
        both = sizes.join(counts, on="batch").filter(pl.col("len") > 10)
        rate = both["len"] / both["days"]
        mean = rate.mean()
        deviation = rate.std()
        assert isinstance(mean, float)
        assert isinstance(deviation, float)
        return deviation / mean

    plain = tickets(5, 20_000, planted=False, story=False)
    varied = tickets(5, 20_000, planted=False, story=False, spread=0.3)
    assert varied["tickets"].height == 20_000
    assert spread(varied) > 1.5 * spread(plain)


def test_codes_are_those_of_the_tables(year: Frames) -> None:
    rows = year["tickets"]
    for name, key in (("dealers", "dealer"), ("labour", "labour_code"), ("faults", "fault_code"), ("parts", "part")):
        assert rows[key].drop_nulls().is_in(year[name][key].implode()).all(), name
    assert rows["vin"].is_in(year["vehicles"]["vin"].implode()).all()
    assert year["vehicles"]["vin"].is_unique().all()
    wrong = vins.malformed(pl.col("vin")) | vins.wrong_digit(pl.col("vin"))
    assert year["vehicles"].filter(wrong).is_empty()


def test_a_ticket_is_of_a_vehicle_in_service_and_costs_what_it_says(year: Frames) -> None:
    both = year["tickets"].join(year["vehicles"].select("vin", "sold", "gone", "batch"), on="vin", suffix="_of")
    day = pl.col("opened").dt.date()
    assert both.filter((day < pl.col("sold")) | (day > pl.col("gone"))).height == 0
    assert both.filter(pl.col("batch") != pl.col("batch_of")).is_empty()
    odd = (both["amount"] - both["parts_cost"] - both["labour_cost"]).abs() > 0.01
    assert 0.01 < odd.mean() < 0.02  # type: ignore[operator]  # a number


def test_texts_are_not_one_to_one_with_codes(year: Frames) -> None:
    parts = year["parts"].select("part", "title")
    chinese = year["tickets"].join(parts, on="part").filter(pl.col("fault_text").str.contains(r"\p{Han}"))
    named = chinese.select(pl.col("fault_text").str.contains(pl.col("title"), literal=True).mean()).item()
    assert 0.3 < named < 0.8
    wordings = year["tickets"].group_by("fault_code").agg(pl.col("fault_text").n_unique())
    assert wordings["fault_text"].median() > 50  # type: ignore[operator]  # a number


def test_classes_are_mostly_the_causes_of_the_codes(year: Frames) -> None:
    rows = year["tickets"].join(year["classes"], on="ticket").join(year["faults"], on="fault_code")
    assert 0.85 < rows.select((pl.col("class") == pl.col("cause")).mean()).item() < 0.95
    assert year["labels"].join(year["classes"], on=["ticket", "class"]).height == year["labels"].height == 4000


def test_every_story_replays_and_tickets_stand_in_every_state(year: Frames) -> None:
    events = year["events"].sort("ticket", "number")
    last = {}
    for (ticket,), its in events.filter(pl.col("ticket").str.ends_with("7")).group_by("ticket", maintain_order=True):
        last[ticket] = replayed(its.iter_rows(named=True))
    told = events.group_by("ticket").agg(pl.col("after").last(), pl.len())
    for ticket, state, count in told.filter(pl.col("ticket").is_in(list(last))).iter_rows():
        assert (last[ticket].state, last[ticket].events) == (state, count)
    assert set(told["after"]) | {"opened"} == set(STATES)
    assert told.height < year["tickets"].height
    assert str(events["ts"].max()) < "2026-03-01"


def test_shipments_and_payments_are_those_of_the_events(year: Frames) -> None:
    named = year["events"].with_columns(
        pl.col("data").str.extract(r'"shipment": "([^"]*)"').alias("shipment"),
        pl.col("data").str.extract(r'"payment": "([^"]*)"').alias("payment"),
    )
    sent = named.filter(pl.col("event").is_in(["ship", "return_part"]))
    both = sent.join(year["shipments"], on=["ticket", "shipment"], how="full", coalesce=True)
    assert both.height == sent.height == year["shipments"].height
    assert (both["ts"] == both["shipped"]).all()
    ends = named.filter(pl.col("event").is_in(["receive", "receive_return", "lose"]))
    arrived = ends.join(year["shipments"], on=["ticket", "shipment"])
    assert arrived.height == ends.height
    assert (arrived["ts"] == arrived["received"].fill_null(arrived["lost"])).all()
    put = named.filter(event="batch").join(year["tickets"].select("ticket", "amount"), on="ticket")
    sums = put.group_by("payment").agg(pl.len().alias("count"), pl.col("amount").sum().round(2))
    paid = year["payments"].join(sums, on="payment", how="full", coalesce=True)
    assert (paid["tickets"] == paid["count"]).all()
    assert (paid["total"] - paid["amount"]).abs().max() < 0.01  # type: ignore[operator]  # a number


def test_seats_review_what_they_may(year: Frames) -> None:
    given = year["events"].filter(event="assign").join(year["seats"].drop("level").rename({"state": "at"}), on="seat")
    given = given.join(year["seats"].select("seat", pl.col("level").alias("may")), on="seat")
    given = given.join(year["tickets"].select("ticket", "part_category"), on="ticket")
    assert given.height == year["events"].filter(event="assign").height
    assert (given["may"] >= given["level"]).all()
    skilled = pl.col("skills").is_null() | pl.col("skills").str.split("|").list.contains(pl.col("part_category"))
    assert given.filter(~skilled).is_empty()
