"""Sheets for persons: which tickets to look at, and what the answers change."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl

from crm.nearest import did_you_mean

SHEET = ("ticket", "fault_text", "class", "confidence", "answer")
REJECTED = ("row", "ticket", "answer", "reason")


def to_look_at(told: pl.DataFrame, below: float, count: int | None, mix: float, seed: int) -> pl.DataFrame:
    """Tickets for a person: the least sure first, and some others drawn among them.

    Args:
        told: `ticket`, `class`, `confidence` of tickets whose class no person has said.
        below: Those with less confidence are for a person.
        count: How many at most; None for all.
        mix: Which share of them is drawn from all others, so that mistakes are found of which the model is sure.
        seed: Where chance begins.
    """
    ordered = told.sort("confidence", "ticket")
    unsure, sure = (ordered.filter(pl.col("confidence") < below), ordered.filter(pl.col("confidence") >= below))
    wanted = unsure.height if count is None else count
    drawn = min(sure.height, round(wanted * mix) if count is not None else round(wanted * mix / (1 - mix)))
    kept = unsure.head(wanted - drawn if count is not None else wanted)
    rng = np.random.default_rng(seed)
    others = sure[np.sort(rng.choice(sure.height, drawn, replace=False))]
    every = pl.concat([kept, others])
    return every[rng.permutation(every.height)] if drawn else every


@dataclass(frozen=True)
class Answers:
    """What a sheet says.

    Attributes:
        good: `ticket` and `class` of answers that change something.
        same: How many say what is known.
        empty: How many rows have no answer.
        rejected: `row`, `ticket`, `answer`, `reason` of answers that cannot be taken.
    """

    good: pl.DataFrame
    same: int
    empty: int
    rejected: pl.DataFrame


def answers(
    sheet: pl.DataFrame, tickets: Collection[str], said: pl.DataFrame, classes: Collection[str], new: bool
) -> Answers:
    """The answers of a sheet, judged.

    Args:
        sheet: Texts `ticket` and `answer`, and `row`, the number in the file.
        tickets: All tickets that there are.
        said: `ticket`, `class` as persons have said them so far.
        classes: The known classes.
        new: Whether an answer may be a class that is not known.
    """
    rows = sheet.with_columns(pl.col("ticket", "answer").str.strip_chars().replace("", None))
    given = rows.filter(pl.col("answer").is_not_null())
    wrong = given.join(
        pl.DataFrame({"ticket": sorted(tickets)}, schema={"ticket": pl.String}), on="ticket", how="anti"
    ).with_columns(pl.lit("there is no such ticket").alias("reason"))
    twice = pl.col("answer").n_unique().over("ticket") > 1
    torn = given.filter(pl.col("ticket").is_not_null() & twice).with_columns(
        pl.lit("other answers of the sheet say something else").alias("reason")
    )
    strange = given.clear() if new else given.filter(~pl.col("answer").is_in(sorted(classes)))
    why = [f"is no known class{did_you_mean(each, classes)}; --new-classes takes it" for each in strange["answer"]]
    strange = strange.with_columns(pl.Series("reason", why, dtype=pl.String))
    rejected = pl.concat([wrong, strange, torn], how="diagonal").unique("row", keep="first", maintain_order=True)
    taken = given.join(rejected, on="row", how="anti").unique("ticket", keep="first", maintain_order=True)
    before = said.rename({"class": "before"})
    taken = taken.join(before, on="ticket", how="left", maintain_order="left")
    same = pl.col("before").eq_missing(pl.col("answer"))
    good = taken.filter(~same).select("ticket", pl.col("answer").alias("class"))
    return Answers(good, taken.height - good.height, rows.height - given.height, rejected.select(REJECTED).sort("row"))


def as_said(good: pl.DataFrame, now: datetime, by: str) -> pl.DataFrame:
    """Answers as rows of the table of classes."""
    return good.select(
        "ticket",
        pl.lit("person").alias("origin"),
        "class",
        pl.lit(None, dtype=pl.Float64).alias("confidence"),
        pl.lit(now).cast(pl.Datetime("us", "UTC")).alias("ts"),
        pl.lit(by).alias("by"),
    )
