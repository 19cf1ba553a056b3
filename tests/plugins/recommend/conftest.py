"""Events for recommenders."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

START = datetime(2026, 3, 1, tzinfo=UTC)
Rows = Sequence[tuple[str, str, float | None]]


@pytest.fixture(scope="session")
def events() -> Callable[[Rows], pl.DataFrame]:
    """Events of rows: who, item, and the day (None for no time)."""

    def made(rows: Rows) -> pl.DataFrame:
        times = [None if day is None else START + timedelta(days=day) for _, _, day in rows]
        return pl.DataFrame(
            {
                "who": pl.Series([who for who, _, _ in rows], dtype=pl.String),
                "item": pl.Series([item for _, item, _ in rows], dtype=pl.String),
                "ts": pl.Series(times, dtype=pl.Datetime("us", "UTC")),
                "weight": pl.Series([1.0] * len(rows), dtype=pl.Float64),
            }
        )

    return made


@pytest.fixture(scope="session")
def catalogue() -> pl.DataFrame:
    rows = [
        ("a", "东北大米 5kg", "food", "food/grain", "food/grain/rice", ["daily"]),
        ("b", "泰国大米 2kg", "food", "food/grain", "food/grain/rice", ["new"]),
        ("c", "花生油 5L", "food", "food/oil", "food/oil/peanut", ["daily"]),
        ("d", "running shoes", "sport", "sport/shoes", "sport/shoes/running", []),
        ("e", "trail running shoes", "sport", "sport/shoes", "sport/shoes/running", ["new"]),
        ("new", "五常大米 10kg", "food", "food/grain", "food/grain/rice", ["new"]),
    ]
    names = ("item", "title", "category1", "category2", "category3", "tags")
    return pl.DataFrame(rows, names, orient="row")
