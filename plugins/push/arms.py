"""The arms of a campaign: who is written to, and who is not, so that both can be compared."""

import json
from hashlib import blake2b
from typing import Final

import polars as pl

TREATED: Final = "treated"
CONTROL: Final = "control"

_BYTES: Final = 8


def drawn(key: bytes, campaign: str, customers: pl.Series, share: float, seed: int = 0) -> pl.Series:
    """The arm of each customer, by a keyed hash: the same customer is always in the same one.

    With a greater share the control group keeps those it had.

    Args:
        key: The workspace's key.
        campaign: Name of the campaign.
        customers: Who; shape (customers,).
        share: The share of customers who are in the control group.
        seed: Another number draws other groups.

    Returns:
        `treated` or `control`; shape (customers,).
    """
    base = blake2b(json.dumps([campaign, seed]).encode(), digest_size=_BYTES, key=key, person=b"arm")

    def place(customer: str) -> float:
        state = base.copy()
        state.update(customer.encode())
        return int.from_bytes(state.digest(), "big") / float(2 ** (8 * _BYTES))

    places = pl.Series("place", [place(each) for each in customers], dtype=pl.Float64)
    return places.to_frame().select(
        pl.when(pl.col("place") < share).then(pl.lit(CONTROL)).otherwise(pl.lit(TREATED)).alias("arm")
    )["arm"]


def arms(people: pl.DataFrame, stored: pl.DataFrame) -> pl.DataFrame:
    """The arm of each customer: the one that is stored, so that nobody changes sides, else the one that was drawn.

    Args:
        people: `customer`, `arm`.
        stored: `customer`, `arm` of this campaign.
    """
    known = stored.select("customer", pl.col("arm").alias("stored")).unique("customer", keep="any")
    rows = people.join(known, on="customer", how="left", maintain_order="left")
    return rows.with_columns(pl.coalesce("stored", "arm").alias("arm")).drop("stored")
