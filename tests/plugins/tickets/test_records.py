"""Tickets and what a centre knows besides come in from files, are checked, and go out again unchanged."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from crm.app import App
from plugins import DEFAULT_PLUGINS
from plugins.tickets.contracts import TABLES
from plugins.tickets.records import vins

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm

DEALERS = "dealer,rate\nD01,100\nD02,120\nE77,90\n"
LABOUR = "labour_code,hours,part_category\nBR01R,2,brakes\nBR02R,1,brakes\nEL01R,0.5,electrics\n"
FAULTS = "fault_code,cause,part_category\nBR01-LEAK,material,brakes\nEL01-DEAD,wear,electrics\n"
PARTS = "part,price,returned,part_category\nP-BR01,760,true,brakes\nP-EL01,650,false,\n"
CODES = {"dealers": DEALERS, "labour_codes": LABOUR, "fault_codes": FAULTS, "parts": PARTS}
HEAD = "ticket,dealer,vin,labour_code,fault_code,part,quantity,parts_cost,labour_cost,amount,opened,customer\n"
VIN = "1M8GDM9AXKP042788"
"""The worked example of a right check digit that textbooks have."""


def write(crm: "Crm", name: str, text: str) -> Path:
    file = crm.folder / name
    file.write_text(text, encoding="utf-8")
    return file


def outcome(crm: "Crm", *args: object) -> dict[str, int]:
    return {row["outcome"]: row["rows"] for row in crm.rows(*args)}


def centre(crm: "Crm") -> "Crm":
    """Put dealers and codes into the workspace, as an import would."""
    records = App(DEFAULT_PLUGINS, crm.workspace).workspace(create=True).records
    with records.begin() as connection:
        for name, text in CODES.items():
            records.upsert(connection, name, pl.read_csv(text.encode()))
    return crm


def line(ticket: str = "T1", **given: object) -> str:
    row = {
        "ticket": ticket,
        "dealer": "D01",
        "vin": VIN,
        "labour_code": "BR01R",
        "fault_code": "BR01-LEAK",
        "part": "P-BR01",
        "quantity": 1,
        "parts_cost": 760,
        "labour_cost": 200,
        "amount": 960,
        "opened": "2026-02-01 10:00",
        "customer": "C1",
    }
    return ",".join(str({**row, **given}[name]) for name in HEAD.strip().split(",")) + "\n"


def ticket(crm: "Crm", name: str = "T1") -> dict[str, Any]:
    rows = crm.open().records.frame("tickets").filter(ticket=name)
    assert rows.height == 1
    return rows.row(0, named=True)


def reasons(crm: "Crm", file: Path) -> list[str]:
    rejects = crm.folder / "rejects.csv"
    crm("tickets", "import", file, "--rejects", rejects)
    return pl.read_csv(rejects)["reason"].to_list()


class TestTickets:
    def test_chinese_headers_are_known(self, crm: "Crm") -> None:
        text = (
            "鉴定单号,经销商,车架号,车型,车辆类型,生产批次,生产日期,里程,客户编号,工时代码,故障代码,故障描述,备件号,部件大类,数量,"
            "备件费,工时费,金额,开单时间,班组\n"
            f"Y1,D01,{VIN.lower()},M01,轿车,B7,2025年3月1日,12000,C9,BR01R,BR01-LEAK,漏油,P-BR01,制动,1,"
            "760,200,960,2026/2/1 10:00,甲\n"
        )
        assert outcome(crm, "tickets", "import", write(crm, "t.csv", text))["new"] == 1
        row = ticket(crm, "Y1")
        assert (row["dealer"], row["vin"], row["model"], row["batch"]) == ("D01", VIN, "M01", "B7")
        assert (str(row["produced"]), row["mileage"], row["amount"]) == ("2025-03-01", 12000, 960)
        assert (row["part_category"], row["fault_text"], row["customer"]) == ("制动", "漏油", "C9")
        assert json.loads(row["extras"]) == {"班组": "甲"}

    @pytest.mark.parametrize(
        ("given", "reason"),
        [
            ({"dealer": "D1"}, "is no known dealer; the nearest: D01, D02"),
            ({"labour_code": "BR1R"}, "is no known labour code; the nearest: BR01R, BR02R"),
            ({"fault_code": "BR01-LEEK"}, "is no known fault code; the nearest: BR01-LEAK"),
            ({"part": "zzz"}, "is no known part (`crm centre parts import`)"),
            ({"vin": "1M8GDM9AXKPO42788"}, "is no VIN"),
            ({"vin": "1M8GDM9AXKP04278"}, "is no VIN"),
            ({"amount": -1}, "is less than nothing"),
            ({"amount": "1e12", "parts_cost": ""}, "is 1,000,000,000,000 or more"),
            ({"quantity": -1}, "is less than nothing"),
            ({"parts_cost": "-0.5"}, "is less than nothing"),
            ({"opened": "2999-01-01"}, "is in the future"),
            ({"opened": "soon"}, "is no date"),
        ],
    )
    def test_what_cannot_be_is_set_aside_with_the_reason(
        self, crm: "Crm", given: dict[str, object], reason: str
    ) -> None:
        centre(crm)
        file = write(crm, "t.csv", HEAD + line() + line("T2", **given) + line("T3"))
        found = reasons(crm, file)
        assert len(found) == 1
        assert reason in found[0]
        assert set(crm.open().records.frame("tickets")["ticket"]) == {"T1", "T3"}

    def test_a_wrong_code_is_not_repeated_on_the_terminal(self, crm: "Crm") -> None:
        centre(crm)
        file = write(crm, "t.csv", HEAD + line() + line("T2", dealer="Zhang San 13812345678"))
        assert "Zhang" not in crm("tickets", "import", file).stderr

    def test_a_vehicle_made_after_the_repair_is_set_aside(self, crm: "Crm") -> None:
        text = "ticket,dealer,opened,produced\nA,D,2026-01-02,2026-01-03\nB,D,2026-01-02,2026-01-02\n"
        assert reasons(crm, write(crm, "t.csv", text)) == ["is before the vehicle was made"]

    def test_codes_of_empty_tables_are_not_checked_and_that_is_said_once(self, crm: "Crm") -> None:
        result = crm("tickets", "import", write(crm, "t.csv", HEAD + line() + line("T2", dealer="X")))
        for name in ("dealers", "labour codes", "fault codes", "parts"):
            assert result.stderr.count(f"not checked, as no {name} are known yet") == 1
        assert crm.open().records.frame("tickets").height == 2

    @pytest.mark.parametrize(
        ("given", "told"),
        [
            ({"amount": 970}, "an amount that is not that of parts and work"),
            ({"amount": ""}, "without an amount"),
            ({"vin": "1M8GDM9A1KP042788"}, "a VIN whose check digit is wrong"),
        ],
    )
    def test_what_is_odd_goes_in_and_is_told(self, crm: "Crm", given: dict[str, object], told: str) -> None:
        centre(crm)
        result = crm("tickets", "import", write(crm, "t.csv", HEAD + line(**given) + line("T2")))
        assert f"1 row with {told}" in result.stderr or f"1 row {told}" in result.stderr
        assert crm.open().records.frame("tickets").height == 2

    def test_the_category_is_that_of_part_then_labour_then_fault(self, crm: "Crm") -> None:
        centre(crm)
        other = line("T2", part="P-EL01", labour_code="EL01R", fault_code="")
        third = line("T3", part="", labour_code="", fault_code="EL01-DEAD")
        crm("tickets", "import", write(crm, "t.csv", HEAD + line() + other + third))
        assert [ticket(crm, name)["part_category"] for name in ("T1", "T2", "T3")] == [
            "brakes",
            "electrics",
            "electrics",
        ]

    def test_a_ticket_without_an_id_gets_the_same_one_again(self, crm: "Crm") -> None:
        file = write(crm, "t.csv", HEAD + line("") + line("") + line("", amount=961))
        assert outcome(crm, "tickets", "import", file)["new"] == 3
        assert outcome(crm, "tickets", "import", file)["same"] == 3
        assert crm.open().records.frame("tickets")["ticket"].str.starts_with("t-").all()


class TestChanges:
    def under_way(self, crm: "Crm", *events: str) -> "Crm":
        centre(crm)
        crm("tickets", "import", write(crm, "t.csv", HEAD + line() + line("T2") + line("T3")))
        rows = [f"T1,2026-02-0{at + 1} 12:00,{each}" for at, each in enumerate(events, 1)]
        if rows:
            crm("tickets", "events", "import", write(crm, "e.csv", "\n".join(["ticket,ts,event,after,seat", *rows])))
        return crm

    def test_a_new_ticket_can_be_changed_and_its_story_keeps_what_was_there(self, crm_on: "Crm") -> None:
        crm = self.under_way(crm_on)
        file = write(crm, "again.csv", HEAD + line(amount=965, customer="C2", part=""))
        assert outcome(crm, "tickets", "import", file)["changed"] == 1
        (event,) = crm.open().records.frame("ticket_events").to_dicts()
        assert (event["ticket"], event["number"], event["event"]) == ("T1", 1, "change")
        assert (event["before"], event["after"], event["role"]) == ("opened", "opened", "dealer")
        assert json.loads(event["data"]) == {"amount": 960.0, "customer": "***"}
        assert ticket(crm)["amount"] == 965
        crm("tickets", "import", write(crm, "third.csv", HEAD + line(amount=966)))
        story = crm.open().records.frame("ticket_events").sort("number")
        assert story["number"].to_list() == [1, 2]
        assert crm.open().records.frame("ticket_states")["events"].to_list() == [2]
        said = [row["said"] for row in crm.rows("tickets", "show", "T1")]
        assert said[1:3] == ["customer was ***, amount was 960", "customer was ***, amount was 965"]

    def test_a_ticket_under_way_stays_as_it_is(self, crm_on: "Crm") -> None:
        crm = self.under_way(crm_on, "submit,in_review,")
        file = write(crm, "again.csv", HEAD + line(amount=965) + line("T2", amount=965))
        result = crm("tickets", "import", file)
        assert "is in review; only a ticket that is opened or sent back can be changed" in result.stderr
        assert (ticket(crm)["amount"], ticket(crm, "T2")["amount"]) == (960, 965)

    def test_a_row_that_says_the_same_of_it_is_the_same(self, crm: "Crm") -> None:
        self.under_way(crm, "submit,in_review,")
        before = ticket(crm)
        crm("centre", "parts", "import", write(crm, "p.csv", PARTS.replace("brakes", "chassis")))
        assert outcome(crm, "tickets", "import", write(crm, "other.csv", HEAD + line()))["same"] == 1
        assert ticket(crm) == before

    def test_a_ticket_that_was_sent_back_can_be_changed(self, crm: "Crm") -> None:
        self.under_way(crm, "submit,in_review,", "assign,in_review,S1", "send_back,sent_back,")
        file = write(crm, "again.csv", HEAD + line(amount=965))
        assert outcome(crm, "tickets", "import", file)["changed"] == 1
        last = crm.open().records.frame("ticket_events").sort("number").row(-1, named=True)
        assert (last["number"], last["event"], last["after"], last["level"]) == (4, "change", "sent_back", 1)

    def test_what_is_only_said_to_come_from_elsewhere_is_no_change_of_the_story(self, crm: "Crm") -> None:
        self.under_way(crm)
        crm("tickets", "import", write(crm, "other.csv", HEAD + line()))
        assert crm.open().records.frame("ticket_events").is_empty()


class TestCentre:
    @pytest.mark.parametrize(
        ("table", "text", "reason"),
        [
            ("dealers", "dealer,rate\nD1,-1\n", "is less than nothing"),
            ("labour", "labour_code,hours\nA,-1\n", "is less than nothing"),
            ("parts", "part,price\nA,-1\n", "is less than nothing"),
            ("stock", "place,part,quantity\nD1,P-BR01,-1\n", "is less than nothing"),
            ("stock", "place,part,quantity\nD1,P-BR02,1\n", "is no known part; the nearest: P-BR01"),
            ("seats", "seat,level\nS1,0\n", "is less than 1"),
            ("seats", "seat,level\nS1|S2,1\n", "has a |, which parts seats"),
            ("seats", "seat,level,state\nS1,1,asleep\n", "is none of online, offline"),
            (
                "vehicles",
                "vin,sold,produced\n1M8GDM9AXKP042788,2026-01-01,2026-01-02\n",
                "is before the vehicle was made",
            ),
            ("vehicles", "vin,dealer\n1M8GDM9AXKP042788,D03\n", "is no known dealer; the nearest: D01, D02"),
            ("vehicles", "vin\nABC\n", "is no VIN"),
            ("ratings", "ticket,ts,kind,score\nT1,2026-02-02,score,6\n", "is not from 1 to 5"),
            ("ratings", "ticket,ts,kind,score\nT1,2026-02-02,praise,5\n", "which have none"),
            ("ratings", "ticket,ts,kind,score\nT9,2026-02-02,score,5\n", "is no known ticket"),
            ("shipments", "shipment,ticket,kind\nX1,T9,part\n", "is no known ticket"),
            ("shipments", "shipment,ticket,kind\nX1,T1,letter\n", "is none of part, return"),
            ("payments", "payment,dealer,total\nX1,D99,1\n", "is no known dealer"),
            ("classes", "ticket,class,confidence\nT1,wear,1.5\n", "is not from 0 to 1"),
        ],
    )
    def test_what_cannot_be_is_set_aside_with_the_reason(self, crm: "Crm", table: str, text: str, reason: str) -> None:
        centre(crm)
        crm("tickets", "import", write(crm, "t.csv", HEAD + line("T1")))
        result = crm("centre", table, "import", write(crm, "x.csv", text), code=4)
        assert reason in result.stderr

    def test_words_for_kinds_and_states_are_known(self, crm: "Crm") -> None:
        centre(crm)
        crm("tickets", "import", write(crm, "t.csv", HEAD + line("T1")))
        crm(
            "centre",
            "seats",
            "import",
            write(crm, "s.csv", "工号,级别,技能,状态\nS1,2,brakes、engine；brakes,在线\nS2,1,,离线\n"),
        )
        crm(
            "centre",
            "ratings",
            "import",
            write(crm, "r.csv", "鉴定单号,时间,类型,评分\nT1,2026-02-02,投诉,\nT1,2026-02-03,,4\n"),
        )
        crm("centre", "shipments", "import", write(crm, "h.csv", "运单号,鉴定单号,类型\nX1,T1,返件\n"))
        crm("centre", "classes", "import", write(crm, "c.csv", "ticket,label\nT1,wear\n"))
        records = crm.open().records
        seats = records.frame("seats").sort("seat").select("level", "skills", "state").rows()
        assert seats == [(2, "brakes|engine", "online"), (1, None, "offline")]
        assert records.frame("ticket_ratings").sort("ts")["kind"].to_list() == ["complaint", "score"]
        assert records.frame("shipments")["kind"].to_list() == ["return"]
        assert records.frame("ticket_classes").select("origin", "class").row(0) == ("person", "wear")
        crm("centre", "dealers", "import", write(crm, "d.csv", "店号,省份\nZ1,广东省\n"))
        assert records.frame("dealers").filter(dealer="Z1")["region"].to_list() == ["广东"]
        crm("centre", "parts", "import", write(crm, "p.csv", "备件号,返件\nZ1,否\n"))
        assert records.frame("parts").filter(part="Z1")["returned"].to_list() == [False]

    def test_a_seat_that_an_import_takes_offline_hands_its_tickets_back(self, crm_on: "Crm") -> None:
        crm = centre(crm_on)
        crm("centre", "seats", "import", write(crm, "s.csv", "seat,level,state\nS1,1,online\n"))
        crm("tickets", "import", write(crm, "t.csv", HEAD + line("T1")))
        text = "ticket,ts,event,seat\nT1,2026-02-02,submit,\nT1,2026-02-03,assign,S1\n"
        crm("tickets", "events", "import", write(crm, "e.csv", text))
        crm("centre", "seats", "import", write(crm, "s.csv", "seat,level,state\nS1,1,offline\n"))
        (state,) = crm.open().records.frame("ticket_states").to_dicts()
        assert (state["state"], state["seat"], state["events"]) == ("in_review", None, 3)

    def test_names_of_agents_are_masked_and_names_of_dealers_are_not(self, crm: "Crm") -> None:
        crm("centre", "dealers", "import", write(crm, "d.csv", "dealer,name\nD1,一号店\n"))
        crm("centre", "seats", "import", write(crm, "s.csv", "seat,name,level\nS1,张三,1\n"))
        assert crm.rows("centre", "dealers", "list")[0]["name"] == "一号店"
        assert crm.rows("centre", "seats", "list")[0]["name"] == "张***"
        assert crm.rows("centre", "seats", "export", "--unmask")[0]["name"] == "张三"


class TestList:
    def test_conditions_are_on_facts_and_on_where_tickets_are(self, crm_on: "Crm") -> None:
        crm = centre(crm_on)
        crm("tickets", "import", write(crm, "t.csv", HEAD + line("T1") + line("T2", amount=9000, opened="2026-03-01")))
        crm("tickets", "events", "import", write(crm, "e.csv", "ticket,ts,event\nT2,2026-03-02,submit\n"))
        for words, found in (
            ((), ["T1", "T2"]),
            (("--where", "state = 'in_review' and level = 1"), ["T2"]),
            (("--where", "state = 'opened'"), ["T1"]),
            (("--where", "amount > 5000 and held is null"), ["T2"]),
            (("--since", "2026-02-15"), ["T2"]),
            (("--where", "seat is not null"), []),
        ):
            assert [row["ticket"] for row in crm.rows("tickets", "list", *words)] == found

    def test_customers_and_vehicles_are_masked(self, crm: "Crm") -> None:
        crm("tickets", "import", write(crm, "t.csv", HEAD + line(customer="KUNDE-77")))
        text = crm("tickets", "list", "--columns", "ticket,customer,vin,state").stdout
        assert "KUNDE" not in text
        assert VIN not in text


def digit_by_hand(vin: str) -> str:
    """The check digit, slowly (49 CFR 565.15)."""
    letters = dict(zip("ABCDEFGHJKLMNPRSTUVWXYZ", [*range(1, 9), *range(1, 6), 7, 9, *range(2, 10)], strict=True))
    weights = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2]
    total = sum(
        weight * (int(sign) if sign.isdigit() else letters[sign]) for sign, weight in zip(vin, weights, strict=True)
    )
    return "X" if total % 11 == 10 else str(total % 11)


@given(st.text("0123456789ABCDEFGHJKLMNPRSTUVWXYZ", min_size=17, max_size=17))
def test_the_check_digit_is_that_of_the_rule(vin: str) -> None:
    frame = pl.DataFrame({"vin": [vin, vin[:8] + digit_by_hand(vin) + vin[9:]]})
    wrong = frame.select(vins.wrong_digit(pl.col("vin"))).to_series().to_list()
    assert wrong == [vin[8] != digit_by_hand(vin), False]


@pytest.mark.parametrize("name", ["csv", "parquet"])
def test_all_tables_exported_and_imported_into_an_empty_workspace_are_equal(
    name: str,
    filled: "Callable[[Crm], Crm]",
    tmp_path: Path,
    new_crm: "Callable[[Path], Crm]",
) -> None:
    one, other = filled(new_crm(tmp_path / "one")), new_crm(tmp_path / "other")
    lines = one.open().records.frame("tickets").head(9).select("ticket", pl.lit("wear").alias("class"))
    lines.write_csv(one.folder / "classes.csv")
    one("centre", "classes", "import", one.folder / "classes.csv")
    warning = "kind,cell,first,last,lift\nbatch,M05-2410,2025-06-01,2025-09-01,2.5\n"
    one("centre", "warnings", "import", write(one, "warnings.csv", warning))
    groups = [*CENTRE_FIRST, ("tickets",), ("tickets", "events"), *CENTRE_LAST]
    for words in groups:
        out = one.folder / f"{'-'.join(words)}.{name}"
        one(*words, "export", "--unmask", "-o", out)
        other(*words, "import", out)
    for table in TABLES:
        found, wanted = (each.open().records.frame(table.name).sort(table.key) for each in (other, one))
        assert_frame_equal(found, wanted)
        assert wanted.height


CENTRE_FIRST = [("centre", each) for each in ("dealers", "labour", "faults", "parts", "stock", "seats", "vehicles")]
CENTRE_LAST = [("centre", each) for each in ("shipments", "payments", "ratings", "classes", "warnings")]
