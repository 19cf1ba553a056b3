"""Candidates against an oracle that goes through customers and items one by one."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from unittest.mock import patch

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.consents import agreed
from crm.outbox import message_id
from crm.recommending import Allowed
from crm.units import Duration
from plugins.push import arms, choosing
from plugins.push.audience import Way
from plugins.push.campaign import Blackout, Campaign, Cap, Limit, Part, Quiet
from plugins.push.candidates import Asked, Found, find, key_of
from plugins.push.loading import Known

AT = datetime(2026, 3, 16, 12, tzinfo=UTC)
KEY = bytes(range(32))
PEOPLE = ("a", "b", "c", "d")
CATEGORIES = ("food/grain/rice", "food/grain/noodles", "food/oil/peanut", "home/bath/towel", "food/grain", "home")
KEYS = {*CATEGORIES, "food", "food/oil", "home/bath"}
ITEMS = tuple(f"i{n}" for n in range(7))
TIME = pl.Datetime("us", "UTC")
CHANNELS = ("email", "sms")
COLUMNS = {
    "customers": {"customer": pl.String, "zone": pl.String},
    "consents": {"customer": pl.String, "channel": pl.String, "ts": TIME, "granted": pl.Boolean},
    "messages": {
        "message": pl.String, "customer": pl.String, "campaign": pl.String, "items": pl.String, "ts": TIME,
        "alive": pl.Boolean,
    },
    "orders": {"customer": pl.String, "ts": TIME, "category": pl.String},
    "interests": {
        "customer": pl.String, "level": pl.String, "key": pl.String, "weight": pl.Float64, "stance": pl.String
    },
    "events": {"who": pl.String, "item": pl.String, "kind": pl.String, "ts": TIME, "weight": pl.Float64},
    "arms": {"campaign": pl.String, "customer": pl.String, "arm": pl.String},
    "items": {
        "item": pl.String, "title": pl.String, "category1": pl.String, "category2": pl.String, "category3": pl.String,
        "tags": pl.List(pl.String), "stock": pl.Float64, "since": TIME, "until": TIME,
    },
}  # fmt: skip


@dataclass
class Scores:
    """A recommender that has a score for some customers and items."""

    known: dict[tuple[str, str], int]
    asked: list[int] = field(default_factory=list)

    def fit(self, events: pl.DataFrame, items: pl.DataFrame) -> "Scores":
        assert events.columns == ["who", "item", "ts", "weight"]
        assert (events["weight"] > 0).all()
        return self

    def recommend(self, who: pl.Series, k: int, allowed: Allowed) -> pl.DataFrame:
        self.asked.append(k)
        assert allowed.items is not None
        assert allowed.without is not None
        without = set(allowed.without.select("who", "item").iter_rows())
        rows = []
        for each in who:
            mine = [(-score, item) for (person, item), score in self.known.items() if person == each]
            kept = [(s, i) for s, i in sorted(mine) if i in set(allowed.items) and (each, i) not in without]
            rows += [(each, n, item, float(-score), "so") for n, (score, item) in enumerate(kept[:k], 1)]
        schema = {"who": pl.String, "rank": pl.Int64, "item": pl.String, "score": pl.Float64, "reason": pl.String}
        return pl.DataFrame(rows, schema, orient="row")


def world_of(seed: int) -> tuple[Asked, Known]:
    """A campaign, and all that is known: by chance, so that every rule has something to do in many of them."""
    return World(Random(seed)).made()


class World:
    """Makes one by chance."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.first = random.choice((AT, AT + timedelta(hours=12)))

    def maybe(self, share: float, value: Any) -> Any:
        return value if self.random.random() < share else None

    def some(self, least: int, most: int, make: Callable[[], Any]) -> list[Any]:
        return [make() for _ in range(self.random.randint(least, most))]

    def days(self, low: int, high: int) -> datetime:
        return AT + timedelta(hours=12 * self.random.randint(low * 2, high * 2))

    def part_of(self, values: Sequence[str], share: float) -> list[str]:
        return [each for each in values if self.random.random() < share]

    def campaign(self) -> Campaign:
        pick = self.random.choice
        limits = [Limit(messages=pick((1, 2)), within=Duration(days=pick((2, 5)))) for _ in range(2)]
        return Campaign(
            name="spring",
            items=Part(
                categories=pick(((), (), ("food",), ("food/grain", "home"))),
                tags=pick(((), (), ("new",))),
                ids=pick(((), (), ITEMS[:5])),
            ),
            per_customer=pick((1, 2, 3)),
            levels=pick(((3, 2, 1), (3, 2, 1), (3, 1), (3,), (2, 1), ())),
            skip=tuple(self.part_of(("seen", "bought", "sent"), 0.5)),
            channels=pick((("email",), ("sms", "email"))),
            cap=Cap(all=self.maybe(0.2, limits[0]), this=self.maybe(0.2, limits[1])),
            quiet=pick((None, Quiet("21:00-08:00"), Quiet("11:00-13:30"))),
            blackout=self.maybe(0.6, Blackout(days=pick((2, 4)), of=pick(("any", "category", "item")))),
            control=pick((0.0, 0.0, 0.3)),
            budget=self.maybe(0.4, self.random.randint(1, 4)),
        )

    def interest(self) -> tuple[str, str, str, float, str | None]:
        pick = self.random.choice
        stance = pick((None, None, None, None, "wanted", "unwanted"))
        level, key = pick((("", pick(sorted(KEYS))),) * 8 + (("item", pick(ITEMS)), ("tag", pick(("new", "cheap")))))
        return pick(PEOPLE), level or str(key.count("/") + 1), key, pick((-0.2, 0.0, 0.1, 0.2, 0.4)), stance

    def thing(self, name: str) -> tuple[Any, ...]:
        pick = self.random.choice
        # Many items end within the hours for which a message may have to wait.
        until = pick((None, self.first + timedelta(hours=1), self.days(-1, 1) + timedelta(hours=1)))
        since = self.maybe(0.2, self.days(-2, 1))
        tags, stock = self.part_of(("new", "cheap"), 0.4), pick((None, 2.0, 2.0, 0.0))
        return name, name.upper(), *levels(pick((None, *CATEGORIES * 3))), tags, stock, since, until

    def rows(self, campaign: Campaign) -> dict[str, list[Any]]:
        pick, days = self.random.choice, self.days
        categories = (None, *CATEGORIES)
        consents = [(name, "email", AT - timedelta(days=9), True) for name in PEOPLE[1:]]
        consents += self.some(
            0, 4, lambda: (pick(PEOPLE), pick((*CHANNELS, "all")), days(-3, 1), self.random.random() < 0.7)
        )
        events = self.some(0, 8, lambda: (pick(PEOPLE), pick(ITEMS), pick(("view", "order", "dismissed")), days(-6, 0)))
        messages = self.some(0, 4, self.message)
        if self.random.random() < 0.3:
            who = pick(PEOPLE)
            text = key_of(campaign, AT, who, "email")
            messages.append((message_id(KEY, text), who, "spring", "[]", days(-9, -8), self.random.random() < 0.5))
        interests = {row[:3]: row for row in self.some(4, 16, self.interest)}
        return {
            "customers": [(name, pick((None, "Asia/Shanghai", "nowhere"))) for name in PEOPLE],
            "consents": list({row[:3]: row for row in consents}.values()),
            "messages": messages,
            "orders": self.some(0, 4, lambda: (pick(PEOPLE), days(-6, 0), pick(categories))),
            "interests": list(interests.values()),
            "events": [(*row, -4.0 if row[2] == "dismissed" else 1.0) for row in events],
            "arms": [("spring", name, "control") for name in self.part_of(PEOPLE, 0.1)],
            "items": [self.thing(name) for name in ITEMS],
        }

    def message(self) -> tuple[Any, ...]:
        pick = self.random.choice
        text = json.dumps(self.part_of(ITEMS, 0.3))
        number = f"m{self.random.random()}"
        return number, pick(PEOPLE), pick(("spring", "other")), text, self.days(-6, 1), self.random.random() < 0.8

    def made(self) -> tuple[Asked, Known]:
        campaign = self.campaign()
        rows = self.rows(campaign)
        known = Known(**{name: pl.DataFrame(rows[name], schema, orient="row") for name, schema in COLUMNS.items()})
        ways = tuple(Way(name, agreed(known.consents, name), self.group(0.9)) for name in campaign.channels)
        segment, tier, where = (self.maybe(0.25, self.group(0.7)) for _ in range(3))
        pairs = [(who, name) for who in PEOPLE for name in ITEMS]
        scores = {pair: self.random.randint(0, 3) for pair in pairs if self.random.random() < 0.9}
        return Asked(campaign, AT, self.first, ways, segment, tier, where, "UTC", KEY, Scores(scores)), known

    def group(self, share: float) -> pl.Series:
        return pl.Series("customer", self.part_of(PEOPLE, share), dtype=pl.String)


def levels(path: str | None) -> tuple[str | None, ...]:
    parts = path.split("/") if path else []
    return tuple("/".join(parts[:n]) if len(parts) >= n else None for n in (1, 2, 3))


class Oracle:
    """The rules, one customer and one item at a time."""

    def __init__(self, asked: Asked, known: Known) -> None:
        self.asked, self.campaign = asked, asked.campaign
        self.rows = {name: getattr(known, name).to_dicts() for name in COLUMNS}

    def of(self, table: str, who: str) -> list[dict[str, Any]]:
        return [row for row in self.rows[table] if row.get("customer", row.get("who")) == who]

    def consents(self, who: str, channel: str) -> bool:
        said = [row for row in self.of("consents", who) if row["channel"] in (channel, "all")]
        if not said:
            return False
        newest = max(row["ts"] for row in said)
        return all(row["granted"] for row in said if row["ts"] == newest)

    def channel(self, who: str) -> str | None:
        ways = [way for way in self.asked.ways if self.consents(who, way.channel)]
        return next((way.channel for way in ways if way.reached is not None and who in set(way.reached)), None)

    def left(self, who: str) -> str | None:  # noqa: C901 - the rules, one after the other
        campaign, asked = self.campaign, self.asked
        if asked.segment is not None and who not in set(asked.segment):
            return "not in the segment"
        if asked.where is not None and who not in set(asked.where):
            return "not among those of `where`"
        if not any(self.consents(who, way.channel) for way in asked.ways):
            return "no consent"
        if self.channel(who) is None:
            return "no address"
        if asked.tier is not None and who not in set(asked.tier):
            return "not of the tier"
        ids = {message_id(KEY, key_of(campaign, AT, who, way.channel)) for way in asked.ways}
        if any(row["message"] in ids for row in self.of("messages", who)):
            return "written to in this round"
        for cap, mine in ((campaign.cap.all, False), (campaign.cap.this, True)):
            if cap is not None:
                sent = [row for row in self.of("messages", who) if row["alive"] and row["ts"] > AT - cap.within]
                if sum(1 for row in sent if not mine or row["campaign"] == "spring") >= cap.messages:
                    return "written to often enough"
        dark = campaign.blackout
        if (
            dark is not None
            and dark.of == "any"
            and any(row["ts"] > AT - timedelta(days=dark.days) for row in self.of("orders", who))
        ):
            return "bought of late"
        return None

    def send_after(self, who: str) -> datetime:
        zone = {"Asia/Shanghai": 8}.get(self.of("customers", who)[0]["zone"], 0)
        moment = self.asked.first
        if self.campaign.quiet:
            begin, end = ([int(n) for n in part.split(":")] for part in self.campaign.quiet.split("-"))
            begin_at, end_at = begin[0] * 60 + begin[1], end[0] * 60 + end[1]
            while True:
                local = moment + timedelta(hours=zone)
                clock = local.hour * 60 + local.minute
                quiet = begin_at <= clock < end_at if begin_at < end_at else clock >= begin_at or clock < end_at
                if not quiet:
                    break
                moment += timedelta(minutes=1)
        return moment

    def wants(self, who: str, thing: dict[str, Any]) -> bool:
        no = {(row["level"], row["key"]) for row in self.of("interests", who) if row["stance"] == "unwanted"}
        own = {(str(n), thing[f"category{n}"]) for n in (1, 2, 3)} | {("tag", tag) for tag in thing["tags"]}
        return not no & (own | {("item", thing["item"])})

    def had(self, who: str, name: str) -> bool:
        events = [row for row in self.of("events", who) if row["item"] == name]
        done = {
            "seen": any(row["kind"] == "view" for row in events),
            "bought": any(row["kind"] == "order" for row in events),
            "sent": any(f'"{name}"' in row["items"] for row in self.of("messages", who) if row["alive"]),
        }
        return any(done[each] for each in self.campaign.skip)

    def dark(self, who: str, thing: dict[str, Any]) -> bool:
        blackout = self.campaign.blackout
        if blackout is None or blackout.of == "any":
            return False
        since = AT - timedelta(days=blackout.days)
        bought = [row["item"] for row in self.of("events", who) if row["kind"] == "order" and row["ts"] > since]
        if blackout.of == "item":
            return thing["item"] in bought
        told = {row["category"] for row in self.of("orders", who) if row["ts"] > since}
        told |= {narrowest(row) for row in self.rows["items"] if row["item"] in bought}
        return narrowest(thing) in told - {None}

    def in_part(self, thing: dict[str, Any]) -> bool:
        part = self.campaign.items
        inside = {thing[f"category{n}"] for n in (1, 2, 3)}
        return (
            (not part.categories or bool(inside & set(part.categories)))
            and (not part.tags or bool(set(thing["tags"]) & set(part.tags)))
            and (not part.ids or thing["item"] in part.ids)
        )

    def allowed(self, who: str) -> list[dict[str, Any]]:
        first = self.asked.first
        return [
            row
            for row in self.rows["items"]
            if self.in_part(row)
            and (row["since"] is None or row["since"] <= first)
            and (row["until"] is None or (row["until"] > first and row["until"] > self.send_after(who)))
            and (row["stock"] is None or row["stock"] > 0)
            and self.wants(who, row)
            and not self.had(who, row["item"])
            and not self.dark(who, row)
        ]

    def keys(self, who: str) -> set[str]:
        rows, items = self.of("interests", who), self.rows["items"]
        no = {row["key"] for row in rows if row["stance"] == "unwanted"}
        found = set()
        for row in rows:
            asked = row["stance"] == "wanted"
            if row["stance"] == "unwanted" or not (asked or row["weight"] > 0):
                continue
            if row["level"] in "123":
                found.add(row["key"])
            elif asked and row["level"] == "item":
                found |= {narrowest(each) for each in items if each["item"] == row["key"]}
            elif asked:
                found |= {narrowest(each) for each in items if row["key"] in each["tags"]}
        wide = {"/".join(key.split("/")[:n]) for key in found - {None} for n in (1, 2, 3)}
        return {key for key in wide if not any(key == each or key.startswith(f"{each}/") for each in no)}

    def chosen(self, who: str) -> list[tuple[str, int | None]]:
        scores = self.asked.recommender.known  # type: ignore[attr-defined]  # it is `Scores`
        ranked = [row for row in self.allowed(who) if (who, row["item"]) in scores]
        ranked.sort(key=lambda row: (-scores[who, row["item"]], row["item"]))
        if not self.campaign.levels:
            return [(row["item"], None) for row in ranked][: self.campaign.per_customer]
        keys = self.keys(who)
        for level in self.campaign.levels:
            fits = [(row["item"], level) for row in ranked if row[f"category{level}"] in keys]
            if fits:
                return fits[: self.campaign.per_customer]
        return []


def narrowest(row: dict[str, Any]) -> str | None:
    found: str | None = row["category3"] or row["category2"] or row["category1"]
    return found


def expected(oracle: Oracle) -> tuple[dict[str, list[tuple[str, int | None]]], Counter[str], set[str]]:
    asked, campaign = oracle.asked, oracle.campaign
    reasons = {who: oracle.left(who) for who in PEOPLE}
    passed = [who for who in PEOPLE if reasons[who] is None]
    lists = {who: oracle.chosen(who) for who in passed}
    misses = {who for who in passed if not lists[who]}
    scores = asked.recommender.known  # type: ignore[attr-defined]  # it is `Scores`
    stored = {row["customer"] for row in oracle.rows["arms"]}
    drawn = arms.drawn(KEY, "spring", pl.Series(PEOPLE), campaign.control)
    control = {who for who, arm in zip(PEOPLE, drawn, strict=True) if who in stored or arm == "control"}
    found = sorted(
        (who for who in passed if lists[who]), key=lambda who: (-max(scores[who, i] for i, _ in lists[who]), who)
    )
    left = Counter(reason for reason in reasons.values() if reason)
    spent = sum(1 for row in oracle.rows["messages"] if row["alive"] and row["campaign"] == "spring")
    result = {}
    for who in found:
        if campaign.budget is not None and spent >= campaign.budget:
            left["beyond the budget"] += 1
        elif who in control:
            left["control group"] += 1
        else:
            spent += 1
            result[who] = lists[who]
    return result, left, misses


def lists_of(found: Found) -> dict[str, list[tuple[str, int | None]]]:
    result: dict[str, list[tuple[str, int | None]]] = {}
    for row in found.rows.iter_rows(named=True):
        result.setdefault(row["customer"], []).append((row["item"], row["level"]))
    return result


@settings(max_examples=120)
@given(st.integers(0, 2**40), st.sampled_from(((1, 2, 3), (8, 8, 1000))))
def test_candidates_are_those_of_the_rules(seed: int, sizes: tuple[int, int, int]) -> None:
    asked, known = world_of(seed)
    with patch.multiple(choosing, **dict(zip(("_FIRST", "_GROWS", "_ROWS"), sizes, strict=True))):
        found, oracle = find(asked, known), Oracle(asked, known)
    lists, left, misses = expected(oracle)
    assert lists_of(found) == lists
    assert found.left == left
    assert set(found.misses["customer"]) == misses
    assert found.listed + sum(found.left.values()) + found.missed == found.customers == len(PEOPLE)
    for row in found.rows.iter_rows(named=True):
        assert row["channel"] == oracle.channel(row["customer"])
        assert row["send_after"] == oracle.send_after(row["customer"])
    for who, level, key, _, reason in found.misses.iter_rows():
        if level:
            assert key in oracle.keys(who)
            assert int(level) == key.count("/") + 1
        inside = [row for row in oracle.rows["items"] if oracle.in_part(row)]
        inside = [row for row in inside if not level or row[f"category{level}"] == key]
        assert (reason == "no item") == (not inside and (bool(level) or not asked.campaign.levels))
        assert (reason == "no interest known") == (not level and bool(asked.campaign.levels))
