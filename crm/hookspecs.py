"""The hooks that a plugin may implement, and the small objects that they return.

A plugin is a module (or object) with functions marked by `hookimpl`. Every hook returns a list or a
mapping; what all plugins return is put together in the order of their names, built-in plugins first.
Hooks are called when their result is needed, so a plugin imports heavy libraries inside its functions.
An implementation names only the arguments that it needs.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias

import pluggy

from crm.tables import Table
from logparse.spec import LogFormat

if TYPE_CHECKING:
    import msgspec
    import polars as pl

    from crm.app import App
    from crm.config import Config
    from crm.content import Content, Read
    from crm.delivery import Sender
    from crm.recommending import Recommender

HOOK_API = 1
"""Version of the hook API. A plugin may say for which one it is written: `crm_hook_api = 1` in its module."""

PROJECT = "crm"
"""pluggy's project name, and the entry-point group of third-party plugins."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@dataclass(frozen=True)
class CommandRef:
    """Where a command is, so that `--help` can list it without importing it.

    Attributes:
        path: The words that call it: "logs mine"; a single word is a top-level command or a group.
        help: One line for the list of commands: the first sentence of the command's own help.
        target: "module:attribute" of a click command, imported on first use; None makes `path` a group.
    """

    path: str
    help: str
    target: str | None = None


@dataclass(frozen=True)
class Mined:
    """What a miner has made, with what it has to say.

    Attributes:
        tables: The rows of its tables by their names.
        notes: Sentences for people: what was left out, and what to call for more.
    """

    tables: "Mapping[str, pl.LazyFrame]"
    notes: tuple[str, ...] = ()


Mine: TypeAlias = "Callable[..., Mapping[str, pl.LazyFrame] | Mined]"


@dataclass(frozen=True)
class Miner:
    """Something that `crm logs mine` works out of the sessions.

    `mine(sessions, changed)` is given the sessions of people (`bot` is null) that start on the changed dates (UTC)
    and returns the rows of its tables for exactly these dates; the rows that the tables held for them are replaced.
    Where sums by date do not do, `newest` is a number of sessions: whenever sessions have changed, `mine` is given the
    newest so many (those that started last), in order, and its rows replace all that its tables held,
    which are not by date. `more` is what a user calls for the same of all sessions; it is told where there are more.
    With `hits` it is called as `mine(sessions, changed, hits)`, the last being people's stored hits of these dates and
    of those behind them, into which sessions reach.
    """

    name: str
    tables: tuple[str, ...]
    mine: Mine
    newest: int | None = None
    more: str = ""
    hits: bool = False


@dataclass(frozen=True)
class Writer:
    """A format of `-f/--format`: `write(frame, out)` writes a table to a binary stream.

    `check()` raises `crm.errors.UsageError` if a package is missing that it needs; called before a command begins.
    """

    name: str
    endings: tuple[str, ...]
    write: "Callable[[pl.LazyFrame, BinaryIO], None]"
    help: str = ""
    binary: bool = False
    check: "Callable[[], None] | None" = None


@dataclass(frozen=True)
class Reader:
    """A format of `--input-format`: `read(content)` makes a table of the bytes of a file.

    It raises `crm.errors.Unusable` for what it cannot read. `begins` are first bytes that tell the format of a file,
    of a text behind its byte-order mark and white space; where the format is `binary`, that is, no text, they tell it
    whatever the file is called.
    """

    name: str
    endings: tuple[str, ...]
    read: "Callable[[Content], Read]"
    help: str = ""
    binary: bool = False
    begins: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class Algorithm:
    """A recommender by name.

    Attributes:
        name: What it is called in commands and campaigns.
        make: Makes a recommender that is not fitted; takes its parameters by name, all of which have defaults.
        help: One line on what it does.
        parameters: What `recommend evaluate --tune` tries: values of parameters by their names.
    """

    name: str
    make: "Callable[..., Recommender]"
    help: str = ""
    parameters: Mapping[str, Sequence[object]] = field(default_factory=dict)


@dataclass(frozen=True)
class Channel:
    """A way by which messages go out.

    Attributes:
        name: What it is called in campaigns and in the outbox.
        open: Makes what sends, once a run of `push send`; given the program's run, whose configuration it reads. It
            raises `crm.errors.Unusable` where the configuration does not do. None: nothing is sent, messages wait
            until they are pulled.
        consent: The channel that a customer must have agreed to, as consents name it; None for the name.
        field: The field of the customer that is the address, such as email; None where no address is needed.
        help: One line on what it does.
        check: Sees that the configuration does, for `push send --dry-run`: it raises `crm.errors.Unusable` as `open`
            does, and connects to nothing and changes nothing. None: there is nothing to see.
    """

    name: str
    open: "Callable[[App], Sender] | None"
    consent: str | None = None
    field: str | None = None
    help: str = ""
    check: "Callable[[App], None] | None" = None


@dataclass(frozen=True)
class TicketClassifier:
    """A way to tell quality classes of tickets apart, for `crm tickets classify`.

    Attributes:
        name: What it is called in the commands.
        make: Makes an estimator as scikit-learn has them, which is not fitted: `fit(X, y)` and `decision_function(X)`
            or `predict_proba(X)`, of a sparse matrix of shape (rows, features). It takes its parameters by name, all of
            which have defaults, and `random_state` where anything in it is drawn.
        help: One line on what it does.
        parameters: What is tried by cross-validation: values of parameters by their names.
    """

    name: str
    make: "Callable[..., Any]"
    help: str = ""
    parameters: Mapping[str, Sequence[object]] = field(default_factory=dict)


@hookspec
def register_commands() -> Sequence[CommandRef]:  # type: ignore[empty-body]  # a specification has no body
    """Commands and groups of commands that this plugin adds to the program."""


@hookspec
def log_formats() -> Sequence[LogFormat]:  # type: ignore[empty-body]  # as above
    """Named log formats for `--log-format NAME` and for `auto`."""


@hookspec
def tables() -> Sequence[Table]:  # type: ignore[empty-body]  # as above
    """Contracts of the tables that this plugin owns."""


@hookspec
def config_sections() -> Mapping[str, type["msgspec.Struct"]]:  # type: ignore[empty-body]  # as above
    """Sections of `crm.yaml`: a name and the msgspec struct, all of whose fields have defaults."""


@hookspec
def miners(config: "Config") -> Sequence[Miner]:  # type: ignore[empty-body]  # as above
    """What `crm logs mine` runs over the sessions of people that changed.

    Args:
        config: The checked configuration; an implementation that does not need it leaves the argument out.
    """


@hookspec
def writers() -> Sequence[Writer]:  # type: ignore[empty-body]  # as above
    """File formats of `-f/--format` and of the ending of `-o/--output`."""


@hookspec
def readers() -> Sequence[Reader]:  # type: ignore[empty-body]  # as above
    """File formats of `--input-format` and of the ending of `--input`."""


@hookspec
def recommenders() -> Sequence[Algorithm]:  # type: ignore[empty-body]  # as above
    """Recommenders for `crm recommend` and for campaigns."""


@hookspec
def push_channels() -> Sequence[Channel]:  # type: ignore[empty-body]  # as above
    """Ways by which `crm push send` sends messages."""


@hookspec
def ticket_classifiers() -> Sequence[TicketClassifier]:  # type: ignore[empty-body]  # as above
    """Ways to tell quality classes of tickets apart, for `crm tickets classify`."""
