"""A person's rows, found and erased in all tables by their contracts: of the records, and of the lake.

A row is a person's if its contract's column `person`, or one of `others`, names the person: by an id that the person
has or had, by a login of nobody else, or by a visitor who has logged in as nobody else. Of the lake, also the hits of
a person's sessions go, where others have used the same browser.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final, TypeVar

import polars as pl
import sqlalchemy as sa

from crm.identities import FORMER, IDENTITIES, hashed
from crm.lake import APPLICATION, COMPACTION
from crm.objects import unpacked
from crm.segments import VISITOR
from crm.whose import CUSTOMERS, MERGES, all_ids
from crm.workspace import SESSIONS

if TYPE_CHECKING:
    from crm.lake import Lake, Part
    from crm.records import Records
    from crm.tables import Table
    from crm.workspace import Workspace

T = TypeVar("T")

KINDS: Final = ("login", "phone", "email", "idnumber")
"""What a customer is known by, besides ids: columns of the table of customers, and kinds of identities."""

_CHUNK: Final = 500
"""So many values are asked for at once."""

_KNOWN: Final = {"kind": pl.String, "value": pl.String}
_SPANS: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    "visitor": pl.Int64,
    "start": pl.Datetime("us", "UTC"),
    "end": pl.Datetime("us", "UTC"),
}


@dataclass(frozen=True)
class People:
    """Some people, by all that rows may call them.

    Attributes:
        names: Their ids, also from before merges, and their logins that are nobody else's.
        hashes: `kind` and `hash` of all that they alone are known by.
        shared: How many of their logins are also a login, or an id, of somebody else.
        visitors: The visitors who have logged in as nobody else.
        spans: Their sessions by other visitors: `visitor`, `start`, `end`.
    """

    names: list[str]
    hashes: pl.DataFrame
    shared: int = 0
    visitors: list[int] = field(default_factory=list)
    spans: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_SPANS))

    def members(self) -> list[str]:
        """What columns that name people may call them."""
        return [*self.names, *(f"{VISITOR}{visitor}" for visitor in self.visitors)]


@dataclass(frozen=True)
class Doomed:
    """A data file of the lake with rows that shall go.

    Attributes:
        file: The row of `Lake.files`.
        rows: How many shall go.
    """

    file: pl.DataFrame
    rows: int


def people(workspace: "Workspace", connection: sa.Connection, names: Sequence[str], *, again: bool = False) -> People:
    """All that some people are called in the tables.

    Args:
        workspace: The workspace.
        connection: To its records.
        names: Ids of customers; others, such as logins that no customer has, stand for themselves.
        again: These names are on the list of who was forgotten, as what they are; only what else is known is new.
    """
    ids = list(dict.fromkeys(each for name in names for each in all_ids(workspace, connection, name)))
    strays = [name for name in names if name not in customers_among(workspace.records, connection, names)]
    known = _with_hashes(workspace, _known(workspace.records, connection, ids, strays))
    if again:
        known = known.filter(~pl.col("value").is_in(strays))
    alone = known.join(_of_others(workspace.records, connection, known["hash"], ids), on=["kind", "hash"], how="anti")
    logins = known.filter(kind="login")["value"].to_list()
    own = [login for login in alone.filter(kind="login")["value"] if login not in ids]
    taken = customers_among(workspace.records, connection, own)
    alone = alone.filter(~((pl.col("kind") == "login") & pl.col("value").is_in(taken)))
    wanted = [*ids, *(login for login in own if login not in taken)]
    shared = len([login for login in logins if login not in wanted])
    return _with_visits(workspace.lake, People(wanted, alone.select("kind", "hash"), shared))


def _known(records: "Records", connection: sa.Connection, ids: Sequence[str], strays: Sequence[str]) -> pl.DataFrame:
    """What people are known by: `kind` and `value`, from their rows and from those that were put to them.

    Names that no customer has may be ids or logins.
    """
    kinds = [FORMER] * len(ids) + ["login"] * len(strays)
    parts = [pl.DataFrame({"kind": kinds, "value": [*ids, *strays]}, schema=_KNOWN)]
    if CUSTOMERS in records.contracts:
        parts += _unpivoted(_rows(records, connection, CUSTOMERS, "customer", ids, KINDS))
    if MERGES in records.contracts:
        held = _rows(records, connection, MERGES, "merged", ids, ["record"])
        parts += _unpivoted(unpacked(held["record"], KINDS))
    return pl.concat(parts).drop_nulls().unique(maintain_order=True)


def _unpivoted(rows: pl.DataFrame) -> list[pl.DataFrame]:
    return [rows.select(pl.lit(kind).alias("kind"), pl.col(kind).alias("value")) for kind in KINDS]


def _rows(
    records: "Records", connection: sa.Connection, name: str, column: str, values: Sequence[str], columns: Sequence[str]
) -> pl.DataFrame:
    """Columns of the rows of a table that have one of some values."""
    wanted = records.table(name).c[column]
    parts = [
        records.frame(name, columns=list(columns), where=wanted.in_(some), connection=connection)
        for some in (_chunks(values) or [[]])
    ]
    return pl.concat(parts)


def _chunks(values: Sequence[T]) -> list[Sequence[T]]:
    return [values[at : at + _CHUNK] for at in range(0, len(values), _CHUNK)]


def _with_hashes(workspace: "Workspace", known: pl.DataFrame) -> pl.DataFrame:
    """The same with a column `hash`."""
    parts = [
        rows.with_columns(pl.Series("hash", hashed(workspace.key, str(kind), rows["value"]), dtype=pl.Int64))
        for (kind,), rows in known.group_by("kind", maintain_order=True)
    ]
    return pl.concat([pl.DataFrame(schema={**_KNOWN, "hash": pl.Int64}), *parts])


def _of_others(records: "Records", connection: sa.Connection, hashes: pl.Series, ids: Sequence[str]) -> pl.DataFrame:
    """By which of some `kind` and `hash` other customers are known, too."""
    found = pl.DataFrame(schema={"kind": pl.String, "hash": pl.Int64})
    if IDENTITIES.name not in records.contracts:
        return found
    table = records.table(IDENTITIES.name)
    for some in _chunks(hashes.to_list()):
        rows = records.frame(IDENTITIES.name, where=table.c.hash.in_(some), connection=connection)
        found = pl.concat([found, rows.filter(~pl.col("customer").is_in(list(ids))).select("kind", "hash")])
    return found


def customers_among(records: "Records", connection: sa.Connection, names: Sequence[str]) -> set[str]:
    """Which of some names are ids of customers who are there."""
    if CUSTOMERS not in records.contracts:
        return set()
    return set(_rows(records, connection, CUSTOMERS, "customer", names, ["customer"])["customer"])


def _with_visits(lake: "Lake", found: People) -> People:
    """The same with the visitors and sessions of these people."""
    if SESSIONS not in lake.contracts:
        return found
    sessions = lake.scan(SESSIONS).select("visitor", "customer", "start", "end")
    theirs = sessions.filter(pl.col("customer").is_in(found.names)).collect()
    of_them = sessions.filter(pl.col("visitor").is_in(theirs["visitor"].unique().implode()))
    mixed = of_them.filter(~pl.col("customer").is_in(found.names)).select("visitor").unique().collect()["visitor"]
    own = theirs.filter(~pl.col("visitor").is_in(mixed.implode()))["visitor"].unique().sort().to_list()
    spans = theirs.filter(pl.col("visitor").is_in(mixed.implode())).select(*_SPANS)
    return replace(found, visitors=own, spans=spans)


def erase_records(records: "Records", connection: sa.Connection, who: People) -> dict[str, int]:
    """Erase people from the tables of records; returns how many rows that concerns in each, where there are some.

    Args:
        records: The records.
        connection: To them, in a transaction that writes.
        who: The people.
    """
    counts: dict[str, int] = {}
    members = who.members()
    for name, contract in records.contracts.items():
        if not contract.person:
            continue
        if contract.keep and contract.person not in contract.key:
            counts[name] = _emptied(records, connection, contract, members)
        else:
            counts[name] = _deleted(records, connection, name, contract.person, members)
        counts[name] += sum(_deleted(records, connection, name, other, members) for other in contract.others)
    _without_origins(records, connection, who.names)
    return {name: count for name, count in counts.items() if count}


def _deleted(records: "Records", connection: sa.Connection, name: str, column: str, members: Sequence[str]) -> int:
    table = records.table(name)
    return sum(
        connection.execute(sa.delete(table).where(table.c[column].in_(some))).rowcount for some in _chunks(members)
    )


def _emptied(records: "Records", connection: sa.Connection, contract: "Table", members: Sequence[str]) -> int:
    """Empty the personal columns of people's rows, and the one that names them."""
    table = records.table(contract.name)
    personal = [column.name for column in contract.columns if column.mask and column.name not in contract.key]
    empty = dict.fromkeys([*personal, contract.person])
    return sum(
        connection.execute(sa.update(table).where(table.c[contract.person].in_(some)).values(**empty)).rowcount
        for some in _chunks(members)
    )


def _without_origins(records: "Records", connection: sa.Connection, names: Sequence[str]) -> None:
    """Merges of others may still say that a value came from a record of these people; it came from nobody then."""
    if MERGES not in records.contracts:
        return
    table = records.table(MERGES)
    for name in names:
        text = json.dumps(name, ensure_ascii=False)
        without = sa.func.replace(table.c.origins, text, '""')
        connection.execute(
            sa.update(table).where(table.c.origins.contains(text, autoescape=True)).values(origins=without)
        )


def doomed(lake: "Lake", who: People) -> dict[str, list[Doomed]]:
    """The data files of each table of the lake with rows of people."""
    found: dict[str, list[Doomed]] = {}
    for name, contract in lake.contracts.items():
        if not contract.person:
            continue
        for file in lake.files(name).iter_slices(1):
            rows = int(_theirs(contract, lake.read(name, file), who).sum())
            if rows:
                found.setdefault(name, []).append(Doomed(file, rows))
    return found


def _theirs(contract: "Table", rows: pl.LazyFrame, who: People) -> pl.Series:
    """Which rows of a table are of these people."""
    columns = {column.name for column in contract.columns}
    rule = pl.col(contract.person).is_in(who.members())
    if "visitor" in columns:
        rule |= pl.col("visitor").is_in(who.visitors)
    needed = sorted({contract.person, "visitor", "ts"} & columns)
    frame = rows.select(needed).with_row_index("at").collect()
    mask = frame.select(rule.fill_null(False).alias("theirs"))["theirs"]
    if who.spans.height and {"visitor", "ts"} <= columns:
        within = frame.join(who.spans, on="visitor").filter(pl.col("ts").is_between("start", "end"))["at"]
        mask = mask.scatter(within.unique(), True)
    return mask


def erase_lake(lake: "Lake", who: People, files: Mapping[str, Sequence[Doomed]]) -> None:
    """Write the data files anew without the rows of people, and delete the old ones; the caller holds the lock.

    Sessions go last: until then they tell, should this be interrupted, which hits are of these people.
    """
    for name in sorted(files, key=lambda name: name == SESSIONS):
        contract = lake.contracts[name]
        number, run = lake.transaction(name, COMPACTION) + 1, lake.transaction(name, APPLICATION)
        parts: list[Part] = []
        for at, each in enumerate(files[name]):
            rows = lake.read(name, each.file)
            left = rows.collect().filter(~_theirs(contract, rows, who))
            parts += lake.write(name, left, run, f"c{number}-erased-{at:05d}")
        lake.erase(name, parts, pl.concat(each.file for each in files[name]), number)


def scrub(workspace: "Workspace") -> bool:
    """See that what was deleted lies in no file of the workspace, nor in the pages of its database.

    Returns:
        False if somebody reads the records, so that SQLite's log still has it.
    """
    lake = workspace.lake
    for name in lake.contracts:
        lake.sweep(name)
        lake.vacuum(name, timedelta(0))
    stores = [workspace.records] if workspace.records is workspace.local else [workspace.records, workspace.local]
    done = [_vacuumed(records) for records in stores]  # each of them, whatever comes of the others
    return all(done)


def _vacuumed(records: "Records") -> bool:
    with records.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if records.shared:
            for name in records.contracts:
                table = connection.dialect.identifier_preparer.quote(name)
                connection.exec_driver_sql(f"VACUUM (FULL) {table}")
            return True
        connection.exec_driver_sql("VACUUM")
        busy = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").scalar_one()
        return not busy
