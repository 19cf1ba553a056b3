"""Values of the configuration and of options that are written as text: durations, sizes, time zones, charsets."""

import re
from datetime import timedelta
from typing import Final

from crm.nearest import did_you_mean

_SIZE: Final = re.compile(r"(\d{1,18})(?: ?([KMGT]i)?B)?", re.ASCII)
_POWERS: Final = {"": 0, "Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40}
_DURATION: Final = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", re.ASCII)


class Duration(timedelta):
    """A timedelta written `30m`, `1h30m`, `45s`, `2d`: days, hours, minutes, seconds, in this order."""

    @classmethod
    def parse(cls, text: object) -> "Duration":
        """The duration that `text` writes.

        Raises:
            ValueError: it is not written as a duration, or is longer than 999,999,999 days.
        """
        match = _DURATION.fullmatch(text) if isinstance(text, str) and text else None
        if match is None:
            raise ValueError(f"expected a duration such as 30m, 1h30m, 45s or 2d, got `{text}`")
        days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
        try:
            return cls(days=days, hours=hours, minutes=minutes, seconds=seconds)
        except OverflowError:
            raise ValueError(f"expected a duration of at most 999999999d, got `{text}`") from None

    def __str__(self) -> str:
        total = self.days * 86_400 + self.seconds
        minutes, seconds = divmod(total, 60)
        hours, minutes = divmod(minutes, 60)
        days, hours = divmod(hours, 24)
        parts = zip((days, hours, minutes, seconds), "dhms", strict=True)
        return "".join(f"{number}{unit}" for number, unit in parts if number) or "0s"


class Size(int):
    """A number of bytes written `64MiB`, `1GiB`, `512KiB` or `4096`."""

    @classmethod
    def parse(cls, text: object) -> "Size":
        """The size that `text` writes.

        Raises:
            ValueError: it is not written as a size, or is 0.
        """
        match = _SIZE.fullmatch(str(text)) if isinstance(text, str | int) and not isinstance(text, bool) else None
        size = cls(int(match[1]) << _POWERS[match[2] or ""]) if match else cls(0)
        if not size:
            raise ValueError(f"expected a size such as 64MiB, 1GiB or 512KiB, got `{text}`")
        return size

    def __str__(self) -> str:
        unit = max((unit for unit, power in _POWERS.items() if self % (1 << power) == 0), key=_POWERS.__getitem__)
        return f"{self >> _POWERS[unit]}{unit}B" if unit else str(int(self))


class Span(Duration):
    """A duration that is not 0."""

    @classmethod
    def parse(cls, text: object) -> "Span":
        """The duration that `text` writes.

        Raises:
            ValueError: it is not written as a duration, is too long, or is no time at all.
        """
        found = Duration.parse(text)
        if not found:
            raise ValueError(f"expected more than no time, such as 30m, got `{text}`")
        return cls(found.days, found.seconds)


class Zone(str):
    """The name of a time zone of the tz database, such as `UTC` or `Asia/Shanghai`."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: object) -> "Zone":
        """The zone of this name, exactly as the tz database writes it.

        Raises:
            ValueError: there is none; the message names the nearest.
        """
        if not isinstance(text, str):
            raise ValueError(f"expected the name of a time zone such as Asia/Shanghai, got `{text}`")
        if text != "UTC" and text not in zones():
            raise ValueError(f"`{text}` is not a time zone{did_you_mean(text, zones())}")
        return cls(text)


class Charset(str):
    """The codec of a character set, such as `utf-8`, `gbk` or `big5hkscs`."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: object) -> "Charset":
        """The charset of this name in which logs can be read.

        Raises:
            ValueError: there is none, or it does not keep ASCII as it is.
        """
        from logparse.charsets import charset

        if not isinstance(text, str):
            raise ValueError(f"expected the name of a charset such as gbk, got `{text}`")
        return cls(charset(text))


def zones() -> frozenset[str]:
    """The names of all time zones, without those that mean "what this machine is set to"."""
    from zoneinfo import available_timezones

    return frozenset(available_timezones() - {"localtime", "Factory"}) | {"UTC"}
