"""What a campaign has brought: what those who were written to did, and what the control group did without."""

from datetime import timedelta
from typing import Any, Final

import polars as pl

from crm.proportions import wilson
from plugins.push.arms import CONTROL, TREATED
from plugins.push.intervals import customers_needed, fisher, newcombe

LIFT: Final = "lift"
EFFECT: Final = {
    "campaign": pl.String(),
    "arm": pl.String(),
    "what": pl.String(),
    "customers": pl.Int64(),
    "number": pl.Float64(),
    "rate": pl.Float64(),
    "low": pl.Float64(),
    "high": pl.Float64(),
    "p": pl.Float64(),
    "significant": pl.String(),
    "more": pl.Int64(),
}
"""Columns of the table of effects."""

_OF_MESSAGES: Final = ("sent", "delivered", "opened", "clicked", "converted", "dismissed", "unsubscribed")
_TOLD_BY: Final = {
    "delivered": ("delivered", "opened", "clicked"),
    "opened": ("opened", "clicked"),
    **{name: (name,) for name in ("clicked", "converted", "dismissed", "unsubscribed")},
}
"""By which events of feedback each is known; who clicks has opened."""

_SURE: Final = 0.05


def people(arms: pl.DataFrame, messages: pl.DataFrame) -> pl.DataFrame:
    """Who belongs to the arms of one campaign, and since when what they do counts.

    Args:
        arms: `customer`, `arm`, `ts`: when it was drawn.
        messages: `customer`, `sent` (null if it was not), `queued`.

    Returns:
        `customer`, `arm`, `start`: when the first message was sent, else when the arm was drawn, or one was queued.
    """
    told = messages.group_by("customer").agg(pl.col("sent").min(), pl.col("queued").min())
    kept = arms.sort("ts", "customer").unique("customer", keep="first", maintain_order=True)
    both = kept.join(told, on="customer", how="full", coalesce=True)
    start = pl.coalesce(pl.when(pl.col("arm") != CONTROL).then("sent"), "ts", "sent", "queued")
    return both.with_columns(pl.col("arm").fill_null(TREATED)).select("customer", "arm", start.alias("start"))


def marks(people: pl.DataFrame, messages: pl.DataFrame, feedback: pl.DataFrame) -> pl.DataFrame:
    """What became of the messages to each customer: the people, with a flag for each of what there is to count.

    Args:
        people: What `people` gives.
        messages: `customer`, `sent`, `acknowledged`.
        feedback: `customer`, `event`.
    """
    events = {name: feedback.filter(pl.col("event").is_in(told))["customer"] for name, told in _TOLD_BY.items()}
    acknowledged = messages.filter(pl.col("acknowledged").is_not_null())["customer"]
    events["delivered"] = pl.concat([events["delivered"], acknowledged])
    sent = messages.filter(pl.col("sent").is_not_null())["customer"]
    events["sent"] = pl.concat([sent, feedback["customer"], acknowledged])
    flags = [pl.col("customer").is_in(events[name].unique().implode()).alias(name) for name in _OF_MESSAGES]
    return people.with_columns(flags)


def bought(people: pl.DataFrame, orders: pl.DataFrame, within: timedelta) -> pl.DataFrame:
    """The people with `ordered`, whether they ordered anything within a time, and `revenue`, less what went back.

    Args:
        people: With `customer` and `start`.
        orders: `customer`, `ts`, `amount` of lines of orders; negative for returns.
        within: For so long after the start.
    """
    lines = orders.join(people.select("customer", "start"), on="customer")
    lines = lines.filter(pl.col("ts") >= pl.col("start"), pl.col("ts") < pl.col("start") + within)
    amount = pl.col("amount").fill_null(0)
    each = lines.group_by("customer").agg((amount >= 0).any().alias("ordered"), amount.sum().alias("revenue"))
    joined = people.join(each, on="customer", how="left", maintain_order="left")
    return joined.with_columns(pl.col("ordered").fill_null(value=False), pl.col("revenue").fill_null(0.0))


def effect(campaign: str, known: pl.DataFrame) -> pl.DataFrame:
    """What a campaign has brought.

    Args:
        campaign: Its name.
        known: The people with the flags of `marks` and what `bought` adds.

    Returns:
        A row for each arm and thing that is counted: of how many customers (for what became of messages, those to whom
        one was sent; else the whole arm), how many of them did it, and their share with Wilson's interval; for revenue
        how much it is, and how much a customer. A last row has the lift: by how much the share of those who ordered is
        greater than in the control group, with Newcombe's interval, Fisher's p-value, whether it is significant (p
        below 0.05), and how many more customers both arms together need to tell such a difference with a probability
        of 80 %.
    """
    rows: list[dict[str, Any]] = []
    for arm, told in ((TREATED, _OF_MESSAGES), (CONTROL, ())):
        mine = known.filter(arm=arm)
        if not mine.height:
            continue
        sent = mine.filter("sent")
        rows += [_share(arm, name, int(mine[name].sum()), (mine if name == "sent" else sent).height) for name in told]
        rows.append(_share(arm, "ordered", int(mine["ordered"].sum()), mine.height))
        revenue = float(mine["revenue"].sum())
        rows.append(_row(arm, "revenue", mine.height, number=revenue, rate=revenue / mine.height))
    rows += _lift(known)
    return pl.DataFrame([{**row, "campaign": campaign} for row in rows], EFFECT)


def _row(arm: str, what: str, customers: int, **more: object) -> dict[str, Any]:
    return {**dict.fromkeys(EFFECT), "arm": arm, "what": what, "customers": customers, **more}


def _share(arm: str, what: str, hits: int, trials: int) -> dict[str, Any]:
    low, high = wilson(hits, trials)
    rate = hits / trials if trials else None
    return _row(arm, what, trials, number=float(hits), rate=rate, low=low, high=high)


def _lift(known: pl.DataFrame) -> list[dict[str, Any]]:
    """The row of the lift; none without both arms."""
    sides = [known.filter(arm=arm)["ordered"] for arm in (TREATED, CONTROL)]
    if any(side.is_empty() for side in sides):
        return []
    (hits, trials), (others, other_trials) = ((int(side.sum()), len(side)) for side in sides)
    low, high = newcombe(hits, trials, others, other_trials)
    p = fisher(hits, trials, others, other_trials)
    lift = hits / trials - others / other_trials
    needed = customers_needed(hits / trials, others / other_trials, other_trials / trials)
    more = None if needed is None else max(0, needed - trials - other_trials)
    significant = "yes" if p < _SURE else "not yet"
    row = _row(LIFT, "ordered", trials + other_trials, rate=lift, low=low, high=high, p=p)
    return [{**row, "significant": significant, "more": more}]
