"""The tables of this plugin as targets of an import."""

from typing import Final

from crm.forgotten import is_forgotten
from crm.judging import Target
from plugins.tickets import contracts
from plugins.tickets.records import changing, checks, completing, fields, seating, stories

TICKETS: Final = Target(
    contracts.TICKETS,
    "ticket",
    fields.TICKETS,
    completing.tickets,
    barred=is_forgotten,
    written=changing.write_changes,
    check=checks.tickets,
)
EVENTS: Final = Target(
    contracts.EVENTS, "event", fields.EVENTS, stories.events, written=stories.write_states, check=stories.checked
)
DEALERS: Final = Target(contracts.DEALERS, "dealer", fields.DEALERS, completing.as_they_are, check=checks.dealers)
LABOUR: Final = Target(contracts.LABOUR, "labour code", fields.LABOUR, completing.as_they_are, check=checks.labour)
FAULTS: Final = Target(contracts.FAULTS, "fault code", fields.FAULTS, completing.as_they_are)
PARTS: Final = Target(contracts.PARTS, "part", fields.PARTS, completing.as_they_are, check=checks.parts)
STOCK: Final = Target(contracts.STOCK, "stock", fields.STOCK, completing.as_they_are, check=checks.stock)
SEATS: Final = Target(
    contracts.SEATS, "seat", fields.SEATS, completing.seats, written=seating.hand_back, check=checks.seats
)
VEHICLES: Final = Target(
    contracts.VEHICLES, "vehicle", fields.VEHICLES, completing.vehicles, barred=is_forgotten, check=checks.vehicles
)
RATINGS: Final = Target(contracts.RATINGS, "rating", fields.RATINGS, completing.ratings, check=checks.ratings)
SHIPMENTS: Final = Target(
    contracts.SHIPMENTS, "shipment", fields.SHIPMENTS, completing.shipments, check=checks.shipments
)
PAYMENTS: Final = Target(contracts.PAYMENTS, "payment", fields.PAYMENTS, completing.as_they_are, check=checks.payments)
CLASSES: Final = Target(contracts.CLASSES, "quality class", fields.CLASSES, completing.classes, check=checks.classes)
WARNINGS: Final = Target(
    contracts.WARNINGS, "early warning", fields.WARNINGS, completing.as_they_are, check=checks.warnings
)
