"""What a person, or a monitor, wants to know after a run."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl

from crm.messages import counted
from logparse.kernel import Account
from logparse.robots import list_version
from logparse.rules import SessionRules
from plugins.logs import highlights
from plugins.logs.words import (
    Told,
    account_in_words,
    behaviour,
    describe,
    duration,
    format_words,
    logs_in_words,
    reasons,
)

if TYPE_CHECKING:
    from crm.lake import Lake
    from plugins.logs.ingest import Outcome
    from plugins.logs.mining import Result

MORE = "crm paths pages | crm paths patterns | crm paths --help | crm logs top FIELD | crm logs status"
KINDS = {"page": "for pages", "asset": "for assets", "other": "other"}


@dataclass(frozen=True)
class Figures:
    """People's sessions of some dates in figures; None where there is nothing to divide by."""

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
    """People's sessions that begin on some dates, in figures; None if there are none."""
    newest = lake.newest("hits")
    found = (
        lake.scan("sessions", dates=dates)
        .filter(pl.col("bot").is_null())
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


def robots(lake: "Lake", dates: list[date]) -> dict[str, int]:
    """The sessions of robots by behaviour that begin on some dates, by reason."""
    found = lake.scan("sessions", dates=dates).drop_nulls("bot").group_by("bot").len().collect()
    return dict(found.sort("bot").iter_rows())


def told(outcome: "Outcome") -> Told:
    """What the user is told of an input."""
    if outcome.state == "refused":
        return Told(outcome.name, "refused", error=outcome.error)
    if outcome.reading is None or outcome.state != "read":
        return Told(outcome.name, outcome.state)
    source, account = outcome.reading.source, outcome.reading.account
    first = source.position.line - account.lines
    how = f"source {source.number}" + (f" from line {first}" if first > 1 else "")
    how = f"{how}, {format_words(outcome.format, outcome.share)}"
    rejects = outcome.rejects.select("line", "reason", "field").rows()
    return Told(outcome.name, "read", how, account, rejects)


def report(result: "Result", lake: "Lake", took: float) -> Iterator[str]:
    """The lines that `crm logs mine` prints."""
    logs = [told(outcome) for outcome in result.outcomes]
    yield from logs_in_words(logs)
    if any(log.state == "read" for log in logs):
        yield ""
        total, *reasons = account_in_words(result.account)
        yield f"{total}, in {took:.1f} s"
        yield from reasons
    else:
        yield f"no new lines, in {took:.1f} s"
    if not result.changed:
        yield "no session has changed"
        yield from result.notes
        return
    yield ""
    yield from _dates_lines(result, lake)
    yield from highlights.lists(lake, result.changed)
    if result.notes:
        yield ""
        yield from result.notes
    yield ""
    yield f"more: {MORE}"


def rebuilt(result: "Result", lake: "Lake") -> Iterator[str]:
    """The lines that `crm logs rebuild` prints."""
    if not result.changed:
        yield "there are no hits to make anew"
        return
    yield from _dates_lines(result, lake)
    yield from result.notes


def _dates_lines(result: "Result", lake: "Lake") -> Iterator[str]:
    """Hits and sessions of the days whose sessions changed, and the rules by which they were made."""
    yield from _hits_lines(lake, result.changed)
    found, left_out = figures(lake, result.changed, result.rules), robots(lake, result.changed)
    yield from _session_lines(found) if found else ("  no sessions",)
    count = sum(left_out.values())
    if count:
        total = count + (found.sessions if found else 0)
        more = "more session" if count == 1 else "more sessions"
        yield f"  {count:,} {more} by robots, {total:,} with them: {reasons(left_out)}"
    yield "  rule: " + describe(result.rules)
    yield f"  robots: by name {list_version()}; by behaviour {behaviour(result.rules.robots)}"


def _hits_lines(lake: "Lake", days: list[date]) -> Iterator[str]:
    """The hits of the days whose sessions changed, by kind and robot."""
    hits = lake.scan("hits", dates=days)
    kinds = hits.group_by("kind", pl.col("bot").is_not_null().alias("robot")).len().collect()
    people = {kind: count for kind, robot, count in kinds.iter_rows() if not robot}
    by_name = int(kinds.filter("robot")["len"].sum())
    by_kind = ", ".join(f"{people.get(kind, 0):,} {name}" for kind, name in KINDS.items())
    span = f"{days[0]}" if len(days) == 1 else f"{len(days):,} days from {days[0]} to {days[-1]}"
    yield f"{span} (UTC) in all: {counted(int(kinds['len'].sum()), 'hit')}: {by_kind}, {by_name:,} by robots"


def _session_lines(found: Figures) -> Iterator[str]:
    opened = f", {found.open:,} still open" if found.open else ""
    customers = f", {counted(found.customers, 'customer')} logged in" if found.customers else ""
    yield f"  {counted(found.sessions, 'session')} by {counted(found.visitors, 'visitor')}{customers}{opened}"
    yield (
        f"  {counted(found.views, 'view')}, {found.views_per_session:.2f} a session; median duration "
        f"{duration(found.median_duration_s)}; bounce rate {found.bounce_rate:.1%}"
    )


def as_object(result: "Result", lake: "Lake", took: float) -> dict[str, Any]:
    """The same as one object for monitoring."""
    found = figures(lake, result.changed, result.rules) if result.changed else None
    left_out = robots(lake, result.changed)
    return {
        "run": lake.transaction("hits"),
        **_account_object(result.account),
        "seconds": round(took, 3),
        "sources": [source_object(outcome) for outcome in result.outcomes],
        "sessions": asdict(found) if found else None,
        "sessions_by_robots": left_out,
        "sessions_with_robots": sum(left_out.values()) + (found.sessions if found else 0),
        "rule": describe(result.rules),
        "robots": {"list": list_version(), "behaviour": behaviour(result.rules.robots)},
        "notes": result.notes,
        "failed_miners": result.failed,
    }


def source_object(outcome: "Outcome") -> dict[str, Any]:
    """What became of an input, for monitoring."""
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
