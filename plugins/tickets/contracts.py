"""The tables of this plugin: tickets, what happened to them, and what a service centre knows besides."""

from typing import Final

from crm.tables import Column, Table

_TICKET: Final = Column("ticket", "string", "id of the ticket")
_DEALER: Final = Column("dealer", "string", "id of the dealer")
_VIN: Final = Column("vin", "string", "vehicle identification number", mask="number")
_MODEL: Final = Column("model", "string", "model of the vehicle")
_VEHICLE_TYPE: Final = Column("vehicle_type", "string", "type of the vehicle: sedan, suv, van ...")
_BATCH: Final = Column("batch", "string", "production batch of the vehicle")
_PRODUCED: Final = Column("produced", "date", "when the vehicle was made")
_CUSTOMER: Final = Column("customer", "string", "id of the customer", mask="name")
_LABOUR: Final = Column("labour_code", "string", "labour-position code: what is done, and where")
_FAULT: Final = Column("fault_code", "string", "code of the fault")
_PART: Final = Column("part", "string", "id of the part")
_CATEGORY: Final = Column("part_category", "string", "category of the part: engine, brakes, electrics ...")
_EXTRAS: Final = Column(
    "extras", "string", "columns that no field is for, as a JSON object of texts", mask="hidden", secret=True
)
_ORIGINAL: Final = Column(
    "original",
    "string",
    "values as they came in, where they were brought into form, as a JSON object",
    mask="hidden",
    secret=True,
)
_SOURCE: Final = Column("source", "string", "the file or system that the row came from")
_BEHIND: Final = (_EXTRAS, _ORIGINAL, _SOURCE)

TICKETS: Final = Table(
    "tickets",
    "Appraisal tickets: one row a repair that a dealer asks to be paid for, as the dealer has written it.",
    (
        _TICKET,
        _DEALER,
        _VIN,
        _MODEL,
        _VEHICLE_TYPE,
        _BATCH,
        _PRODUCED,
        Column("mileage", "float64", "how far the vehicle had gone", unit="km"),
        _CUSTOMER,
        _LABOUR,
        _FAULT,
        Column("fault_text", "string", "what is wrong, in the dealer's words"),
        _PART,
        _CATEGORY,
        Column("quantity", "float64", "how many of the part"),
        Column("parts_cost", "float64", "what the parts cost", unit="money"),
        Column("labour_cost", "float64", "what the work costs", unit="money"),
        Column("amount", "float64", "what the dealer asks for in all", unit="money"),
        Column("opened", "timestamp", "when the ticket was opened"),
        *_BEHIND,
    ),
    owner="tickets",
    store="records",
    by_date=False,
    key=("ticket",),
    indexes=(("customer",), ("vin",)),
    person="customer",
    keep=True,
)

STATES: Final = Table(
    "ticket_states",
    "Where each ticket is: what its events have led to. A ticket to which nothing has happened yet has no row.",
    (
        _TICKET,
        Column("state", "string", "opened, in_review, approved, served, settled ..."),
        Column("level", "int32", "level of review that it is at, or has come to; from 1"),
        Column("seat", "string", "seat that reviews it; null where none does"),
        Column("approvers", "string", "seats that have approved it in this round of review, with | between them"),
        Column("held", "string", "why a person must look before it is settled; null where nothing is in the way"),
        Column("released", "boolean", "whether a person has looked, and let it pass"),
        Column("payment", "string", "batch of payment that it is in"),
        Column("events", "int32", "how many events it has had", unit="events"),
        Column("changed", "timestamp", "when the last one happened"),
    ),
    owner="tickets",
    store="records",
    by_date=False,
    key=("ticket",),
    indexes=(("state",), ("seat",), ("payment",)),
)

EVENTS: Final = Table(
    "ticket_events",
    "What happened to tickets: nothing in it is changed, only added.",
    (
        _TICKET,
        Column("number", "int32", "number of the event of this ticket, from 1"),
        Column("ts", "timestamp", "when"),
        Column("event", "string", "submit, assign, approve, ship, sign, settle ..."),
        Column("before", "string", "state before it"),
        Column("after", "string", "state after it"),
        Column("level", "int32", "level of review after it"),
        Column("seat", "string", "seat that has the ticket after it"),
        Column("role", "string", "as what somebody did it: dealer, agent, store, clerk or system"),
        Column("by", "string", "who did it", mask="name"),
        Column("remark", "string", "what was said to it"),
        Column("data", "string", "what else belongs to it, such as a shipment, as a JSON object"),
    ),
    owner="tickets",
    store="records",
    by_date=False,
    key=("ticket", "number"),
)

SHIPMENTS: Final = Table(
    "shipments",
    "Parts on their way: to dealers, and defective ones back.",
    (
        Column("shipment", "string", "number of the shipment"),
        _TICKET,
        Column("kind", "string", "part, or return for a defective part"),
        _PART,
        Column("quantity", "float64", "how many"),
        Column("origin", "string", "where it comes from: a source of the centre, or a dealer"),
        Column("goal", "string", "where it goes"),
        Column("carrier", "string", "who carries it"),
        Column("shipped", "timestamp", "when it was sent"),
        Column("received", "timestamp", "when it arrived; null while it is on its way"),
        Column("lost", "timestamp", "when it was given up; null unless it was"),
    ),
    owner="tickets",
    store="records",
    by_date=False,
    key=("shipment",),
    indexes=(("ticket",),),
)

PAYMENTS: Final = Table(
    "payments",
    "Batches of settled tickets that are paid together, a dealer each.",
    (
        Column("payment", "string", "id of the batch"),
        _DEALER,
        Column("tickets", "int64", "how many tickets it pays", unit="tickets"),
        Column("total", "float64", "how much it pays", unit="money"),
        Column("made", "timestamp", "when it was put together"),
        Column("paid", "timestamp", "when it was paid; null until then"),
        Column("confirmed", "timestamp", "when the dealer confirmed the money; null until then"),
    ),
    owner="tickets",
    store="records",
    by_date=False,
    key=("payment",),
    indexes=(("dealer",),),
)

DEALERS: Final = Table(
    "dealers",
    "The dealers, which repair vehicles and open tickets.",
    (
        _DEALER,
        Column("name", "string", "name of the dealer"),
        Column("city", "string", "city"),
        Column("region", "string", "province, state or region; the order of sources may depend on it"),
        Column("group", "string", "dealers of one group are compared; null for all together"),
        Column("rate", "float64", "what an hour of work costs", unit="money"),
        *_BEHIND,
    ),
    owner="tickets",
    store="records",
    by_date=False,
    key=("dealer",),
)

LABOUR: Final = Table(
    "labour_codes",
    "Labour-position codes, and how long the work takes.",
    (
        _LABOUR,
        Column("title", "string", "what is done"),
        Column("position", "string", "where on the vehicle"),
        _CATEGORY,
        Column("hours", "float64", "standard time of the work", unit="hours"),
        *_BEHIND,
    ),
    owner="tickets",
    store="records",
    by_date=False,
    key=("labour_code",),
)

FAULTS: Final = Table(
    "fault_codes",
    "Fault codes, and what causes such faults.",
    (
        _FAULT,
        Column("title", "string", "what is wrong"),
        Column("cause", "string", "cause of the fault: design, material, assembly, wear, handling ..."),
        _CATEGORY,
        *_BEHIND,
    ),
    owner="tickets",
    store="records",
    by_date=False,
    key=("fault_code",),
)

PARTS: Final = Table(
    "parts",
    "Parts, what they cost, and whether a replaced one must come back.",
    (
        _PART,
        Column("title", "string", "what it is"),
        _CATEGORY,
        Column("price", "float64", "what one costs", unit="money"),
        Column("returned", "boolean", "whether the defective part goes back to the centre; null for yes"),
        *_BEHIND,
    ),
    owner="tickets",
    store="records",
    by_date=False,
    key=("part",),
)

STOCK: Final = Table(
    "stock",
    "How many of each part lie where.",
    (
        Column("place", "string", "id of a dealer, or name of a source of the centre"),
        _PART,
        Column("quantity", "float64", "how many"),
    ),
    owner="tickets",
    store="records",
    by_date=False,
    key=("place", "part"),
)

SEATS: Final = Table(
    "seats",
    "The seats of the centre: agents, who review tickets.",
    (
        Column("seat", "string", "id of the seat"),
        Column("name", "string", "name of the agent", mask="name"),
        Column("level", "int32", "highest level of review that the seat may do; from 1"),
        Column("skills", "string", "part categories that it knows, with | between them; null for all"),
        Column("state", "string", "online or offline"),
    ),
    owner="tickets",
    store="records",
    by_date=False,
    key=("seat",),
)

VEHICLES: Final = Table(
    "vehicles",
    "Vehicles in service: what rates of faults are measured against.",
    (
        _VIN,
        _MODEL,
        _VEHICLE_TYPE,
        _BATCH,
        _PRODUCED,
        Column("sold", "date", "since when it is in service"),
        Column("gone", "date", "until when it was; null while it is"),
        Column("mileage", "float64", "how far it had gone when that was last known", unit="km"),
        Column("read", "date", "when that was"),
        _DEALER,
        _CUSTOMER,
        *_BEHIND,
    ),
    owner="tickets",
    store="records",
    by_date=False,
    key=("vin",),
    indexes=(("customer",),),
    person="customer",
)

RATINGS: Final = Table(
    "ticket_ratings",
    "What customers have said of repairs.",
    (
        _TICKET,
        Column("ts", "timestamp", "when"),
        Column("kind", "string", "complaint, praise or score"),
        Column("score", "float64", "satisfaction from 1 to 5; null for complaint and praise"),
        Column("comment", "string", "what was said", mask="hidden"),
        *_BEHIND,
    ),
    owner="tickets",
    store="records",
    by_date=False,
    key=("ticket", "kind", "ts"),
)

CLASSES: Final = Table(
    "ticket_classes",
    "To which quality class tickets belong, as a person has said, or a model.",
    (
        _TICKET,
        Column("origin", "string", "person or model"),
        Column("class", "string", "the quality class"),
        Column("confidence", "float64", "how likely it is, as the model has it; null from a person"),
        Column("ts", "timestamp", "when it was said"),
        Column("by", "string", "who has said it, or which model", mask="name"),
    ),
    owner="tickets",
    store="records",
    by_date=False,
    key=("ticket", "origin"),
)

WARNINGS: Final = Table(
    "ticket_warnings",
    "Early warnings of quality: which cells stood out, since when.",
    (
        Column("kind", "string", "what the cell is made of: batch, part and cause, dealer and labour code, or a rise"),
        Column("cell", "string", "which one it is"),
        Column("first", "timestamp", "when it stood out first"),
        Column("last", "timestamp", "when it stood out last"),
        Column("lift", "float64", "how many times as many tickets as were to be expected, last"),
    ),
    owner="tickets",
    store="records",
    by_date=False,
    key=("kind", "cell"),
)

TABLES: Final = (
    TICKETS,
    STATES,
    EVENTS,
    SHIPMENTS,
    PAYMENTS,
    DEALERS,
    LABOUR,
    FAULTS,
    PARTS,
    STOCK,
    SEATS,
    VEHICLES,
    RATINGS,
    CLASSES,
    WARNINGS,
)
