"""`crm customers clv`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm

COLUMNS = ["customer", "frequency", "recency", "age", "monetary", "alive", "purchases", "spend", "value"]


def orders(crm: "Crm", customers: int = 150) -> Path:
    """Customers who buy at rates of their own for two years, and leave after some purchase."""
    rng = np.random.default_rng(3)
    lines = ["customer,date,amount"]
    for who in range(customers):
        day, rate, mean = rng.integers(0, 200), rng.gamma(1.0, 1 / 40), 60 / rng.gamma(3)
        leaves = rng.beta(1, 5)
        while day < 730:
            when = np.datetime64("2024-01-01") + int(day)
            lines.append(f"c{who:03},{when},{mean * rng.gamma(5, 0.2):.2f}")
            day += rng.exponential(1 / rate)
            if rng.random() < leaves:
                break
    return crm.log("orders.csv", *lines)


def clv(crm: "Crm", *args: object) -> list[dict[str, Any]]:
    return crm.rows("customers", "clv", "--input", orders(crm), *args)


def test_customers_are_listed_the_most_valuable_first_and_masked(crm: "Crm") -> None:
    found = clv(crm)
    assert list(found[0]) == COLUMNS
    assert len(found) == 150
    values = [row["value"] for row in found]
    assert values == sorted(values, reverse=True)
    assert {row["customer"] for row in found} == {"c***"}
    assert all(0 <= row["alive"] <= 1 for row in found)
    assert all(row["alive"] == 1 for row in found if row["frequency"] == 0)
    assert all(row["recency"] <= row["age"] for row in found)
    assert all((row["monetary"] is None) == (row["frequency"] == 0) for row in found)


def test_the_parameters_are_told_and_can_be_listed(crm: "Crm") -> None:
    found = crm("customers", "clv", "--input", orders(crm), "--parameters", "-f", "json")
    values = {row["name"]: row["value"] for row in json.loads(found.stdout)}
    assert list(values) == [
        *("r", "alpha", "a", "b", "p", "q", "gamma", "bgnbd_log_likelihood", "gamma_gamma_log_likelihood"),
        *("customers", "repeat_customers", "valued_customers"),
    ]
    again = f"{values['repeat_customers']:.0f}"
    assert f"BG/NBD of 150 customers, {again} of whom bought again, in weeks: r {values['r']:.4f}, " in found.stderr
    assert f"; log-likelihood {values['bgnbd_log_likelihood']:.3f}" in found.stderr
    assert f"Gamma-Gamma of {again} customers: p {values['p']:.4f}, q {values['q']:.4f}, " in found.stderr
    assert f"gamma {values['gamma']:.4f}; log-likelihood {values['gamma_gamma_log_likelihood']:.3f}" in found.stderr
    assert "correlation of frequency and monetary" in found.stderr
    assert "warning" not in found.stderr


def test_value_is_purchases_times_spend_and_less_with_a_discount(crm: "Crm") -> None:
    plain, less = clv(crm, "--discount", 0), clv(crm, "--discount", 0.5)
    for row in plain:
        assert row["value"] == pytest.approx(row["purchases"] * row["spend"])
    for row in less:
        share = row["value"] / (row["purchases"] * row["spend"])
        assert 1 / 1.5 < share < 1  # between money of a year later and money of now
    assert sum(row["purchases"] for row in less) == pytest.approx(sum(row["purchases"] for row in plain))


def test_units_are_those_of_one_time(crm: "Crm") -> None:
    by = {unit: clv(crm, "--unit", unit) for unit in ("day", "week", "month")}
    days = {"day": 1, "week": 7, "month": 365.25 / 12}
    for unit, rows in by.items():
        for row, other in zip(rows, by["day"], strict=True):
            assert row["recency"] * days[unit] == pytest.approx(other["recency"])
            assert row["age"] * days[unit] == pytest.approx(other["age"])
            assert row["value"] == pytest.approx(other["value"], rel=1e-3)


@pytest.mark.parametrize(("horizon", "same"), [("1y", "12mo"), ("52w", "364d"), ("26", "26w"), ("0.5y", "6mo")])
def test_a_horizon_is_a_time(crm: "Crm", horizon: str, same: str) -> None:
    found, other = (sum(row["purchases"] for row in clv(crm, "--horizon", text)) for text in (horizon, same))
    assert found == pytest.approx(other)
    assert found < sum(row["purchases"] for row in clv(crm, "--horizon", "2y"))


def test_a_later_end_of_the_observation_makes_customers_less_alive(crm: "Crm") -> None:
    now, later = (clv(crm, "--until", until) for until in ("2025-12-31", "2026-12-31"))
    assert sum(row["alive"] for row in later) < sum(row["alive"] for row in now)
    earlier = clv(crm, "--until", "2024-12-31")
    assert max(row["age"] for row in earlier) <= 366 / 7


def test_the_same_file_in_another_order_gives_the_same_table(crm: "Crm") -> None:
    file = orders(crm)
    header, *lines = file.read_text().splitlines()
    other = crm.log("other.csv", header, *reversed(lines))
    assert [crm("customers", "clv", "--input", each, "-f", "csv").stdout for each in (file, other)].count(
        crm("customers", "clv", "--input", file, "-f", "csv").stdout
    ) == 2


def test_a_file_with_types_gives_the_same_table(crm: "Crm") -> None:
    file = orders(crm)
    typed = pl.read_csv(file, try_parse_dates=True)
    typed.write_parquet(crm.folder / "orders.parquet")
    typed.write_excel(crm.folder / "orders.xlsx")
    wanted = crm("customers", "clv", "--input", file, "-f", "csv").stdout
    for name in ("orders.parquet", "orders.xlsx"):
        assert crm("customers", "clv", "--input", crm.folder / name, "-f", "csv").stdout == wanted


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--horizon", "3m", "write 1y, 6mo, 12w, 90d, or a number"),
        ("--horizon", "0y", "is no time to look ahead"),
        ("--horizon", "nan", "is no time to look ahead"),
        ("--until", "2024-02-30", "is no date"),
        ("--discount", "-0.1", "--discount"),
        ("--customer", "custmer", "did you mean `customer`"),
    ],
)
def test_wrong_options_are_refused(crm: "Crm", option: str, value: str, message: str) -> None:
    assert message in crm("customers", "clv", "--input", orders(crm, 3), option, value, code=2).stderr


@pytest.mark.parametrize("rows", [["a,2024-01-01,5"], ["a,2024-01-01,5", "a,2024-01-01,5", "b,2024-03-01,5"]])
def test_without_anybody_who_came_back_nothing_can_be_learnt(crm: "Crm", rows: list[str]) -> None:
    file = crm.log("once.csv", "customer,date,amount", *rows)
    assert "no customer has bought on two days" in crm("customers", "clv", "--input", file, code=4).stderr


@pytest.mark.parametrize("words", [[], ["--parameters"]])
@pytest.mark.parametrize("rows", [[], ["a,2024-05-01,5", "a,2024-06-01,5"]])
def test_no_orders_make_no_rows(crm: "Crm", words: list[str], rows: list[str]) -> None:
    file = crm.log("none.csv", "customer,date,amount", *rows)
    found = crm("customers", "clv", "--input", file, "--until", "2024-01-31", *words)
    assert "no rows" in found.stderr


def test_a_workspace_without_orders_says_how_to_get_some(crm: "Crm") -> None:
    crm("customers", "import", crm.log("people.csv", "customer,city", "a,x"))
    said = "crm: the workspace has no orders; `crm orders import` brings some in, or name a file with --input\n"
    for command in (("clv",), ("rfm",), ("loyalty", "repurchase")):
        assert crm("customers", *command, code=4).stderr == said


def test_one_customer_gets_numbers_and_a_warning(crm: "Crm") -> None:
    file = crm.log("one.csv", "customer,date,amount", "a,2024-01-01,5", "a,2024-01-15,5", "a,2024-02-09,7")
    found = crm("customers", "clv", "--input", file, "-f", "json")
    [row] = json.loads(found.stdout)
    assert (row["frequency"], row["monetary"]) == (2, 6)
    assert row["spend"] == pytest.approx(6, rel=0.01)
    assert "warning: BG/NBD did not converge: these orders do not determine r" in found.stderr
    assert "warning: Gamma-Gamma did not converge" in found.stderr


def test_purchases_for_nothing_leave_their_worth_unknown(crm: "Crm") -> None:
    file = orders(crm)
    header, *lines = file.read_text().splitlines()
    free = crm.log("free.csv", header, *(line.rsplit(",", 1)[0] + ",0" for line in lines))
    found = crm("customers", "clv", "--input", free, "-f", "json")
    rows = json.loads(found.stdout)
    assert "what customers spend is not known" in found.stderr
    assert {(row["spend"], row["value"]) for row in rows} == {(None, None)}
    purchases = [row["purchases"] for row in rows]
    assert purchases == sorted(purchases, reverse=True)
    assert sum(purchases) == pytest.approx(sum(row["purchases"] for row in clv(crm)))


def test_returns_are_no_purchases(crm: "Crm") -> None:
    file = orders(crm)
    wanted = crm("customers", "clv", "--input", file, "-f", "csv").stdout
    crm.grow(file, "c000,2024-12-24,-99.5", "new,2024-12-24,-1")
    found = crm("customers", "clv", "--input", file, "-f", "csv")
    assert "2 returned (a negative amount), first row" in found.stderr
    assert found.stdout == wanted


@pytest.mark.reference
def test_cdnow_has_the_published_parameters(crm: "Crm", reference_data: Path) -> None:
    rows = [line.split() for line in (reference_data / "cdnow" / "CDNOW_sample.txt").read_text().splitlines()]
    file = crm.log("cdnow.csv", "id,day,dollars", *(f"{row[0]},{row[2]},{row[4]}" for row in rows))
    words = ("--input", file, "--customer", "id", "--date", "day", "--amount", "dollars", "--until", "1997-09-30")
    found = {row["name"]: row["value"] for row in crm.rows("customers", "clv", *words, "--parameters")}
    published = {"r": 0.2426, "alpha": 4.4136, "a": 0.7929, "b": 2.4259}
    assert {name: found[name] for name in published} == pytest.approx(published, abs=0.001)
    assert found["bgnbd_log_likelihood"] == pytest.approx(-9582.429, abs=0.01)
    spending = {"p": 6.25, "q": 3.74, "gamma": 15.44}
    assert {name: found[name] for name in spending} == pytest.approx(spending, abs=0.006)
    assert (found["customers"], found["repeat_customers"]) == (2357, 946)
    # Fader, Hardie and Lee (2005), table 2: what the model expects of all in the 39 weeks that follow.
    purchases = sum(row["purchases"] for row in crm.rows("customers", "clv", *words, "--horizon", "39"))
    late = sum(bought_later(rows).values())
    assert purchases == pytest.approx(late, rel=0.2)


def bought_later(rows: list[list[str]]) -> dict[str, int]:
    """On how many days each customer bought after 30 September 1997."""
    days = {(row[0], row[2]) for row in rows if row[2] > "19970930"}
    return {who: sum(day[0] == who for day in days) for who in {day[0] for day in days}}
