"""Segments by rules: each has a condition in SQL, and a customer is in every one whose condition it fulfils.

segments:
  young: age between 18 and 25 and region = '广东'
  big_spenders:
    where: spent_365 >= 5000
    help: who has spent much of late
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from crm import segments
from crm.errors import Unusable
from crm.nearest import did_you_mean
from crm.yamlfile import read_mapping

if TYPE_CHECKING:
    from crm.workspace import Workspace

Flags = npt.NDArray[np.bool_]

NAME: Final = re.compile(r"\w(?:[\w.-]*\w)?")
"""What a segment may be called."""

_KEYS: Final = ("where", "help")


@dataclass(frozen=True)
class Rule:
    """A segment and who belongs to it.

    Attributes:
        name: What it is called.
        where: The condition, in SQL.
        help: What it is for.
    """

    name: str
    where: str
    help: str = ""


def read_rules(path: Path) -> list[Rule]:
    """The rules in a file, in its order.

    Raises:
        Unusable: it cannot be read, or holds something else.
    """
    data = read_mapping(path)
    for key in data:
        if key != "segments":
            raise Unusable(
                f"{path}: unknown key `{key}`{did_you_mean(str(key), ['segments'])}; write `segments:` first"
            )
    rules = data.get("segments")
    if not isinstance(rules, dict) or not rules:
        raise Unusable(f"{path}: expected `segments:` with names and conditions, such as `young: age < 25`")
    return [_rule(path, name, said) for name, said in rules.items()]


def _rule(path: Path, name: object, said: object) -> Rule:
    where = f"{path}: `segments.{name}`"
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise Unusable(f"{where}: no name for a segment; write letters, digits, and _ . - between them")
    given: dict[object, object] = said if isinstance(said, dict) else {"where": said}
    for key in given:
        if key not in _KEYS:
            raise Unusable(f"{where}: unknown key `{key}`{did_you_mean(str(key), _KEYS)}")
    condition, told = given.get("where"), given.get("help", "")
    if not isinstance(condition, str) or not isinstance(told, str) or not condition.strip():
        raise Unusable(f"{where}: expected a condition, such as `age < 25`, or `where:` with one and `help:`")
    return Rule(name, condition, told)


def only_first(flags: Flags) -> Flags:
    """Of the segments that each customer fulfils, the first alone; shape (customers, segments)."""
    first: Flags = flags & (np.cumsum(flags, axis=1) == 1)
    return first


def save_numbered(workspace: "Workspace", prefix: str, people: pl.DataFrame) -> list[str]:
    """Make each cluster a segment `PREFIX-1`, `PREFIX-2` ...; others of this prefix go. Returns their names.

    Args:
        workspace: The workspace.
        prefix: What their names begin with.
        people: `who` and `cluster`, from 1; nobody twice.
    """
    numbers = people["cluster"].unique().sort().to_list()
    groups: dict[str, Iterable[str]] = {
        f"{prefix}-{number}": people.filter(cluster=number)["who"] for number in numbers
    }
    known = workspace.scan(segments.SEGMENT_MEMBERS.name).select(pl.col("segment").unique()).collect()["segment"]
    earlier = known.filter(known.str.contains(rf"^{re.escape(prefix)}-\d+$")).to_list()
    gone: dict[str, Iterable[str]] = dict.fromkeys(earlier, ())
    segments.replace(workspace, {**gone, **groups}.items())
    return list(groups)


def summary(rules: Sequence[Rule], flags: Flags) -> pl.DataFrame:
    """One row a segment: members, their share of all customers, and how many of them are in which others, too.

    Args:
        rules: The segments.
        flags: Who is in which; shape (customers, segments).
    """
    counts = flags.astype(np.float64).T @ flags if len(flags) else np.zeros((len(rules), len(rules)))
    counts = counts.astype(np.int64)
    names = [rule.name for rule in rules]
    return pl.DataFrame(
        {
            "segment": names,
            "members": np.diag(counts),
            "share": np.diag(counts) / max(1, len(flags)),
            "also": pl.Series([_others(names, row, at) for at, row in enumerate(counts)], dtype=pl.List(pl.String)),
            "help": [rule.help or None for rule in rules],
        },
        schema_overrides={"help": pl.String},
    )


def _others(names: Sequence[str], row: npt.NDArray[np.int64], own: int) -> list[str]:
    """The other segments that share members with one, those with the most first."""
    order = np.lexsort((np.arange(len(row)), -row))
    return [f"{names[at]} {row[at]:,}" for at in order if at != own and row[at]]
