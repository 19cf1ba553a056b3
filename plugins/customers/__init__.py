"""The groups `customers`, `orders`, `surveys` and `consents`: who the customers are, and what they are worth."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from crm.hookspecs import CommandRef, hookimpl
from crm.tables import Table

if TYPE_CHECKING:
    import msgspec

_COMMANDS = (
    ("customers import", "transfers:customers_import", "Import customers from a file."),
    ("customers export", "transfers:customers_export", "Export customers to a file."),
    ("customers list", "transfers:customers_list", "List customers."),
    ("customers show", "show:command", "Show all that is known of a customer."),
    ("customers dedupe", "dedupe:command", "Find records that are of one person, and put them together."),
    ("customers merges", "merges:command", "List which records were put together."),
    ("customers unmerge", "merges:unmerge", "Take merges of records back."),
    ("customers rfm", "rfm:command", "Score customers by recency, frequency and money."),
    ("customers clv", "clv:command", "Estimate what customers will buy and are worth."),
    ("customers cluster", "cluster:command", "Group customers that are alike."),
    ("customers segment", "segment:command", "Put customers into segments by rules."),
    ("customers segments", "segments:command", "List segments, or remove some."),
    ("customers churn train", "churn_train:command", "Learn who churns."),
    ("customers churn predict", "churn_predict:command", "Tell who is likely to churn, and why."),
    ("customers churn evaluate", "churn_evaluate:command", "Measure how well it is told who churns."),
    ("customers loyalty repurchase", "loyalty_repurchase:command", "Measure how many customers buy again."),
    (
        "customers loyalty tiers",
        "loyalty_tiers:command",
        "List the tiers of customers, and what is missing to the next.",
    ),
    ("customers loyalty nps", "loyalty_scores:nps", "Measure how many customers would recommend."),
    ("customers loyalty csat", "loyalty_scores:csat", "Measure how satisfied customers are."),
    ("customers points earn", "points_book:earn", "Book the points that orders have earned."),
    ("customers points redeem", "points_book:redeem", "Take points that a customer spends."),
    ("customers points adjust", "points_book:adjust", "Add points to a customer's, or take some away."),
    ("customers points expire", "points_book:expire", "Book the points that have expired."),
    ("customers points show", "points_show:show", "List a customer's points, entry by entry."),
    ("customers points balance", "points_show:balance", "List how many points customers have."),
    ("customers classify train", "classify_train:command", "Learn to tell classes of customers apart."),
    ("customers classify predict", "classify_predict:command", "Tell the class of customers by a model."),
    ("customers classify evaluate", "classify_evaluate:command", "Measure how well classes are told apart."),
    ("customers consent", "consent:command", "Store what a customer agrees to or withdraws, or list it."),
    ("customers forget", "forget:command", "Erase all that is known of a customer, for good."),
    ("customers forgotten", "forgotten:command", "List who was forgotten, as keyed hashes, and see that they stay so."),
    ("customers encrypt", "encrypt:command", "Bring stored values into line with `protection` in the configuration."),
    ("orders import", "transfers:orders_import", "Import orders from a file."),
    ("orders export", "transfers:orders_export", "Export orders to a file."),
    ("orders list", "transfers:orders_list", "List orders."),
    ("surveys import", "transfers:surveys_import", "Import answers of customers from a file."),
    ("surveys export", "transfers:surveys_export", "Export answers of customers to a file."),
    ("surveys list", "transfers:surveys_list", "List answers of customers."),
    ("consents import", "transfers:consents_import", "Import from a file what customers have agreed to."),
    ("consents export", "transfers:consents_export", "Export to a file what customers have agreed to."),
    ("consents list", "transfers:consents_list", "List what customers have agreed to and withdrawn."),
)
_GROUPS = (
    ("customers", "Keep, clean and understand customers."),
    ("customers classify", "Tell classes of customers apart."),
    ("customers churn", "Tell who is about to leave."),
    ("customers loyalty", "Measure loyalty and satisfaction."),
    ("customers points", "Keep the ledger of points."),
    ("orders", "Keep what customers have ordered."),
    ("surveys", "Keep what customers have answered."),
    ("consents", "Keep what customers have agreed to."),
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
    """What is known of customers."""
    from crm.consents import CONSENTS
    from crm.forgotten import FORGOTTEN
    from crm.identities import IDENTITIES
    from plugins.customers.contracts import TABLES

    return [*TABLES, IDENTITIES, CONSENTS, FORGOTTEN]


@hookimpl
def config_sections() -> "Mapping[str, type[msgspec.Struct]]":
    """The section `customers`."""
    from plugins.customers.config import CustomersConfig

    return {"customers": CustomersConfig}
