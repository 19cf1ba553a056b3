"""The kernel: one block of lines -> hits, rejects and an account of every line. Pure, so any worker can run it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import polars as pl

from logparse import lines, requests, typed, visitors
from logparse.blocks import Block
from logparse.distinct import coded
from logparse.headers import in_force
from logparse.pages import glob_expression
from logparse.pattern import Layout
from logparse.robots import Robots
from logparse.rules import DropRule, Rules

HITS: dict[str, pl.DataType | type[pl.DataType]] = {
    "ts": pl.Datetime("us", "UTC"),
    "visitor": pl.Int64,
    "login": pl.String,
    "address": pl.String,
    "host": pl.String,
    "method": pl.String,
    "path": pl.String,
    "page": pl.String,
    "query": pl.String,
    "status": pl.Int16,
    "bytes": pl.Int64,
    "referrer": pl.String,
    "agent": pl.String,
    "bot": pl.String,
    "kind": pl.String,
    "line": pl.Int64,
}
"""Columns of hits; the engine's user adds the source."""


CODED = ("address", "agent", "host", "login", "referrer", "request")
"""Texts that are coded once, before anything is worked out from them."""


@dataclass(frozen=True)
class Account:
    """Where every line went: lines = hits + filtered + rejected + blank, the last two by reason."""

    lines: int = 0
    hits: int = 0
    blank: int = 0
    filtered: Mapping[str, int] = field(default_factory=dict)
    rejected: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_mostly_rejected(self) -> bool:
        """Whether more than half of the lines that are not blank are rejected, so that the format must be wrong."""
        return sum(self.rejected.values()) * 2 > self.lines - self.blank

    def __add__(self, other: "Account") -> "Account":
        return Account(
            self.lines + other.lines,
            self.hits + other.hits,
            self.blank + other.blank,
            _sum(self.filtered, other.filtered),
            _sum(self.rejected, other.rejected),
        )


def _sum(left: Mapping[str, int], right: Mapping[str, int]) -> dict[str, int]:
    sums = {key: left.get(key, 0) + right.get(key, 0) for key in sorted({*left, *right})}
    return {key: count for key, count in sums.items() if count}


@dataclass(frozen=True)
class Parsed:
    """What a block became: `hits` (schema `HITS`, in the order of lines), `rejects`, and the account."""

    hits: pl.DataFrame
    rejects: pl.DataFrame
    account: Account


@dataclass(frozen=True)
class Kernel:
    """Everything that it takes to parse blocks of one format by one set of rules."""

    layout: Layout
    rules: Rules
    key: bytes
    robots: Robots

    @classmethod
    def of(cls, layout: Layout, rules: Rules, key: bytes) -> "Kernel":
        """A kernel with a fresh memory of robots."""
        return cls(layout, rules, key, Robots(rules.robots))

    def parse(self, block: Block) -> Parsed:
        """Parse a block. No bytes whatsoever make it raise.

        Blocks of formats whose logs hold headers must have been cut at them (`logparse.headers.cut`).
        """
        parsed = self.parse_coded(block)
        return replace(parsed, hits=parsed.hits.cast(HITS))  # type: ignore[arg-type]  # a mapping of types

    def parse_coded(self, block: Block) -> Parsed:
        """The same with texts as Categoricals, each with a dictionary of its own: what a writer stores fastest."""
        layout = in_force(self.layout, block.header)
        fields = lines.parse_lines(block, layout, self.rules.charset)
        frame, bad_times = typed.convert(fields, layout, self.rules)
        rejects = pl.concat([fields.rejects, bad_times]).sort("line") if bad_times.height else fields.rejects
        frame, filtered = _drop(self._enrich(frame), self.rules.drop)
        hits = frame.with_columns(visitors.stored_addresses(frame["address"], self.rules.visitors)).select(*HITS)
        account = Account(
            lines=fields.lines,
            hits=hits.height,
            blank=fields.blank,
            filtered=filtered,
            rejected=dict(sorted(rejects.group_by("reason").len().iter_rows())),
        )
        return Parsed(hits, rejects, account)

    def _enrich(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Add what follows from a hit's own columns: path, page, kind, robot and visitor."""
        frame = frame.with_columns(visitors.client_address(self.rules.visitors).alias("address"))
        frame = frame.with_columns(coded(frame[name]) for name in CODED)
        frame = requests.with_requests(frame, self.rules.pages, self.rules.charset)
        who = visitors.visitor_ids(frame, self.rules.visitors, self.key)
        query = visitors.without_id(pl.col("query"), self.rules.visitors)
        return frame.with_columns(self.robots.names(frame["agent"]), who, query)


def _drop(frame: pl.DataFrame, rules: tuple[DropRule, ...]) -> tuple[pl.DataFrame, dict[str, int]]:
    """Take out hits that a rule drops; the first rule that fits counts them."""
    counts: dict[str, int] = {}
    for rule in rules:
        kept = frame.filter(~_fits(rule))
        if kept.height < frame.height:
            counts[rule.name] = counts.get(rule.name, 0) + frame.height - kept.height
        frame = kept
    return frame, counts


def _fits(rule: DropRule) -> pl.Expr:
    """True where every given condition of a rule holds; a rule without conditions fits nothing."""
    globs = {"path": rule.path, "page": rule.page, "host": rule.host, "agent": rule.agent, "address": rule.address}
    texts = {name: pl.col(name).cast(pl.String) for name in (*globs, "method")}
    tests = [texts[name].str.contains(glob_expression(given)) for name, given in globs.items() if given]
    if rule.status:
        tests.append(pl.col("status").is_in(list(rule.status)))
    if rule.method:
        tests.append(texts["method"].is_in(list(rule.method)))
    return pl.all_horizontal(tests).fill_null(False) if tests else pl.lit(False)
