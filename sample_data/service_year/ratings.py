"""What customers say of repairs: scores, complaints and praise, which differ from dealer to dealer."""

import numpy as np
import polars as pl

from service_year.fleet import DEALERS
from service_year.words import COMMENTS


def ratings(seed: int, rows: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """Ratings of tickets that customers have signed, one of a kind at most.

    Args:
        seed: Of the chance.
        rows: The tickets.
        events: What happened to them.
    """
    rng = np.random.default_rng([seed, 3])
    signed = events.filter(event="sign").select("ticket", "ts").join(rows.select("ticket", "dealer"), on="ticket")
    signed = signed.sort("ticket")
    dealer = signed["dealer"].str.slice(1).cast(pl.Int64).to_numpy() - 1
    quality = rng.normal(0, 0.3, DEALERS)[dealer]
    score = np.clip(np.round(rng.normal(4.2, 0.8, signed.height) + quality), 1, 5)
    often = {"score": 0.22, "complaint": 0.03 * np.exp(-2 * quality), "praise": 0.05 * np.exp(quality)}
    parts = []
    for kind, rate in often.items():
        at = np.flatnonzero(rng.random(signed.height) < rate)
        later = pl.Series(rng.integers(3600, 10 * 86_400, len(at)) * 1_000_000).cast(pl.Duration("us"))
        words = COMMENTS.get(kind, ("",))
        parts.append(
            pl.DataFrame(
                {
                    "ticket": signed["ticket"].gather(at),
                    "ts": signed["ts"].gather(at) + later,
                    "kind": pl.Series([kind]).new_from_index(0, len(at)),
                    "score": pl.Series(score[at] if kind == "score" else np.full(len(at), np.nan)).fill_nan(None),
                    "comment": pl.Series(words).gather(rng.integers(0, len(words), len(at))).replace("", None),
                }
            )
        )
    last = pl.lit(np.datetime64("2026-03-01T00:00:00", "us")).dt.replace_time_zone("UTC")
    return pl.concat(parts).filter(pl.col("ts") < last).sort("ts", "ticket", "kind")
