"""The section `logs` of the configuration."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Literal, cast, get_args

import msgspec
from msgspec import Meta

from crm.errors import Unusable
from crm.nearest import did_you_mean, one_of
from crm.s3_config import S3Config
from crm.units import Charset, Duration, Size, Zone
from logparse.rules import BehaviourRules, DropRule, PageRules, RobotRules, Rules, SessionRules, VisitorRules
from logparse.spec import LogFormat, Syntax

if TYPE_CHECKING:
    from crm.plugins import PluginHost

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


class RobotsConfig(RobotRules, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who is a robot, by name and by behaviour."""

    robots_txt: Annotated[bool, Meta(description="Who asks for /robots.txt is a robot.")] = True
    no_assets: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(description="Who views so many pages, or more, and loads not one asset is a robot."),
    ] = 30
    rate_views: Annotated[
        Annotated[int, Meta(ge=2)] | None,
        Meta(description="Who views so many pages within rate_window is a robot."),
    ] = 60
    rate_window: Annotated[Duration, Meta(description="From the first of rate_views to the last.")] = Duration(
        minutes=1
    )

    def names(self) -> RobotRules:
        """The rules of names, by which hits are marked."""
        return RobotRules(agents=self.agents, humans=self.humans)

    def behaviour(self) -> BehaviourRules:
        """The rules of behaviour, by which runs are judged."""
        window = timedelta(0, self.rate_window.total_seconds())
        return BehaviourRules(
            robots_txt=self.robots_txt, no_assets=self.no_assets, rate_views=self.rate_views, rate_window=window
        )


class FormatConfig(msgspec.Struct, frozen=True, kw_only=True):
    """A log format of your own."""

    syntax: Annotated[
        str, Meta(description="How it is written: apache, nginx, named, w3c, csv or json; else the pattern shows it.")
    ] = ""
    pattern: Annotated[str, Meta(description="The pattern; of w3c and csv, the header.")] = ""
    keys: Annotated[
        dict[str, str | tuple[str, ...]],
        Meta(description="Of json, the path of keys of each role; of csv and w3c, the column of each role."),
    ] = {}
    help: Annotated[str, Meta(description="One line on what writes it.")] = ""

    def named(self, name: str) -> LogFormat:
        """The format under its name.

        Raises:
            FormatError: there is no such syntax, or none can be seen.
        """
        from logparse.errors import FormatError
        from logparse.pattern import guess_syntax

        known = get_args(Syntax)
        if self.syntax and self.syntax not in known:
            wrong = f"no syntax `{self.syntax}`{did_you_mean(self.syntax, known)}"
            raise FormatError(f"{wrong}; there are: {one_of(known)}")
        syntax = self.syntax or (guess_syntax(self.pattern).syntax if self.pattern else "json")
        return LogFormat(name, cast(Syntax, syntax), self.pattern, self.help, self.keys)


EngineName = Literal["local", "spark"]
"""Where logs are mined: on this machine, or on a cluster of Apache Spark."""


class SparkConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The cluster of Apache Spark that the engine spark works on."""

    master: Annotated[
        str | None,
        Meta(
            description="URL of the cluster: spark://HOST:PORT, yarn, k8s://URL, or local[N] for N processes here; "
            "without it, what Spark's own configuration says, else local[*]."
        ),
    ] = None
    settings: Annotated[
        dict[str, str | int | float | bool],
        Meta(description="Spark's own settings by name, such as spark.executor.memory: 2g."),
    ] = {}
    range: Annotated[Size, Meta(description="So many bytes of a log that is not compressed are one task.")] = Size(
        64 << 20
    )


class LogsConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Access logs: format, visitors, pages, robots, sessions."""

    format: Annotated[str, Meta(description="Log format: a name, a pattern, or auto.")] = "auto"
    formats: Annotated[
        dict[str, FormatConfig], Meta(description="Log formats of your own by name; auto tries them first.")
    ] = {}
    charset: Annotated[Charset, Meta(description="Charset of the logs, such as gbk or big5.")] = Charset("utf-8")
    tz: Annotated[Zone, Meta(description="Time zone of logs whose times have no offset.")] = Zone("UTC")
    visitors: VisitorRules = VisitorRules()
    pages: PageRules = PageRules()
    robots: RobotsConfig = RobotsConfig()
    sessions: SessionsConfig = SessionsConfig()
    drop: Annotated[tuple[DropRule, ...], Meta(description="Hits that are not stored, each rule with a name.")] = ()
    engine: Annotated[
        EngineName, Meta(description="Where logs are mined: local is this machine, spark a cluster of Apache Spark.")
    ] = "local"
    spark: SparkConfig = SparkConfig()
    s3: S3Config = S3Config()

    def check(self, host: "PluginHost") -> None:
        """Compile the log formats, and see whether the rules agree with each other; `crm config check` asks for it.

        Raises:
            Unusable: they cannot be used.
        """
        from logparse.errors import FormatError
        from plugins.logs.opening import choose_format

        self.session_rules()
        self.s3.check("logs.s3")
        try:
            choose_format(self.format, [*host.log_formats().values(), *self.log_formats()])
        except FormatError as error:
            raise Unusable(f"logs.format: {error}") from error

    def log_formats(self) -> list[LogFormat]:
        """The formats of the configuration.

        Raises:
            Unusable: one cannot be compiled.
        """
        from logparse.errors import FormatError
        from logparse.pattern import compile_pattern

        found = []
        for name, given in self.formats.items():
            try:
                found.append(given.named(name))
                compile_pattern(found[-1])
            except FormatError as error:
                raise Unusable(f"logs.formats.{name}: {error}") from error
        return found

    def rules(self) -> Rules:
        """The rules by which lines become hits."""
        return Rules(
            visitors=self.visitors,
            pages=self.pages,
            robots=self.robots.names(),
            drop=self.drop,
            charset=str(self.charset),
            tz=str(self.tz),
        )

    def given(self, **options: object) -> "LogsConfig":
        """The configuration with options, where not None, before what the file says."""
        return msgspec.structs.replace(self, **{k: v for k, v in options.items() if v is not None})

    def session_rules(self, **given: object) -> SessionRules:
        """The rules by which hits become sessions; `given` options, where not None, come before the file's.

        Raises:
            Unusable: they contradict each other.
        """
        values = msgspec.structs.asdict(self.sessions) | {k: v for k, v in given.items() if v is not None}
        plain = {k: timedelta(0, v.total_seconds()) if isinstance(v, timedelta) else v for k, v in values.items()}
        rules = SessionRules(**plain, robots=self.robots.behaviour())  # type: ignore[arg-type]  # the fields of both structs have the same types
        if not timedelta(0) < rules.idle <= LONGEST_IDLE:
            raise Unusable("logs.sessions.idle must be longer than 0s and at most 1d")
        if rules.max_length is not None and rules.max_length <= timedelta(0):
            raise Unusable("logs.sessions.max_length must be longer than 0s")
        return rules
