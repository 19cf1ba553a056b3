"""`import`, `export` and `list` of tickets and of their events."""

from typing import TYPE_CHECKING

import click

from crm.app import App, pass_app
from crm.exporting import segment_option
from crm.filters import filtered_like
from crm.output import current, table_output
from crm.table_commands import export_command, import_command, list_command

if TYPE_CHECKING:
    import polars as pl

    from crm.judging import Target


def _tickets() -> "Target":
    from plugins.tickets.records.targets import TICKETS

    return TICKETS


def _events() -> "Target":
    from plugins.tickets.records.targets import EVENTS

    return EVENTS


HOW = """
    FILE is csv, tsv, xlsx, yaml, json, ndjson or parquet, or - for standard input. Which column is what is guessed from
    its name, Chinese or English, and said; --save-map writes it down for you to edit, --map reads it. Rows that cannot
    be read, or are wrong, are left out and written to --rejects with the reasons; all others go in, in one
    transaction. Every row is counted: new + changed + same + repeated + rejected."""
WHOLE = """
    All columns, as an import reads them again: importing what `export --unmask` has written into an empty workspace
    gives an equal table. Without --unmask personal values are masked. -o picks the format by its ending."""

tickets_import = import_command(
    _tickets,
    f"""Import tickets from a file.
{HOW}

    Dealers, labour codes, fault codes and parts must be known, where the centre has tables of them; the nearest known
    ones are told. A ticket without an id gets one, made of all that the row says; the category of the part is that of
    the part, labour code or fault code. Only a ticket that is opened or sent back can be changed by an import, and its
    story keeps what was there before.

    \b
    Examples:
      crm tickets import tickets.csv
      crm tickets import 鉴定单.xlsx --save-map tickets.yaml --dry-run
      crm tickets import tickets.csv --rejects rejected.csv --max-rejects 100
    """,
)
events_import = import_command(
    _events,
    f"""Import events of tickets from a file.
{HOW}

    A row is an event: the ticket, its number in the ticket's story, when, what, and the state after it. The work flow
    must allow it, event by event; where the tickets are is worked out of them. Events that are there already stay as
    they are.

    \b
    Examples:
      crm tickets events import events.csv
      crm tickets events import events.ndjson --rejects rejected.csv
    """,
)
tickets_export = export_command(
    "tickets",
    f"""Export tickets to a file.
{WHOLE}

    \b
    Examples:
      crm tickets export -o tickets.csv
      crm tickets export --unmask --since 2026-01-01 -o tickets.parquet
      crm tickets export --where "part_category = 'brakes' and amount >= 5000" \\
          -f ndjson
    """,
    "part_category = 'brakes' and amount >= 5000",
)
events_export = export_command(
    "ticket_events",
    f"""Export events of tickets to a file.
{WHOLE}

    \b
    Examples:
      crm tickets events export --unmask -o events.csv
      crm tickets events export --where "event = 'reject'" -f ndjson
    """,
    "event = 'reject'",
    people=False,
)
events_list = list_command(
    "ticket_events",
    """List events of tickets.

    \b
    Examples:
      crm tickets events list --where "ticket = 'T0000101'"
      crm tickets events list --since 7d --where "event = 'send_back'"
    """,
    "event = 'reject'",
    ("ticket", "number", "ts", "event", "before", "after", "level", "seat", "role", "by", "remark"),
    people=False,
)

_SHOWN = (
    *("ticket", "dealer", "opened", "model", "batch", "labour_code", "fault_code", "part", "amount"),
    *("state", "level", "seat", "held"),
)


@click.command(name="list")
@segment_option
@filtered_like("state = 'in_review' and amount >= 5000")
@table_output(columns="tickets.* state level seat held payment ...")
@pass_app
def tickets_list(app: App, segment: str | None = None) -> "pl.LazyFrame":
    """List tickets, with where they are.

    Beside what the dealer has written stand the state, the level of review, the seat that reviews the ticket, why it is
    held, and the payment that it is in; conditions may be on all of them.

    \b
    Examples:
      crm tickets list --where "state = 'in_review'"
      crm tickets list --since 30d --where "dealer = 'D13' and held is not null"
      crm tickets list --columns ticket,customer,vin,fault_text,state -n 20
    """
    from crm.filters import current_filters
    from plugins.tickets.records.listing import with_standing

    usual = current().columns is None
    rows = with_standing(app, segment, extras=not usual or current_filters().where is not None)
    return rows.select(_SHOWN) if usual else rows
