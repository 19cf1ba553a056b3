"""Hits -> runs -> sessions.

A *run* is one visitor's hits in order without a gap longer than the idle limit. A *session* is a run, further cut
by a maximum length or number of hits, by a different login, or by a new external referrer; it needs a view.
"""

from datetime import timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from logparse.behaviour import reasons
from logparse.rules import SessionRules

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

INPUT: dict[str, pl.DataType | type[pl.DataType]] = {
    "visitor": pl.Int64,
    "ts": pl.Datetime("us", "UTC"),
    "page": pl.String,
    "view": pl.Boolean,
    "login": pl.String,
    "referrer": pl.String,
    "host": pl.String,
    "bot": pl.String,
    "signs": pl.UInt8,
}

SESSIONS: dict[str, pl.DataType | type[pl.DataType]] = {
    "session": pl.Int64,
    "visitor": pl.Int64,
    "customer": pl.String,
    "start": pl.Datetime("us", "UTC"),
    "end": pl.Datetime("us", "UTC"),
    "duration_s": pl.Float64,
    "hits": pl.Int64,
    "views": pl.Int64,
    "entry": pl.String,
    "exit": pl.String,
    "bot": pl.String,
    "path": pl.List(pl.String),
    "times": pl.List(pl.Datetime("us", "UTC")),
}


def is_view(raw: bool = False) -> pl.Expr:
    """A view: a page answered with 2xx or 304 to no robot. With `raw`, every hit is one."""
    if raw:
        return pl.lit(True)
    fine = pl.col("status").is_between(200, 299) | (pl.col("status") == 304)
    return (pl.col("kind") == "page") & fine.fill_null(False) & pl.col("bot").is_null()


def chronological(sessions: pl.DataFrame) -> pl.DataFrame:
    """Sessions by their start, and of one start by what the log says of them.

    Not by their ids: these hang on the secret of a workspace, and one log would give another order in each.
    """
    keys = ["start", "end", "views", "hits"]
    found = sessions.sort(keys, maintain_order=True)
    tied = found.select(pl.struct(keys).is_duplicated()).to_series()
    if not tied.any():
        return found
    times = pl.col("times").list.eval(pl.element().dt.epoch("us").cast(pl.String)).list.join(" ")
    texts = found.filter(tied).select(pl.concat_str(pl.col("path").list.join("\0"), times, separator="\0")).to_series()
    said = pl.Series("said", np.full(found.height, None), dtype=pl.String).scatter(tied.arg_true(), texts)
    return found.with_columns(said).sort([*keys, "said"], maintain_order=True).drop("said")


def in_order(hits: pl.DataFrame) -> pl.DataFrame:
    """Hits by visitor, time, `rank` (their source's place among sources) and line: the order that sessions need.

    Logs are nearly in the order of time, which makes one stable sort a key faster than a sort by all of them.
    """
    keys = (hits["line"], hits["rank"], hits["ts"].to_physical(), hits["visitor"])
    return hits[np.lexsort([key.to_numpy() for key in keys])]


def run_starts(visitor: pl.Series, ts: pl.Series, idle: timedelta) -> Flags:
    """Which of the hits, sorted by visitor and time, begin a run; shape (n,)."""
    who, when = visitor.to_numpy(), _micros(ts)
    starts = np.ones(len(who), dtype=np.bool_)
    starts[1:] = (who[1:] != who[:-1]) | (when[1:] - when[:-1] > idle // timedelta(microseconds=1))
    return starts


def sessions(hits: pl.DataFrame, rules: SessionRules) -> pl.DataFrame:
    """Cut hits into sessions.

    Args:
        hits: Columns of `INPUT`, runs whole, without robots; sorted by visitor, time, and for one time by
            (first time in their source, the source's fingerprint, line). Pages may be coded.
        rules: Where to cut, and which runs are a robot's all the same.

    Returns:
        One row a session (schema `SESSIONS`), ordered by visitor and start; `bot` says why its run is a robot's;
        pages are coded if they were.
    """
    if not hits.height:
        return pl.DataFrame(schema=SESSIONS)
    run_start = run_starts(hits["visitor"], hits["ts"], rules.idle)
    cut = run_start | _changes(hits["login"], run_start)
    if rules.new_referrer:
        cut |= _referrer_cuts(hits, run_start, rules.sites)
    cut = _size_cuts(_micros(hits["ts"]), cut, rules)
    number = np.cumsum(cut) - 1
    first = np.flatnonzero(cut)
    ends = np.append(first[1:], hits.height)
    frame = _whole(hits, first, ends, _ids(hits, run_start, first))
    if rules.robots is not None:
        why = reasons(hits, run_start, rules.robots).gather(np.cumsum(run_start)[first] - 1)
        frame = frame.with_columns(pl.coalesce("bot", why))
    return frame.join(_views(hits, number), on="number", maintain_order="left").select(*SESSIONS)


def _micros(ts: pl.Series) -> Ints:
    return ts.dt.epoch("us").to_numpy()


def _whole(hits: pl.DataFrame, first: Ints, ends: Ints, ids: Ints) -> pl.DataFrame:
    """What all hits of a session say: its ends, number of hits, and customer."""
    start, end = hits["ts"].gather(first), hits["ts"].gather(ends - 1)
    return pl.DataFrame(
        {
            "number": np.arange(len(first)),
            "session": ids,
            "visitor": hits["visitor"].gather(first),
            "start": start,
            "end": end,
            "duration_s": (end - start).dt.total_microseconds() / 1e6,
            "hits": ends - first,
            "customer": _customers(hits["login"], first, ends),
            "bot": hits["bot"].gather(first),
        }
    )


def _customers(login: pl.Series, first: Ints, ends: Ints) -> pl.Series:
    """The login of each session: one at most, since a different one begins a new session."""
    if login.null_count() == len(login):
        return pl.repeat(None, len(first), dtype=pl.String, eager=True)
    known = np.flatnonzero(login.is_not_null().to_numpy())
    at = np.searchsorted(known, first)
    found = (at < len(known)) & (known[np.minimum(at, len(known) - 1)] < ends)
    rows = pl.Series(known[np.minimum(at, len(known) - 1)])
    return login.gather(rows).zip_with(pl.Series(found), pl.Series([None], dtype=pl.String))


def _views(hits: pl.DataFrame, number: Ints) -> pl.DataFrame:
    """What the views of a session say: how many, which pages, and when."""
    views = hits.select("page", "ts", "view").with_columns(pl.Series("number", number)).filter("view")
    return views.group_by("number", maintain_order=True).agg(
        pl.len().cast(pl.Int64).alias("views"),
        pl.col("page").first().alias("entry"),
        pl.col("page").last().alias("exit"),
        pl.col("page").alias("path"),
        pl.col("ts").alias("times"),
    )


def _referrer_cuts(hits: pl.DataFrame, run_start: Flags, own: tuple[str, ...]) -> Flags:
    """A view that comes from another site than the last such view of its run begins a new session."""
    site = pl.col("referrer").str.extract(r"^[A-Za-z]+://([^/?#]+)", 1).str.to_lowercase()
    mine = site.is_in([name.lower() for name in own]) | (site == pl.col("host").str.to_lowercase()).fill_null(False)
    outside = hits.select(pl.when(pl.col("view") & ~mine).then(site)).to_series()
    return _changes(outside, run_start) | _first_known(outside, run_start)


def _first_known(values: pl.Series, run_start: Flags) -> Flags:
    """Which hits have the first value of their run, the run's first hit aside."""
    rows = np.flatnonzero(values.is_not_null().to_numpy())
    run = np.cumsum(run_start)[rows]
    first = np.append(True, run[1:] != run[:-1])[: len(rows)]
    cuts = np.zeros(len(values), dtype=np.bool_)
    cuts[rows[first]] = True
    return cuts & ~run_start


def _changes(values: pl.Series, run_start: Flags) -> Flags:
    """Which hits have a value other than the last known one of their run."""
    cuts = np.zeros(len(values), dtype=np.bool_)
    if values.null_count() == len(values):
        return cuts
    rows = np.flatnonzero(values.is_not_null().to_numpy())
    run = np.cumsum(run_start)[rows]
    known = values.gather(rows)
    changed = (known != known.shift(1)).fill_null(False).to_numpy()
    cuts[rows[changed & np.append(False, run[1:] == run[:-1])]] = True
    return cuts


def _size_cuts(when: Ints, cut: Flags, rules: SessionRules) -> Flags:
    """Cut the pieces that are longer, or hold more hits, than the rules allow; each from its first hit on."""
    if rules.max_length is None and rules.max_hits is None:
        return cut
    first = np.flatnonzero(cut)
    ends = np.append(first[1:], len(cut))
    most_hits = rules.max_hits or len(cut)
    longest = rules.max_length // timedelta(microseconds=1) if rules.max_length is not None else np.iinfo(np.int64).max
    over = (ends - first > most_hits) | (when[ends - 1] - when[first] > longest)
    out = cut.copy()
    for start, end in zip(first[over].tolist(), ends[over].tolist(), strict=True):
        out[_greedy(when[start:end], most_hits, int(longest)) + start] = True
    return out


def _greedy(when: Ints, most_hits: int, longest: int) -> Ints:
    """Where the sessions of one piece begin: each takes all it may; shape (sessions,)."""
    at, starts = 0, []
    while at < len(when):
        starts.append(at)
        limit = int(when[at]) + longest
        by_time = len(when) if limit > int(when[-1]) else int(np.searchsorted(when, limit, side="right"))
        at = min(at + most_hits, by_time)
    return np.array(starts, dtype=np.int64)


def _ids(hits: pl.DataFrame, run_start: Flags, first: Ints) -> Ints:
    """Ids of 63 bits from visitor, start of the run, and the session's place in it; shape (sessions,)."""
    runs = np.flatnonzero(run_start)
    run_of = np.searchsorted(runs, first, side="right") - 1
    place = np.arange(len(first)) - np.searchsorted(first, runs[run_of])
    visitor = hits["visitor"].gather(first).to_numpy().astype(np.uint64)
    began = _micros(hits["ts"].gather(runs[run_of])).astype(np.uint64)
    mixed = _mix(visitor ^ _mix(began ^ _mix(place.astype(np.uint64))))
    return (mixed >> np.uint64(1)).astype(np.int64)


def _mix(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """The finaliser of SplitMix64 (Steele, Lea and Flood 2014): a bijection that spreads every bit."""
    with np.errstate(over="ignore"):
        z = values + np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))
