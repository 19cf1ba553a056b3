"""Candidates: whom a campaign writes to, with what, by which channel and when; and why not to everybody else.

Every customer is accounted for: customers = listed + left out, by reason, + those for whom nothing was found.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

import polars as pl

from crm.diversity import diversified
from crm.outbox import message_id
from plugins.push import arms, audience, levels, pool, quiet
from plugins.push.arms import CONTROL, TREATED
from plugins.push.audience import NO_ADDRESS, NO_CONSENT, Rule, Way
from plugins.push.choosing import Wanted, chosen, within_budget
from plugins.push.ranking import Ranker

if TYPE_CHECKING:
    from crm.recommending import Recommender
    from plugins.push.campaign import Campaign
    from plugins.push.loading import Known

SEGMENT: Final = "not in the segment"
WHERE: Final = "not among those of `where`"
TIER: Final = "not of the tier"
CAP: Final = "written to often enough"
BLACKOUT: Final = "bought of late"
ROUND: Final = "written to in this round"
BUDGET: Final = "beyond the budget"
CONTROLS: Final = "control group"
ORDER: Final = (SEGMENT, WHERE, NO_CONSENT, NO_ADDRESS, TIER, ROUND, CAP, BLACKOUT, BUDGET, CONTROLS)
"""The reasons for which customers are left out, in the order in which they count."""

COLUMNS: Final = (
    "customer", "rank", "item", "title", "category", "level", "score", "reason", "channel", "send_after",
)  # fmt: skip
_SPARE: Final = 4
"""So many times as many items as are wanted are looked at where they shall be unlike each other."""


@dataclass(frozen=True)
class Asked:
    """A campaign, and what it names, looked up.

    Attributes:
        campaign: The campaign.
        at: As of which moment.
        first: Nothing goes out before: the moment itself, or when the campaign begins.
        ways: Its channels.
        segment: The members of its segment; None without one.
        tier: The members of its tiers; None without any.
        where: Who fulfils its condition; None without one.
        zone: The zone of customers whose own is not known.
        key: The workspace's key, by which the control group is drawn.
        recommender: Ranks items; not yet fitted.
    """

    campaign: "Campaign"
    at: datetime
    first: datetime
    ways: tuple[Way, ...]
    segment: pl.Series | None
    tier: pl.Series | None
    where: pl.Series | None
    zone: str
    key: bytes
    recommender: "Recommender"


@dataclass(frozen=True)
class Found:
    """What became of all customers.

    Attributes:
        rows: The candidates: `COLUMNS`.
        misses: What was looked for in vain: `customer`, `level`, `key`, `weight`, `reason`.
        left: How many customers were left out for each reason.
        arms: `customer`, `arm` of all who are listed, or would be if they were in no control group.
        customers: How many customers there are.
    """

    rows: pl.DataFrame
    misses: pl.DataFrame
    left: dict[str, int]
    arms: pl.DataFrame
    customers: int

    @property
    def listed(self) -> int:
        """How many customers are listed."""
        return self.rows["customer"].n_unique()

    @property
    def missed(self) -> int:
        """For how many customers nothing was found."""
        return self.misses["customer"].n_unique()


def find(asked: Asked, known: "Known") -> Found:
    """Work the candidates of a campaign out.

    The control group is taken out last: it is drawn of those who would be written to, so that both arms are alike.

    Args:
        asked: The campaign.
        known: What the workspace knows.
    """
    campaign = asked.campaign
    people = eligible(asked, known)
    passed = people.filter(pl.col("left").is_null()).select("customer", "channel")
    zones = known.customers.select("customer", "zone").join(passed, on="customer", how="semi")
    hours = campaign.quiet.times() if campaign.quiet else None
    passed = passed.join(quiet.send_after(zones, asked.first, hours, asked.zone), on="customer", maintain_order="left")
    inside = pool.pool(known.items, campaign.items, asked.first)
    apart = not_together(asked, known, passed)
    sought = levels.sought(known.interests, known.items, campaign.levels, campaign.least_weight)
    wanted = Wanted(
        inside.filter("offered").drop("offered"), apart, sought, campaign.levels, campaign.per_customer,
        _SPARE * campaign.per_customer if campaign.diversity else 0,
    )  # fmt: skip
    events = known.events.filter((pl.col("weight") > 0) & pl.col("item").is_not_null())
    interests = known.interests.rename({"customer": "who"})
    told = events.select("who", "item", "ts", "weight")
    ranker = Ranker(asked.recommender, campaign, told, known.items, interests)
    rows = _unlike(chosen(ranker, passed["customer"], wanted), known.items, campaign)
    missed = passed["customer"].filter(~passed["customer"].is_in(rows["customer"].implode()))
    sides = sided(asked, known, rows["customer"].unique().sort())
    kept = within_budget(rows, sides, left_of_budget(campaign, known))
    over = sides.filter(~pl.col("customer").is_in(kept.implode()))
    sides = sides.filter(pl.col("customer").is_in(kept.implode()))
    treated = sides.filter(arm=TREATED).select("customer")
    return Found(
        shown(rows.join(treated, on="customer", how="semi", maintain_order="left"), known.items, passed),
        levels.misses(missed, sought, inside, apart, campaign.levels),
        _left(people, over.height, sides.filter(arm=CONTROL).height),
        sides,
        people.height,
    )


def _unlike(rows: pl.DataFrame, items: pl.DataFrame, campaign: "Campaign") -> pl.DataFrame:
    """The items of each customer, unlike each other where the campaign wants it."""
    if not campaign.diversity:
        return rows
    return diversified(rows, items, campaign.diversity, campaign.per_customer, "customer")


def _left(people: pl.DataFrame, over: int, control: int) -> dict[str, int]:
    """How many customers were left out for each reason."""
    late = {BUDGET: over, CONTROLS: control}
    return audience.counted(people, ORDER) | {reason: number for reason, number in late.items() if number}


def eligible(asked: Asked, known: "Known") -> pl.DataFrame:
    """By which channel customers are written to, and why some are not: `customer`, `channel`, `left`."""
    campaign, at = asked.campaign, asked.at
    before = [Rule(SEGMENT, passes=asked.segment), Rule(WHERE, passes=asked.where)]
    behind = [Rule(TIER, passes=asked.tier), Rule(ROUND, bars=of_round(asked, known))]
    sent = known.messages.filter("alive")
    for limit, messages in ((campaign.cap.all, sent), (campaign.cap.this, sent.filter(campaign=campaign.name))):
        if limit is not None:
            behind.append(Rule(CAP, bars=audience.capped(messages, limit.messages, limit.within, at)))
    if campaign.blackout is not None and campaign.blackout.of == "any":
        behind.append(Rule(BLACKOUT, bars=audience.bought_since(known.orders, campaign.blackout.days, at)["customer"]))
    people = audience.ways(known.customers["customer"], asked.ways)
    return audience.judged(people, before, behind)


def key_of(campaign: "Campaign", at: datetime, customer: str, channel: str) -> str:
    """The text that fixes the id of a message: one for each round of a campaign, customer and channel."""
    return json.dumps(["campaign", campaign.name, campaign.round_at(at), customer, channel], ensure_ascii=False)


def of_round(asked: Asked, known: "Known") -> pl.Series:
    """Who has a message of this round already, by whichever channel, and whatever has become of it."""
    mine = known.messages.filter(campaign=asked.campaign.name)
    people = mine["customer"].unique().to_list()
    keys = [(each, key_of(asked.campaign, asked.at, each, way.channel)) for each in people for way in asked.ways]
    ids = {message_id(asked.key, key): customer for customer, key in keys}
    there = mine["message"].filter(mine["message"].is_in(list(ids)))
    return pl.Series("customer", [ids[each] for each in there], dtype=pl.String)


def not_together(asked: Asked, known: "Known", people: pl.DataFrame) -> pl.DataFrame:
    """Pairs of customers and items that do not go together: `customer`, `item`, `why`."""
    campaign = asked.campaign
    bought = known.events.filter(kind="order").select(pl.col("who").alias("customer"), "item", "ts")
    had = {
        "seen": known.events.filter(kind="view").select(pl.col("who").alias("customer"), "item"),
        "bought": bought,
        "sent": sent_items(known.messages.filter("alive")),
    }
    parts = [pool.pairs(had[name], pool.HAD) for name in campaign.skip]
    parts += [pool.unwanted(known.interests, known.items), pool.ended(people, known.items)]
    if campaign.blackout is not None and campaign.blackout.of != "any":
        late = [audience.bought_since(each, campaign.blackout.days, asked.at) for each in (known.orders, bought)]
        of_category = pl.concat(
            [late[0].select("customer", "category", pl.lit(None, dtype=pl.String).alias("item")),
             late[1].select("customer", pl.lit(None, dtype=pl.String).alias("category"), "item")]
        )  # fmt: skip
        by_item = pool.pairs(late[1], pool.RULE)
        parts.append(by_item if campaign.blackout.of == "item" else pool.of_categories(of_category, known.items))
    mine = people.select("customer")
    return pool.together((part.join(mine, on="customer", how="semi") for part in parts), known.items["item"])


def sent_items(messages: pl.DataFrame) -> pl.DataFrame:
    """Customers and the items that messages to them were about."""
    lists = messages.select("customer", pl.col("items").fill_null("[]").str.json_decode(pl.List(pl.String)))
    return lists.rename({"items": "item"}).explode("item").drop_nulls()


def sided(asked: Asked, known: "Known", customers: pl.Series) -> pl.DataFrame:
    """The arm of each customer."""
    campaign = asked.campaign
    drawn = arms.drawn(asked.key, campaign.name, customers, campaign.control, campaign.seed)
    return arms.arms(pl.DataFrame({"customer": customers, "arm": drawn}), known.arms.filter(campaign=campaign.name))


def left_of_budget(campaign: "Campaign", known: "Known") -> int | None:
    """How many messages of the budget are left; None without one."""
    if campaign.budget is None:
        return None
    return max(0, campaign.budget - known.messages.filter("alive").filter(campaign=campaign.name).height)


def shown(rows: pl.DataFrame, items: pl.DataFrame, people: pl.DataFrame) -> pl.DataFrame:
    """Chosen items with what there is to say of them."""
    told = items.select("item", "title", pool.narrowest().alias("category"))
    whole = rows.join(told, on="item", how="left", maintain_order="left")
    return whole.join(people, on="customer", how="left", maintain_order="left").select(COLUMNS)
