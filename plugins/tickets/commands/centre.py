"""`import`, `export` and `list` of what the centre knows besides tickets: a table of it for each table of records."""

from typing import TYPE_CHECKING, Final, NamedTuple

from crm.table_commands import export_command, import_command, list_command
from plugins.tickets.commands.transfers import HOW, WHOLE

if TYPE_CHECKING:
    import click

    from crm.judging import Target


class _Table(NamedTuple):
    """What is to be said of a table.

    Attributes:
        table: Its name.
        things: What its rows are.
        text: What a row says, for the help of the import.
        example: A condition on its rows.
        columns: What lists show.
        people: Whether rows are somebody's.
        timed: Whether rows have a time.
        more: How an export is written so that all of it can be read again.
    """

    table: str
    things: str
    text: str
    example: str
    columns: tuple[str, ...]
    people: bool = False
    timed: bool = False
    more: str = ""


_TABLES: Final = {
    "dealers": _Table(
        "dealers",
        "dealers",
        "A row is a dealer: its region, the group of dealers that it is compared with, and its rate of an hour's work.",
        "region = '广东'",
        ("dealer", "name", "city", "region", "group", "rate"),
    ),
    "labour": _Table(
        "labour_codes",
        "labour-position codes",
        "A row is a code: what is done, where on the vehicle, and the standard hours of the work.",
        "part_category = 'brakes'",
        ("labour_code", "title", "position", "part_category", "hours"),
    ),
    "faults": _Table(
        "fault_codes",
        "fault codes",
        "A row is a code: what is wrong, and its cause, such as design, material, assembly, wear or handling.",
        "cause = 'material'",
        ("fault_code", "title", "cause", "part_category"),
    ),
    "parts": _Table(
        "parts",
        "parts",
        "A row is a part: what it costs, and whether a defective one must come back; where nothing is said it must.",
        "price > 1000",
        ("part", "title", "part_category", "price", "returned"),
    ),
    "stock": _Table(
        "stock",
        "stock of parts",
        "A row is a place, a part, and how many of it lie there. Places are dealers, and sources of the centre.",
        "quantity < 30",
        ("place", "part", "quantity"),
    ),
    "seats": _Table(
        "seats",
        "seats",
        "A row is a seat of the centre: the highest level of review that it may do, the part categories that it knows "
        "with\n    | between them (all, where none is named), and whether it is online or offline.",
        "state = 'online'",
        ("seat", "name", "level", "skills", "state"),
        more="--unmask ",
    ),
    "vehicles": _Table(
        "vehicles",
        "vehicles in service",
        "A row is a vehicle: its model and production batch, since and until when it is in service, and how far it\n"
        "    had gone on which day. Rates of faults are measured against them.",
        "model = 'M05'",
        ("vin", "model", "vehicle_type", "batch", "produced", "sold", "gone", "mileage", "read", "dealer", "customer"),
        people=True,
        timed=True,
        more="--unmask ",
    ),
    "ratings": _Table(
        "ticket_ratings",
        "customers' ratings of repairs",
        "A row is a complaint, a praise, or a score from 1 to 5, of a ticket.",
        "kind = 'complaint'",
        ("ticket", "ts", "kind", "score", "comment"),
        timed=True,
        more="--unmask ",
    ),
    "shipments": _Table(
        "shipments",
        "shipments of parts",
        "A row is a shipment of a ticket: a part to the dealer, or a defective one back (return). The work flow\n"
        "    writes them itself; an import is for what another system or workspace has written.",
        "kind = 'return'",
        ("shipment", "ticket", "kind", "part", "quantity", "origin", "goal", "carrier", "shipped", "received", "lost"),
        timed=True,
    ),
    "payments": _Table(
        "payments",
        "batches of payment",
        "A row is a batch of settled tickets of one dealer. The work flow writes them itself; an import is for what\n"
        "    another system or workspace has written.",
        "paid is null",
        ("payment", "dealer", "tickets", "total", "made", "paid", "confirmed"),
        timed=True,
    ),
    "classes": _Table(
        "ticket_classes",
        "quality classes of tickets",
        "A row is a ticket and its class, as a person has said, or a model; where nothing is said of that, a person.",
        "origin = 'person'",
        ("ticket", "origin", "class", "confidence", "ts", "by"),
        timed=True,
        more="--unmask ",
    ),
    "warnings": _Table(
        "ticket_warnings",
        "early warnings of quality",
        "A row is a cell that stood out, and when it did first and last. `crm tickets quality` writes them itself; an\n"
        "    import is for what another workspace has written.",
        "lift >= 2",
        ("kind", "cell", "first", "last", "lift"),
        timed=True,
    ),
}


def _import(name: str) -> "click.Command":
    table = _TABLES[name]

    def target() -> "Target":
        from plugins.tickets.records import targets

        found: Target = getattr(targets, name.upper())
        return found

    return import_command(
        target,
        f"""Import {table.things} from a file.
{HOW}

    {table.text}

    \b
    Examples:
      crm centre {name} import {name}.csv
      crm centre {name} import {name}.xlsx --dry-run --save-map map.yaml
    """,
    )


def _export(name: str) -> "click.Command":
    table = _TABLES[name]
    return export_command(
        table.table,
        f"""Export {table.things} to a file.
{WHOLE}

    \b
    Examples:
      crm centre {name} export {table.more}-o {name}.csv
      crm centre {name} export --where "{table.example}" -f ndjson
    """,
        table.example,
        people=table.people,
        timed=table.timed,
    )


def _list(name: str) -> "click.Command":
    table = _TABLES[name]
    return list_command(
        table.table,
        f"""List {table.things}.

    \b
    Examples:
      crm centre {name} list -n 20
      crm centre {name} list --where "{table.example}"
    """,
        table.example,
        table.columns,
        people=table.people,
        timed=table.timed,
    )


dealers_import, dealers_export, dealers_list = _import("dealers"), _export("dealers"), _list("dealers")
labour_import, labour_export, labour_list = _import("labour"), _export("labour"), _list("labour")
faults_import, faults_export, faults_list = _import("faults"), _export("faults"), _list("faults")
parts_import, parts_export, parts_list = _import("parts"), _export("parts"), _list("parts")
stock_import, stock_export, stock_list = _import("stock"), _export("stock"), _list("stock")
seats_import, seats_export, seats_list = _import("seats"), _export("seats"), _list("seats")
vehicles_import, vehicles_export, vehicles_list = _import("vehicles"), _export("vehicles"), _list("vehicles")
ratings_import, ratings_export, ratings_list = _import("ratings"), _export("ratings"), _list("ratings")
shipments_import, shipments_export, shipments_list = _import("shipments"), _export("shipments"), _list("shipments")
payments_import, payments_export, payments_list = _import("payments"), _export("payments"), _list("payments")
classes_import, classes_export, classes_list = _import("classes"), _export("classes"), _list("classes")
warnings_import, warnings_export, warnings_list = _import("warnings"), _export("warnings"), _list("warnings")
