"""`crm tickets quality`."""

from typing import TYPE_CHECKING

import click

from crm.app import App, pass_app
from crm.completing import completing, in_list
from crm.filters import filtered_like
from crm.output import impersonal, table_output
from crm.reading import table_or_workspace
from plugins.tickets.quality.names import BANDS, DIMENSIONS, MEASURES, Measure
from plugins.tickets.quality.options import Bands, Dimensions, current_tickets

if TYPE_CHECKING:
    import polars as pl

_BANDS_SAID = ",".join(f"{each:g}" for each in BANDS)


@click.command(name="quality")
@click.option(
    "--by",
    type=Dimensions(),
    default="part_category",
    show_default=True,
    metavar="A,B,...",
    shell_complete=completing(lambda _app, _context, begin: in_list(DIMENSIONS, begin)),
    help="One or several of part_category, fault_cause, batch, model, vehicle_type, cost, part, fault_code, "
    "labour_code, dealer, month.",
)
@click.option(
    "--measure",
    type=click.Choice(MEASURES),
    default="loss",
    show_default=True,
    help="By what rows are ordered, and of what `share` and `running` are.",
)
@click.option(
    "--bands",
    type=Bands(),
    default=_BANDS_SAID,
    show_default=True,
    metavar="A,B,...",
    help="Where bands of `cost` begin.",
)
@filtered_like("model = 'M01' and mileage < 20000")
@table_or_workspace
@table_output(columns=f"{' '.join(DIMENSIONS)} tickets loss settled share running months")
@pass_app
def command(app: App, by: tuple[str, ...], measure: Measure, bands: tuple[float, ...]) -> "pl.DataFrame":
    """Show what faults cost, the dearest first.

    One row for each value, or for each combination of several. `loss` is what parts and labour cost, `settled` the
    amounts of tickets that are settled, paid or confirmed, `share` the share of the measure, `running` that of this row
    and all before it (Pareto), `months` how long vehicles had been in service, as the median. `cost` is a band of the
    loss of a ticket. Tickets that were rejected or withdrawn count for nothing.

    A file has the columns of tickets, and may have `fault_cause`, `sold` and `state` beside them. Which cells have more
    tickets than is to be expected, `crm tickets warnings` tells.

    \b
    Examples:
      crm tickets quality
      crm tickets quality --by fault_cause,model --measure tickets \\
          --since 2026-01-01
      crm tickets quality --by cost --bands 500,1000,5000
      crm tickets quality --by batch --where "part_category = 'brakes'" --limit 20
    """
    from plugins.tickets.quality.pareto import columns_of, pareto
    from plugins.tickets.quality.source import FALLEN

    columns = columns_of(by)
    own = [name for name in columns if name not in ("sold", "produced")]
    tickets = current_tickets(app, columns, own, FALLEN)
    impersonal()  # only now: --where sees personal columns masked
    return pareto(tickets, by, measure, bands)
