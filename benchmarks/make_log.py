"""Write a large access log in the Combined Log Format: always the same bytes for the same arguments.

    python benchmarks/make_log.py OUT [--lines 2000000] [--seed 1] [--days 7] [--start 2026-03-01]
                                      [--broken 0] [--strangers]

The log is that of an invented web shop (`log_site.py`) and its invented visitors (`log_visitors.py`):

- **Visitors.** There are LINES / 20 addresses and LINES / 100 agents, but at most (and by default) 100,000
  and 20,000; all of them occur. 1.5 % of the addresses are IPv6; 1 % are robots', which send 3 % of the
  lines. How often an address comes follows Zipf-Mandelbrot (weight (rank + 50) ** -0.9), and so does the use
  of the agents. 58 % of the addresses have one agent, 27 % two, 11 % three, some more; address + agent is one
  visitor.
- **Sessions.** Every visitor comes at least once in a cycle of days (2,000,000 lines or the whole log, if
  that is less), for a short session (1.6 views on average, geometric); the other sessions are those of an
  address drawn by its weight (3.5 views). Between two views pass 35 s in the median (lognormal, sigma 1.1,
  3 s to 25 min), and each view brings 2.6 assets and other calls (Poisson) within seconds. Sessions begin by
  the rhythm of a day: fewest at 4, most at 21 o'clock; all days are alike. Robots come evenly over the day.
- **Requests.** 30 % of the lines ask for a page. Of 4,000 pages the first of a session is drawn by
  Zipf-Mandelbrot (exponent 0.9), the next in 65 % of the cases from eight links of the page before. Some have
  a query string, partly percent-encoded Chinese. Statuses are 200, 304, 301, 302, 404 and 500; sizes are
  lognormal.
- **Referrers.** Assets and later views: a page of the site. Entries: 35 % search engines, 15 % other sites,
  else `-`.
- **Order.** As a server writes: by the time at which a request ends, with the time at which it began. Some
  requests take one to two seconds, so that (at the default density) about 5 % of the lines are earlier than
  the line before them, by 1 or 2 s.

With `--strangers`, the address and the agent of every line are drawn anew, each by itself and all alike, so that
hardly two lines are of one visitor: no site has such a log, but it asks the most of whoever counts visitors.

Ten times the lines over ten times the days give days that look alike, with the same addresses and agents.
Each day is made and written by itself, so memory follows the lines of a day. Every line parses, unless
`--broken N` mixes in N further lines that cannot. NumPy keeps the streams of its generators between releases
by and large, but does not promise it: compare logs made with the same version.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from log_site import IMAGES_PER_PAGE, LINKS_PER_PAGE, SITE, Floats, Ints, Site, draw, make_site
from log_visitors import Visitors, make_visitors

DAY: Final = 86_400
ROBOT_SHARE: Final = 0.03
ASSETS_PER_VIEW: Final = 2.6
LATE_SHARE: Final = 0.061
MAX_VIEWS: Final = 40
_RHYTHM: Final = (
    30,
    20,
    13,
    9,
    8,
    10,
    16,
    28,
    45,
    60,
    66,
    65,
    60,
    62,
    65,
    66,
    65,
    63,
    66,
    78,
    90,
    95,
    80,
    52,
)
_METHODS: Final = ("GET", "POST", "HEAD")
_PROTOCOLS: Final = ("HTTP/1.1", "HTTP/2.0")
_STATUSES: Final = (200, 304, 301, 302, 404, 500)
_VIEW_STATUS: Final = (0.925, 0.025, 0.010, 0.014, 0.023, 0.003)
_OTHER_STATUS: Final = (0.852, 0.135, 0.002, 0.002, 0.008, 0.001)
_BROKEN: Final = (
    "2026/03/01 04:05:06 [error] 1234#0: *{0} upstream timed out (110: Connection timed out)",
    '203.0.113.9 - - [01/Mar/2026:04:05:06 +0000] "GET /product/{0}/cut',
    '203.0.113.9 - - [41/Foo/2026:99:05:06 +0000] "GET /{0} HTTP/1.1" 200 12 "-" "-"',
    "\ufffd\x01\x02 {0} garbage",
    '203.0.113.9 "GET /{0} HTTP/1.1"',
)


def _rhythmic(rng: np.random.Generator, size: int) -> Floats:
    """Times of a day in seconds, by its rhythm."""
    weights = np.array(_RHYTHM, dtype=np.float64)
    hours = draw(rng, np.cumsum(weights) / weights.sum(), size)
    return np.asarray((hours + rng.random(size)) * 3_600.0)


def _pick(rng: np.random.Generator, some: range, size: int) -> Ints:
    return rng.integers(some.start, some.stop, size)


def _status(rng: np.random.Generator, shares: tuple[float, ...], size: int) -> Ints:
    return np.array(_STATUSES, dtype=np.int64)[draw(rng, np.cumsum(shares), size)]


# --- sessions and their views ---


def _walk(rng: np.random.Generator, site: Site, counts: Ints) -> Ints:
    """The pages of sessions with `counts` views, one session after another."""
    first = np.cumsum(counts) - counts
    pages = np.empty(int(counts.sum()), dtype=np.int64)
    pages[first] = draw(rng, site.page_cdf, len(counts))
    for step in range(1, int(counts.max())):
        at = first[counts > step] + step
        linked = site.links[pages[at - 1], rng.integers(0, LINKS_PER_PAGE, len(at))]
        pages[at] = np.where(rng.random(len(at)) < 0.65, linked, draw(rng, site.page_cdf, len(at)))
    return pages


def _view_times(rng: np.random.Generator, counts: Ints, last_day: bool) -> Floats:
    """Seconds of the day; may lie beyond midnight, except on the last day."""
    gaps = np.clip(rng.lognormal(np.log(35), 1.1, int(counts.sum())), 3, 1_500)
    first = np.cumsum(counts) - counts
    passed = np.cumsum(gaps)
    passed -= np.repeat(passed[first], counts)
    starts = _rhythmic(rng, len(counts))
    if last_day:
        over = starts + passed[first + counts - 1] + 30 - DAY
        starts -= np.where(over > 0, over + rng.random(len(over)) * 3_600, 0)
    return passed + np.repeat(starts, counts)


def _entry_referrers(rng: np.random.Generator, site: Site, size: int) -> Ints:
    kind = rng.random(size)
    found = np.where(kind < 0.35, _pick(rng, site.search, size), _pick(rng, site.elsewhere, size))
    return np.where(kind < 0.50, found, 0)


def _requested(rng: np.random.Generator, site: Site, pages: Ints, status: Ints) -> Ints:
    """The targets of views of `pages`: some with a query string, and other ones where it is not found."""
    size = len(pages)
    variant = site.first_variant[pages] + (rng.random(size) ** 2 * site.variants[pages]).astype(np.int64)
    targets = np.where(rng.random(size) < site.variant_share[pages], variant, pages)
    return np.where(status == 404, _pick(rng, site.missing, size), targets)


def _views(rng: np.random.Generator, site: Site, counts: Ints, last_day: bool) -> pl.DataFrame:
    """The views of sessions: session, page, at (seconds of the day), target, status, referrer, method."""
    pages = _walk(rng, site, counts)
    status = _status(rng, _VIEW_STATUS, len(pages))
    targets = _requested(rng, site, pages, status)
    referrers = np.concatenate([[0], targets[:-1] + 1])
    referrers[np.cumsum(counts) - counts] = _entry_referrers(rng, site, len(counts))
    return pl.DataFrame(
        {
            "session": np.repeat(np.arange(len(counts)), counts),
            "page": pages,
            "at": _view_times(rng, counts, last_day),
            "target": targets,
            "status": status,
            "referrer": referrers,
            "method": draw(rng, np.cumsum((0.980, 0.017, 0.003)), len(pages)),
        }
    )


# --- the hits of a day ---


def _with_assets(rng: np.random.Generator, site: Site, views: pl.DataFrame, size: int) -> pl.DataFrame:
    """Views, each followed by its assets and other calls: the first `size` rows of that."""
    calls = rng.poisson(ASSETS_PER_VIEW, views.height)
    hits = views[np.repeat(np.arange(views.height), 1 + calls)[:size].astype(np.uint32)]
    is_view = np.zeros(int((1 + calls).sum()), dtype=np.bool_)
    is_view[np.cumsum(1 + calls) - (1 + calls)] = True
    is_view, count, kind = is_view[: hits.height], hits.height, rng.random(hits.height)
    image = site.images.start + hits["page"].to_numpy() * IMAGES_PER_PAGE + rng.integers(0, IMAGES_PER_PAGE, count)
    static = site.static.start + (rng.random(count) ** 2 * len(site.static)).astype(np.int64)
    other = site.other.start + (rng.random(count) ** 3 * len(site.other)).astype(np.int64)
    asset = np.where(kind < 0.52, static, np.where(kind < 0.86, image, other))
    calls_method = np.where((kind > 0.95), 1, 0)
    return hits.with_columns(
        at=pl.col("at") + np.where(is_view, 0.0, 0.05 + np.minimum(rng.exponential(0.8, count), 8)),
        target=np.where(is_view, hits["target"], asset),
        status=np.where(is_view, hits["status"], _status(rng, _OTHER_STATUS, count)),
        referrer=np.where(is_view, hits["referrer"], hits["target"].to_numpy() + 1),
        method=np.where(is_view, hits["method"], calls_method),
    ).drop("page")


def _people(
    rng: np.random.Generator, site: Site, visitors: Visitors, due: Ints, size: int, last_day: bool
) -> pl.DataFrame:
    """`size` hits of people, those of the visitors `due` among them."""
    drawn = draw(rng, visitors.address_cdf, size // 6 + 40)
    agent = (rng.random(len(drawn)) ** 1.5 * visitors.pairs[drawn]).astype(np.int64)
    pair = np.concatenate([due, visitors.first[drawn] + agent])
    counts = np.minimum(rng.geometric(np.where(np.arange(len(pair)) < len(due), 1 / 1.6, 1 / 3.5)), MAX_VIEWS)
    enough = int(np.searchsorted(np.cumsum(counts), size // 3 + 40)) + 1  # sessions: a view makes 3.6 hits
    sessions = pl.DataFrame(
        {
            "address": visitors.pair_address[pair],
            "agent": visitors.pair_agent[pair],
            "protocol": (pair % 10 < 6) * 1,
        }
    )
    views = _views(rng, site, counts[:enough], last_day)
    hits = _with_assets(rng, site, views, size)
    return hits.hstack(sessions[hits["session"]]).drop("session")


def _crawls(rng: np.random.Generator, site: Site, visitors: Visitors, due: Ints, size: int) -> pl.DataFrame:
    """`size` hits of robots, the visitors `due` among them."""
    drawn = len(visitors.pair_agent) - visitors.robots + (rng.random(size) ** 3 * visitors.robots).astype(np.int64)
    robot = np.concatenate([due, drawn])[:size]
    status, pages, kind = (
        _status(rng, _VIEW_STATUS, size),
        _pick(rng, range(len(site.links)), size),
        rng.random(size),
    )
    targets = _requested(rng, site, pages, status)
    targets = np.where(kind < 0.03, _pick(rng, site.crawler_files, size), targets)
    targets = np.where(kind > 0.95, _pick(rng, site.images, size), targets)
    zeros = np.zeros(size, dtype=np.int64)
    return pl.DataFrame(
        {
            "at": rng.random(size) * (DAY - 10),
            "target": targets,
            "status": status,
            "referrer": zeros,
            "method": zeros,
            "address": visitors.pair_address[robot],
            "agent": visitors.pair_agent[robot],
            "protocol": zeros,
        }
    )


# --- lines ---


def _lines(rng: np.random.Generator, site: Site, visitors: Visitors, hits: pl.DataFrame, midnight: int) -> pl.DataFrame:
    """Hits as lines of the log: `at`, the time at which each is written (seconds since 1970), and `line`."""
    late = np.where(rng.random(hits.height) < LATE_SHARE, 1 + rng.random(hits.height), 0)
    status = hits["status"].to_numpy()
    sizes = site.sizes[hits["target"].to_numpy()]
    sent = np.select([status == 200, status == 304], [sizes, np.zeros_like(sizes)], default=162 + sizes % 7)
    began = pl.from_epoch((hits["at"].floor().cast(pl.Int64) + midnight), time_unit="s")
    columns: list[pl.Series | str] = [
        visitors.addresses.gather(hits["address"]), " - - [", began.dt.strftime("%d/%b/%Y:%H:%M:%S +0000"),
        '] "', pl.Series(_METHODS).gather(hits["method"]), " ", site.targets.gather(hits["target"]), " ",
        pl.Series(_PROTOCOLS).gather(hits["protocol"]), '" ', hits["status"].cast(pl.String), " ",
        pl.Series(sent).cast(pl.String), ' "', site.referrers.gather(hits["referrer"]), '" "',
        visitors.agents.gather(hits["agent"]), '"',
    ]  # fmt: skip
    line = pl.concat_str([pl.lit(column) for column in columns]).alias("line")
    return pl.select((hits["at"] + late + midnight).alias("at"), line)


def _share(total: int, part: int, parts: int) -> range:
    """The `part`-th of `parts` nearly equal parts of range(total)."""
    return range(part * total // parts, (part + 1) * total // parts)


def _broken(rng: np.random.Generator, numbers: range, midnight: int) -> pl.DataFrame:
    at = rng.random(len(numbers)) * (DAY - 10) + midnight
    lines = [_BROKEN[n % len(_BROKEN)].format(n) for n in numbers]
    return pl.DataFrame({"at": at, "line": lines}, schema={"at": pl.Float64, "line": pl.String})


def _strangers(rng: np.random.Generator, visitors: Visitors, hits: pl.DataFrame) -> pl.DataFrame:
    """The hits with addresses and agents that are drawn for each by themselves."""
    return hits.with_columns(
        address=rng.integers(0, len(visitors.addresses), hits.height),
        agent=rng.integers(0, len(visitors.agents), hits.height),
    )


def days_of_lines(
    lines: int, seed: int, days: int, start: date, broken: int, strangers: bool = False
) -> Iterator[pl.Series]:
    """The lines of each day in the order of the log; `lines` + `broken` in all."""
    addresses, agents = min(100_000, lines // 20), min(20_000, lines // 100)
    site, visitors = make_site(seed), make_visitors(seed, addresses, agents)
    cycle = -(-days * addresses * 20 // lines)
    people, robots = np.split(np.arange(len(visitors.pair_agent)), [-visitors.robots])
    people = np.random.default_rng([seed, 3]).permutation(people)
    epoch, carried = (start - date(1970, 1, 1)).days, _broken(np.random.default_rng(0), range(0), 0)
    for day in range(days):
        rng, midnight = np.random.default_rng([seed, 4, day]), (epoch + day) * DAY
        size = len(_share(lines, day, days))
        crawls = round(size * ROBOT_SHARE)
        due, due_robots = (some[list(_share(len(some), day % cycle, cycle))] for some in (people, robots))
        hits = _people(rng, site, visitors, due, size - crawls, day == days - 1)
        hits = pl.concat([hits, _crawls(rng, site, visitors, due_robots, crawls).select(hits.columns)])
        if strangers:
            hits = _strangers(rng, visitors, hits)
        made = _lines(rng, site, visitors, hits, midnight)
        every = pl.concat([carried, made, _broken(rng, _share(broken, day, days), midnight)])
        every = every.sort("at", maintain_order=True)
        today = (pl.col("at") < midnight + DAY) | (day == days - 1)
        carried = every.filter(~today)
        yield every.filter(today)["line"]


def make_log(out: Path, days: Iterator[pl.Series]) -> None:
    """Write the lines of some days to `out`."""
    with out.open("wb") as file:
        for day in days:
            day.to_frame().write_csv(file, include_header=False, quote_style="never")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=f"Write a large access log of an invented web shop ({SITE}).")
    parser.add_argument("out", type=Path, metavar="OUT", help="the file to write")
    parser.add_argument("--lines", type=int, default=2_000_000, help="lines that parse (default: 2000000)")
    parser.add_argument("--seed", type=int, default=1, help="another number, another log (default: 1)")
    parser.add_argument("--days", type=int, default=7, help="days over which they spread (default: 7)")
    parser.add_argument(
        "--start", type=date.fromisoformat, default=date(2026, 3, 1), help="first day (default: 2026-03-01)"
    )
    parser.add_argument("--broken", type=int, default=0, help="further lines that cannot be parsed (default: 0)")
    parser.add_argument("--strangers", action="store_true", help="draw address and agent anew for every line")
    arguments = parser.parse_args()
    if arguments.days < 1 or arguments.lines < max(1_000, 100 * arguments.days):
        parser.error("--lines must be at least 1000 and at least 100 a day")
    if arguments.seed < 0 or arguments.broken < 0:
        parser.error("--seed and --broken must not be negative")
    return arguments


def main() -> int:
    """Run as a program."""
    given = _arguments()
    days = days_of_lines(given.lines, given.seed, given.days, given.start, given.broken, given.strangers)
    make_log(given.out, days)
    return 0


if __name__ == "__main__":
    sys.exit(main())
