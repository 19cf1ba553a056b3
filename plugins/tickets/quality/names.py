"""Names that options of quality know, and that cost nothing to import."""

from typing import Final, Literal

Measure = Literal["loss", "tickets", "settled"]
MEASURES: Final[tuple[Measure, ...]] = ("loss", "tickets", "settled")
COST: Final = "cost"
MONTH: Final = "month"
DIMENSIONS: Final = (
    *("part_category", "fault_cause", "batch", "model", "vehicle_type", COST),
    *("part", "fault_code", "labour_code", "dealer", MONTH),
)
BANDS: Final = (200.0, 500.0, 1000.0, 2000.0, 5000.0, 10_000.0, 20_000.0)
"""Where bands of cost begin."""
MONTH_DAYS: Final = 365.25 / 12
"""How many days a month has on average."""
