"""Tickets to learn classes from, or to tell the classes of: of the workspace, or the rows of a file."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from crm.access import AccessConfig
from crm.errors import NothingFound, Unusable, UsageError
from crm.filters import Filters, current_filters
from crm.messages import counted
from crm.nearest import no_column, one_of, there_are
from crm.output import personal_now
from crm.reading import current_file, current_table
from plugins.tickets.classify.features import Columns
from plugins.tickets.classify.learning import Known
from plugins.tickets.contracts import CLASSES, TICKETS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crm.app import App

TEXTS: Final = ("fault_text",)
CODES: Final = ("labour_code", "fault_code", "part", "part_category", "model", "vehicle_type")
NUMBERS: Final = ("mileage", "months", "quantity", "parts_cost", "labour_cost", "amount")
"""What is looked at unless the user says otherwise."""
LABEL: Final = "class"
"""The column of the class in the workspace, and how the column that tells it is called."""
ROW: Final = " row"
MOST_CLASSES: Final = 100
"""Of a column with more different values it is unlikely that they are classes."""

_MONTH: Final = 365.25 / 12
_OPTIONS: Final = ("--text", "--codes", "--numbers")
_MORE: Final = ("months", "fault_cause")
"""What the workspace knows of tickets besides their columns: since when the vehicle was in service, and the cause."""


def columns_of(given: "Mapping[str, tuple[str, ...] | None]", there: Sequence[str] | None) -> Columns:
    """What is looked at.

    Args:
        given: What the user has said of texts, codes and numbers; None for nothing.
        there: The columns of the file; None for the workspace.

    Raises:
        UsageError: a column is not there, or is named twice, or the file has no text that is known.
    """
    usual = {"texts": TEXTS, "codes": CODES, "numbers": NUMBERS}
    if there is not None:
        usual = {kind: tuple(name for name in names if name in there) for kind, names in usual.items()}
        if given["texts"]:  # of a table about something else, what tickets have would be there by accident
            usual |= {"codes": (), "numbers": ()}
    found = {kind: usual[kind] if given[kind] is None else given[kind] for kind in usual}
    known = there if there is not None else tuple(_shown())
    for kind, option in zip(usual, _OPTIONS, strict=True):
        for name in found[kind] or ():
            _check_there(name, option, known)
    if not found["texts"]:
        raise UsageError(f"the file has no column fault_text; name its text with --text: {one_of(known[:20])}")
    columns = Columns(**{kind: tuple(names or ()) for kind, names in found.items()})
    twice = next((name for at, name in enumerate(columns.all()) if name in columns.all()[:at]), None)
    if twice:
        raise UsageError(f"column `{twice}` is named twice among {', '.join(_OPTIONS)}")
    return columns


def _shown() -> list[str]:
    """Columns of tickets that can be looked at: all but personal ones, ids of tickets and times."""
    own = [each.name for each in TICKETS.columns if each.mask is None and each.type in ("string", "float64")]
    return [*(name for name in own if name not in ("ticket", "source")), *_MORE]


def _check_there(name: str, option: str, known: Sequence[str]) -> None:
    if name not in known:
        raise UsageError(f"{option}: {no_column(name, known, 30)}")


def refuse_personal(app: "App", names: Sequence[str]) -> None:
    """See that no column is personal: what is learnt from it would be shown as what spoke for a class.

    Raises:
        UsageError: one is.
    """
    personal = {**personal_now(app), **app.config.get("access", AccessConfig).personal}
    for name in names:
        if name in personal:
            raise UsageError(f"column `{name}` is personal: it can be neither looked at nor a class")


def known_rows(app: "App", given: "Mapping[str, tuple[str, ...] | None]", label: str | None) -> Known:
    """The rows of the file that the user has named, or tickets of the workspace, whose class is known.

    Raises:
        UsageError: a column is not there, is personal, or is the class itself.
        NothingFound: no class is known.
        Unusable: there is one class only.
    """
    if current_file() is None:
        if label is not None:
            raise UsageError("--label is about a file, and none is named with --input")
        columns, name = columns_of(given, None), LABEL
        frame = tickets(app, columns)
        frame = frame.join(said(app), on="ticket", how="inner", maintain_order="left")
    else:
        table = current_table(app)
        if label is None:
            raise UsageError(f"--label names the column of the class; {there_are(table.columns, 30)}")
        _check_there(label, "--label", table.columns)
        columns, name = columns_of(given, table.columns), label
        refuse_personal(app, (*columns.all(), label))
        if label in columns.all():
            raise UsageError(f"--label {label} is among the columns that are looked at, where it would tell itself")
        frame = _of_file(app, table)
    return _known(app, frame, columns, name)


def _known(app: "App", frame: pl.DataFrame, columns: Columns, label: str) -> Known:
    """The rows that have a class."""
    named = frame[label].cast(pl.String).str.strip_chars().replace("", None)
    there = named.is_not_null()
    if not there.all():
        app.note(f"{int((~there).sum()):,} of {frame.height:,} rows left out: the class is missing")
    names = named.drop_nulls()
    classes = tuple(names.unique().sort().to_list())
    if not classes:
        if current_file() is not None:
            raise NothingFound(f"the class of no row is known: column `{label}` is empty, or --where leaves nothing")
        narrow = ", and a filter may be too narrow" if current_filters() != Filters() else ""
        raise NothingFound(f"the class of no ticket is known; `crm centre classes import FILE` brings some{narrow}")
    if len(classes) < 2:
        raise Unusable(f"all rows are of the class `{classes[0]}`, and two at least are needed")
    if len(classes) > MOST_CLASSES:
        raise UsageError(f"column `{label}` has {len(classes):,} different values, too many for classes")
    codes = names.replace_strict(list(classes), range(len(classes)), return_dtype=pl.Int64).to_numpy()
    return Known(frame.filter(there).select(columns.all()), classes, np.asarray(codes), columns)


def tickets(app: "App", columns: Columns) -> pl.DataFrame:
    """`ticket`, `fault_text` and the columns of tickets of the workspace that the running command's filters leave."""
    from plugins.tickets.quality.source import stored

    wanted = [name for name in dict.fromkeys(("ticket", "fault_text", *columns.all())) if name != "months"]
    aged = "months" in columns.all()
    frame = stored(app, current_filters(), [*wanted, *(("sold",) if aged else ())])
    if aged:
        lived = (pl.col("opened").dt.date() - pl.col("sold")).dt.total_days() / _MONTH
        frame = frame.with_columns(lived.alias("months"))
    return frame.select(*wanted, *(("months",) if aged else ())).sort("ticket")


def said(app: "App", origin: str = "person") -> pl.DataFrame:
    """`ticket` and `class` of tickets as persons have said it, or models."""
    records = app.workspace().records
    where = records.table(CLASSES.name).c.origin == origin
    return records.frame(CLASSES.name, columns=["ticket", LABEL], where=where)


def asked_rows(app: "App", columns: Columns) -> pl.DataFrame:
    """The rows of the file that the user has named, or tickets of the workspace, with the columns of a model.

    Codes and numbers that a file lacks are null, which is told.

    Raises:
        UsageError: a file lacks a text, or the model is not about tickets.
    """
    if current_file() is None:
        for name in columns.all():
            if name not in _shown():
                raise UsageError(
                    f"the model looks at a column `{name}`, which tickets have not: name a file with --input"
                )
        return tickets(app, columns)
    table = current_table(app)
    for name in columns.texts:
        _check_there(name, "the model", table.columns)
    refuse_personal(app, columns.all())
    lacking = [name for name in (*columns.codes, *columns.numbers) if name not in table.columns]
    if lacking:
        app.warn(f"the file lacks {counted(len(lacking), 'column')} that the model looks at: {one_of(lacking)}")
    return _of_file(app, table)


def _of_file(app: "App", table: pl.DataFrame) -> pl.DataFrame:
    """The rows of a file that the running command's condition leaves.

    Raises:
        UsageError: --since or --until is given, which would do nothing.
    """
    filters = current_filters()
    for option, moment in (("--since", filters.since), ("--until", filters.until)):
        if moment is not None:
            raise UsageError(f"{option} is about tickets of the workspace, not about a file: write a --where")
    return filters.matching(app, table.lazy()).collect()


def completed(frame: pl.DataFrame, columns: Columns) -> pl.DataFrame:
    """A table with all columns of a model; those that it lacks are null."""
    return frame.select(
        pl.col(name) if name in frame.columns else pl.lit(None, dtype=pl.String).alias(name) for name in columns.all()
    )
