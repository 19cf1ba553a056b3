"""`--segment` of the commands of paths."""

from typing import TYPE_CHECKING

import polars as pl
import pytest

from crm import segments

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm

HOUR = 3600


@pytest.fixture
def site(crm: "Crm") -> "Crm":
    """Sessions by five visitors, each with a page of its own.

    The visitor 1 logs in as li in /1b, and has /1a before without a login; 2 logs in as li too, 3 as wang, 4 never;
    5 logs in as li in /5b and as wang in /5c, and has /5a before without a login.
    """
    crm(
        "logs",
        "mine",
        crm.log(
            "access.log",
            crm.line(0, "/1a", who=1),
            crm.line(0, "/2", who=2, login="li"),
            crm.line(0, "/3", who=3, login="wang"),
            crm.line(0, "/4", who=4),
            crm.line(0, "/5a", who=5),
            crm.line(HOUR, "/1b", who=1, login="li"),
            crm.line(HOUR, "/5b", who=5, login="li"),
            crm.line(2 * HOUR, "/5c", who=5, login="wang"),
        ),
    )
    return crm


def visitor(crm: "Crm", page: str) -> str:
    """The visitor who has viewed a page, as a member of a segment."""
    sessions = crm.open().scan("sessions").filter(pl.col("entry") == page).collect()
    return f"visitor:{sessions['visitor'][0]}"


def pages(crm: "Crm", *people: str) -> list[str]:
    """The pages of the sessions of a segment with these members."""
    segments.replace(crm.open(), [("those", people), ("others", ["nobody"])])
    rows = crm.rows("paths", "clusters", "--clusters", 1, "--segment", "those")
    return sorted(page for row in rows for page in row["distinguishing"].split(", "))


def test_a_customer_has_the_sessions_with_the_login_and_those_without_one_of_the_same_visitor(site: "Crm") -> None:
    assert pages(site, "li") == ["/1a", "/1b", "/2", "/5a", "/5b"]
    assert pages(site, "wang") == ["/3", "/5a", "/5c"]


def test_a_visitor_has_all_of_its_sessions_whoever_logged_in(site: "Crm") -> None:
    assert pages(site, visitor(site, "/4")) == ["/4"]
    assert pages(site, visitor(site, "/1a")) == ["/1a", "/1b"]
    assert pages(site, visitor(site, "/5a")) == ["/5a", "/5b", "/5c"]


def test_customers_and_visitors_may_be_mixed(site: "Crm") -> None:
    assert pages(site, "wang", visitor(site, "/4")) == ["/3", "/4", "/5a", "/5c"]


def test_members_without_a_session_have_none(site: "Crm") -> None:
    assert pages(site, "zhao", "visitor:1") == []


def test_a_member_by_id_has_the_sessions_of_its_logins(site: "Crm") -> None:
    file = site.log("people.csv", "customer,name,login", "K1,李雷,li", "K2,王伟,wang")
    site("customers", "import", file)
    assert pages(site, "K1") == ["/1a", "/1b", "/2", "/5a", "/5b"]
    assert pages(site, "K2", "K9") == ["/3", "/5a", "/5c"]


def test_other_filters_hold_too(site: "Crm") -> None:
    segments.replace(site.open(), [("li", ["li"])])
    found = site.rows("paths", "clusters", "--members", "--segment", "li", "--since", "2026-03-02T00:30")
    assert len(found) == 2
    found = site.rows("paths", "clusters", "--members", "--segment", "li", "--where", "entry like '/1%'")
    assert len(found) == 2


def test_a_segment_that_is_not_there_is_a_mistake(site: "Crm") -> None:
    segments.replace(site.open(), [("loyal", ["li"])])
    said = site("paths", "clusters", "--segment", "royal", code=2).stderr
    assert "no segment `royal` (did you mean `loyal`?); there are: loyal" in said


def test_a_file_has_no_segments(site: "Crm") -> None:
    file = site.log("one.spmf", "1 -1 -2")
    said = site("paths", "clusters", "--segment", "loyal", "--input", file, code=2).stderr
    assert "--segment is about the workspace" in said


def test_members_are_masked_where_they_are_listed(site: "Crm") -> None:
    segments.replace(site.open(), [("loyal", ["li.wei"])])
    assert site.rows("query", "select * from segment_members") == [{"segment": "loyal", "who": "l***"}]
