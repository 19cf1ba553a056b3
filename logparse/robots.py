"""Robots by the name of their user agent: CrawlerDetect's lists, matched by Polars' own regex engine.

The lists are those of the package `crawlerdetect`; an agent is cleaned of what browsers say of themselves (the
exclusions) and a robot if any pattern matches what is left. Only distinct agents are looked at, each once.
"""

import re
from functools import cached_property
from importlib import metadata
from threading import Lock

import polars as pl

from logparse.distinct import Distinct
from logparse.pages import glob_expression
from logparse.rules import RobotRules

_LOOK_AHEAD = re.compile(r"\(\?!([^()]*)\)$")


def list_version() -> str:
    """The version of the list of robots in use."""
    return f"crawlerdetect {metadata.version('crawlerdetect')}"


class Robots:
    """Names the robot behind a user agent; remembers the agents that it has seen.

    Args:
        rules: Further robots and exceptions.
        limit: How many distinct agents are remembered before it begins anew (memory stays bounded).
    """

    def __init__(self, rules: RobotRules, limit: int = 200_000) -> None:
        self.rules = rules
        self.limit = limit
        self._known: dict[str, str | None] = {}
        self._lock = Lock()

    def __reduce__(self) -> tuple[type["Robots"], tuple[RobotRules, int]]:
        """For another process, without the memory."""
        return Robots, (self.rules, self.limit)

    def names(self, agents: pl.Series) -> pl.Series:
        """The robot's name for every agent; null for people.

        Args:
            agents: Texts of shape (n,), null where none was logged.
        """
        return Distinct.of(agents).map(self._known_names).rename("bot")

    def _known_names(self, agents: pl.Series) -> pl.Series:
        """The robots behind distinct agents, classified if they are new."""
        texts = agents.to_list()
        with self._lock:
            fresh = pl.Series([text for text in texts if text not in self._known], dtype=pl.String)
            if len(self._known) + len(fresh) > self.limit:
                self._known.clear()
                fresh = agents
            self._known.update(zip(fresh.to_list(), self._classify(fresh).to_list(), strict=True))
            return pl.Series([self._known[text] for text in texts], dtype=pl.String)

    def _classify(self, agents: pl.Series) -> pl.Series:
        frame = agents.to_frame("agent").with_columns(
            pl.col("agent").str.replace_all(self._exclusions, "").str.strip_chars().alias("left")
        )
        left = pl.col("left")
        name = left.str.extract(self._crawlers, 1)
        for pattern, unless in self._look_aheads:
            rest = left.str.replace_all(unless, "")
            first = rest.str.find(pattern) <= left.str.find(self._crawlers).fill_null(rest.str.len_bytes())
            name = pl.when(first).then(rest.str.extract(pattern, 1)).otherwise(name)
        if self.rules.agents:
            own = pl.col("agent").str.contains(glob_expression(self.rules.agents))
            name = pl.when(own).then(pl.coalesce(name, pl.col("agent"))).otherwise(name)
        if self.rules.humans:
            human = pl.col("agent").str.contains(glob_expression(self.rules.humans))
            name = pl.when(human).then(None).otherwise(name)
        return frame.select(name.alias("bot"))["bot"]

    @cached_property
    def _patterns(self) -> list[str]:
        from crawlerdetect.providers.crawlers import data

        return list(data)

    @cached_property
    def _exclusions(self) -> str:
        from crawlerdetect.providers.exclusions import data

        return f"(?i)(?:{'|'.join(data)})"

    @cached_property
    def _crawlers(self) -> str:
        plain = [pattern for pattern in self._patterns if not _LOOK_AHEAD.search(pattern)]
        return f"(?i)({'|'.join(plain)})"

    @cached_property
    def _look_aheads(self) -> list[tuple[str, str]]:
        """(pattern, what must not match): `X(?!Y)`, which Polars' engine lacks, is X once every XY is gone."""
        pairs = []
        for pattern in self._patterns:
            match = _LOOK_AHEAD.search(pattern)
            if match:
                stem = pattern[: match.start()]
                pairs.append((f"(?i)({stem})", f"(?i){stem}(?:{match.group(1)})"))
        return pairs
