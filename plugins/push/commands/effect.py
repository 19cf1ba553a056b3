"""`crm push effect`."""

from typing import TYPE_CHECKING, Final

import click

from crm.app import App, pass_app
from crm.errors import NothingFound
from crm.messages import counted
from crm.nearest import did_you_mean, one_of
from crm.options import DURATION
from crm.output import impersonal, table_output
from crm.units import Duration

if TYPE_CHECKING:
    import polars as pl

    from crm.workspace import Workspace

_MESSAGES: Final = ("customer", "campaign", "queued", "sent", "acknowledged")


@click.command(name="effect")
@click.argument("campaign", required=False)
@click.option(
    "--within",
    type=DURATION,
    default=Duration(days=14),
    show_default="14d",
    metavar="SPAN",
    help="Orders count for so long after a message was sent, or, in the control group, after it was drawn.",
)
@table_output(columns="campaign arm what customers number rate low high p significant more")
@pass_app
def command(app: App, campaign: str | None, within: Duration) -> "pl.DataFrame":
    """Measure what campaigns have brought.

    Without CAMPAIGN all campaigns are measured. For each arm: to how many of its customers a message was sent; to how
    many of these it was delivered, and how many of these opened, clicked, converted, dismissed and unsubscribed, as
    feedback tells; how many of the arm ordered, as the orders tell, and for how much. Shares have Wilson's interval of
    95 %.

    The row `lift` holds the difference of the shares of customers who ordered, treated less control, with the interval
    of Newcombe (1998, method 10), the p-value of Fisher's exact test, whether the difference is significant (p below
    0.05), and how many more customers it takes to tell a difference as large as this with a probability of 80 %.

    \b
    Examples:
      crm push effect
      crm push effect spring --within 30d
    """
    import polars as pl

    from plugins.push.effect import EFFECT

    impersonal()
    known = _known(app.workspace())
    names = sorted({*known["arms"]["campaign"], *known["messages"]["campaign"].drop_nulls()})
    if campaign is not None and campaign not in names:
        there = f"there are: {one_of(names)}" if names else "none was queued yet: crm push candidates --queue"
        raise NothingFound(f"no campaign `{campaign}`{did_you_mean(campaign, names)}; {there}")
    wanted = [campaign] if campaign is not None else names
    parts = [_effect(app, known, name, within) for name in wanted]
    return pl.concat([pl.DataFrame(schema=EFFECT), *parts])


def _known(workspace: "Workspace") -> "dict[str, pl.DataFrame]":
    """Arms, messages, feedback and orders, of customers as they are now."""
    from crm.identities import current_ids

    records = workspace.records
    frames = {
        "arms": records.frame("campaign_arms"),
        "messages": records.frame("outbox", columns=_MESSAGES),
        "feedback": records.frame("feedback", columns=["customer", "campaign", "event"]),
        "orders": records.frame("orders", columns=["customer", "ts", "amount"]),
    }
    return {
        name: frame.with_columns(current_ids(workspace, frame["customer"]).alias("customer"))
        for name, frame in frames.items()
    }


def _effect(app: App, known: "dict[str, pl.DataFrame]", name: str, within: Duration) -> "pl.DataFrame":
    """The rows of one campaign; whose time is not over is told."""
    from datetime import UTC, datetime

    from plugins.push import effect

    mine = {key: known[key].filter(campaign=name) for key in ("arms", "messages", "feedback")}
    people = effect.people(mine["arms"], mine["messages"])
    still = int((people["start"] + within > datetime.now(UTC)).sum())
    if still:
        app.note(f"{name}: the {within} of {counted(still, 'customer')} are not over yet")
    flagged = effect.marks(people, mine["messages"], mine["feedback"])
    return effect.effect(name, effect.bought(flagged, known["orders"], within))
