"""`crm tickets classify review`."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from crm.access import require, user
from crm.app import App, pass_app
from crm.errors import NothingFound, Unusable, UsageError
from crm.exporting import for_excel_option
from crm.filters import filtered_like
from crm.messages import counted
from crm.output import current, impersonal, show, table_output
from plugins.tickets.classify.options import confidence_option, least_confidence

if TYPE_CHECKING:
    import polars as pl

    from plugins.tickets.classify.sheets import Answers

_WRITING: Final = (
    *("confidence", "count", "mix", "seed", "for_excel"),
    *("filter_since", "filter_until", "filter_where"),
)
"""Options that are about a sheet that is written."""


@click.command(name="review")
@click.option(
    "--read",
    "sheet",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Take the answers of this sheet; what cannot be taken is listed.",
)
@click.option("--new-classes", is_flag=True, help="With --read: an answer may be a class that nobody has said yet.")
@confidence_option
@click.option(
    "--count", type=click.IntRange(min=1), metavar="N", help="Write so many tickets at most.  [default: all below it]"
)
@click.option(
    "--mix",
    type=click.FloatRange(0, 0.9),
    default=0.0,
    show_default=True,
    metavar="SHARE",
    help="This share is drawn from tickets with more confidence, and all are shuffled: finds what the model is wrongly "
    "sure of.",
)
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, help="Where chance begins.")
@for_excel_option
@filtered_like("part_category = 'brakes'")
@table_output(columns="row ticket answer reason fault_text class confidence")
@pass_app
def command(
    app: App,
    sheet: Path | None,
    new_classes: bool,
    confidence: float | None,
    count: int | None,
    mix: float,
    seed: int,
    for_excel: bool,
) -> None:
    """Write tickets whose class is doubtful to a sheet, and read the answers of persons back.

    The sheet has the tickets whose class a model has told (`crm tickets classify predict --store`) with less confidence
    than --confidence, the least sure first, and an empty column `answer`. Write the right class into it, also where the
    model is right; rows without an answer stay open, and come again. With --read the answers go into the table
    ticket_classes, origin person, and the next `crm tickets classify train` learns from them. Reading a sheet again
    changes nothing.

    \b
    Examples:
      crm tickets classify review -o sheet.xlsx
      crm tickets classify review -o sheet.csv --count 200 --mix 0.2
      crm tickets classify review --read sheet.xlsx
      crm tickets classify review --read sheet.csv --new-classes
    """
    from crm.exporting import harmless

    impersonal()
    _check_options(sheet is not None, new_classes)
    if sheet is not None:
        show(app, _read(app, sheet, new_classes), current())
        return
    found = _sheet(app, least_confidence(app, confidence), count, mix, seed)
    show(app, found, current(), finish=harmless if for_excel else None)


def _check_options(reading: bool, new_classes: bool) -> None:
    """See that no option is given that would do nothing."""
    context = click.get_current_context()
    if not reading:
        if new_classes:
            raise UsageError("--new-classes is about answers, and no sheet is named with --read")
        return
    for name in _WRITING:
        if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            option = name.removeprefix("filter_").replace("_", "-")
            raise UsageError(f"--{option} is about a sheet that is written, not about one that is read")


def _sheet(app: App, below: float, count: int | None, mix: float, seed: int) -> "pl.DataFrame":
    """Tickets for a person, with an empty answer."""
    import polars as pl

    from plugins.tickets.classify.features import Columns
    from plugins.tickets.classify.sheets import SHEET, to_look_at
    from plugins.tickets.classify.source import said, tickets

    records = app.workspace().records
    told = records.frame("ticket_classes", columns=["ticket", "origin", "class", "confidence"]).filter(
        pl.col("origin") == "model"
    )
    if not told.height:
        raise NothingFound("no model has told a class yet; `crm tickets classify predict --model FILE --store` does")
    texts = tickets(app, Columns(("fault_text",)))
    waiting = told.join(said(app), on="ticket", how="anti").join(texts, on="ticket", how="inner")
    chosen = to_look_at(waiting, below, count, mix, seed)
    app.note(f"{counted(chosen.height, 'ticket')} of {waiting.height:,} that no person has classed")
    return chosen.with_columns(pl.col("confidence").round(4), pl.lit("").alias("answer")).select(SHEET)


def _read(app: App, file: Path, new_classes: bool) -> "pl.DataFrame":
    """Take the answers of a sheet; the rows that cannot be taken, with reasons."""
    from datetime import UTC, datetime

    from crm.audit import append
    from plugins.tickets.classify.sheets import answers, as_said
    from plugins.tickets.classify.source import said

    require(app, "ticket")
    rows = _rows(app, file)
    records = app.workspace().records
    with records.begin() as connection:
        known = records.frame("ticket_classes", columns=["class"], connection=connection)["class"].unique().to_list()
        tickets = records.frame("tickets", columns=["ticket"], connection=connection)["ticket"].to_list()
        found = answers(rows, tickets, said(app), known, new_classes)
        if found.good.height:
            now = datetime.now(UTC).replace(microsecond=0)
            records.upsert(connection, "ticket_classes", as_said(found.good, now, user()))
            append(connection, records.table("audit"), "classify", "ticket_classes", found.good.height)
    _tell(app, file, found)
    return found.rejected


def _rows(app: App, file: Path) -> "pl.DataFrame":
    """`row`, `ticket`, `answer` of a sheet."""
    import polars as pl

    from crm.exporting import unguarded
    from crm.reading import TableFile, read_table, tell

    read = read_table(TableFile(file), app.host.readers())
    tell(app, str(file), read)
    sheet = unguarded(read.frame)
    for name in ("ticket", "answer"):
        if name not in sheet.columns:
            raise Unusable(
                f"{file}: there is no column `{name}`; it should be a sheet of `crm tickets classify review`"
            )
    return sheet.select(pl.col("ticket", "answer").cast(pl.String)).with_columns(read.numbers().alias("row"))


def _tell(app: App, file: Path, found: "Answers") -> None:
    app.note(
        f"{file}: {counted(found.good.height, 'answer')} stored, {found.same:,} known already, "
        f"{found.rejected.height:,} rejected, {found.empty:,} rows without an answer"
    )
    if found.good.height:
        app.note("`crm tickets classify train` learns from them")
    if found.rejected.height:
        app.warn(f"{counted(found.rejected.height, 'answer')} not taken; see the reasons")
