"""The group `customers`: who the customers are, and what they are worth."""

from collections.abc import Sequence

from crm.hookspecs import CommandRef, hookimpl

_COMMANDS = (
    ("clv", "clv", "Estimate what customers will buy and are worth."),
    ("rfm", "rfm", "Score customers by recency, frequency and money."),
    ("cluster", "cluster", "Group customers that are alike."),
    ("dedupe", "dedupe", "Find records that are of one person, in a file with a record a row."),
    ("classify train", "classify_train", "Learn to tell classes of customers apart."),
    ("classify predict", "classify_predict", "Tell the class of customers by a model."),
    ("classify evaluate", "classify_evaluate", "Measure how well classes are told apart."),
)


@hookimpl
def register_commands() -> Sequence[CommandRef]:
    """The group and its commands."""
    return [
        CommandRef("customers", "Understand customers."),
        CommandRef("customers classify", "Tell classes of customers apart."),
        *(
            CommandRef(f"customers {name}", line, f"{__name__}.commands.{module}:command")
            for name, module, line in _COMMANDS
        ),
    ]
