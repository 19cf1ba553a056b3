"""Command-line options that several plugins share: durations, time zones, charsets, sessions of robots."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar, get_args

import click

from crm.nearest import did_you_mean, one_of
from crm.units import Charset, Duration, Zone

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from crm.app import App

F = TypeVar("F", bound=Callable[..., Any])

OnDuplicate = Literal["update", "merge", "skip", "fail"]
ON_DUPLICATE: Final[tuple[OnDuplicate, ...]] = get_args(OnDuplicate)
"""What an import does with a row whose key is there already (`crm.storing`)."""


class DurationType(click.ParamType[Duration]):
    """A duration such as `30m`, `1h30m`, `45s` or `2d`; its value is a `crm.units.Duration`."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Duration:
        """Read the duration; what is none is a usage error."""
        try:
            return value if isinstance(value, Duration) else Duration.parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class ZoneType(click.ParamType[Zone]):
    """The name of a time zone of the tz database; its value is a `crm.units.Zone`, which is a str."""

    name = "zone"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Zone:
        """Look the zone up; an unknown name is a usage error with the nearest known one."""
        try:
            return value if isinstance(value, Zone) else Zone.parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002 - the signature is click's
        param: click.Parameter,  # noqa: ARG002 - as above
        incomplete: str,
    ) -> "list[CompletionItem]":
        """The zones that begin as typed."""
        from click.shell_completion import CompletionItem

        from crm.units import zones

        return [CompletionItem(zone) for zone in sorted(zones()) if zone.startswith(incomplete)]


class CharsetType(click.ParamType[Charset]):
    """The name of a charset; its value is a `crm.units.Charset`, which is a str."""

    name = "charset"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Charset:
        """Look the charset up; one that cannot be used is a usage error."""
        try:
            return value if isinstance(value, Charset) else Charset.parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class ShareType(click.ParamType[float]):
    """A share from 0 to 1, written `0.5` or `50%`; its value is a float."""

    name = "share"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read the share; what is none is a usage error."""
        found = re.fullmatch(r"(\d+(?:\.\d*)?|\.\d+)(%?)", str(value), re.ASCII)
        share = float(found[1]) / (100 if found[2] else 1) if found else 2.0
        if share > 1:
            self.fail(f"`{value}` is no share; write one from 0 to 1, such as 0.5 or 50%.", param, ctx)
        return share


class FormatType(click.ParamType[str]):
    """The name of a file format. Formats come from plugins, so the choice is made when a command runs.

    Args:
        known: Gives the formats by name for a run of the program; for None, while its options are not read yet, none.
    """

    name = "format"

    def __init__(self, known: "Callable[[App | None], Mapping[str, object]]") -> None:
        self._known = known

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str | None:  # noqa: ARG002 - click's
        """All names, as far as they are known."""
        return "|".join(self._known(ctx.obj)) or "FORMAT"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Take the name if it is one; another is a usage error with the nearest known one."""
        known = self._known(ctx.obj if ctx else None)
        if value not in known:
            self.fail(f"no format `{value}`{did_you_mean(value, known)}; there are: {one_of(known)}.", param, ctx)
        return str(value)

    def shell_complete(
        self,
        ctx: click.Context,
        param: click.Parameter,  # noqa: ARG002 - the signature is click's
        incomplete: str,
    ) -> "list[CompletionItem]":
        """The names that begin as typed."""
        from click.shell_completion import CompletionItem

        return [CompletionItem(name) for name in self._known(ctx.obj) if name.startswith(incomplete)]


CHARSET = CharsetType()
DURATION = DurationType()
SHARE = ShareType()
TZ = ZoneType()


def in_folder(_context: click.Context, _param: click.Parameter, value: Path | None) -> Path | None:
    """Find out before the run whether the file can be made after it: the callback of an option that names one."""
    if value is not None and not value.parent.is_dir():
        raise click.BadParameter(f"there is no folder {value.parent}.")
    return value


def with_robots(function: F) -> F:
    """`--with-robots`: sessions count also where their `bot` says why they are a robot's."""
    return click.option("--with-robots", is_flag=True, help="Take also sessions of robots by behaviour.")(function)
