"""Doubtful pairs of customers: written to a file for a person to decide, and read back with the decisions."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
import polars as pl

from crm.access import require
from crm.audit import append
from crm.errors import Unusable, UsageError
from crm.masks import HIDDEN
from crm.messages import counted
from crm.output import current, show
from crm.output_options import known_writers
from crm.reading import TableFile, read_table
from plugins.customers.contracts import APART, CUSTOMERS
from plugins.customers.merges import apply
from plugins.customers.merging import components

if TYPE_CHECKING:
    from crm.app import App

_SAME: Final = ("same", "yes", "y", "s", "1", "是", "相同", "同一人")
_DIFFERENT: Final = ("different", "no", "n", "d", "0", "否", "不同", "不是")
_LEFT_OUT: Final = ("original", "extras", "source")


def write_review(app: "App", pairs: pl.DataFrame, file: Path) -> None:
    """Write doubtful pairs, two rows a pair with an empty `decision` in the first, masked unless `--unmask` is given.

    Args:
        app: The run of the program.
        pairs: As `Linkage.pairs` gives them.
        file: Where to write; its ending picks the format.

    Raises:
        UsageError: the ending names no format.
    """
    from dataclasses import replace

    ended = {ending: writer for writer in known_writers(app).values() for ending in writer.endings}
    writer = ended.get(file.suffix.lower())
    if writer is None:
        raise UsageError(f"--review: the ending of {file} names no format; write a .csv or .xlsx, say")
    require(app, "merge")
    doubtful = pairs.filter(pl.col("verdict") == "doubtful")
    doubtful = _undecided(app, doubtful)
    sheet = _sheet(app, doubtful)
    output = replace(current(), writer=writer, file=file, limit=None, columns=None)
    show(app, sheet, output)
    if not doubtful.height:
        app.note(f"no pair is doubtful; {file} has none to decide")
        return
    written = f"{counted(doubtful.height, 'doubtful pair')} written to {file}"
    if not output.unmask:
        app.warn(f"{written}, masked: to look at; to decide, write the file with --unmask, for --answers needs the ids")
        return
    app.note(
        f"{written}; write same or different into `decision`, "
        f"then: {click.get_current_context().command_path} --answers {file}"
    )


def _undecided(app: "App", pairs: pl.DataFrame) -> pl.DataFrame:
    """The pairs of which nobody has said yet that they are different."""
    apart = app.workspace().records.frame(APART.name)
    ordered = pairs.with_columns(low=pl.min_horizontal("id_a", "id_b"), high=pl.max_horizontal("id_a", "id_b"))
    return ordered.join(apart, left_on=["low", "high"], right_on=["customer", "other"], how="anti").drop("low", "high")


def _sheet(app: "App", pairs: pl.DataFrame) -> pl.DataFrame:
    """Two rows a pair, one below the other so that a person can compare them."""
    customers = app.workspace().records.frame(CUSTOMERS.name).drop(_LEFT_OUT)
    number = pl.int_range(1, pl.len() + 1).alias("pair")
    both = [
        pairs.select(number, pl.lit(at).alias(" side"), "probability", pl.col(side).alias("customer"))
        for at, side in enumerate(("id_a", "id_b"))
    ]
    rows = pl.concat(both).join(customers, on="customer", how="left").sort("pair", " side")
    filled = [column.name for column in rows if column.null_count() < rows.height or column.name == "customer"]
    decision = pl.when(pl.col(" side") == 0).then(pl.lit("")).alias("decision")
    return rows.select("pair", decision, *(name for name in filled if name not in ("pair", " side")))


def take_answers(app: "App", file: Path) -> None:
    """Do what a person has decided: put the same together, and keep the different apart.

    Raises:
        Unusable: the file is none of `--review`, or holds a decision that is none.
    """
    require(app, "merge")
    sheet = read_table(TableFile(file), app.host.readers()).frame
    missing = [name for name in ("pair", "decision", "customer") if name not in sheet.columns]
    if missing:
        raise Unusable(f"{file}: there is no column `{missing[0]}`; it should be a file that --review has written")
    if sheet.height and sheet["customer"].cast(pl.String).str.ends_with(HIDDEN).all():
        raise Unusable(f"{file}: its ids are masked and cannot be read back; write the file with --unmask")
    pairs = _decided(file, sheet)
    _check_known(app, file, pairs)
    different = pairs.filter(pl.col("decision").is_in(_DIFFERENT))
    same = pairs.filter(pl.col("decision").is_in(_SAME))
    _keep_apart(app, different)
    if same.height:
        put_together(app, components(same.select("a", "b")), None)
    open_ones = pairs.height - different.height - same.height
    app.note(f"{counted(same.height, 'pair')} same, {different.height:,} different, {open_ones:,} not decided")


def _decided(file: Path, sheet: pl.DataFrame) -> pl.DataFrame:
    """`pair`, `a`, `b`, `decision` of each pair."""
    texts = sheet.select(pl.col("pair", "decision", "customer").cast(pl.String).str.strip_chars())
    pairs = texts.group_by("pair", maintain_order=True).agg(
        pl.col("customer").first().alias("a"),
        pl.col("customer").last().alias("b"),
        pl.len().alias("rows"),
        pl.col("decision").replace("", None).drop_nulls().first().str.to_lowercase(),
    )
    known = pl.col("decision").is_in([*_SAME, *_DIFFERENT]) | pl.col("decision").is_null()
    wrong = pairs.filter(~known | (pl.col("rows") != 2) | (pl.col("a") == pl.col("b")))
    if wrong.height:
        pair, *_ = wrong.row(0)
        raise Unusable(
            f"{file}: pair {pair} is not two rows of different customers with the decision same, different or none"
        )
    return pairs


def _check_known(app: "App", file: Path, pairs: pl.DataFrame) -> None:
    known = app.workspace().records.frame(CUSTOMERS.name, columns=["customer"])["customer"]
    decided = pairs.filter(pl.col("decision").is_not_null())
    lost = decided.filter(~pl.col("a").is_in(known.implode()) | ~pl.col("b").is_in(known.implode()))
    if lost.height:
        raise Unusable(
            f"{file}: pair {lost['pair'][0]} names a customer that is not there (masked ids cannot be read back: write "
            "the file with --unmask; or it has been merged since)"
        )


def _keep_apart(app: "App", pairs: pl.DataFrame) -> None:
    if not pairs.height:
        return
    now = datetime.now(UTC)
    rows = pairs.select(
        pl.min_horizontal("a", "b").alias("customer"),
        pl.max_horizontal("a", "b").alias("other"),
        pl.lit(now).cast(pl.Datetime("us", "UTC")).alias("ts"),
    ).unique(["customer", "other"], maintain_order=True)
    records = app.workspace().records
    with records.begin() as connection:
        records.upsert(connection, APART.name, rows)


def put_together(app: "App", groups: pl.DataFrame, sure: pl.DataFrame | None) -> None:
    """Merge groups of the workspace's customers, and say how many."""
    workspace = app.workspace()
    with workspace.records.begin() as connection:
        persons, merged, refused = apply(workspace, connection, groups, sure)
        if persons:
            append(connection, workspace.records.table("audit"), "merge", "customers", merged)
    app.note(f"{counted(merged, 'record')} put together to {counted(persons, 'customer')}")
    if refused:
        app.warn(f"{counted(refused, 'group')} left alone: somebody has told two of its records apart")
