"""The channel `email`: mails by SMTP, a connection a worker, kept between mails."""

import smtplib
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from crm.delivery import GiveUpError, Message, TryAgainError
from crm.errors import Unusable
from crm.hookspecs import Channel
from plugins.push.channels.connections import PerThread
from plugins.push.channels.mail import Stationery, address_of, mail
from plugins.push.channels.tls import LOOPBACK, checked_by
from plugins.push.credentials import beside_config, read_secret

if TYPE_CHECKING:
    from email.headerregistry import Address
    from email.message import EmailMessage

    from crm.app import App
    from plugins.push.channel_config import SmtpConfig

_PORTS: Final = {"starttls": 587, "tls": 465, "none": 25}
_CLOSING: Final = 421
_NOT_US: Final = frozenset({530, 534, 535, 538})
"""What says that it is the login that is wrong, not the mail."""

_TOO_LARGE: Final = 552
_LOST: Final = (smtplib.SMTPServerDisconnected, OSError)


class EmailSender:
    """Sends mails by one server.

    Args:
        paper: What all mails have in common.
        connect: Makes a connection.
        per_connection: After so many mails a connection is made anew.
    """

    def __init__(self, paper: Stationery, connect: "Callable[[], smtplib.SMTP]", per_connection: int) -> None:
        self._paper = paper
        self._connections = PerThread(lambda: _Line(connect()))
        self._most = per_connection

    def send(self, message: Message) -> bool:
        """Send a mail. That the server has taken it is all that SMTP tells, so nothing is acknowledged.

        Raises:
            TryAgainError: the server cannot take it now, or has not said whether it has.
            GiveUpError: the server refuses the recipient, or the mail.
            Unusable: the server cannot be reached, does not let us in, or refuses the sender.
        """
        made = mail(message, self._paper, datetime.now(UTC))
        line, kept = self._line()
        try:
            if kept and not line.begins(self._paper.sender.addr_spec, made):
                self._connections.drop()
                line, kept = self._line()
            if not kept:
                line.begin(self._paper.sender.addr_spec, made)
            line.finish(made)
        except _LOST as error:
            self._connections.drop()
            raise TryAgainError(f"the mail server has not said whether it took it: {_reason(error)}") from error
        except (TryAgainError, GiveUpError, Unusable):
            if not line.reset():
                self._connections.drop()
            raise
        if line.mails >= self._most:
            self._connections.drop()
        return False

    def _line(self) -> "tuple[_Line, bool]":
        """The thread's connection.

        Raises:
            Unusable: there can be none.
        """
        try:
            return self._connections.get()
        except ssl.SSLError as error:
            raise Unusable(f"the connection to the mail server is not safe: {_reason(error)}") from error
        except smtplib.SMTPAuthenticationError as error:
            raise Unusable(f"the mail server refuses the login ({error.smtp_code}); check `push.smtp.login`") from error
        except (smtplib.SMTPException, OSError) as error:
            raise Unusable(f"the mail server of `push.smtp` cannot be used: {_reason(error)}") from error

    def close(self) -> None:
        """Say goodbye to the server."""
        self._connections.close()


class _Line:
    """A connection to the server, and how many mails have gone over it."""

    def __init__(self, smtp: smtplib.SMTP) -> None:
        self._smtp = smtp
        self.mails = 0

    def begins(self, sender: str, made: "EmailMessage") -> bool:
        """Begin a mail on a kept connection; false if the server has closed it meanwhile, so that nothing was sent."""
        try:
            self.begin(sender, made)
        except _LOST:
            return False
        return True

    def begin(self, sender: str, made: "EmailMessage") -> None:
        """Say from whom the next mail is.

        Raises:
            SMTPServerDisconnected: the connection is lost.
            TryAgainError, GiveUpError, Unusable: it is refused.
        """
        options = ["BODY=8BITMIME"] if self._smtp.has_extn("8bitmime") else []
        if not made["To"].addresses[0].addr_spec.isascii():
            if not self._smtp.has_extn("smtputf8"):
                raise GiveUpError("the mail server takes no addresses with other letters than ASCII")
            options.append("SMTPUTF8")
        code, _ = self._smtp.mail(sender, options)
        if code == _CLOSING:
            raise smtplib.SMTPServerDisconnected("it is closing the connection")
        if code == _TOO_LARGE:
            raise GiveUpError(f"the mail server finds the mail too large ({code})")
        if code >= 500:
            raise Unusable(f"the mail server refuses the sender ({code}); check `push.smtp`")
        if code >= 400:
            raise TryAgainError(f"the mail server cannot take mails now ({code})")

    def finish(self, made: "EmailMessage") -> None:
        """Say to whom the mail is, and send it.

        Raises:
            SMTPServerDisconnected: the connection is lost, perhaps after the server has taken the mail.
            TryAgainError, GiveUpError, Unusable: it is refused.
        """
        self._see(self._smtp.rcpt(made["To"].addresses[0].addr_spec)[0], "the recipient")
        try:
            code = self._smtp.data(made.as_bytes())[0]
        except smtplib.SMTPDataError as error:
            code = error.smtp_code
        self._see(code, "the mail")
        self.mails += 1

    def _see(self, code: int, what: str) -> None:
        """See that the server has agreed."""
        if code == _CLOSING or code < 200:
            raise smtplib.SMTPServerDisconnected("it is closing the connection")
        if code in _NOT_US:
            raise Unusable(f"the mail server wants a login ({code}); see `push.smtp.login`")
        if code >= 500:
            raise GiveUpError(f"the mail server refuses {what} ({code})")
        if code >= 400:
            raise TryAgainError(f"the mail server refuses {what} for now ({code})")

    def reset(self) -> bool:
        """Forget the mail that was begun; false if the connection is lost."""
        try:
            return self._smtp.rset()[0] == 250
        except (smtplib.SMTPException, OSError):
            return False

    def close(self) -> None:
        """Say goodbye."""
        try:
            self._smtp.quit()
        except (smtplib.SMTPException, OSError):
            self._smtp.close()


def _reason(error: Exception) -> str:
    """What an error says, without what the server may have quoted of an address."""
    if isinstance(error, smtplib.SMTPResponseException):
        return f"it answers {error.smtp_code}"
    if isinstance(error, smtplib.SMTPServerDisconnected | smtplib.SMTPException):
        return "the connection was closed" if isinstance(error, smtplib.SMTPServerDisconnected) else str(error)
    return getattr(error, "verify_message", None) or getattr(error, "strerror", None) or str(error)


def _mail_address(text: str, where: str) -> "Address":
    """A mail address of the configuration.

    Raises:
        Unusable: it is none.
    """
    try:
        return address_of(text)
    except ValueError:
        raise Unusable(f"`{where}` is no mail address such as `Shop <news@shop.example>`") from None


def _connector(app: "App", config: "SmtpConfig") -> "Callable[[], smtplib.SMTP]":
    """What connects to the server, encrypted and logged in as the configuration says.

    Raises:
        Unusable: it does not do.
    """
    if not config.host:
        raise Unusable("no mail server is named: `push.smtp.host` in the configuration")
    host, port, timeout = config.host, config.port or _PORTS[config.tls], config.timeout.total_seconds()
    password = read_secret(app, "push.smtp.password", config.password_env, config.password_file)
    if config.login and password is None:
        raise Unusable("`push.smtp.login` needs a password: name `password_env` or `password_file`")
    if config.login and config.tls == "none" and host not in LOOPBACK:
        raise Unusable("with `push.smtp.tls: none` anybody on the way could read the password; use starttls or tls")
    context = checked_by(beside_config(app, config.ca_file) if config.ca_file else None)

    def connect() -> smtplib.SMTP:
        smtp = (
            smtplib.SMTP_SSL(host, port, timeout=timeout, context=context)
            if config.tls == "tls"
            else smtplib.SMTP(host, port, timeout=timeout)
        )
        try:
            if config.tls == "starttls":
                smtp.starttls(context=context)
            smtp.ehlo_or_helo_if_needed()
            if config.login and password is not None:
                smtp.login(config.login, password)
        except BaseException:
            smtp.close()
            raise
        return smtp

    return connect


def _open(app: "App") -> EmailSender:
    from plugins.push.config import PushConfig

    push = app.config.get("push", PushConfig)
    config = push.smtp
    connect = _connector(app, config)
    if not config.sender:
        raise Unusable("nobody is named from whom mails are: `push.smtp.from` in the configuration")
    url = push.unsubscribe.url
    if url is not None and not url.startswith("https://"):
        raise Unusable("`push.unsubscribe.url` is no https address, which unsubscribing by one click takes")
    paper = Stationery(
        _mail_address(config.sender, "push.smtp.from"),
        _mail_address(config.reply_to, "push.smtp.reply_to") if config.reply_to else None,
        url,
        _mail_address(push.unsubscribe.mailto, "push.unsubscribe.mailto").addr_spec
        if push.unsubscribe.mailto
        else None,
    )
    return EmailSender(paper, connect, config.per_connection)


def _check(app: "App") -> None:
    _open(app).close()  # a connection is made with the first mail


CHANNEL: Final = Channel("email", _open, field="email", help="Mails by SMTP.", check=_check)
