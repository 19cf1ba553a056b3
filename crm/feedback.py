"""What became of messages: who has opened, clicked, bought, or wants no more. `push feedback` writes it."""

from typing import Final, Literal

from crm.tables import Column, Table

Event = Literal["delivered", "opened", "clicked", "converted", "dismissed", "unsubscribed"]
EVENTS: Final[tuple[Event, ...]] = ("delivered", "opened", "clicked", "converted", "dismissed", "unsubscribed")

FEEDBACK: Final = Table(
    "feedback",
    "What became of messages.",
    (
        Column("message", "string", "id of the message"),
        Column("event", "string", "delivered, opened, clicked, converted, dismissed or unsubscribed"),
        Column("ts", "timestamp", "when"),
        Column("item", "string", "the item that it is about; empty for all of the message"),
        Column("customer", "string", "to whom the message went", mask="name"),
        Column("campaign", "string", "the campaign of the message"),
        Column("amount", "float64", "what was bought for, where it is known"),
        Column("source", "string", "the file that it came from"),
    ),
    owner="push",
    store="records",
    by_date=False,
    key=("message", "event", "ts", "item"),
    indexes=(("customer",), ("campaign",)),
    person="customer",
)
