"""Whose visits, orders and answers are, read from a workspace."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from crm.identities import IDENTITIES, hashed
from plugins.customers.config import CustomersConfig
from plugins.customers.loading import loaded

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm

LATER = datetime(2027, 1, 1, tzinfo=UTC)


@pytest.fixture
def shop(crm: "Crm") -> "Crm":
    """Visits of people who log in by a login, an id, an id before a merge, a login of two, and one of nobody."""
    logins = ("wang.fang", "K2", "old-2", "shared", "stranger", "-")
    lines = [crm.line(3600 * at, "/", who=at + 1, login=login) for at, login in enumerate(logins)]
    crm("logs", "mine", crm.log("site.log", *lines))
    workspace = crm.open()
    known = [
        ("login", "wang.fang", "K1"),
        ("login", "shared", "K1"),
        ("login", "shared", "K3"),
        ("customer", "old-2", "K2"),
    ]
    identities = pl.DataFrame(
        [(kind, hashed(workspace.key, kind, [value])[0], customer) for kind, value, customer in known],
        {"kind": pl.String, "hash": pl.Int64, "customer": pl.String},
        orient="row",
    )
    day = pl.Series([datetime(2026, 1, 5, tzinfo=UTC)] * 2).cast(pl.Datetime("us", "UTC"))
    orders = pl.DataFrame({"customer": ["old-2", "K9"], "order_id": ["1", "2"], "ts": day, "amount": [5.0, 7.0]})
    people = pl.DataFrame({"customer": ["K1", "K2", "K3"], "phone": ["+8613800138000", None, None]})
    with workspace.records.begin() as connection:
        workspace.records.append(connection, "customers", people)
        workspace.records.append(connection, "orders", orders.with_columns(line=pl.lit(1, dtype=pl.Int32)))
        workspace.records.append(connection, IDENTITIES.name, identities)
    return crm


def test_a_visit_is_of_the_customer_whose_login_or_id_it_carries(shop: "Crm") -> None:
    visits = loaded(shop.open()).sessions
    assert visits["customer"].value_counts().sort("customer").rows() == [("K1", 1), ("K2", 2)]


def test_orders_of_merged_people_are_the_customers_and_others_have_a_row(shop: "Crm") -> None:
    known = loaded(shop.open())
    assert known.customers["customer"].to_list() == ["K1", "K2", "K3", "K9"]
    profiles = known.profiles(LATER, "UTC", CustomersConfig()).collect()
    assert profiles.select("customer", "spent", "sessions").rows() == [
        ("K1", 0.0, 1), ("K2", 5.0, 2), ("K3", 0.0, 0), ("K9", 7.0, 0),
    ]  # fmt: skip


def test_some_customers_alone_have_the_same_profiles(shop: "Crm") -> None:
    known = loaded(shop.open())
    some = known.only(pl.Series(["K2", "K9"])).profiles(LATER, "UTC", CustomersConfig()).collect()
    whole = known.profiles(LATER, "UTC", CustomersConfig()).collect()
    assert_frame_equal(some, whole.filter(pl.col("customer").is_in(["K2", "K9"])))


def test_secrets_that_nobody_needs_are_not_read(shop: "Crm") -> None:
    workspace = shop.open()
    assert "phone" in loaded(workspace).customers.columns
    assert {"phone", "email", "idnumber"}.isdisjoint(loaded(workspace, ("age",)).customers.columns)
    assert loaded(workspace, ("phone",)).customers["phone"].null_count() == 3


def test_a_workspace_without_anything_has_no_profiles(crm: "Crm") -> None:
    assert loaded(crm.open()).profiles(LATER, "UTC", CustomersConfig()).collect().is_empty()


def test_tickets_count(shop: "Crm") -> None:
    workspace = shop.open()
    times = pl.Series([datetime(2026, 1, 5, tzinfo=UTC)] * 2).cast(pl.Datetime("us", "UTC"))
    with workspace.records.begin() as connection:
        rows = pl.DataFrame({"ticket": ["1", "2"], "customer": ["old-2", "K1"], "opened": times})
        workspace.records.append(connection, "tickets", rows)
    profiles = loaded(shop.open()).profiles(LATER, "UTC", CustomersConfig()).collect()
    assert profiles["tickets"].to_list() == [1, 1, 0, 0]
