"""What `crm logs mine` keeps of paths: sums by date, and patterns and rules of the newest sessions."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from crm.hookspecs import Mined, Miner
from plugins.paths import mining
from plugins.paths.config import MinedConfig, PathsConfig
from plugins.paths.support import Support

if TYPE_CHECKING:
    from plugins.paths.corpus import Corpus


def miners_of(config: PathsConfig) -> Sequence[Miner]:
    """The miners, by the configuration."""

    def by_date(sessions: pl.LazyFrame, _changed: Collection[date]) -> Mapping[str, pl.LazyFrame]:
        """The rows of `pages`, `transitions` and `top_paths` for the sessions of some dates, sorted."""
        viewed = mining.views(sessions).collect().lazy()
        return {
            "pages": mining.pages(viewed).cast({"page": pl.String}).sort("date", "page"),
            "transitions": mining.transitions(viewed)
            .cast({"page": pl.String, "next": pl.String})
            .sort("date", "page", "next"),
            "top_paths": mining.daily_paths(sessions, config.mined.top_paths),
        }

    def newest(sessions: pl.LazyFrame, _dates: Collection[date]) -> Mined:
        """The rows of `patterns` and `rules`."""
        return patterns_and_rules(sessions.select("path").collect()["path"], config)

    more = " | ".join(commands(config.mined).values())
    return [
        Miner("paths", ("pages", "transitions", "top_paths"), by_date),
        Miner("patterns", ("patterns", "rules"), newest, newest=config.mined.sessions, more=more),
    ]


def commands(mined: MinedConfig) -> Mapping[str, str]:
    """What to call for the same tables of all sessions."""
    few = mined.min_support * mined.sessions < mined.min_sessions
    support = mined.min_sessions if few else mined.min_support
    return {
        "patterns": f"crm paths patterns --min-support {support} --min-length 2",
        "rules": f"crm paths rules --min-support {support} --min-confidence {mined.min_confidence}",
    }


def patterns_and_rules(paths: pl.Series, config: PathsConfig) -> Mined:
    """Patterns of two pages or more, and rules, of some sessions.

    Args:
        paths: The pages of each session; shape (sessions,).
        config: The section `paths`.
    """
    from plugins.paths.corpus import Corpus
    from plugins.paths.itemsets import itemsets
    from plugins.paths.patterns import Wanted, mine
    from plugins.paths.projection import fitting
    from plugins.paths.rules import Choice, rules
    from plugins.paths.telling import unfitting

    mined = config.mined
    whole = Corpus.of(paths)
    cut = whole.first_views(config.max_views)
    corpus = fitting(cut)
    least = max(mined.min_sessions, Support(mined.min_support).count(corpus.sessions))
    patterns = mine(corpus, Wanted(least, min_length=2, most=mined.max_candidates))
    sets = itemsets(corpus, least, most=mined.max_candidates)
    found = rules(sets.groups, corpus.names, corpus.sessions, Choice(mined.min_confidence))
    tables = {"patterns": patterns.frame(corpus.names, corpus.sessions).lazy(), "rules": found.frame.lazy()}
    notes = [*_cut(whole, config.max_views)]
    if corpus is not cut:
        notes.append(f"patterns, rules: {unfitting(cut, corpus)}")
    notes += _rare(mined, least, {"patterns": patterns.minimum, "rules": sets.minimum})
    return Mined(tables, tuple(notes))


def _cut(corpus: "Corpus", most: int) -> Iterator[str]:
    """A sentence about sessions that were cut."""
    longer = int((corpus.lengths > most).sum())
    if longer:
        yield f"patterns, rules: {longer:,} long sessions count with their first {most:,} views (paths.max_views)"


def _rare(mined: MinedConfig, asked: int, minimums: Mapping[str, int]) -> Iterator[str]:
    """Sentences about tables that hold the most frequent only."""
    for table, minimum in minimums.items():
        if minimum > asked:
            yield (
                f"{table}: more than {mined.max_candidates:,} candidates (paths.mined.max_candidates), so only "
                f"those in {minimum:,} sessions or more, not {asked:,}; all: {commands(mined)[table]}"
            )
