"""`crm audit log` and `crm audit verify`."""

import os
import pwd
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from crm.audit import AUDIT

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm


def test_the_log_is_listed_and_verified(crm_on: "Crm") -> None:
    crm = crm_on
    crm("logs", "mine", crm.log("a.log", *crm.lines(4)))
    crm("query", "select address from hits", "--unmask")
    crm("logs", "top", "login", "--unmask")
    first, last = crm.rows("audit", "log")
    assert [first["entry"], first["action"], last["entry"]] == [1, "unmask", 2]
    assert first["who"] == pwd.getpwuid(os.getuid()).pw_name
    assert crm.rows("audit", "log", "--last", 1) == [last]
    assert crm.rows("audit", "log", "--where", "what like '%top%'") == [last]
    assert crm.rows("audit", "log", "--until", first["ts"]) == []
    assert crm.rows("audit", "verify") == [{"entries": 2, "head": last["hash"]}]
    assert crm.rows("audit", "verify", "--head", first["hash"])[0]["head"] == last["hash"]
    result = crm("audit", "verify", "--head", "0" * 64, code=4)
    assert "no entry has the hash given" in result.stderr
    records = crm.open().records
    table = records.table(AUDIT.name)
    with records.begin() as connection:
        connection.execute(sa.update(table).where(table.c.entry == 1).values(rows=99))
    result = crm("audit", "verify", code=4)
    assert "the audit log is not as it was written: entry 1 was changed" in result.stderr


@pytest.mark.parametrize("head", ["", " ", "head", "0" * 63])
def test_what_is_no_hash_does_not_pass_for_one(crm: "Crm", head: str) -> None:
    crm("logs", "mine", crm.log("a.log", *crm.lines(1)))
    assert "--head takes the hash of an entry" in crm("audit", "verify", "--head", head, code=2).stderr
