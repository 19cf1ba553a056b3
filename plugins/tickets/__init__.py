"""The groups `tickets` and `centre`: appraisal tickets of a car-service centre, and what the centre knows besides."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from crm.hookspecs import CommandRef, TicketClassifier, hookimpl
from crm.tables import Table

if TYPE_CHECKING:
    import msgspec

_CENTRE = {
    "dealers": "dealers",
    "labour": "labour-position codes",
    "faults": "fault codes",
    "parts": "parts",
    "stock": "stock of parts",
    "seats": "seats",
    "vehicles": "vehicles in service",
    "ratings": "customers' ratings of repairs",
    "shipments": "shipments of parts",
    "payments": "batches of payment",
    "classes": "quality classes of tickets",
    "warnings": "early warnings of quality",
}
"""What the centre keeps besides tickets, and what its rows are; each has an import, an export and a list."""
_COMMANDS: tuple[tuple[str, str, str], ...] = (
    ("tickets import", "transfers:tickets_import", "Import tickets from a file."),
    ("tickets export", "transfers:tickets_export", "Export tickets to a file."),
    ("tickets list", "transfers:tickets_list", "List tickets, with where they are."),
    ("tickets dealers", "dealers:command", "Compare dealers with the others of their group."),
    ("tickets quality", "quality:command", "Show what faults cost, the dearest first."),
    ("tickets warnings", "warnings:command", "Warn of cells that have more tickets than is to be expected."),
    ("tickets show", "show:command", "Tell the whole story of tickets."),
    ("tickets submit", "review:submit", "Hand tickets in for review, new ones or those that were sent back."),
    ("tickets withdraw", "events:withdraw", "Withdraw tickets, before they are approved."),
    ("tickets assign", "review:assign_command", "Give tickets that wait for a review to seats."),
    ("tickets queue", "review:queue", "List the tickets that are in review: who has them, and which wait for a seat."),
    ("tickets review", "review:review", "Approve, reject or send back tickets that a seat has."),
    ("tickets seat", "review:seat_command", "Bring a seat online or offline."),
    ("tickets ship", "parts:ship", "See that approved repairs get their parts."),
    (
        "tickets receive",
        "parts:receive",
        "Store that shipments have arrived: parts at the dealer, or defective parts at the centre.",
    ),
    (
        "tickets lose",
        "parts:lose",
        "Give shipments up for lost: the part is sent again, or the defective part is asked for again.",
    ),
    ("tickets serve", "events:serve", "Store that repairs have been done."),
    ("tickets sign", "events:sign", "Store that customers have signed that they accept repairs."),
    ("tickets refuse", "events:refuse", "Store that customers have refused repairs, which are then done again."),
    ("tickets return-part", "parts:return_part", "Store that defective parts have been sent back to the centre."),
    ("tickets settle", "funds:settle", "Settle tickets: what the dealer asks for is right, and can be paid."),
    ("tickets hold", "events:hold", "Hold tickets, so that they are not settled until somebody has looked."),
    (
        "tickets release",
        "events:release",
        "Let held tickets pass: somebody has looked, and they may be settled as they are.",
    ),
    ("tickets batch", "funds:batch", "Put settled tickets together for payment, one payment a dealer."),
    ("tickets pay", "funds:pay", "Store that payments have been paid."),
    ("tickets confirm", "funds:confirm", "Store that dealers have confirmed the money of payments."),
    ("tickets loops", "loops:command", "List what has begun and not ended: who must act, and since when."),
    ("tickets notices", "notices:command", "List what customers are to be told of their tickets and vehicles."),
    ("tickets classify train", "classify_train:command", "Learn to tell quality classes of tickets."),
    ("tickets classify predict", "classify_predict:command", "Tell quality classes of tickets by a model."),
    ("tickets classify evaluate", "classify_evaluate:command", "Measure how well quality classes are told."),
    (
        "tickets classify review",
        "classify_review:command",
        "Write tickets whose class is doubtful to a sheet, and read the answers of persons back.",
    ),
    ("tickets events import", "transfers:events_import", "Import events of tickets from a file."),
    ("tickets events export", "transfers:events_export", "Export events of tickets to a file."),
    ("tickets events list", "transfers:events_list", "List events of tickets."),
    *(
        (f"centre {name} {verb}", f"centre:{name}_{verb}", line.format(things=things))
        for name, things in _CENTRE.items()
        for verb, line in (
            ("import", "Import {things} from a file."),
            ("export", "Export {things} to a file."),
            ("list", "List {things}."),
        )
    ),
)
_GROUPS = (
    ("tickets", "Review, supply, pay and understand appraisal tickets of a service centre."),
    ("tickets events", "Keep what happened to tickets."),
    ("tickets classify", "Tell quality classes of tickets by what persons have said of others."),
    ("centre", "Keep what a service centre knows besides tickets: dealers, codes, parts, seats, vehicles."),
    *((f"centre {name}", f"Keep {things}.") for name, things in _CENTRE.items()),
)


@hookimpl
def register_commands() -> Sequence[CommandRef]:
    """The groups and their commands."""
    return [
        *(CommandRef(path, line) for path, line in _GROUPS),
        *(CommandRef(path, line, f"{__name__}.commands.{target}") for path, target, line in _COMMANDS),
    ]


@hookimpl
def tables() -> Sequence[Table]:
    """Tickets, their events, and what a service centre knows besides."""
    from plugins.tickets.contracts import TABLES

    return TABLES


@hookimpl
def config_sections() -> "Mapping[str, type[msgspec.Struct]]":
    """The section `tickets`."""
    from plugins.tickets.config import TicketsConfig

    return {"tickets": TicketsConfig}


@hookimpl
def ticket_classifiers() -> Sequence[TicketClassifier]:
    """Each class against all others, and a tree of machines."""
    from plugins.tickets.classify.classifiers import CLASSIFIERS

    return CLASSIFIERS
