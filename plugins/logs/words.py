"""What becomes of lines, and by which rules, in words: for the summary of a run and for notes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from crm.cells import visible
from crm.errors import MinerFailed
from crm.messages import counted
from crm.units import Duration
from logparse.kernel import Account
from logparse.rules import BehaviourRules, SessionRules

FEW = 10
"""Up to so many logs are told one by one."""


@dataclass(frozen=True)
class Told:
    """What is told of one log.

    Attributes:
        name: As the user named it.
        state: "read", or else what became of it: "unchanged", "nothing new", "empty", "nothing
            to read yet", "gone", "refused".
        how: How it was read: as which source, by which format.
        account: Where its lines went.
        rejects: The first rejected lines: number, reason, directive at fault.
        error: Why it was refused.
    """

    name: str
    state: str
    how: str = ""
    account: Account = field(default_factory=Account)
    rejects: Sequence[tuple[int, str, str | None]] = field(default_factory=tuple)
    error: str = ""


def size(number: float) -> str:
    """A number of bytes: `1 byte`, `1.5 MB`."""
    if number < 1000:
        return counted(int(number), "byte")
    for unit in ("kB", "MB", "GB"):
        number /= 1000
        if number < 1000:
            return f"{number:.1f} {unit}"
    return f"{number / 1000:.1f} TB"


def miner_failure(failed: Mapping[str, str]) -> MinerFailed | None:
    """The error that names the miners that did not work; None if there are none."""
    if not failed:
        return None
    whose = "its" if len(failed) == 1 else "their"
    return MinerFailed(
        f"{counted(len(failed), 'miner')} did not work ({', '.join(failed)}): {whose} tables are as they were, and all "
        "else is stored"
    )


def format_words(name: str, share: float | None) -> str:
    """How a format was found."""
    return f"format {name}" if share is None else f"format {name}, which fits {share:.0%} of its first lines"


def lines_of(account: Account) -> str:
    """The law of lines in words: lines = hits + filtered + rejected + blank."""
    parts = [
        counted(account.hits, "hit"),
        f"{sum(account.filtered.values()):,} filtered",
        f"{sum(account.rejected.values()):,} rejected",
        f"{account.blank:,} blank",
    ]
    return f"{counted(account.lines, 'line')} = {' + '.join(parts)}"


def logs_in_words(logs: Sequence[Told]) -> Iterator[str]:
    """What became of each log; of many, what brought nothing, and all after the first few, is summed up."""
    many = len(logs) > FEW
    read = [log for log in logs if log.state == "read"]
    shown = read[:FEW] if many else logs
    for log in shown:
        yield from _log(log, alone=len(read) == 1)
    if len(read) > len(shown):
        rest = sum((log.account for log in read[FEW:]), Account())
        yield f"and {len(read) - FEW:,} more: {lines_of(rest)}"
    if many:
        yield from _counted(log.state for log in logs if log.state not in ("read", "refused"))
        yield from (line for log in logs if log.state == "refused" for line in _log(log, alone=False))


def _log(log: Told, *, alone: bool) -> Iterator[str]:
    """One log; where it alone was read, its account is left to that of all."""
    name = visible(log.name)
    if log.state == "refused":
        yield f"{name}: refused"
        return
    if log.state != "read":
        yield f"{name}: {log.state}"
        return
    yield f"{name}: {log.how}"
    if not alone:
        yield f"  {lines_of(log.account)}"
    yield from (f"  line {line} rejected: {_reason(reason, at)}" for line, reason, at in log.rejects)
    more = sum(log.account.rejected.values()) - len(log.rejects)
    if more:
        yield f"  and {more:,} more {'line' if more == 1 else 'lines'} rejected"


def _reason(reason: str, at: str | None) -> str:
    return f"{reason} at {at}" if at else reason


def _counted(states: Iterable[str]) -> Iterator[str]:
    counts: dict[str, int] = {}
    for state in states:
        counts[state] = counts.get(state, 0) + 1
    yield from (f"{count:,} more {state}" for state, count in counts.items())


def account_in_words(account: Account) -> Iterator[str]:
    """Where all lines went, with the reasons."""
    yield lines_of(account)
    for what, reasons in (("filtered", account.filtered), ("rejected", account.rejected)):
        yield from (f"  {count:,} {what}: {visible(reason)}" for reason, count in _largest_first(reasons))


def _largest_first(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def refusal(logs: Sequence[Told], meaning: str = "") -> str:
    """One sentence that names what was refused and why; of many, the first few.

    Args:
        logs: All logs.
        meaning: What that means for them, as in ", and ...".
    """
    refused = [log for log in logs if log.state == "refused"]
    named = "; ".join(f"{visible(log.name)}: {log.error}" for log in refused[:FEW])
    rest = f"; and {len(refused) - FEW:,} more" if len(refused) > FEW else ""
    return f"{len(refused):,} of {counted(len(logs), 'log')} could not be used{meaning}: {named}{rest}"


def duration(seconds: float) -> str:
    """`1h2m`, `3m20s` or `12s`, as the configuration writes it."""
    return str(Duration(seconds=round(seconds)))


def describe(rules: SessionRules) -> str:
    """Session rules in words."""
    parts = [f"a session ends after {_length(rules.idle)} without a hit"]
    if rules.max_length is not None:
        parts.append(f"lasts at most {_length(rules.max_length)}")
    if rules.max_hits is not None:
        parts.append(f"has at most {rules.max_hits:,} hits")
    if rules.new_referrer:
        own = f" (its own: {', '.join(rules.sites)})" if rules.sites else ""
        parts.append(f"a view from another site{own} begins a new one")
    return ", ".join([*parts, "a different login begins a new one"])


def behaviour(rules: BehaviourRules | None) -> str:
    """By what a run is taken for a robot's, in words."""
    parts = []
    if rules is not None and rules.robots_txt:
        parts.append("asks for /robots.txt")
    if rules is not None and rules.no_assets is not None:
        parts.append(f"has {rules.no_assets:,} views and no asset")
    if rules is not None and rules.rate_views is not None:
        parts.append(f"has {rules.rate_views:,} views within {_length(rules.rate_window)}")
    return f"who {' or '.join(parts)}" if parts else "nobody"


def reasons(counts: Mapping[str, int]) -> str:
    """Sessions of robots by reason, the most frequent first."""
    return ", ".join(f"{count:,} {reason}" for reason, count in _largest_first(counts))


def differences(before: SessionRules, now: SessionRules) -> str:
    """The session rules now in force, each with what it was before, as far as they differ."""
    parts = [
        ("", describe(now), describe(before)),
        ("robots by behaviour: ", behaviour(now.robots), behaviour(before.robots)),
    ]
    return "; ".join(f"{what}{new} (before: {old})" for what, new, old in parts if new != old)


def _length(length: timedelta) -> str:
    return duration(length.total_seconds())
