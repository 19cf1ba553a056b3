"""Events of many tickets at once: who does what, and when."""

from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from service_year.fleet import END, Ints, Rng

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_HOUR: Final = 3600.0
_NAMES: Final = {"system": "crm", "store": "store", "clerk": "clerk 1"}


class Teller:
    """Tells what happens to tickets, each of which has its time, state, level and seat.

    Args:
        rng: The chance.
        rows: The tickets.
        pace: How slow each dealer is; 1 is usual.
    """

    def __init__(self, rng: Rng, rows: pl.DataFrame, pace: Floats) -> None:
        self.rng, self.rows, self.pace = rng, rows, pace
        self.dealer: Ints = rows["dealer"].str.slice(1).cast(pl.Int64).to_numpy() - 1
        self.now: Ints = rows["opened"].dt.epoch("s").to_numpy().copy()
        self.state = np.full(rows.height, "opened", dtype="<U13")
        self.level: Ints = np.zeros(rows.height, dtype=np.int64)
        self.seat = np.full(rows.height, "", dtype="<U3")
        self._told: list[pl.DataFrame] = []

    def wait(self, hours: float, *, least: float = 0.02) -> Ints:
        """Seconds until something happens to each ticket: so many hours on average, and at least."""
        return ((self.rng.exponential(hours, self.rows.height) + least) * _HOUR).astype(np.int64)

    def slow(self, hours: float) -> Ints:
        """The same of what a dealer does."""
        return (self.wait(hours) * self.pace[self.dealer]).astype(np.int64) + 60

    def tell(
        self,
        who: Bools,
        event: str,
        before: str,
        after: str,
        role: str,
        wait: Ints,
        *,
        level: Ints | int | None = None,
        seat: "npt.NDArray[np.str_] | str | None" = None,
        by: "npt.NDArray[np.str_] | None" = None,
        remark: pl.Series | str | None = None,
        data: pl.Series | None = None,
    ) -> Ints:
        """Let an event happen to some tickets.

        Args:
            who: Which.
            event: What.
            before: The state before it, of all of them.
            after: The state after it.
            role: As what somebody does it.
            wait: How long it takes, of all tickets.
            level: The level afterwards; None for as before.
            seat: The seat afterwards; None for as before.
            by: Names of who does it; None for those of the role.
            remark: What is said.
            data: What else belongs to it.

        Returns:
            When it happened, of all tickets; of others nothing of sense.
        """
        self.now = np.where(who, self.now + np.maximum(wait, 1), self.now)
        self.state[who] = after
        if level is not None:
            self.level = np.where(who, level, self.level)
        if seat is not None:
            self.seat = np.where(who, seat, self.seat)
        at = np.flatnonzero(who)
        names = self.rows["dealer"] if role == "dealer" else pl.Series([_NAMES.get(role)]).new_from_index(0, len(who))
        names = names if by is None else pl.Series(by)
        frame = pl.DataFrame(
            {
                "at": at,
                "ts": self.now[at],
                "level": self.level[at],
                "seat": self.seat[at],
                "by": names.gather(at),
                "remark": _texts(remark, at),
                "data": _texts(data, at),
            }
        )
        words = {"event": event, "before": before, "after": after, "role": role}
        self._told.append(frame.with_columns(**{name: pl.lit(word) for name, word in words.items()}))
        return self.now

    def events(self) -> pl.DataFrame:
        """All that has happened until the end of the year, as rows of the table."""
        frame = pl.concat(self._told).filter(pl.col("ts") < END.astype(int)).sort("at", "ts", maintain_order=True)
        when = pl.from_epoch(pl.col("ts"), "s").dt.cast_time_unit("us").dt.replace_time_zone("UTC")
        return frame.select(
            self.rows["ticket"].gather(frame["at"]),
            pl.int_range(1, pl.len() + 1).over("at").cast(pl.Int32).alias("number"),
            when.alias("ts"),
            "event",
            "before",
            "after",
            pl.col("level").replace(0, None).cast(pl.Int32),
            pl.col("seat").replace("", None),
            "role",
            "by",
            "remark",
            "data",
        )


def _texts(values: pl.Series | str | None, at: Ints) -> pl.Series:
    if isinstance(values, pl.Series):
        return values.gather(at)
    return pl.Series([values], dtype=pl.String).new_from_index(0, len(at))
