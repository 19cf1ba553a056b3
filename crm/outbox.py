"""The outbox: messages that wait, are on their way, or have gone out; whatever dies meanwhile, none is lost."""

from typing import Final, Literal

from crm.tables import Column, Table

State = Literal["queued", "sending", "sent", "acknowledged", "failed", "expired"]
STATES: Final[tuple[State, ...]] = ("queued", "sending", "sent", "acknowledged", "failed", "expired")

OUTBOX: Final = Table(
    "outbox",
    "Messages to customers: those that wait, and those that have gone out.",
    (
        Column("message", "string", "id of the message, fixed when it is queued"),
        Column("customer", "string", "to whom it goes", mask="name"),
        Column("campaign", "string", "what it belongs to"),
        Column("channel", "string", "by which way it goes: email, webhook, file, pull ..."),
        Column("template", "string", "of which template its text is made"),
        Column("items", "string", "ids of the items that it is about, as a JSON list"),
        Column("data", "string", "what the template is given, as a JSON object", mask="hidden", secret=True),
        Column("state", "string", "queued, sending, sent, acknowledged, failed or expired"),
        Column("queued", "timestamp", "when it was queued"),
        Column("send_after", "timestamp", "it goes out no sooner"),
        Column("expires", "timestamp", "it goes out no later; null for any time"),
        Column("tries", "int32", "how often it was tried"),
        Column("next_try", "timestamp", "it is tried again no sooner; null where nothing went wrong"),
        Column("claimed", "timestamp", "until when a sender has it; null where none has"),
        Column("sent", "timestamp", "when it was taken by the server, or written"),
        Column("acknowledged", "timestamp", "when its receipt was acknowledged"),
        Column("error", "string", "what went wrong last"),
    ),
    owner="crm",
    store="records",
    by_date=False,
    key=("message",),
    indexes=(("customer",), ("campaign",), ("state",)),
    person="customer",
)
