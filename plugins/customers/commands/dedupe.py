"""`crm customers dedupe`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from crm.app import App, pass_app
from crm.errors import NothingFound, UsageError
from crm.messages import counted
from crm.nearest import no_column, one_of
from crm.output import current, personal_now, table_output
from crm.reading import current_file, table_or_workspace

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from plugins.customers.record_linkage import Linkage


_TELLING = frozenset(("given", "birth", "email", "idnumber"))
"""Fields in which the people of a household differ."""


@click.command(name="dedupe")
@click.option(
    "--match",
    multiple=True,
    metavar="FIELD=COLUMN,...",
    help="Which column is what: name, given, family, sex, birth, idnumber, phone, email, address, address2, number, "
    "city, postcode, state; `email=` leaves a field out.  [default: guessed from the columns' names]",
)
@click.option("--id", "id_column", metavar="COLUMN", help="What a record is called.  [default: guessed, else its row]")
@click.option(
    "--threshold",
    type=click.FloatRange(0, 1),
    default=0.9,
    show_default=True,
    help="From this probability a pair is of one person.",
)
@click.option(
    "--doubtful",
    type=click.FloatRange(0, 1),
    default=0.5,
    show_default=True,
    help="From this probability a pair is listed, as doubtful below the threshold.",
)
@click.option(
    "--pairs/--persons",
    "as_pairs",
    default=True,
    help="List the pairs that may be of one person, or the person of every record.  [default: --pairs]",
)
@click.option("--parameters", is_flag=True, help="List what was learnt: m and u of each level of each field.")
@click.option("--apply", is_flag=True, help="Put the workspace's records of one person together; can be undone.")
@click.option(
    "--review",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the doubtful pairs of the workspace to this file, for a person to decide; read it with --answers.",
)
@click.option(
    "--answers",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Read what a person has decided in a file of --review: same records are put together, different ones stay "
    "apart for good.",
)
@table_or_workspace
@table_output(columns="id_a id_b probability weight verdict id person records field column level m u pairs ...")
@pass_app
def command(
    app: App,
    match: tuple[str, ...],
    id_column: str | None,
    threshold: float,
    doubtful: float,
    as_pairs: bool,
    parameters: bool,
    apply: bool,
    review: Path | None,
    answers: Path | None,
) -> "pl.DataFrame | None":
    """Find records that are of one person, and put them together.

    Records that share something (a phone, a birth date, a name and a postcode ...) are compared field by field, and
    each pair gets the probability that it is of one person. How much each agreement says is learnt from the file by
    itself, without examples (Fellegi and Sunter). The weight is the evidence in bits. A level is exact, close,
    different, or missing. Needs the extra `match`.

    Of the workspace's customers, those of one person become one: the record with the most values stays, and the others
    fill its gaps. `crm customers merges` lists what was done, and `crm customers unmerge` takes it back.

    \b
    Examples:
      crm customers dedupe
      crm customers dedupe --apply
      crm customers dedupe --review doubtful.xlsx --unmask
      crm customers dedupe --answers doubtful.xlsx
      crm customers dedupe --input members.csv
      crm customers dedupe --input members.csv \\
          --match 'name=Member,phone=Mobile,state=' --id No
      crm customers dedupe --input members.xlsx --persons -o persons.csv
      crm customers dedupe --input members.csv --parameters
    """

    _check(as_pairs, parameters, apply, review, answers)
    if doubtful > threshold:
        raise UsageError(f"--doubtful {doubtful:g} is above --threshold {threshold:g}")
    if answers is not None:
        from plugins.customers.commands.reviewing import take_answers

        take_answers(app, answers)
        return None
    linkage, columns, name = _linkage(app, match, id_column)
    if apply:
        _apply(app, linkage, threshold)
        return None
    if review is not None:
        from plugins.customers.commands.reviewing import write_review

        write_review(app, linkage.pairs(doubtful, threshold), review)
        return None
    if parameters:
        return linkage.parameters(columns)
    if as_pairs:
        return _masked(app, linkage.pairs(doubtful, threshold), name, ("id_a", "id_b"))
    table, cut = linkage.persons(threshold)
    _tell_persons(app, table, cut)
    return _masked(app, table, name, ("id",))


def _check(as_pairs: bool, parameters: bool, apply: bool, review: Path | None, answers: Path | None) -> None:
    """See that the options fit together."""
    named = {
        "--persons": not as_pairs,
        "--parameters": parameters,
        "--apply": apply,
        "--review": review is not None,
        "--answers": answers is not None,
    }
    given = [name for name, there in named.items() if there]
    if len(given) > 1:
        raise UsageError(f"{given[0]} and {given[1]} exclude each other: call the command twice")
    writes = [name for name in given if name in ("--apply", "--review", "--answers")]
    if writes and current_file() is not None:
        raise UsageError(f"{writes[0]} is about the workspace's customers, and --input names a file")


def _linkage(
    app: App, match: tuple[str, ...], id_column: str | None
) -> "tuple[Linkage, Mapping[str, str], str | None]":
    """The records of the file or the workspace, linked; what each column is; and the column that names the records."""
    from plugins.customers import linkage_columns
    from plugins.customers.headers import people_table
    from plugins.customers.record_linkage import Linkage

    if current_file() is not None:
        frame = people_table(app)
        columns = linkage_columns.chosen(frame.columns, linkage_columns.parse(match))
        name = _id_column(frame, id_column, columns)
    else:
        if id_column is not None:
            raise UsageError("--id is about a file, and none is named with --input")
        frame = _customers(app)
        columns = linkage_columns.chosen(frame.columns, linkage_columns.parse(match))
        name = "customer"
    linkage = Linkage(frame, columns, _ids(frame, name))
    _tell(app, linkage, columns, name)
    return linkage, columns, name


def _customers(app: App) -> "pl.DataFrame":
    """The workspace's customers, without columns in which there is nothing."""
    frame = app.workspace().records.frame("customers").drop("extras", "original", "source", "note")
    if not frame.height:
        raise NothingFound("there are no customers yet; `crm customers import FILE` brings some")
    return frame.select(column for column in frame if column.name == "customer" or column.null_count() < frame.height)


def _tell_persons(app: App, table: "pl.DataFrame", cut: int) -> None:
    cuts = f"; {counted(cut, 'group')} cut where chains of records do not hold together" if cut else ""
    app.note(f"{counted(table['person'].n_unique(), 'person')}{cuts}")


def _apply(app: App, linkage: "Linkage", threshold: float) -> None:
    """Put the records of each person together."""
    import polars as pl

    from crm.access import require
    from plugins.customers.commands.reviewing import put_together

    require(app, "merge")
    table, cut = linkage.persons(threshold)
    _tell_persons(app, table, cut)
    pairs = linkage.pairs(threshold, threshold)
    sides = [pairs.select(pl.col(side).alias("customer"), "probability") for side in ("id_a", "id_b")]
    sure = pl.concat(sides).group_by("customer").agg(pl.col("probability").max())
    put_together(app, table.select(pl.col("id").alias("customer"), "person"), sure)


def _id_column(frame: "pl.DataFrame", told: str | None, columns: "Mapping[str, str]") -> str | None:
    """The column that names the records; None for the number of the row."""
    from plugins.customers.linkage_columns import guess_id

    if told is not None and told not in frame.columns:
        raise UsageError(f"--id: {no_column(told, frame.columns)}")
    return told or guess_id(frame.columns, columns)


def _ids(frame: "pl.DataFrame", name: str | None) -> "pl.Series":
    import polars as pl

    return frame[name] if name is not None else pl.int_range(1, frame.height + 1, dtype=pl.Int64, eager=True)


def _masked(app: App, table: "pl.DataFrame", name: str | None, columns: tuple[str, ...]) -> "pl.DataFrame":
    """The table; its ids as the output shows them in the column that they come from, if that is a personal one."""
    from crm import masks
    from crm.audit import record

    mask = personal_now(app).get(name or "")
    if mask is None:
        return table
    if current().unmask:
        record(app, "unmask", f"{click.get_current_context().command_path}: {name}", table.height)
        return table
    return masks.apply(table.lazy(), dict.fromkeys(columns, mask)).collect()


def _tell(app: App, linkage: "Linkage", columns: "Mapping[str, str]", name: str | None) -> None:
    """Say on stderr what was compared and learnt."""
    found = linkage.found
    app.note(f"compared: {one_of(f'{field} ({column})' for field, column in columns.items())}")
    if len(_TELLING & set(linkage.comparison.fields)) < 2:
        app.warn(
            "little tells the people of one household apart (given name, birth date, e-mail, id number): "
            "look at the pairs before you trust them"
        )
    if name is None:
        app.note("no column names the records (--id): they are called by the number of their row")
    elif linkage.ids.n_unique() < len(linkage.ids):
        app.warn(f"several records have the same `{name}`")
    pairs = len(found.left)
    share = f"; {found.model.prior:.2%} of them are expected to be of one person" if pairs else ""
    app.note(f"{counted(len(linkage.ids), 'record')}, {counted(pairs, 'pair')} compared{share}")
    if found.skipped:
        groups = counted(sum(found.skipped.values()), "group")
        app.note(f"{groups} too large to compare each with each, by {one_of(found.skipped)}")
