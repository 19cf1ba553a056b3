"""`crm tickets quality` and `crm tickets warnings` on the workspace and on files."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.plugins.conftest import Crm

AT = datetime(2026, 1, 10, 23, 30, tzinfo=UTC)


def store(crm: "Crm", **tables: pl.DataFrame) -> None:
    records = crm.open().records
    with records.begin() as connection:
        for name, frame in tables.items():
            records.append(connection, name, frame)


def few() -> dict[str, pl.DataFrame]:
    rows = [
        ("t1", "v1", "brakes", "f1", 100.0, 50.0, 151.0, AT),
        ("t2", "v2", "brakes", "f1", 10.0, None, 10.0, AT + timedelta(days=60)),
        ("t3", "v1", "engine", "f2", None, None, 900.0, AT),
        ("t4", "v3", "engine", "f9", 1000.0, 1000.0, 2000.0, AT),
        ("t5", "v3", "engine", "f2", 7000.0, 0.0, 7000.0, AT),
    ]
    names = ("ticket", "vin", "part_category", "fault_code", "parts_cost", "labour_cost", "amount", "opened")
    states = {"t1": "paid", "t2": "signed", "t3": "confirmed", "t5": "rejected"}
    return {
        "tickets": pl.DataFrame(rows, schema=names, orient="row"),
        "ticket_states": pl.DataFrame({"ticket": states.keys(), "state": states.values()}),
        "fault_codes": pl.DataFrame({"fault_code": ["f1", "f2"], "cause": ["wear", "design"]}),
        "vehicles": pl.DataFrame(
            {"vin": ["v1", "v2"], "sold": [date(2025, 1, 10), None], "produced": [None, date(2026, 2, 1)]}
        ),
    }


def test_quality_tells_what_faults_cost(crm_on: "Crm") -> None:
    store(crm_on, **few())
    rows = crm_on.rows("tickets", "quality")
    assert [(row["part_category"], row["tickets"], row["loss"], row["settled"]) for row in rows] == [
        ("engine", 2, 2900.0, 900.0),
        ("brakes", 2, 160.0, 151.0),
    ]
    assert rows[0]["share"] == pytest.approx(2900 / 3060)
    assert rows[1]["running"] == pytest.approx(1)
    assert [round(row["months"], 2) for row in rows] == [11.99, 6.62]
    causes = crm_on.rows(
        "tickets", "quality", "--by", "fault_cause,cost", "--measure", "tickets", "--bands", "100,1000"
    )
    assert [(row["fault_cause"], row["cost"], row["tickets"]) for row in causes] == [
        ("design", "100 to 1000", 1),
        ("wear", "100 to 1000", 1),
        ("wear", "below 100", 1),
        (None, "from 1000", 1),
    ]
    assert "4 tickets; 1 that were rejected or withdrawn are left out" in crm_on("tickets", "quality").stderr


def test_quality_takes_filters_and_days_of_the_zone(crm: "Crm") -> None:
    store(crm, **few())
    assert [row["tickets"] for row in crm.rows("tickets", "quality", "--since", "2026-02-01")] == [1]
    assert [row["month"] for row in crm.rows("tickets", "quality", "--by", "month", "--where", "vin is not null")] == [
        "2026-01",
        "2026-03",
    ]
    crm("tickets", "quality", "--until", "2026-01-10", "--tz", "Asia/Shanghai", code=6)


def test_mistakes_are_told(crm: "Crm") -> None:
    assert "did you mean `fault_cause`" in crm("tickets", "quality", "--by", "fault_caus", code=2).stderr
    assert "named twice" in crm("tickets", "quality", "--by", "cost,cost", code=2).stderr
    assert "500,1000,5000" in crm("tickets", "quality", "--bands", "5,3", code=2).stderr
    assert "crm tickets import" in crm("tickets", "quality", code=6).stderr


def test_a_workspace_without_tickets_says_how_to_get_some(crm: "Crm") -> None:
    crm("customers", "import", crm.log("people.csv", "customer,city", "a,x"))
    said = "crm: the workspace has no tickets; `crm tickets import FILE` brings some\n"
    for command in (("warnings",), ("warnings", "--since", "7d"), ("quality",), ("dealers",)):
        assert crm("tickets", *command, code=6).stderr == said


def test_quality_reads_a_file(crm: "Crm") -> None:
    file = crm.folder / "tickets.csv"
    file.write_text(
        "ticket,opened,model,amount,parts_cost,state,sold\n"
        '1,2026/3/2 10:00,M1,"1,200.50",1000,paid,2025-03-02\n'
        "2,2026/3/4,M2,80,,open,\n"
    )
    rows = crm.rows("tickets", "quality", "--input", file, "--by", "model")
    assert [(row["model"], row["loss"], row["settled"]) for row in rows] == [("M1", 1000.0, 1200.5), ("M2", 80.0, 0.0)]
    assert rows[0]["months"] == pytest.approx(11.99, abs=0.01)
    assert "no column `batch`" in crm("tickets", "quality", "--input", file, "--by", "batch", code=2).stderr
    nothing = crm("tickets", "quality", "--input", file, "--by", "model", "--where", "model = 'M9'", code=6).stderr
    assert "there is no such ticket" in nothing
    assert "import" not in nothing
    file.write_text("ticket,opened,model\n1,soon,M1\n2,later,M2\n")
    assert "`opened` are no times" in crm("tickets", "quality", "--input", file, "--by", "model", code=4).stderr


def test_what_a_file_does_not_say_is_told(crm: "Crm") -> None:
    file = crm.folder / "tickets.csv"
    file.write_text("ticket,opened,model,parts_cost\n1,2026-03-02,M1,dear\n2,2026-03-03,M2,5\n")
    told = crm("tickets", "quality", "--input", file, "--by", "model")
    assert "1 value of the column `parts_cost` left out: cannot be read as numbers" in told.stderr
    lacking = crm("tickets", "warnings", "--input", file).stderr
    assert "lacks 8 columns" in lacking
    assert "`model`" not in lacking
    file.write_text("ticket,opened,model\n")
    said = crm("tickets", "quality", "--input", file, "--by", "model", code=6).stderr
    assert "--where may be too narrow" in said
    assert "import" not in said


def test_money_of_a_file_that_cannot_be_is_told_and_makes_no_share(crm: "Crm") -> None:
    file = crm.folder / "tickets.csv"
    file.write_text("model,amount,parts_cost,labour_cost\nM1,-9,-5,2\nM2,20,20,\n")
    result = crm("tickets", "quality", "--input", file, "--by", "model", "-f", "json")
    assert "1 row with money that is less than nothing" in result.stderr
    assert [(row["model"], row["loss"]) for row in json.loads(result.stdout)] == [("M2", 20.0), ("M1", -3.0)]
    file.write_text("model,amount,parts_cost,labour_cost\nM1,1,1e308,1e308\nM2,20,20,\n")
    rows = crm.rows("tickets", "quality", "--input", file, "--by", "model")
    assert [row["share"] for row in rows] == [row["running"] for row in rows] == [None, None]


def many(seed: int = 1) -> dict[str, pl.DataFrame]:
    """Tickets of ten batches, ten parts, eight dealers; the third batch has forty more of one part."""
    rng = np.random.default_rng(seed)
    batch, part, labour, dealer = (rng.integers(0, most, 1500) for most in (10, 10, 10, 8))
    batch[:40], part[:40] = 3, 4
    vehicle = batch * 200 + rng.integers(0, 200, 1500)
    tickets = pl.DataFrame(
        {
            "ticket": [f"t{at:04d}" for at in range(1500)],
            "vin": [f"v{at:04d}" for at in vehicle],
            "model": ["M"] * 1500,
            "batch": [f"b{at}" for at in batch],
            "part": [f"p{at}" for at in part],
            "part_category": [f"c{at % 3}" for at in part],
            "labour_code": [f"l{at}" for at in labour],
            "fault_code": [f"f{at}" for at in rng.integers(0, 12, 1500)],
            "dealer": [f"d{at}" for at in dealer],
            "amount": np.full(1500, 100.0),
            "opened": [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=5 * at) for at in range(1500)],
        }
    )
    vehicles = pl.DataFrame(
        {"vin": [f"v{at:04d}" for at in range(2000)], "sold": [date(2025, 6, 1)] * 2000}
    ).with_columns(model=pl.lit("M"), batch=pl.Series([f"b{at // 200}" for at in range(2000)]))
    return {"tickets": tickets, "vehicles": vehicles}


def cells(rows: list[dict[str, Any]]) -> set[tuple[str, str]]:
    return {(row["kind"], row["cell"]) for row in rows}


def test_warnings_name_the_bad_batch_and_are_new_once(crm_on: "Crm") -> None:
    store(crm_on, **many())
    first = crm_on.rows("tickets", "warnings", "--no-store")
    assert ("batch and part", "b3 / p4") in cells(first)
    assert all(row["q"] <= 0.05 and row["new"] for row in first)
    told = crm_on("tickets", "warnings")
    assert "expected by vehicles in service and totals" in told.stderr
    again = crm_on.rows("tickets", "warnings")
    assert cells(again) == cells(first)
    assert not any(row["new"] for row in again)
    assert {row["first"] for row in again} == {"2026-11-09T07:00:00+00:00"}
    behind = crm_on.rows("tickets", "warnings", "--tickets", "b3 / p4")
    tickets = many()["tickets"].filter(batch="b3", part="p4")["ticket"].sort(descending=True).to_list()
    assert [row["ticket"] for row in behind] == tickets
    row = next(row for row in again if row["cell"] == "b3 / p4")
    assert row["tickets"] == len(tickets)
    assert row["newest"].split() == tickets[:3]
    assert 1 < row["believed"] < row["lift"]


def test_what_stands_out_later_comes_first(crm: "Crm") -> None:
    store(crm, **many())
    crm("tickets", "warnings")
    more = (
        many()["tickets"]
        .tail(60)
        .with_columns(
            pl.col("ticket").str.replace("t", "n"),
            pl.lit("d5").alias("dealer"),
            pl.lit("l7").alias("labour_code"),
            vin=pl.Series([f"x{at}" for at in range(60)]),
            batch=pl.Series([f"b{at % 10}" for at in range(60)]),
        )
    )
    store(crm, tickets=more)
    rows = crm.rows("tickets", "warnings")
    assert rows[0]["new"]
    assert (rows[0]["kind"], rows[0]["cell"]) == ("dealer and labour", "d5 / l7")
    assert ("batch and part", "b3 / p4") in cells([row for row in rows if not row["new"]])


def test_a_run_as_of_earlier_makes_a_warning_older_and_keeps_the_newest_lift(crm: "Crm") -> None:
    store(crm, **many())
    crm("tickets", "warnings")
    (kept,) = (row for row in crm.open().records.frame("ticket_warnings").to_dicts() if row["cell"] == "b3 / p4")
    opened = many()["tickets"].filter(batch="b3", part="p4")["opened"].sort()
    until = opened[-4].date()
    (row,) = (row for row in crm.rows("tickets", "warnings", "--until", until) if row["cell"] == "b3 / p4")
    assert not row["new"]
    (now,) = (row for row in crm.open().records.frame("ticket_warnings").to_dicts() if row["cell"] == "b3 / p4")
    assert datetime.fromisoformat(row["first"]) == now["first"] < kept["first"]
    assert (now["last"], now["lift"]) == (kept["last"], kept["lift"])


def test_a_run_on_some_tickets_is_not_remembered_nor_a_viewers(crm: "Crm") -> None:
    store(crm, **many())
    assert crm.rows("tickets", "warnings", "--where", "model = 'M'")
    crm.configure("access: {role: viewer}\n")
    assert "not remembered" in crm("tickets", "warnings").stderr
    assert crm.open().records.count("ticket_warnings") == 0


def test_all_cells_are_listed_and_an_unknown_one_is_told(crm: "Crm") -> None:
    store(crm, **many())
    rows = crm.rows("tickets", "warnings", "--all")
    assert len({row["kind"] for row in rows}) == 4  # no causes of faults are known
    assert len(cells(rows)) == len(rows) == 10 + 100 + 80 + 12
    assert "did you mean `b3 / p4`" in crm("tickets", "warnings", "--tickets", "b3 / p44", code=6).stderr


def test_warnings_read_a_file(crm: "Crm", tmp_path: "Path") -> None:
    many()["tickets"].write_csv(tmp_path / "tickets.csv")
    told = crm("tickets", "warnings", "--input", tmp_path / "tickets.csv", "-f", "csv")
    assert "batch and part,b3 / p4" in told.stdout
    assert "totals alone" in told.stderr
    assert crm.open().records.count("ticket_warnings") == 0


@pytest.mark.parametrize("command", ["quality", "warnings", "dealers"])
def test_a_condition_sees_personal_columns_masked(crm: "Crm", command: str) -> None:
    store(crm, **many())
    crm("tickets", command, "--where", "vin = 'v0001'", code=6)


def test_the_problems_of_the_sample_are_found(
    crm: "Crm", sample_year: "Callable[..., dict[str, pl.DataFrame]]"
) -> None:
    year = sample_year(20260301, 20_000, story=False)
    store(crm, tickets=year["tickets"], vehicles=year["vehicles"], fault_codes=year["faults"])
    planted = {row["kind"]: row for row in year["planted"].to_dicts()}
    batch, dealer, rise = (planted[kind] for kind in ("batch", "dealer", "rise"))
    found = cells(crm.rows("tickets", "warnings"))
    assert {
        ("batch and part", f"{batch['batch']} / {batch['part']}"),
        ("dealer and labour", f"{dealer['dealer']} / {dealer['labour_code']}"),
        ("fault rises", rise["fault_code"]),
    } <= found
    strange = [
        cell for cell in found if not any(str(value) in cell[1] for row in planted.values() for value in row.values())
    ]
    assert strange == []


def test_a_name_of_two_cells_is_told(crm: "Crm") -> None:
    one = many()["tickets"].head(1)
    store(crm, tickets=one.with_columns(batch=pl.lit("x"), dealer=pl.lit("x"), labour_code=pl.col("part")))
    name = f"x / {one['part'][0]}"
    said = crm("tickets", "warnings", "--tickets", name).stderr
    assert f"`{name}` is a cell of " in said
    assert "batch and part" in said
    assert "dealer and labour" in said


def test_very_few_tickets_are_no_warning(crm: "Crm") -> None:
    one = many()["tickets"].head(1)
    store(crm, tickets=one.with_columns(batch=pl.lit("a / b")))
    assert crm.rows("tickets", "warnings") == []
    assert {row["cell"] for row in crm.rows("tickets", "warnings", "--all")} >= {"a / b / p4"}
    assert len(crm.rows("tickets", "warnings", "--tickets", "a / b / p4")) == 1
    file = crm.folder / "bare.csv"
    file.write_text("ticket,opened,model\n1,,M1\n")
    assert "when it was opened" in crm("tickets", "warnings", "--input", file, code=6).stderr
    file.write_text("ticket,opened\n1,2026-03-01\n2,2026-03-02\n")
    assert crm.rows("tickets", "warnings", "--input", file, "--all") == []
