"""Bounds of the parameters of recommenders, beside their types: `crm.parameters` checks what users write by them."""

from typing import Annotated

from msgspec import Meta

Positive = Annotated[float, Meta(gt=0)]
NotNegative = Annotated[float, Meta(ge=0)]
Share = Annotated[float, Meta(ge=0, le=1)]
Part = Annotated[float, Meta(ge=0, lt=1)]
Count = Annotated[int, Meta(ge=1)]
Few = Annotated[int, Meta(ge=1, le=1000)]
"""What is gone through one by one."""
Modelled = Annotated[int, Meta(ge=1, le=20_000)]
"""How many items a model is of; its memory grows with the square."""
Seed = Annotated[int, Meta(ge=0)]
