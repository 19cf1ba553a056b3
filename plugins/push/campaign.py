"""Campaigns: files of YAML that say to whom something is sent, what, by which way, and when."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from crm.errors import Unusable
from crm.filters import When
from crm.nearest import did_you_mean, one_of
from crm.structs import MistakeError, checked
from crm.units import Span

Level = Literal[3, 2, 1]
Had = Literal["seen", "bought", "sent"]
Of = Literal["any", "category", "item"]
LEVELS: Final[tuple[Level, ...]] = get_args(Level)


class Moment(str):
    """A date, or a time, of a file: `2026-03-20`, `2026-03-20T09:00`; in a zone that whoever reads it knows."""

    __slots__ = ()

    @classmethod
    def parse(cls, value: object) -> "Moment":
        """The moment that is written.

        Raises:
            ValueError: it is none.
        """
        text = value.isoformat() if isinstance(value, date) else value
        if not isinstance(text, str):
            raise ValueError(f"expected a date or a time such as 2026-03-20T09:00, got `{text}`")
        return cls(When.parse(text))

    def at(self, zone: str, now: datetime) -> datetime:
        """The moment in UTC; a date is its beginning."""
        return When(self).span(ZoneInfo(zone), now)[0]


class Quiet(str):
    """A span of every day, such as `21:00-08:00`, which may go over midnight."""

    __slots__ = ()

    @classmethod
    def parse(cls, value: object) -> "Quiet":
        """The span that is written.

        Raises:
            ValueError: it is none.
        """
        try:
            begin, end = cls(value).times() if isinstance(value, str) else (time(), time())
        except ValueError:
            begin = end = time()
        if begin == end:
            raise ValueError(f"expected two times of the day such as 21:00-08:00, got `{value}`")
        return cls(value)

    def times(self) -> tuple[time, time]:
        """When it begins and ends."""
        begin, end = (time.fromisoformat(part.strip()) for part in self.split("-"))
        return begin, end


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the catalogue: what fits every list that is given."""

    categories: Annotated[tuple[str, ...], Meta(description="Items within one of these: food, or food/grain.")] = ()
    tags: Annotated[tuple[str, ...], Meta(description="Items with one of these tags.")] = ()
    ids: Annotated[tuple[str, ...], Meta(description="These items.")] = ()


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """How many messages a customer may get within a span."""

    messages: Annotated[int, Meta(ge=1, description="So many messages.")]
    within: Annotated[Span, Meta(description="In so long a time, such as 7d.")]


class Cap(msgspec.Struct, frozen=True, kw_only=True):
    """How often a customer is written to at most."""

    all: Annotated[Limit | None, Meta(description="By all campaigns together.")] = None
    this: Annotated[Limit | None, Meta(description="By this campaign.")] = None


class Blackout(msgspec.Struct, frozen=True, kw_only=True):
    """For how long a purchase keeps a customer, or items, out."""

    days: Annotated[int, Meta(ge=1, le=3660, description="For so many days.")]
    of: Annotated[
        Of,
        Meta(
            description="What is left out: any, a customer who has bought anything; category, items of the categories "
            "that were bought of; item, the items that were bought."
        ),
    ] = "any"


Name = Annotated[str, Meta(min_length=1)]


class Campaign(msgspec.Struct, frozen=True, kw_only=True):
    """To whom something is sent, what, by which way, and when."""

    name: Annotated[str, Meta(description="What it is called.")] = ""
    segment: Annotated[Name | None, Meta(description="Only members of this segment.")] = None
    where: Annotated[Name | None, Meta(description="Only customers of whose fields this condition in SQL is true.")] = (
        None
    )
    tier: Annotated[tuple[Name, ...], Meta(description="Only customers of these tiers (`crm push tiers --save`).")] = ()
    items: Annotated[Part, Meta(description="The part of the catalogue.")] = Part()
    algorithm: Annotated[Name, Meta(description="The recommender that ranks items.")] = "interest"
    parameters: Annotated[dict[str, Any], Meta(description="Parameters of the recommender.")] = msgspec.field(
        default_factory=dict
    )
    per_customer: Annotated[int, Meta(ge=1, le=100, description="So many items at most for each customer.")] = 3
    levels: Annotated[
        tuple[Level, ...],
        Meta(
            description="At which levels of the customer's interests items are looked for, one after the other until "
            "one has any; [3] never falls back, and with [] interests do not matter."
        ),
    ] = LEVELS
    least_weight: Annotated[float, Meta(ge=0, lt=1, description="Weaker interests do not count as such.")] = 0.0
    skip: Annotated[
        tuple[Had, ...],
        Meta(description="What a customer is not offered again: what was seen, bought, sent, in any campaign."),
    ] = ("bought", "sent")
    diversity: Annotated[
        Annotated[float, Meta(ge=0, le=1)] | None,
        Meta(description="How much unlike each other a customer's items are: 0 not at all, 1 as much as can be (MMR)."),
    ] = None
    channels: Annotated[
        tuple[Name, ...],
        Meta(description="Channels, the best first; each customer gets the first that is agreed to. None for all."),
    ] = ()
    template: Annotated[Name, Meta(description="The template of the messages.")] = "default"
    cap: Annotated[Cap, Meta(description="How often a customer is written to at most.")] = Cap()
    quiet: Annotated[
        Quiet | None, Meta(description="When nothing is sent, such as 21:00-08:00, in the customer's zone.")
    ] = None
    blackout: Annotated[
        Blackout | None, Meta(description="For how long a purchase keeps customers, or items, out.")
    ] = None
    control: Annotated[
        float, Meta(ge=0, lt=1, description="The share of customers who get nothing, so that effects can be measured.")
    ] = 0.0
    budget: Annotated[
        Annotated[int, Meta(ge=0)] | None, Meta(description="So many messages at most in all; best scores first.")
    ] = None
    send_at: Annotated[Moment | None, Meta(description="Nothing goes out before.")] = None
    expires: Annotated[Span | None, Meta(description="After so long a wait a message goes out no more.")] = None
    round: Annotated[
        Name | None, Meta(description="Each customer is written to once a round.  [default: the date, UTC]")
    ] = None
    seed: Annotated[int, Meta(description="Another number draws other control groups.")] = 0

    def __post_init__(self) -> None:
        for name in ("channels", "levels", "skip", "tier"):
            values = getattr(self, name)
            if len(set(values)) < len(values):
                raise ValueError(f"`{name}` has something twice")
        if list(self.levels) != sorted(self.levels, reverse=True):
            raise ValueError("`levels` go from 3 to 1")

    def round_at(self, at: datetime) -> str:
        """The name of the round that a moment is in."""
        return self.round or at.astimezone(UTC).date().isoformat()


def read(path: Path) -> Campaign:
    """Read and check the file of a campaign; one without a name is called as its file.

    Raises:
        Unusable: the file cannot be read, is no YAML, or holds an unknown key or a wrong value.
    """
    from crm.yamlfile import read_mapping

    try:
        found = checked(Campaign, read_mapping(path))
    except MistakeError as wrong:
        raise Unusable(f"{path}: {wrong}") from None
    return found if found.name else msgspec.structs.replace(found, name=path.stem)


def known(where: str, key: str, names: Iterable[str], there: Iterable[str]) -> None:
    """See that all names of something are known.

    Args:
        where: What names them: the file of the campaign.
        key: The key of the file.
        names: The names.
        there: Those that there are.

    Raises:
        Unusable: one is not; the nearest is named.
    """
    there = list(there)
    for name in names:
        if name not in there:
            have = f"there are: {one_of(there)}" if there else "there are none yet"
            raise Unusable(f"{where}: `{key}`: no {key.rstrip('s')} `{name}`{did_you_mean(name, there)}; {have}")
