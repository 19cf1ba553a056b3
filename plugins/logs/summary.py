"""What a person, or a monitor, wants to know after a run."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl

from logparse.kernel import Account
from logparse.rules import SessionRules

if TYPE_CHECKING:
    from crm.lake import Lake
    from plugins.logs.ingest import Outcome
    from plugins.logs.mining import Result

LONGEST_LIST = 5


@dataclass(frozen=True)
class Figures:
    """Sessions of some dates in figures; None where there is nothing to divide by."""

    first: date
    last: date
    sessions: int
    open: int
    visitors: int
    customers: int
    views: int
    views_per_session: float
    bounce_rate: float
    median_duration_s: float


def figures(lake: "Lake", dates: list[date], rules: SessionRules) -> Figures | None:
    """The sessions that begin on some dates, in figures; None if there are none."""
    newest = lake.newest("hits")
    found = (
        lake.scan("sessions", dates=dates)
        .select(
            pl.len().alias("sessions"),
            (pl.col("end") + rules.idle >= pl.lit(newest, dtype=pl.Datetime("us", "UTC"))).sum().alias("open"),
            pl.col("visitor").n_unique().alias("visitors"),
            pl.col("customer").drop_nulls().n_unique().alias("customers"),
            pl.col("views").sum(),
            (pl.col("views") == 1).mean().alias("bounce_rate"),
            pl.col("duration_s").median().alias("median_duration_s"),
            pl.col("date").min().alias("first"),
            pl.col("date").max().alias("last"),
        )
        .collect()
        .row(0, named=True)
    )
    if not found["sessions"]:
        return None
    return Figures(**found, views_per_session=found["views"] / found["sessions"])


def lines_of(account: Account) -> str:
    """The law of lines in words: lines = hits + filtered + rejected + blank."""
    parts = [
        (account.hits, "hits"),
        (sum(account.filtered.values()), "filtered"),
        (sum(account.rejected.values()), "rejected"),
        (account.blank, "blank"),
    ]
    return f"{account.lines:,} lines = " + " + ".join(f"{count:,} {name}" for count, name in parts)


def report(result: "Result", lake: "Lake", took: float) -> Iterator[str]:
    """The lines that `crm logs mine` prints."""
    for outcome in result.outcomes:
        yield _source_line(outcome)
        yield from _example_rejects(outcome)
    yield ""
    yield lines_of(result.account) + f", in {took:.1f} s"
    for what, reasons in (("filtered", result.account.filtered), ("rejected", result.account.rejected)):
        yield from (f"  {count:,} {what}: {reason}" for reason, count in reasons.items())
    found = figures(lake, result.changed, result.rules) if result.changed else None
    if found is None:
        yield "no new sessions" if result.account.hits else "nothing new"
        return
    yield from _hits_lines(lake, result)
    yield from _session_lines(found)
    yield "  rule: " + describe(result.rules)
    yield from _tables(lake, result.changed)
    yield ""
    yield "more: crm paths pages | crm paths transitions | crm paths top | crm logs top FIELD | crm logs status"


def _source_line(outcome: "Outcome") -> str:
    """One line an input: what became of it."""
    if outcome.state == "refused":
        return f"{outcome.name}: refused: {outcome.error}"
    if outcome.reading is None or outcome.state != "read":
        return f"{outcome.name}: {outcome.state}"
    source, account = outcome.reading.source, outcome.reading.account
    format_ = outcome.format if outcome.share is None else f"{outcome.format}, detected in {outcome.share:.0%} of a sample"
    start = source.position.line - account.lines
    where = f" from line {start:,}" if start > 1 else ""
    return f"{outcome.name}: source {source.number} ({format_}){where}: {lines_of(account)}"


def _example_rejects(outcome: "Outcome") -> Iterator[str]:
    for line, reason, field, _ in outcome.rejects.iter_rows():
        yield f"  line {line:,} rejected: {reason}" + (f" at {field}" if field else "")


def _hits_lines(lake: "Lake", result: "Result") -> Iterator[str]:
    """Hits of this run's dates by kind and robot."""
    hits = lake.scan("hits", dates=result.changed)
    kinds = hits.group_by("kind", pl.col("bot").is_not_null().alias("robot")).len().collect()
    people = {row[0]: row[2] for row in kinds.filter(~pl.col("robot")).iter_rows()}
    robots = int(kinds.filter("robot")["len"].sum())
    by_kind = ", ".join(f"{people.get(kind, 0):,} {kind}" for kind in ("page", "asset", "other"))
    yield ""
    yield f"{result.changed[0]} to {result.changed[-1]} (UTC): {int(kinds['len'].sum()):,} hits: {by_kind}, {robots:,} by robots"


def _session_lines(found: Figures) -> Iterator[str]:
    opened = f", {found.open:,} still open" if found.open else ""
    customers = f", {found.customers:,} customers logged in" if found.customers else ""
    yield f"  {found.sessions:,} sessions by {found.visitors:,} visitors{customers}{opened}"
    yield (
        f"  {found.views:,} views, {found.views_per_session:.2f} a session; median duration "
        f"{duration(found.median_duration_s)}; bounce rate {found.bounce_rate:.1%}"
    )


def duration(seconds: float) -> str:
    """`1h 2m`, `3m 20s` or `12s`."""
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
    if hours:
        return f"{hours}h {minutes}m"
    return f"{minutes}m {rest}s" if minutes else f"{rest}s"


def describe(rules: SessionRules) -> str:
    """The session rules in force, in words."""
    parts = [f"a session ends after {duration(rules.idle.total_seconds())} without a hit"]
    if rules.max_length is not None:
        parts.append(f"lasts at most {duration(rules.max_length.total_seconds())}")
    if rules.max_hits is not None:
        parts.append(f"has at most {rules.max_hits:,} hits")
    if rules.new_referrer:
        parts.append("a view from another site begins a new one")
    return ", ".join(parts) + "; a different login begins a new one"


def _tables(lake: "Lake", dates: list[date]) -> Iterator[str]:
    """The main pages, entries, exits and transitions of the dates, from the tables that the miners keep."""
    if "pages" in lake.contracts:
        pages = lake.scan("pages", dates=dates).group_by("page").agg(pl.col("views", "entries", "exits").sum()).collect()
        for column, title in (("views", "most viewed pages"), ("entries", "entry pages"), ("exits", "exit pages")):
            rows = pages.filter(pl.col(column) > 0).sort(column, "page", descending=[True, False]).head(LONGEST_LIST)
            yield from _list(title, [(page, count) for page, count in rows.select("page", column).iter_rows()])
    if "transitions" in lake.contracts:
        steps = lake.scan("transitions", dates=dates).group_by("page", "next").agg(pl.col("count").sum()).collect()
        rows = steps.sort("count", "page", "next", descending=[True, False, False]).head(LONGEST_LIST)
        yield from _list("transitions", [(f"{page} > {next_}", count) for page, next_, count in rows.iter_rows()])


def _list(title: str, rows: list[tuple[str, int]]) -> Iterator[str]:
    from crm.cells import visible

    if rows:
        yield ""
        yield title
        width = max(len(f"{count:,}") for _, count in rows)
        yield from (f"  {count:>{width},}  {visible(text)}" for text, count in rows)


def as_object(result: "Result", lake: "Lake", took: float) -> dict[str, Any]:
    """The same as one object for monitoring."""
    found = figures(lake, result.changed, result.rules) if result.changed else None
    return {
        **_account_object(result.account),
        "seconds": round(took, 3),
        "sources": [_source_object(outcome) for outcome in result.outcomes],
        "sessions": asdict(found) if found else None,
        "rule": describe(result.rules),
    }


def _source_object(outcome: "Outcome") -> dict[str, Any]:
    reading = outcome.reading
    return {
        "name": outcome.name,
        "state": outcome.state,
        "source": reading.source.number if reading else None,
        "format": outcome.format or None,
        "error": outcome.error or None,
        **_account_object(reading.account if reading else Account()),
    }


def _account_object(account: Account) -> Mapping[str, Any]:
    return {
        "lines": account.lines,
        "hits": account.hits,
        "blank": account.blank,
        "filtered": dict(account.filtered),
        "rejected": dict(account.rejected),
    }
