"""Who may be written to: rules over the customers, each of which says who passes, and why the others do not."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import polars as pl

NO_CONSENT: Final = "no consent"
NO_ADDRESS: Final = "no address"


@dataclass(frozen=True)
class Way:
    """A channel, and who can be reached by it.

    Attributes:
        channel: Its name.
        agreed: Who has agreed to it.
        reached: Who has an address for it; None for everybody.
    """

    channel: str
    agreed: pl.Series
    reached: pl.Series | None


@dataclass(frozen=True)
class Rule:
    """Who passes a rule.

    Attributes:
        reason: Why the others are left out, in a few words.
        passes: Who passes; None for everybody.
        bars: Who does not; None for nobody.
    """

    reason: str
    passes: pl.Series | None = None
    bars: pl.Series | None = None

    def broken(self) -> pl.Expr:
        """Whether a customer does not pass."""
        who, no = pl.col("customer"), pl.lit(False)
        outside = no if self.passes is None else ~who.is_in(self.passes.unique().implode())
        barred = no if self.bars is None else who.is_in(self.bars.unique().implode())
        return outside | barred


def ways(customers: pl.Series, channels: Sequence[Way]) -> pl.DataFrame:
    """By which channel each customer is written to: the first that is agreed to and for which there is an address.

    Args:
        customers: Who.
        channels: The channels, the best first.

    Returns:
        `customer`, `channel`, and `why` there is none: null where there is one.
    """
    who, true = pl.col("customer"), pl.lit(True)
    agreed = [who.is_in(way.agreed.unique().implode()) for way in channels]
    reached = [true if way.reached is None else who.is_in(way.reached.unique().implode()) for way in channels]
    each = zip(channels, agreed, reached, strict=True)
    usable = [pl.when(yes & there).then(pl.lit(way.channel)) for way, yes, there in each]
    channel = pl.coalesce(*usable, pl.lit(None, dtype=pl.String))
    said = pl.when(pl.any_horizontal(*agreed, pl.lit(False))).then(pl.lit(NO_ADDRESS)).otherwise(pl.lit(NO_CONSENT))
    return customers.alias("customer").to_frame().select(
        "customer", channel.alias("channel"), pl.when(channel.is_null()).then(said).alias("why")
    )  # fmt: skip


def judged(people: pl.DataFrame, before: Sequence[Rule], behind: Sequence[Rule]) -> pl.DataFrame:
    """Who passes all rules, and why the others do not: the first rule that is broken counts.

    Args:
        people: `customer`, `channel`, `why` there is none, as `ways` gives them.
        before: Rules that count before channels.
        behind: Rules that count behind them.

    Returns:
        `customer`, `channel`, `left`: why the customer is left out; null for those who pass.
    """
    first, last = ([pl.when(rule.broken()).then(pl.lit(rule.reason)) for rule in rules] for rules in (before, behind))
    left = pl.coalesce(*first, pl.col("why"), *last)
    return people.select("customer", "channel", left.alias("left"))


def capped(messages: pl.DataFrame, most: int, within: timedelta, at: datetime) -> pl.Series:
    """Who has got, or is about to get, as many messages as allowed.

    Args:
        messages: `customer`, `ts`: when each went out, or is to go out.
        most: So many messages are allowed.
        within: In so long a time before the moment.
        at: The moment; what is still to go out behind it counts as well.
    """
    recent = messages.filter(pl.col("ts") > at - within)
    return recent.group_by("customer").len().filter(pl.col("len") >= most)["customer"]


def bought_since(orders: pl.DataFrame, days: int, at: datetime) -> pl.DataFrame:
    """The orders that are not yet so many days ago.

    Args:
        orders: With `ts`.
        days: How many days.
        at: To which moment they are counted.
    """
    return orders.filter(pl.col("ts") > at - timedelta(days=days))


def counted(judged: pl.DataFrame, order: Collection[str]) -> dict[str, int]:
    """How many customers are left out for each reason, in the order of the rules."""
    sizes = dict(judged.drop_nulls("left").group_by("left").len().iter_rows())
    return {reason: sizes[reason] for reason in order if reason in sizes}
