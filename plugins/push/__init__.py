"""The group `push`: what is sent to whom, by which way, and what comes of it."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from crm.hookspecs import Channel, CommandRef, hookimpl
from crm.tables import Table

if TYPE_CHECKING:
    import msgspec

_COMMANDS: tuple[tuple[str, str, str], ...] = (
    ("push candidates", "candidates:command", "List to whom a campaign sends what."),
    ("push tiers", "tiers:command", "Grade customers against an ideal one, and cut the grades into tiers."),
    ("push feedback", "feedback:command", "Take in what became of messages."),
    ("push effect", "effect:command", "Measure what campaigns have brought."),
    ("push send", "send:command", "Send the messages that are due."),
    ("push outbox", "outbox:command", "List messages with their states."),
    ("push ack", "ack:command", "Acknowledge that messages have been received."),
    ("push pull", "pull:command", "Give a customer the messages that wait, each once."),
    ("push feed", "feed:command", "Write an Atom feed of a customer's messages."),
    ("push cancel", "cancel:command", "Call messages back that are still queued."),
    ("push templates", "templates:command", "List the templates of messages."),
    ("push preview", "templates:preview", "Print a message made of a template, for nobody."),
)
_GROUPS = (("push", "Choose what is sent to whom, send it, and learn from what comes of it."),)


@hookimpl
def register_commands() -> Sequence[CommandRef]:
    """The group and its commands."""
    return [
        *(CommandRef(path, line) for path, line in _GROUPS),
        *(CommandRef(path, line, f"{__name__}.commands.{target}") for path, target, line in _COMMANDS),
    ]


@hookimpl
def tables() -> Sequence[Table]:
    """The outbox, feedback, and what campaigns keep."""
    from crm.feedback import FEEDBACK
    from crm.outbox import OUTBOX
    from plugins.push.contracts import TABLES

    return [OUTBOX, FEEDBACK, *TABLES]


@hookimpl
def config_sections() -> "Mapping[str, type[msgspec.Struct]]":
    """The section `push`."""
    from plugins.push.config import PushConfig

    return {"push": PushConfig}


@hookimpl
def push_channels() -> Sequence[Channel]:
    """The channels that are there without other plugins."""
    from plugins.push.channels import email, file, pull, webhook

    return [email.CHANNEL, webhook.CHANNEL, file.CHANNEL, pull.CHANNEL]
