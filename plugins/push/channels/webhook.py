"""The channel `webhook`: messages are posted to an address as JSON, signed as Standard Webhooks says.

The signature is HMAC-SHA256 over `ID.TIMESTAMP.BODY`, in base64, behind `v1,` (https://www.standardwebhooks.com).
"""

import hmac
import http.client
import json
import time
from base64 import b64decode, b64encode
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, urlsplit

from crm import __version__
from crm.delivery import GiveUpError, Message, TryAgainError
from crm.errors import Unusable
from crm.hookspecs import Channel
from plugins.push.channels.connections import PerThread
from plugins.push.channels.file import as_object
from plugins.push.channels.tls import LOOPBACK, checked_by
from plugins.push.credentials import beside_config, read_secret

if TYPE_CHECKING:
    from crm.app import App

_AGAIN: Final = frozenset({408, 425, 429})
_NOT_US: Final = frozenset({401, 403, 404, 405, 407})
"""What says that the address or the secret is wrong, not the message."""

_MOST_READ: Final = 65_536
_LONGEST_PAUSE: Final = timedelta(days=1)


class WebhookSender:
    """Posts messages to one address.

    Args:
        url: The address.
        secret: Signs requests; None leaves them unsigned.
        connect: Makes a connection.
    """

    def __init__(
        self, url: SplitResult, secret: bytes | None, connect: Callable[[], http.client.HTTPConnection]
    ) -> None:
        self._path = (url.path or "/") + (f"?{url.query}" if url.query else "")
        self._secret = secret
        self._connections = PerThread(connect)

    def send(self, message: Message) -> bool:
        """Post a message.

        Raises:
            TryAgainError: the server is busy, has an error, or has not answered.
            GiveUpError: the server does not want this message.
            Unusable: the server cannot be reached, or does not know the address or the signature.
        """
        body = json.dumps(as_object(message), ensure_ascii=False).encode()
        status, headers, answer = self._post(body, self._headers(message.id, body))
        if 200 <= status < 300:
            return _acknowledged(answer)
        said = f"the server answers {status}"
        if status in _AGAIN or status >= 500:
            raise TryAgainError(said, _pause(headers.get("Retry-After")))
        if status in _NOT_US or 300 <= status < 400:
            raise Unusable(f"{said}; check `push.webhook`: redirects are not followed")
        raise GiveUpError(said)

    def _headers(self, name: str, body: bytes) -> dict[str, str]:
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": f"crm/{__version__}",
            "Idempotency-Key": name,
            "webhook-id": name,
            "webhook-timestamp": str(int(time.time())),
        }
        if self._secret is not None:
            headers["webhook-signature"] = signature(self._secret, name, headers["webhook-timestamp"], body)
        return headers

    def _post(self, body: bytes, headers: dict[str, str]) -> tuple[int, http.client.HTTPMessage, bytes]:
        """Post, and read the answer. A kept connection that the server has closed meanwhile is made anew, once."""
        connection, kept = self._connected()
        try:
            try:
                return self._answer(connection, body, headers)
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                if not kept:
                    raise
                self._connections.drop()
                return self._answer(self._connected()[0], body, headers)
        except (OSError, http.client.HTTPException) as error:
            self._connections.drop()
            raise TryAgainError(f"the server has not answered: {_reason(error)}") from error

    def _connected(self) -> tuple[http.client.HTTPConnection, bool]:
        try:
            return self._connections.get()
        except OSError as error:
            raise Unusable(f"the server of `push.webhook.url` cannot be reached: {_reason(error)}") from error

    def _answer(
        self, connection: http.client.HTTPConnection, body: bytes, headers: dict[str, str]
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        connection.request("POST", self._path, body, headers)
        response = connection.getresponse()
        answer = response.read(_MOST_READ)
        if response.read(1) or response.will_close:
            self._connections.drop()
        return response.status, response.headers, answer

    def close(self) -> None:
        """Close all connections."""
        self._connections.close()


def signature(secret: bytes, name: str, timestamp: str, body: bytes) -> str:
    """The signature of a request."""
    digest = hmac.digest(secret, f"{name}.{timestamp}.".encode() + body, "sha256")
    return f"v1,{b64encode(digest).decode('ascii')}"


def _acknowledged(answer: bytes) -> bool:
    """Whether the receiver says that it has the message for good: `{"acknowledged": true}`."""
    with suppress(ValueError):
        said = json.loads(answer)
        return isinstance(said, dict) and said.get("acknowledged") is True
    return False


def _pause(text: str | None) -> timedelta | None:
    """What Retry-After asks for, seconds or a date, up to a day."""
    if text is None:
        return None
    if text.strip().isdecimal():
        return min(timedelta(seconds=int(text.strip()[:9])), _LONGEST_PAUSE)
    with suppress(ValueError):
        at = parsedate_to_datetime(text)
        wait = (at if at.tzinfo else at.replace(tzinfo=UTC)) - datetime.now(UTC)
        return min(max(wait, timedelta()), _LONGEST_PAUSE)
    return None


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _key(text: str | None) -> bytes | None:
    """The key behind a secret: what follows `whsec_` is base64."""
    if text is None or not text.startswith("whsec_"):
        return text.encode() if text else None
    try:
        return b64decode(text.removeprefix("whsec_"), validate=True)
    except ValueError:
        raise Unusable("the secret of `push.webhook` begins with whsec_ and is no base64 behind it") from None


def _address(text: str | None, insecure: bool) -> SplitResult:
    """The address, checked.

    Raises:
        Unusable: there is none, or others could read what is sent.
    """
    if not text:
        raise Unusable("no address is named: `push.webhook.url` in the configuration")
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        url, port = SplitResult("", "", "", "", ""), None
    if url.scheme not in ("http", "https") or not url.hostname or url.username or port == 0:
        raise Unusable("`push.webhook.url` is no address such as https://shop.example/messages")
    if url.scheme == "http" and url.hostname not in LOOPBACK and not insecure:
        raise Unusable("`push.webhook.url` is http, which anybody on the way can read; use https, or `insecure: true`")
    return url


def _open(app: "App") -> WebhookSender:
    from plugins.push.config import PushConfig

    config = app.config.get("push", PushConfig).webhook
    url = _address(config.url, config.insecure)
    secret = _key(read_secret(app, "push.webhook.secret", config.secret_env, config.secret_file))
    host, timeout = str(url.hostname), config.timeout.total_seconds()
    context = checked_by(beside_config(app, config.ca_file) if config.ca_file else None)

    def connect() -> http.client.HTTPConnection:
        made = (
            http.client.HTTPSConnection(host, url.port, timeout=timeout, context=context)
            if url.scheme == "https"
            else http.client.HTTPConnection(host, url.port, timeout=timeout)
        )
        made.connect()
        return made

    return WebhookSender(url, secret, connect)


def _check(app: "App") -> None:
    _open(app).close()  # a connection is made with the first message


CHANNEL: Final = Channel("webhook", _open, help="JSON posted to an address.", check=_check)
