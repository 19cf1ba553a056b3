"""How long to wait before a message is tried again: exponential backoff with full jitter (Brooker, AWS, 2015)."""

from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plugins.push.channel_config import RetryConfig


def pause(message: str, tries: int, config: "RetryConfig", after: timedelta | None = None) -> timedelta:
    """How long to wait: anything up to base · 2^(tries − 1), at most `cap`, by chance, so that not all come at once.

    The chance is drawn from the id, so the same message waits as long whenever it is worked out.

    Args:
        message: The id of the message.
        tries: How often it was tried.
        config: Base and cap.
        after: How long the receiver wants to be left alone; the pause is no shorter.
    """
    most = min(config.cap.total_seconds(), config.base.total_seconds() * 2.0 ** min(max(tries - 1, 0), 60))
    drawn = timedelta(seconds=Random(f"{message}:{tries}").uniform(0, most))
    return max(drawn, after) if after is not None else drawn
