"""The section `logs` of the configuration."""

from datetime import timedelta
from typing import Annotated

import msgspec
from msgspec import Meta

from crm.errors import Unusable
from crm.units import Duration
from logparse.rules import DropRule, PageRules, RobotRules, Rules, SessionRules, VisitorRules

LONGEST_IDLE = timedelta(days=1)


class SessionsConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How hits are cut into sessions."""

    idle: Annotated[Duration, Meta(description="A longer gap between two hits ends the session; at most 1d.")] = (
        Duration(minutes=30)
    )
    max_length: Annotated[
        Duration | None, Meta(description="Longest time from the first hit of a session to its last.")
    ] = None
    max_hits: Annotated[Annotated[int, Meta(ge=1)] | None, Meta(description="Most hits in one session.")] = None
    new_referrer: Annotated[
        bool, Meta(description="A view that comes from another site than before begins a session.")
    ] = False
    sites: Annotated[tuple[str, ...], Meta(description="Host names of your own site, for new_referrer.")] = ()


class LogsConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Access logs: format, visitors, pages, robots, sessions."""

    format: Annotated[str, Meta(description="Log format: a name, a pattern, or auto.")] = "auto"
    visitors: VisitorRules = VisitorRules()
    pages: PageRules = PageRules()
    robots: RobotRules = RobotRules()
    sessions: SessionsConfig = SessionsConfig()
    drop: Annotated[tuple[DropRule, ...], Meta(description="Hits that are not stored, each rule with a name.")] = ()

    def rules(self) -> Rules:
        """The rules by which lines become hits."""
        return Rules(visitors=self.visitors, pages=self.pages, robots=self.robots, drop=self.drop)

    def session_rules(self, **given: object) -> SessionRules:
        """The rules by which hits become sessions; `given` options, where not None, come before the file's.

        Raises:
            Unusable: they contradict each other.
        """
        values = msgspec.structs.asdict(self.sessions) | {k: v for k, v in given.items() if v is not None}
        plain = {k: timedelta(0, v.total_seconds()) if isinstance(v, timedelta) else v for k, v in values.items()}
        rules = SessionRules(**plain)  # type: ignore[arg-type]  # the fields of both structs have the same types
        if not timedelta(0) < rules.idle <= LONGEST_IDLE:
            raise Unusable("logs.sessions.idle must be longer than 0s and at most 1d")
        if rules.max_length is not None and rules.max_length <= timedelta(0):
            raise Unusable("logs.sessions.max_length must be longer than 0s")
        return rules
