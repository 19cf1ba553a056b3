"""What cuts lines into fields: a plan for the lines it can prove, and the reference for all others."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import polars as pl

from logparse import json_lines, reference, separated, variants
from logparse.layout import Layout

Plan: TypeAlias = Callable[[pl.DataFrame, Layout, bytes | None], pl.DataFrame]
Reference: TypeAlias = Callable[[pl.DataFrame, Layout], pl.DataFrame]


@dataclass(frozen=True)
class Parser:
    """A plan and its reference.

    Attributes:
        plan: As `logparse.plan.parse`: fields, and which lines are proven.
        reference: As `logparse.reference.parse`: fields, null where a line does not fit.
        failed_field: The directive at which each line, known not to fit, stops fitting.
    """

    plan: Plan
    reference: Reference
    failed_field: Callable[[pl.Series, Layout], pl.Series]


PARSERS: dict[str, Parser] = {
    "literals": Parser(variants.planned, reference.parse, reference.failed_field),
    "squeezed": Parser(variants.squeezed_plan, variants.squeezed_reference, variants.squeezed_failed_field),
    "separated": Parser(separated.plan, separated.reference, reference.failed_field),
    "json": Parser(json_lines.plan, json_lines.reference, json_lines.failed_field),
}
"""By `Layout.parser`."""
