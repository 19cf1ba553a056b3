"""`crm tickets warnings`."""

from typing import TYPE_CHECKING, Final

import click

from crm.access import may
from crm.app import App, pass_app
from crm.errors import NothingFound
from crm.filters import current_filters, filtered_like
from crm.messages import counted
from crm.nearest import did_you_mean, one_of
from crm.options import SHARE
from crm.output import impersonal, table_output
from crm.reading import current_file, table_or_workspace
from plugins.tickets.quality.options import current_tickets

if TYPE_CHECKING:
    from datetime import datetime

    import polars as pl

    from plugins.tickets.quality.cells import Watched

_SHOWN: Final = 3
"""So many tickets of a cell are named in its row."""
_BEHIND: Final = ("ticket", "opened", "dealer", "model", "batch", "part", "fault_code", "labour_code", "loss", "state")


@click.command(name="warnings")
@click.option("--level", type=SHARE, default="0.05", show_default=True, help="Share of false ones among the warnings.")
@click.option(
    "--all", "everything", is_flag=True, help="List every cell that is watched, not only those that stand out."
)
@click.option("--tickets", "cell", metavar="CELL", help="List the tickets of this cell instead, the newest first.")
@click.option("--no-store", is_flag=True, help="Do not remember what was told, so that it stays new.")
@filtered_like("model = 'M01'")
@table_or_workspace
@table_output(
    columns=(
        "new kind cell tickets expected lift believed p q first newest ticket opened dealer model batch part "
        "fault_code labour_code loss state"
    )
)
@pass_app
def command(app: App, level: float, everything: bool, cell: str | None, no_store: bool) -> "pl.DataFrame":
    """Warn of cells that have more tickets than is to be expected.

    Watched are batches, parts and categories within batches, causes of parts, labour codes of dealers, and faults that
    rise month by month. What is expected comes from the vehicles in service, where they are known, and from the totals
    of rows and columns. How far rates scatter by nature is learnt from all cells of a kind; what remains is tested, and
    of what is told a share of --level at most is false on average (Benjamini and Hochberg).

    What is new since the last run comes first. `lift` is tickets / expected, `believed` the same drawn towards 1 where
    tickets are few; of a rise both are about the last third of the months. `first` is until when tickets were known
    when the cell stood out first. A run on some tickets (--where, or --input) is not remembered.

    \b
    Examples:
      crm tickets warnings
      crm tickets warnings --since 365d --level 0.01
      crm tickets warnings --tickets 'D13 / CO00C'
      crm tickets warnings --all --no-store -o cells.csv
    """
    from plugins.tickets.quality import alarms
    from plugins.tickets.quality.cells import NEEDED, span_of, watched
    from plugins.tickets.quality.source import WITHDRAWN

    tickets = current_tickets(app, ["ticket", *NEEDED, "sold"], ["ticket", "opened"], WITHDRAWN)
    tickets = tickets.filter(tickets["opened"].is_not_null())
    if not tickets.height:
        raise NothingFound("no ticket tells when it was opened; early warnings compare tickets over time")
    impersonal()  # only now: --where sees personal columns masked
    span = span_of(tickets, _vehicles(app))
    kinds = list(watched(span))
    _tell(app, kinds, exposed=span.exposed)
    cells = alarms.judged(kinds)
    if cell is not None:
        return _behind(app, tickets, cells, cell)
    found = cells if everything else alarms.alarms(cells, level)
    moment: datetime = tickets["opened"].max()  # type: ignore[assignment]  # Polars knows no type of it
    shown = _with_history(app, found, moment)
    if not (everything or no_store):
        _remember(app, shown, moment)
    return _with_tickets(shown, tickets)


def _vehicles(app: App) -> "pl.DataFrame":
    """Vehicles in service; none where a file is looked at."""
    import polars as pl

    columns = ["batch", "model", "sold", "produced", "gone"]
    if current_file() is not None:
        return pl.DataFrame(schema={**dict.fromkeys(columns[:2], pl.String), **dict.fromkeys(columns[2:], pl.Date)})
    vehicles = app.workspace().records.frame("vehicles", columns=columns)
    return vehicles.with_columns(pl.coalesce("sold", "produced").alias("sold"))


def _tell(app: App, kinds: "list[Watched]", *, exposed: bool) -> None:
    """Say what was looked at."""
    number = sum(len(each.cells) for each in kinds)
    source = "vehicles in service and totals" if exposed else "totals alone, as vehicles in service are not known"
    app.note(f"{counted(number, 'cell')} watched; expected by {source}")


def _behind(app: App, tickets: "pl.DataFrame", cells: "pl.DataFrame", cell: str) -> "pl.DataFrame":
    """The tickets of a cell."""
    from plugins.tickets.quality.alarms import behind

    kinds = cells.filter(cells["cell"] == cell)["kind"]
    if kinds.is_empty():
        raise NothingFound(
            f"no cell `{cell}` is watched{did_you_mean(cell, cells['cell'].head(5000))}; --all lists them"
        )
    if len(kinds) > 1:
        app.note(f"`{cell}` is a cell of {one_of(kinds)}; listed are the tickets of the surest, {kinds[0]}")
    return behind(tickets, kinds[0], cell).select(_BEHIND)


def _with_history(app: App, found: "pl.DataFrame", moment: "datetime") -> "pl.DataFrame":
    """Warnings with what was told before; a file has no history."""
    import polars as pl

    from plugins.tickets.quality.remembering import told_before, with_first

    if current_file() is not None:
        return with_first(
            found,
            pl.DataFrame(schema={"kind": pl.String, "cell": pl.String, "first": pl.Datetime("us", "UTC")}),
            moment,
        )
    return with_first(found, told_before(app.workspace()), moment)


def _remember(app: App, found: "pl.DataFrame", moment: "datetime") -> None:
    """Keep what was told, where the user may."""
    from plugins.tickets.quality.remembering import remember

    if current_file() is not None or current_filters().where is not None or not found.height:
        return
    if not may(app, "analyse"):
        if found["new"].any():
            app.note("not remembered, as your role may not: what is new stays new")
        return
    remember(app.workspace(), found, moment)


def _with_tickets(found: "pl.DataFrame", tickets: "pl.DataFrame") -> "pl.DataFrame":
    """Warnings with their newest tickets, in the order of columns that is shown."""
    import polars as pl

    from plugins.tickets.quality.alarms import newest

    named = newest(found, tickets, _SHOWN)
    return found.with_columns(pl.Series("newest", named, dtype=pl.String)).select(
        *("new", "kind", "cell", pl.col("observed").alias("tickets"), "expected", "lift", "believed"),
        *("p", "q", "first", "newest"),
    )
