"""`crm tickets classify predict`."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from crm.access import require
from crm.app import App, pass_app
from crm.errors import Unusable, UsageError
from crm.filters import filtered_like
from crm.messages import counted
from crm.output import impersonal, table_output
from crm.reading import current_file, table_or_workspace
from plugins.tickets.classify.options import confidence_option, least_confidence, model_option, read_model

if TYPE_CHECKING:
    import polars as pl

_ADDED: Final = ("class", "confidence", "sure", "reasons")


@click.command(name="predict")
@model_option
@confidence_option
@click.option("--new", is_flag=True, help="Only tickets of which neither a person nor a model has told the class.")
@click.option("--store", is_flag=True, help="Keep the classes: table ticket_classes, origin model.")
@filtered_like("part_category = 'brakes'")
@table_or_workspace
@table_output(columns="ticket class confidence sure reasons ...")
@pass_app
def command(app: App, model: Path, confidence: float | None, new: bool, store: bool) -> "pl.DataFrame":
    """Tell quality classes of tickets by a model.

    Of tickets of the workspace, or of the rows of a file, which keep their columns. `confidence` is how likely the
    class is, `sure` whether that is enough: other tickets go to a person (`crm tickets classify review`). `reasons` are
    pieces of the text, codes and numbers that spoke most for the class, the strongest first.

    A file that is damaged, was changed, or holds anything but such a model is refused.

    \b
    Examples:
      crm tickets classify predict --model quality.model --limit 20
      crm tickets classify predict --model quality.model --new --store
      crm tickets classify predict --model cat.model --input new.csv -o told.xlsx
    """
    import polars as pl

    from plugins.tickets.classify.predicting import predictions
    from plugins.tickets.classify.source import asked_rows

    if store:
        require(app, "analyse")
    about, fitted = read_model(app, model)
    if current_file() is None:
        impersonal()
    elif store or new:
        raise UsageError(f"--{'store' if store else 'new'} is about tickets of the workspace, not about a file")
    frame = asked_rows(app, fitted.features.columns)
    if new:
        frame = _new(app, frame)
    _check_free(frame, current_file() is not None)
    least = least_confidence(app, confidence)
    found = predictions(fitted, frame).with_columns(sure=pl.col("confidence") >= least)
    _tell(app, found, least)
    if store:
        _store(app, frame["ticket"], found, f"{about.classifier} {about.sha256[:12]}")
    own = frame if current_file() is not None else frame.select("ticket", "fault_text")
    return own.hstack(found.select(_ADDED))


def _new(app: App, frame: "pl.DataFrame") -> "pl.DataFrame":
    known = app.workspace().records.frame("ticket_classes", columns=["ticket"])
    return frame.join(known, on="ticket", how="anti", maintain_order="left")


def _check_free(frame: "pl.DataFrame", file: bool) -> None:
    """See that the columns that are added are not there yet."""
    for name in _ADDED if file else ():
        if name in frame.columns:
            raise Unusable(
                f"the input has a column `{name}` already, which is what a result is called: rename it there"
            )


def _tell(app: App, found: "pl.DataFrame", least: float) -> None:
    unsure = found.height - int(found["sure"].sum())
    if unsure:
        app.note(f"{unsure:,} of {found.height:,} rows with a confidence below {least:g}: they are for a person")


def _store(app: App, tickets: "pl.Series", found: "pl.DataFrame", by: str) -> None:
    """Keep the classes, in the place of those that a model has told before."""
    from datetime import UTC, datetime

    import polars as pl

    from crm.audit import append

    records = app.workspace().records
    now = datetime.now(UTC).replace(microsecond=0)
    rows = found.select(
        tickets.alias("ticket"),
        pl.lit("model").alias("origin"),
        "class",
        "confidence",
        pl.lit(now).cast(pl.Datetime("us", "UTC")).alias("ts"),
        pl.lit(by).alias("by"),
    )
    with records.begin() as connection:
        records.upsert(connection, "ticket_classes", rows)
        append(connection, records.table("audit"), "classify", "ticket_classes", rows.height)
    app.note(f"the class of {counted(rows.height, 'ticket')} stored")
