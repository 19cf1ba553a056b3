"""What is known of one customer, as lines of a portrait: what it is about, what is told, and its value as text."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

import polars as pl

COLUMNS: Final = {"about": pl.String, "what": pl.String, "value": pl.String}
_MOST: Final = 3
"""So many favourites are named."""

Lines = list[tuple[str, str, str]]


def portrait(sections: "Mapping[str, Iterable[tuple[str, object]]]") -> pl.DataFrame:
    """Sections -> a table; what is null is left out."""
    lines: Lines = [
        (about, what, _text(value)) for about, pairs in sections.items() for what, value in pairs if value is not None
    ]
    return pl.DataFrame(lines, COLUMNS, orient="row")


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.2f}"
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return str(value)


def consumption(orders: pl.DataFrame, now: datetime) -> list[tuple[str, object]]:
    """What a customer has ordered.

    Args:
        orders: Lines of orders: `order_id`, `ts`, `item`, `category`, `amount`.
        now: The moment that ages are counted to.
    """
    bought = orders.filter(pl.col("amount").fill_null(0) >= 0)
    if not bought.height:
        return [("orders", 0)]
    each = bought.group_by("order_id").agg(pl.col("ts").min(), pl.col("amount").sum()).sort("ts", "order_id")
    back = orders.filter(pl.col("amount") < 0)
    last = each["ts"][-1]
    return [
        ("orders", each.height),
        ("spent", round(orders["amount"].sum(), 2)),
        ("mean order", round(each["amount"].sum() / each.height, 2)),
        ("first order", each["ts"][0].date()),
        ("last order", last.date()),
        ("days since", (now - last).days),
        ("returned", round(-back["amount"].sum(), 2) if back.height else None),
        ("favourite items", favourites(bought["item"])),
        ("favourite categories", favourites(bought["category"])),
    ]


def risk(orders: pl.DataFrame, now: datetime) -> list[tuple[str, object]]:
    """Whether a customer stays away for longer than usual: the days since the last order, and those between orders."""
    days = orders.filter(pl.col("amount").fill_null(0) >= 0)["ts"].dt.date().unique().sort()
    if len(days) < 2:
        return []
    gap = (days[-1] - days[0]).days / (len(days) - 1)
    since = (now.date() - days[-1]).days
    late = since / gap if gap else None
    return [
        ("usual days between orders", f"{gap:.1f}"),
        ("days since the last", since),
        ("times as long as usual", None if late is None else f"{late:.1f}"),
    ]


def behaviour(sessions: pl.DataFrame) -> list[tuple[str, object]]:
    """What a customer has done on the web site.

    Args:
        sessions: Sessions: `start`, `duration_s`, `views`, `path`.
    """
    if not sessions.height:
        return [("visits", 0)]
    ordered = sessions.sort("start")
    return [
        ("visits", sessions.height),
        ("page views", int(sessions["views"].sum())),
        ("first visit", ordered["start"][0]),
        ("last visit", ordered["start"][-1]),
        ("minutes in all", f"{sessions['duration_s'].sum() / 60:.0f}"),
        ("pages viewed most", favourites(sessions["path"].explode(empty_as_null=False))),
    ]


def interests(rows: pl.DataFrame) -> list[tuple[str, object]]:
    """What a customer is interested in most, and what it has said to want or not.

    Args:
        rows: Interests of this customer: `level`, `key`, `weight`, `stance`, the greatest weight of each level first.
    """
    best = [(f"interest in {what}", _weighted(rows.filter(pl.col("level").is_in(levels)))) for what, levels in _ABOUT]
    said = [(word, ", ".join(rows.filter(stance=word)["key"]) or None) for word in ("wanted", "unwanted")]
    return [*best, *said]


_ABOUT: Final = (("categories", ["3"]), ("wider categories", ["1", "2"]), ("items", ["item"]), ("tags", ["tag"]))


_LEAST: Final = 0.005
"""Smaller weights are shown as 0.00."""


def _weighted(rows: pl.DataFrame) -> str | None:
    """The keys of the greatest weights, with these and with what was said; None for none."""
    best = rows.filter(pl.col("weight") >= _LEAST).sort("weight", "key", descending=[True, False]).head(_MOST)
    words = [
        f"{row['key']} ({row['weight']:.2f}{', ' + row['stance'] if row['stance'] else ''})"
        for row in best.iter_rows(named=True)
    ]
    return ", ".join(words) or None


def contacts(outbox: pl.DataFrame | None, feedback: pl.DataFrame | None) -> list[tuple[str, object]]:
    """The newest messages to a customer, and the newest answers to messages.

    Args:
        outbox: Its messages: `queued`, `channel`, `campaign`, `state`; None where there is no such table.
        feedback: What became of them: `ts`, `event`, `campaign`; None where there is no such table.
    """
    lines: list[tuple[str, object]] = []
    for what, time, rows, words in (
        ("message", "queued", outbox, ("channel", "campaign", "state")),
        ("answer", "ts", feedback, ("event", "campaign")),
    ):
        newest = (pl.DataFrame() if rows is None else rows.sort(time, *words).tail(_MOST)).iter_rows(named=True)
        told = [(row[time], " ".join(str(row[word]) for word in words if row[word])) for row in newest]
        lines += [(what, f"{text} on {at:%Y-%m-%d}") for at, text in reversed(told)]
    return lines


def favourites(values: pl.Series) -> str | None:
    """The most frequent values with their counts, of equal counts in the order of the text; None for none."""
    counts = values.drop_nulls().value_counts(sort=True).sort(["count", values.name], descending=[True, False])
    return ", ".join(f"{value} ({count})" for value, count in counts.head(_MOST).iter_rows()) or None


def consents(rows: pl.DataFrame) -> list[tuple[str, object]]:
    """What holds of each channel: `channel`, `ts`, `granted`, `source`."""
    newest = rows.sort("ts", "granted", descending=[False, True]).unique("channel", keep="last").sort("channel")
    return [
        (f"consent to {row['channel']}", f"{'granted' if row['granted'] else 'withdrawn'} {row['ts']:%Y-%m-%d}")
        for row in newest.iter_rows(named=True)
    ]


def answers(rows: pl.DataFrame) -> list[tuple[str, object]]:
    """The newest answer to each question: `question`, `ts`, `score`."""
    newest = rows.sort("ts").unique("question", keep="last").sort("question")
    return [(row["question"], f"{row['score']:g} on {row['ts']:%Y-%m-%d}") for row in newest.iter_rows(named=True)]
