"""A message as a mail: MIME, headers by which people and programs can unsubscribe, the same id at every try."""

from dataclasses import dataclass
from datetime import datetime
from email.errors import HeaderParseError, MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from crm.delivery import GiveUpError, Message

_POLICY = SMTP.clone(raise_on_defect=False)


@dataclass(frozen=True)
class Stationery:
    """What all mails have in common.

    Attributes:
        sender: From whom they are.
        reply_to: To whom answers go; None for the sender.
        url: The address that unsubscribes, `{message}` being the id; None for none.
        mailto: The mail address that unsubscribes; None for none.
    """

    sender: Address
    reply_to: Address | None = None
    url: str | None = None
    mailto: str | None = None


def address_of(text: str) -> Address:
    """A mail address, with or without a name before it.

    Raises:
        ValueError: it is none.
    """
    header = EmailMessage(_POLICY)
    if any(ord(sign) < ord(" ") for sign in text):
        raise ValueError("a mail address holds no control characters")
    try:
        header["To"] = text
        found = header["To"].addresses
    except (HeaderParseError, MessageError, IndexError, AttributeError) as error:
        raise ValueError("it is no mail address") from error
    if len(found) != 1 or header["To"].defects or not found[0].username or not found[0].domain:
        raise ValueError("it is no mail address")
    address: Address = found[0]
    return address


def mail(message: Message, paper: Stationery, now: datetime) -> EmailMessage:
    """A message as a mail.

    Raises:
        GiveUpError: the customer's address is none.
    """
    try:
        recipient = address_of(message.address)
    except ValueError:
        raise GiveUpError("the customer's e-mail address is none") from None
    made = EmailMessage(_POLICY)
    made["From"] = paper.sender
    made["To"] = recipient
    if paper.reply_to is not None:
        made["Reply-To"] = paper.reply_to
    made["Subject"] = " ".join(message.subject.split())
    made["Date"] = format_datetime(now)
    made["Message-ID"] = f"<{message.id}@{paper.sender.domain}>"
    made["Auto-Submitted"] = "auto-generated"
    _unsubscribing(made, message, paper)
    made.set_content(message.text, cte="quoted-printable" if message.text.isascii() else "base64")
    if message.html is not None:
        made.add_alternative(message.html, subtype="html", cte="base64")
    return made


def _unsubscribing(made: EmailMessage, message: Message, paper: Stationery) -> None:
    """List-Unsubscribe (RFC 2369), by one click where there is an address (RFC 8058)."""
    ways = []
    if paper.url:
        ways.append(f"<{paper.url.replace('{message}', message.id)}>")
    if paper.mailto:
        ways.append(f"<mailto:{paper.mailto}?subject=unsubscribe%20{message.id}>")
    if ways:
        made["List-Unsubscribe"] = ", ".join(ways)
    if paper.url:
        made["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
