"""How well robots are told from people: by the names of their agents, and by behaviour with all names hidden.

    python benchmarks/judge_robots.py LOG --site HOST [--log-format combined]
    python benchmarks/judge_robots.py --agents FILE

LOG is an access log. Its runs that have a view are judged by behaviour alone, as if no agent had a name, and counted
by what is known of them otherwise:

- *named*: the agent is on the list of robots. The share judged is the recall.
- *people*: the agent is not, and the run loads assets that refer to pages of HOST, as a browser does. What is
  judged here is false. (These runs have assets, so the rule of assets cannot judge them.)
- *others*: neither is known.

A second table judges the same runs as if all assets lay on another host, so that the log has none: what the rule
of assets does to such a site. Last come the distinct agents of runs that load assets as browsers do, and those of
them that are on the list.

FILE is a list of agents, a line each, plain or gzip: how many of them the list names.
"""

from __future__ import annotations

import argparse
import gzip
import re
from pathlib import Path

import numpy as np
import polars as pl

from logparse.behaviour import ASSET, reasons, signs
from logparse.blocks import open_stream, read_blocks
from logparse.formats import BUILT_IN
from logparse.kernel import Kernel
from logparse.pattern import compile_pattern
from logparse.robots import Robots, list_version
from logparse.rules import BehaviourRules, RobotRules, Rules
from logparse.sessions import is_view, run_starts
from plugins.logs.config import LogsConfig

COLUMNS = ("visitor", "ts", "line", "agent", "bot", "kind", "status", "page", "referrer")


def read(log: Path, name: str) -> pl.DataFrame:
    """The hits of a log in the order of their runs, with `view` and `signs` as if nobody had a robot's name."""
    (spec,) = (spec for spec in BUILT_IN if spec.name == name)
    kernel = Kernel.of(compile_pattern(spec), Rules(), bytes(32))
    with open_stream(log) as (stream, _):
        hits = pl.concat([kernel.parse(block).hits.select(COLUMNS) for block in read_blocks(stream, tail_is_line=True)])
    hits = hits.rename({"bot": "name"}).with_columns(pl.lit(None, dtype=pl.String).alias("bot"))
    return hits.with_columns(is_view().alias("view"), signs()).sort("visitor", "ts", "line")


def judged(hits: pl.DataFrame, site: str, rules: BehaviourRules) -> pl.DataFrame:
    """One row a run with a view: `agent`, `name`, `renders`, `views`, `reason`."""
    starts = run_starts(hits["visitor"], hits["ts"], LogsConfig().session_rules().idle)
    own = pl.col("referrer").str.contains(f"(?i)^https?://(?:www\\.)?{re.escape(site)}(?:/|$)").fill_null(False)
    runs = (
        hits.with_columns(pl.Series("run", np.cumsum(starts)))
        .group_by("run", maintain_order=True)
        .agg(
            pl.col("agent", "name").first(),
            ((pl.col("kind") == "asset") & own).any().alias("renders"),
            pl.col("view").sum().alias("views"),
        )
        .with_columns(reasons(hits, starts, rules).alias("reason"))
    )
    return runs.filter(pl.col("views") > 0)


def counted(runs: pl.DataFrame) -> pl.DataFrame:
    """The runs by what is known of them: how many, how many are judged robots', and by which reasons."""
    named = pl.col("name").is_not_null()
    who = pl.when(named).then(pl.lit("named")).when("renders").then(pl.lit("people")).otherwise(pl.lit("others"))
    robot = pl.col("reason").is_not_null()
    return (
        runs.group_by(who.alias("who"))
        .agg(
            pl.len().alias("runs"),
            robot.sum().alias("judged"),
            robot.mean().alias("share"),
            (pl.col("views").filter(robot).sum() / pl.col("views").sum()).alias("share of views"),
            *(
                pl.col("reason").str.contains(reason, literal=True).sum().alias(reason)
                for reason in ("robots.txt", "no assets", "inhuman rate")
            ),
        )
        .sort("who")
    )


def of_log(log: Path, name: str, site: str) -> None:
    """Print the tables of a log."""
    rules = LogsConfig().robots.behaviour()
    hits = read(log, name)
    runs = judged(hits, site, rules)
    print(f"{log.name}: runs with a view, judged by behaviour alone")
    print(counted(runs))
    elsewhere = judged(hits.with_columns(pl.col("signs") & ~pl.lit(ASSET, dtype=pl.UInt8)), site, rules)
    print("the same, if its assets lay on another host")
    print(counted(elsewhere))
    agents = runs.filter("renders").select("agent", "name").unique()
    named = agents.drop_nulls("name")
    print(
        f"agents of runs that load assets as browsers do: {agents.height:,}, of which {named.height:,} are named robots"
    )
    for agent, found in named.sort("agent").iter_rows():
        print(f"  {found}: {agent}")


def of_agents(file: Path) -> None:
    """Print how many agents of a file the list names."""
    raw = file.read_bytes()
    text = (gzip.decompress(raw) if raw.startswith(b"\x1f\x8b") else raw).decode()
    agents = pl.Series("agent", text.splitlines())
    found = Robots(RobotRules()).names(agents)
    named = len(found) - found.null_count()
    print(f"{file.name}: {named:,} of {len(agents):,} agents are named robots ({named / len(agents):.2%})")


def main() -> None:
    """Judge a log or a list of agents."""
    parser = argparse.ArgumentParser(description="How well robots are told from people.")
    parser.add_argument("log", type=Path, nargs="?", metavar="LOG", help="an access log, plain or gzip")
    parser.add_argument("--site", default="shop.example", help="the site's own host (default: shop.example)")
    parser.add_argument("--log-format", default="combined", help="a format's name (default: combined)")
    parser.add_argument("--agents", type=Path, metavar="FILE", help="a list of agents, a line each")
    given = parser.parse_args()
    pl.Config.set_tbl_formatting("ASCII_MARKDOWN").set_tbl_hide_column_data_types(True)
    pl.Config.set_tbl_hide_dataframe_shape(True).set_tbl_width_chars(160).set_tbl_cols(10).set_float_precision(4)
    print(f"robots by name: {list_version()}")
    if given.log:
        of_log(given.log, given.log_format, given.site)
    if given.agents:
        of_agents(given.agents)


if __name__ == "__main__":
    main()
