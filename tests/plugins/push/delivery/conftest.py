"""A mail server and a web server on loopback that can be told to misbehave, and a shop with messages to send."""

import asyncio
import email
import json
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import polars as pl
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from crm.outbox import enqueue, message_id

if TYPE_CHECKING:
    from aiosmtpd.smtp import Envelope, Session

    from tests.plugins.conftest import Crm

NAMES = {"K1": "王芳", "K2": "Li Si", "K3": "Zhao <b>Liu</b>", "K4": "Sun"}


@dataclass
class Shop:
    """A workspace with four customers who agree to everything, the third of whom has the strangest name."""

    crm: "Crm"

    def configure(self, text: str) -> None:
        """Write the section `push`."""
        self.crm.configure(f"push: {{{text}}}\n")

    def queue(self, *customers: str, channel: str = "email", **fields: Any) -> list[str]:
        """Queue a message for each; gives the ids in their order."""
        names = customers or tuple(NAMES)
        row = {"campaign": "spring", "template": "default", "items": ["1001"], "data": "{}", "send_after": None}
        rows = [{**row, "expires": None, **fields, "customer": each, "channel": channel} for each in names]
        rows = [{"key": f"{each['customer']} {each['campaign']} {channel}", **each} for each in rows]
        kinds = {
            "items": pl.List(pl.String),
            "send_after": pl.Datetime("us", "UTC"),
            "expires": pl.Datetime("us", "UTC"),
        }
        workspace = self.crm.open()
        with workspace.records.begin() as connection:
            enqueue(workspace, connection, pl.DataFrame(rows, schema_overrides=kinds))
        return [message_id(workspace.key, row["key"]) for row in rows]

    def rows(self) -> list[dict[str, Any]]:
        """The outbox."""
        return self.crm.open().records.frame("outbox").sort("message").to_dicts()

    def states(self) -> dict[str, str]:
        """State by customer."""
        return {row["customer"]: row["state"] for row in self.rows()}

    def row(self, message: str) -> dict[str, Any]:
        """One message of the outbox."""
        return next(row for row in self.rows() if row["message"] == message)

    def later(self, **change: timedelta) -> None:
        """Let time pass: times of the outbox are put back."""
        workspace = self.crm.open()
        with workspace.records.begin() as connection:
            rows = workspace.records.frame("outbox", connection=connection)
            rows = rows.select("message", *(pl.col(name) - by for name, by in change.items()))
            workspace.records.upsert(connection, "outbox", rows)


def fill(crm: "Crm") -> Shop:
    file = crm.folder / "customers.csv"
    lines = [
        f"{name},{called},{name.lower()}@example.com,{'zh-CN' if name == 'K1' else ''}"
        for name, called in NAMES.items()
    ]
    file.write_text("id,name,email,language\n" + "\n".join(lines) + "\n", encoding="utf-8")
    crm("customers", "import", file)
    workspace = crm.open()
    said = pl.DataFrame({"customer": list(NAMES), "channel": "all", "granted": True, "source": "form"})
    with workspace.records.begin() as connection:
        workspace.records.append(connection, "consents", said.with_columns(ts=pl.lit(datetime(2026, 1, 1, tzinfo=UTC))))
    return Shop(crm)


@pytest.fixture
def shop(crm: "Crm") -> Shop:
    return fill(crm)


@pytest.fixture
def shop_on(crm_on: "Crm") -> Shop:
    return fill(crm_on)


@dataclass
class MailServer:
    """A mail server on loopback.

    Attributes:
        faults: Given a recipient and how many mails have come for it before: what happens to the next one: `refuse`,
            `later`, `drop` (the connection, after it has taken the mail), `slow`, `spam`, or None.
        taken: The mails, as they came.
    """

    faults: Callable[[str, int], str | None] = lambda recipient, before: None
    taken: list[tuple[str, EmailMessage]] = field(default_factory=list)
    tried: dict[str, int] = field(default_factory=dict)
    logins: list[str] = field(default_factory=list)
    port: int = 0
    greet: bool = True

    def ids(self) -> list[str]:
        """The ids of the mails."""
        return [str(mail["Message-ID"])[1:].split("@")[0] for _, mail in self.taken]

    async def handle_EHLO(  # noqa: N802
        self, server: SMTP, session: "Session", envelope: "Envelope", hostname: str, responses: list[str]
    ) -> list[str]:
        if not self.greet:
            cast("Any", server).transport.close()
        session.host_name = hostname
        return responses

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: "Session", envelope: "Envelope", address: str, options: list[str]
    ) -> str:
        self.tried[address] = self.tried.get(address, 0) + 1
        fault = self.faults(address, self.tried[address] - 1)
        if fault == "refuse":
            return "550 no such user"
        if fault == "later":
            return "451 come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: "Session", envelope: "Envelope") -> str:  # noqa: N802
        (recipient,) = envelope.rcpt_tos
        fault = self.faults(recipient, self.tried[recipient] - 1)
        if fault == "spam":
            return "554 spam"
        mail = email.message_from_bytes(cast("bytes", envelope.content), policy=default)
        self.taken.append((recipient, cast("EmailMessage", mail)))
        if fault == "drop":
            cast("Any", server).transport.abort()
        if fault == "hang up":
            asyncio.get_running_loop().call_later(0.1, cast("Any", server).transport.close)
        if fault == "slow":
            await asyncio.sleep(2)
        return "250 taken"


class _Controller(Controller):
    def factory(self) -> SMTP:
        return SMTP(self.handler, **self.SMTP_kwargs)


@pytest.fixture
def mail_server() -> Iterator[Callable[..., MailServer]]:
    """Starts mail servers; what they are given are the arguments of aiosmtpd's SMTP."""
    running: list[Controller] = []

    def start(**given: Any) -> MailServer:
        server = MailServer()
        if given.pop("password", None) is not None:

            def check(
                _server: object, _session: object, _envelope: object, _mechanism: str, data: LoginPassword
            ) -> AuthResult:
                server.logins.append(data.login.decode())
                return AuthResult(success=data.password == b"right horse", handled=False)

            given |= {"authenticator": check, "auth_required": True, "auth_require_tls": "tls_context" in given}
        controller = _Controller(server, hostname="127.0.0.1", port=_free_port(), **given)
        controller.start()
        running.append(controller)
        server.port = controller.port
        return server

    yield start
    for each in running:
        each.stop(no_assert=True)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    """A certificate of 127.0.0.1 that it has signed itself, and what serves with it."""
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "key.pem"
    words = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1"
    subprocess.run([*words.split(), "-keyout", str(key), "-out", str(cert)], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return cert, context


@dataclass
class WebServer:
    """A web server on loopback.

    Attributes:
        answer: Given a message and how many requests have come with its id before: status, headers and body; None to
            close the connection without an answer.
        taken: The requests: headers and body.
    """

    answer: Callable[[dict[str, Any], int], tuple[int, dict[str, str], bytes] | None] = lambda message, before: (
        204,
        {},
        b"",
    )
    taken: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    port: int = 0

    def ids(self) -> list[str]:
        """The ids of the requests."""
        return [headers["idempotency-key"] for headers, _ in self.taken]


@pytest.fixture
def web_server() -> Iterator[WebServer]:
    server = WebServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            before = server.ids().count(headers["idempotency-key"])
            server.taken.append((headers, body))
            answer = server.answer(json.loads(body), before)
            if answer is None:
                self.close_connection = True
                return
            status, more, content = answer
            self.send_response(status)
            for name, value in {**more, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    server.port = http.server_address[1]
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server
    http.shutdown()
    thread.join()
    http.server_close()


def wait(until: Callable[[], bool], seconds: float = 30) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end
        time.sleep(0.01)
