"""The section `tickets` of the configuration."""

from typing import Annotated

import msgspec
from msgspec import Meta

from crm.units import Duration, Span
from plugins.tickets.flow.table import Role, State


class StaffConfig(msgspec.Struct, frozen=True, kw_only=True):
    """As what a user of the operating system may act on tickets."""

    roles: Annotated[list[Role], Meta(description="dealer, agent, store, clerk; empty for none.")] = msgspec.field(
        default_factory=list
    )
    seats: Annotated[list[str] | None, Meta(description="Seats that the user may act for; null for any.")] = None
    dealers: Annotated[list[str] | None, Meta(description="Dealers that the user may act for; null for any.")] = None


class NoticesConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What customers are told of their vehicles, and when."""

    channel: Annotated[str, Meta(description="By which channel of `crm push` messages go.")] = "email"
    follow_up: Annotated[Duration, Meta(description="So long after the signature customers are asked how it was.")] = (
        Duration(days=3)
    )
    states: Annotated[
        list[State], Meta(description="States of a ticket of which its customer is told; empty for none.")
    ] = msgspec.field(default_factory=lambda: list[State](("approved", "rejected", "parts_ready", "served")))
    every: Annotated[Span | None, Meta(description="A vehicle is due for maintenance so often; null for never.")] = (
        Span(days=365)
    )
    every_km: Annotated[
        Annotated[float, Meta(gt=0)] | None,
        Meta(description="It is due each time that it has gone so many km, if sooner; null for never."),
    ] = 10_000.0
    ahead: Annotated[Duration, Meta(description="Maintenance is told of so long before it is due.")] = Duration(days=14)
    within: Annotated[
        Duration, Meta(description="What was due longer ago is not told any more: so old news goes to nobody.")
    ] = Duration(days=7)


class TicketsConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How a service centre reviews, supplies and pays repairs, and what it watches."""

    levels: Annotated[
        list[float],
        Meta(description="Amounts from which on one more level of review is needed: [5000, 20000] makes three levels."),
    ] = msgspec.field(default_factory=lambda: [5000.0, 20000.0])
    open_per_seat: Annotated[int, Meta(ge=1, description="So many tickets at most are with one seat at a time.")] = 5
    tolerance: Annotated[
        float, Meta(ge=0, description="By how much an amount may differ from work and parts, as a share of it.")
    ] = 0.01
    twin_within: Annotated[
        Duration, Meta(description="Two tickets of a vehicle with one labour code within this time are looked at.")
    ] = Duration(days=30)
    sources: Annotated[
        dict[str, list[str]],
        Meta(
            description="Sources of parts, the nearest first, by the region of the dealer, `default` for others. "
            "Empty: all places that are no dealers, in order."
        ),
    ] = msgspec.field(default_factory=dict)
    staff: Annotated[
        dict[str, StaffConfig],
        Meta(
            description="As what users of the operating system may act; while it is empty, everybody may act as "
            "anything."
        ),
    ] = msgspec.field(default_factory=dict)
    notices: NoticesConfig = msgspec.field(default_factory=NoticesConfig)
    confidence: Annotated[
        float, Meta(ge=0, le=1, description="A quality class of which a model is less sure goes to a person.")
    ] = 0.6
