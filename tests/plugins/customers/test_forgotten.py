"""Only who was forgotten is kept out."""

from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm.forgetting import forget, replay
from crm.forgotten import is_forgotten
from plugins.customers.targets import identities

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm

people = st.dictionaries(
    st.sampled_from(["K1", "K2", "K3", "K4"]),
    st.fixed_dictionaries({kind: st.sampled_from(["a", "b", None]) for kind in ("login", "phone", "email")}),
    min_size=1,
)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(there=people, gone=st.sets(st.sampled_from(["K1", "K2", "K3", "K4"]), min_size=1), file=people)
def test_only_who_was_forgotten_is_kept_out(crm: "Crm", there: Any, gone: set[str], file: Any) -> None:
    """Against the rule said plainly: an id, or a value that was of such people alone under the id of nobody there."""
    workspace = crm.open()
    records = workspace.records
    kinds = ["login", "phone", "email"]
    schema = dict.fromkeys(["customer", *kinds], pl.String)
    rows = pl.DataFrame([{"customer": who, **values} for who, values in there.items()], schema)
    with records.begin() as connection:
        for name in ("customers", "identities", "forgotten"):
            connection.execute(records.table(name).delete())
        records.append(connection, "customers", rows)
        records.append(
            connection, "identities", identities(workspace, rows.with_columns(idnumber=pl.lit(None, pl.String)))
        )
    barred: set[tuple[str, str]] = set()
    for who in sorted(gone & set(there)):
        others = [values for other, values in there.items() if other != who]
        barred |= {("customer", who)}
        barred |= {(k, v) for k, v in there[who].items() if v is not None and all(o[k] != v for o in others)}
        with workspace.lock():
            forget(workspace, [who])
        del there[who]
    given = pl.DataFrame([{"customer": who, **values} for who, values in file.items()], schema)
    expected = [
        ("customer", row["customer"]) in barred
        or (row["customer"] not in there and any((kind, row[kind]) in barred for kind in kinds))
        for row in given.to_dicts()
    ]
    assert is_forgotten(workspace, given).to_list() == expected
    with workspace.lock():
        assert replay(workspace).tables == {}


@pytest.mark.parametrize("row", ["customer,,2026-01-01T00:00:00Z,1,", ",5,2026-01-01T00:00:00Z,1,", "x,5,,1,"])
def test_a_damaged_list_is_refused(crm: "Crm", row: str) -> None:
    file = crm.folder / "list.csv"
    file.write_text(f"kind,hash,ts,entry,tables\n{row}\n", "utf-8")
    result = crm("customers", "forgotten", "--take", file, code=4)
    assert result.stderr == f"crm: {file} is no export of the table `forgotten`\n"
