"""Where two workspaces differ: part of soak_kill.py."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import polars as pl

from crm.app import App
from crm.workspace import Workspace
from plugins import DEFAULT_PLUGINS

WHEREABOUTS = ("source", "line", "run")
"""Columns that tell where a row came from and when."""


def opened(path: Path) -> Workspace:
    """The workspace as it lies there."""
    return App(DEFAULT_PLUGINS, path).workspace()


def again_differences(summary: Path) -> list[str]:
    """What a further run, which opens every file, has found new."""
    lines = json.loads(summary.read_text())["lines"]
    return [f"a further run with --verify found {lines} new lines"] if lines else []


def table_differences(found: Path, wanted: Path, but: tuple[str, ...]) -> list[str]:
    """Tables of the lake that differ in more than some columns."""
    left, right = opened(found), opened(wanted)
    names = [
        name for name in left.lake.contracts if not sorted_table(left, name, but).equals(sorted_table(right, name, but))
    ]
    return [f"table {name}: {describe(left, right, name, but)} ({found.name}, {wanted.name})" for name in names]


def sorted_table(workspace: Workspace, name: str, but: tuple[str, ...]) -> pl.DataFrame:
    """A table in an order of its own, without some columns; a hit's source by its fingerprint where its line counts."""
    frame = workspace.scan(name).collect()
    if "source" in frame.columns and "line" not in but:
        sources = workspace.records.frame("sources").sort("run").group_by("source").agg(pl.col("fingerprint").last())
        frame = frame.join(sources, on="source", how="left")
    frame = frame.drop(but, strict=False)
    flat = [column for column in frame.columns if not frame[column].dtype.is_nested()]
    return frame.sort(flat, maintain_order=True)


def describe(left: Workspace, right: Workspace, name: str, but: tuple[str, ...]) -> str:
    """How many rows each side has, and the first that the other lacks."""
    one, other = sorted_table(left, name, but), sorted_table(right, name, but)
    flat = [column for column in one.columns if not one[column].dtype.is_nested()]
    rows = [
        a.join(b, on=flat, how="anti", nulls_equal=True).head(1).rows(named=True)
        for a, b in ((one, other), (other, one))
    ]
    return f"{one.height} rows and {other.height}, such as {rows[0]} and {rows[1]}"


def ledger_differences(found: Path, wanted: Path) -> list[str]:
    """Sources whose accounts differ."""
    left, right = accounts(found), accounts(wanted)
    return [
        f"source {key}: {left.get(key)} instead of {right.get(key)}"
        for key in sorted({*left, *right})
        if left.get(key) != right.get(key)
    ]


def accounts(path: Path) -> dict[str, dict[str, object]]:
    """What the ledger says of each source, by its fingerprint: where every line went, and how far it was read."""
    out: dict[str, dict[str, object]] = {}
    for (_, *_rest), rows in opened(path).records.frame("sources").sort("run").group_by("source", maintain_order=True):
        last = rows.row(-1, named=True)
        totals: dict[str, object] = {name: rows[name].sum() for name in ("lines", "hits", "blank")}
        totals |= {name: summed(rows[name]) for name in ("filtered", "rejected")}
        out[last["fingerprint"]] = totals | {name: last[name] for name in ("head", "offset", "tail", "tail_bytes")}
    return out


def summed(texts: pl.Series) -> dict[str, int]:
    """The sum of counts by reason, each a JSON object."""
    return dict(sum((Counter(json.loads(text)) for text in texts), Counter()))
