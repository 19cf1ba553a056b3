"""What sends messages: a channel's sender gets one message at a time, and says what became of it.

Channels are registered by the hook `push_channels`. A sender may be called from several threads at once. Whatever
happens, a message keeps its id; a receiver that knows ids can tell a second copy by it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from crm.errors import CrmError


@dataclass(frozen=True)
class Message:
    """A message on its way.

    Attributes:
        id: Its id, the same at every try.
        customer: To whom it goes.
        address: The customer's address, by the channel's field; empty where the channel needs none.
        campaign: What it belongs to.
        subject: One line.
        text: The plain text.
        html: The same as HTML; None where the template has none.
        data: What the template was given.
        tried: How often it was tried before.
        queued: When it was queued, in UTC.
    """

    id: str
    customer: str
    address: str
    campaign: str
    subject: str
    text: str
    html: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    tried: int = 0
    queued: datetime | None = None


class TryAgainError(CrmError):
    """It did not work, and may work later.

    Args:
        why: What went wrong, without personal values.
        after: How long the receiver wants to be left alone at least; None if it has not said.
    """

    def __init__(self, why: str, after: timedelta | None = None) -> None:
        super().__init__(why)
        self.after = after


class GiveUpError(CrmError):
    """It will never work: the recipient is refused, say; the text says why, without personal values."""


class Sender(Protocol):
    """Sends messages by one channel."""

    def send(self, message: Message) -> bool:
        """Send one.

        Returns:
            Whether its receipt is acknowledged already; else it counts as sent.

        Raises:
            TryAgainError: it may work later.
            GiveUpError: it will not.
            Unusable: it has nothing to do with this message: the server cannot be reached, say, or does not let us in.
                That counts as no try, and where it goes on, no more messages of this channel are tried in this run.
        """
        ...

    def close(self) -> None:
        """Let go of connections and files."""
        ...
