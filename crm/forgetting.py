"""People who were forgotten: erased everywhere, and kept out.

What stays is the table `forgotten`: keyed hashes of what they alone were known by, so that an import knows them, and so
that they are erased again when a backup has brought them back. It tells nothing without the workspace's key.

The records change first, in one transaction with the list and the audit log, then the lake. If that is interrupted, the
list knows the rest: `replay` erases it.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import polars as pl

from crm.audit import AUDIT, append
from crm.erasing import People, customers_among, doomed, erase_lake, erase_records, people, scrub
from crm.forgotten import FORGOTTEN, among, listed
from crm.identities import FORMER, hashed

if TYPE_CHECKING:
    from crm.workspace import Workspace


@dataclass(frozen=True)
class Gone:
    """What was erased.

    Attributes:
        tables: How many rows that concerned, by table.
        shared: How many logins of these people are somebody else's, too, so that visits under them stay.
    """

    tables: Mapping[str, int] = field(default_factory=dict)
    shared: int = 0


def forget(workspace: "Workspace", names: Sequence[str], *, again: bool = False) -> Gone:
    """Erase people from all tables, and list them as forgotten; the caller holds the workspace's lock.

    What is deleted may still lie in files and free pages until `crm.erasing.scrub` is called.

    Args:
        workspace: The workspace.
        names: Ids of customers, or other names in columns that say whose a row is.
        again: They are on the list already, and what the list says of them stays.
    """
    records = workspace.records
    with records.begin() as connection:
        who = people(workspace, connection, names, again=again)
        files = doomed(workspace.lake, who)
        counts = Counter(erase_records(records, connection, who)) + _elsewhere(workspace, who)
        counts += Counter({name: sum(file.rows for file in found) for name, found in files.items()})
        whose = _proof(workspace, names)
        text = f"{whose}: {', '.join(f'{name} {count}' for name, count in sorted(counts.items())) or 'nothing'}"
        entry = append(
            connection, records.table(AUDIT.name), "forget again" if again else "forget", text, counts.total()
        )
        rows = _listed(who, entry, counts)
        if again:
            there = records.frame(FORGOTTEN.name, columns=["kind", "hash"], connection=connection)
            rows = rows.join(there, on=["kind", "hash"], how="anti")
        records.upsert(connection, FORGOTTEN.name, rows)
    erase_lake(workspace.lake, who, files)
    return Gone(dict(counts), who.shared)


def _elsewhere(workspace: "Workspace", who: People) -> Counter[str]:
    """Erase people from records that are not where the others are."""
    if workspace.local is workspace.records:
        return Counter()
    with workspace.local.begin() as connection:
        return Counter(erase_records(workspace.local, connection, who))


def _proof(workspace: "Workspace", names: Sequence[str]) -> str:
    """Who it was, for those alone who know both the id and the key."""
    if len(names) > 1:
        return f"{len(names)} people"
    (number,) = hashed(workspace.key, FORMER, names)
    return f"person {number:016x}"


def _listed(who: People, entry: int, counts: Mapping[str, int]) -> pl.DataFrame:
    """What the list says of people: rows of `forgotten`."""
    return who.hashes.with_columns(
        pl.lit(datetime.now(UTC)).cast(pl.Datetime("us", "UTC")).alias("ts"),
        pl.lit(entry, dtype=pl.Int64).alias("entry"),
        pl.lit(json.dumps(counts, sort_keys=True)).alias("tables"),
    )


def replay(workspace: "Workspace") -> Gone:
    """Erase again all who are listed as forgotten and have come back, from a backup, say, or from a log.

    The caller holds the workspace's lock.
    """
    names = returned(workspace)
    if not names:
        return Gone()
    gone = forget(workspace, names, again=True)
    scrub(workspace)
    return gone


def returned(workspace: "Workspace") -> list[str]:
    """The names of people, in all tables, who are listed as forgotten; sorted."""
    known = listed(workspace)
    if not known:
        return []
    named = _named(workspace)
    ids = named.filter(among(workspace, FORMER, named, known.get(FORMER, [])))
    logins = named.filter(among(workspace, "login", named, known.get("login", []))).to_list()
    with workspace.records.engine.connect() as connection:
        there = customers_among(workspace.records, connection, logins)
    return sorted({*ids, *(login for login in logins if login not in there)})


def _named(workspace: "Workspace", value: str | None = None) -> pl.Series:
    """All that columns which say whose a row is call people, each once; only this value, if one is given."""
    stores = [workspace.records] if workspace.local is workspace.records else [workspace.records, workspace.local]
    parts: list[pl.Series] = [pl.Series(dtype=pl.String)]
    for records in stores:
        for name, contract in records.contracts.items():
            for column in (contract.person, *contract.others) if contract.person else ():
                where = None if value is None else records.table(name).c[column] == value
                parts.append(records.frame(name, columns=[column], where=where).to_series().unique())
    for name, contract in workspace.lake.contracts.items():
        if contract.person:
            rows = workspace.lake.scan(name).select(contract.person).unique().collect().to_series()
            parts.append(rows if value is None else rows.filter(rows == value))
    return pl.concat([part.rename("name") for part in parts]).drop_nulls().unique()


def is_named(workspace: "Workspace", name: str) -> bool:
    """Whether any row is somebody's of this name."""
    return _named(workspace, name).len() > 0
