"""Every request to a real server is one hit, whatever is in it and however its log is rotated between the runs."""

import glob
import gzip
import itertools
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from crm.app import App
from plugins import DEFAULT_PLUGINS

if TYPE_CHECKING:
    from tests.integration.conftest import Format, Server

HOST = b"Host: shop.example\r\nConnection: close\r\n"
REQUEST = b"GET /<id> HTTP/1.1\r\n" + HOST
FORGED = '" 200 5 "-" "forged"'
LIVE = 3000
"""So many requests at most are sent while a run reads."""


@dataclass(frozen=True)
class Odd:
    """Something that is sent over one connection; `<id>` stands for what tells its requests from all others.

    Attributes:
        name: What is odd about it.
        raw: The bytes.
        path: Its path as it is stored; None where servers disagree.
        decoded: The same where the server logs the path decoded.
        bad: The server cannot part it, so only a log of whole requests shows its path.
        unlogged: The servers that do not log it.
        hit: Other columns of its hit.
        forwarded: The client in X-Forwarded-For.
        login: The user of its Authorization.
    """

    name: str
    raw: bytes
    path: str | None = "/<id>"
    decoded: str | None = None
    bad: bool = False
    unlogged: tuple[str, ...] = ()
    hit: dict[str, Any] = field(default_factory=dict)
    forwarded: str = ""
    login: str = ""


def get(path: str, headers: bytes = b"", version: str = "1.1") -> bytes:
    """A GET request."""
    return f"GET {path} HTTP/{version}\r\n".encode() + HOST + headers + b"\r\n"


def agent(text: bytes) -> bytes:
    """The header of a user agent."""
    return b"User-Agent: " + text + b"\r\n"


LONG = "x" * (8192 - len("/0000000/"))
ODDITIES = (
    Odd("plain", get("/<id>?a=1", agent(b"curl/8")), hit={"query": "a=1", "agent": "curl/8"}),
    Odd("quotes in the path", get('/<id>/"q"?a="b"'), path='/<id>/"q"', hit={"query": 'a="b"'}),
    Odd("a forged agent", get("/<id>", agent(FORGED.encode())), hit={"agent": FORGED}),
    Odd("backslashes", get(r"/<id>\a\\b", agent(rb"\ \\ \x41 \n")), path=r"/<id>\a\\b", hit={"agent": r"\ \\ \x41 \n"}),
    Odd("control bytes in the agent", get("/<id>", agent(b"a\x01\x1b[2J\tb")), hit={"agent": "a\x01\x1b[2J\tb"}),
    Odd("control bytes in the path", get("/<id>\x01\x02"), path="/<id>\x01\x02", bad=True),
    Odd("8 KiB of path", get("/<id>/" + LONG), path="/<id>/" + LONG),
    Odd("20 KB of path", get("/<id>/" + "x" * 20_000), path=None, bad=True),
    Odd("7 KB of agent", get("/<id>", agent(b"u" * 7000)), hit={"agent": "u" * 7000}),
    Odd("no UTF-8 in the agent", get("/<id>", agent(b"\xe4\xf6 \xff")), hit={"agent": r"\xe4\xf6 \xff"}),
    Odd("UTF-8 in the agent", get("/<id>", agent("客户 é".encode())), hit={"agent": "客户 é"}),
    Odd("UTF-8 in the path", get("/客户/<id>"), path="/客户/<id>"),
    Odd("percent-encoded UTF-8", get("/%E5%AE%A2/<id>?q=%E6%88%B7"), path="/客/<id>", hit={"query": "q=户"}),
    Odd(
        "percent-encoded GBK",
        get("/%BF%CD/<id>?q=%BB%A7"),
        path="/%BF%CD/<id>",
        decoded=r"/\xbf\xcd/<id>",
        hit={"query": "q=%BB%A7"},
    ),
    Odd("encoded specials", get("/<id>/%00%22%5C%0A..%2f"), path=None, bad=True),
    Odd("dots", get("/<id>/../..//a/./b"), path=None, bad=True),
    Odd("a fragment", get("/<id>#f"), path=None),
    Odd("a space in the path", get("/a b/<id>"), path="/a b/<id>", bad=True),
    Odd("an absolute target", get("http://other.example/<id>?x=1"), hit={"query": "x=1"}),
    Odd("no host", b"GET /<id> HTTP/1.1\r\n\r\n"),
    Odd("HTTP/1.0 without headers", b"GET /<id> HTTP/1.0\r\n\r\n"),
    Odd("HTTP/0.9", b"GET /<id>\r\n"),
    Odd("HTTP/9.9", get("/<id>", version="9.9"), bad=True),
    Odd("another protocol", b"GET /<id> FTP/1.1\r\n\r\n", path=None, bad=True),
    Odd("lines that end with LF", REQUEST.replace(b"\r", b"") + b"\n", path=None, bad=True),
    Odd("TLS", b'\x16\x03\x01<id>\x02\x00\x01\xfc\x03\x03"\\\r\n', path=None, bad=True, hit={"method": None}),
    Odd("nothing but line ends", b"\r\n\r\n", path=None, bad=True, unlogged=("apache",)),
    Odd("no line end", b"GET /<id>", path=None, bad=True, unlogged=("apache",)),
    Odd("headers that break off", b"GET /<id> HTTP/1.1\r\nHost"),
    Odd("an unknown method", b"BREW /<id> HTTP/1.1\r\n" + HOST + b"\r\n", hit={"method": "BREW"}),
    Odd("a method in small letters", b"get /<id> HTTP/1.1\r\n" + HOST + b"\r\n", bad=True),
    Odd("POST", b"POST /<id> HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\n\r\nabc", hit={"method": "POST"}),
    Odd("HEAD", b"HEAD /<id> HTTP/1.1\r\n" + HOST + b"\r\n", hit={"method": "HEAD"}),
    Odd("a page that is missing", get("/missing/<id>"), path="/missing/<id>"),
    Odd("pipelined", b"GET /<id> HTTP/1.1\r\nHost: a\r\n\r\n" * 4 + REQUEST + b"\r\n"),
    Odd(
        "proxy, cookie, referrer, login",
        get("/<id>", b'Referer: http://x/"\r\nX-Forwarded-For: 2001:db8::1, 10.0.0.1\r\nCookie: sid=a"b\r\n'
            b"Authorization: Basic bGkgIndhbmciOng=\r\n"),
        hit={"referrer": 'http://x/"'},
        forwarded="2001:db8::1",
        login='li "wang"',
    ),
)  # fmt: skip

POLICIES = {
    "renamed, compressed later": (("compress", "delaycompress"), True),
    "renamed and compressed": (("compress",), False),
    "copied and emptied": (("copytruncate",), False),
}
"""What logrotate does, and whether it may do so while a run reads and the server writes, as no line is lost then."""

ROUNDS = 2


@dataclass(frozen=True)
class Sent:
    """A request that was sent: its id, what it was part of, where to, and the status of the response if any."""

    id: str
    odd: Odd
    address: str
    status: int | None


@dataclass
class Client:
    """Sends requests, and remembers them."""

    server: "Server"
    sent: list[Sent] = field(default_factory=list)
    ids: Iterator[str] = field(default_factory=lambda: (f"{number:07d}" for number in itertools.count()))

    def send(self, odd: Odd, at: int = 0) -> None:
        """Send it to one of the server's addresses."""
        family, host, port = self.server.addresses[at % len(self.server.addresses)]
        pieces = odd.raw.split(b"<id>")
        names = [next(self.ids) for _ in pieces[1:]] or [""]
        raw = pieces[0] + b"".join(name.encode() + piece for name, piece in zip(names, pieces[1:], strict=False))
        statuses = statuses_of(answer(family, host, port, raw))
        assert len(statuses) in (0, len(names)), (odd.name, statuses)
        if self.server.kind.name not in odd.unlogged:
            self.sent += [Sent(*one, host, status) for *one, status in _each(names, odd, statuses)]

    @contextmanager
    def sending(self) -> Iterator[None]:
        """Send plain requests all the time, from a thread."""
        enough = threading.Event()
        odd = Odd("live", get("/live/<id>"), path="/live/<id>")

        def work() -> None:
            for number in range(LIVE):
                if enough.wait(0.002):
                    return
                self.send(odd, number)

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield
        finally:
            enough.set()
            thread.join()


def _each(names: list[str], odd: Odd, statuses: list[int]) -> Iterator[tuple[str, Odd, int | None]]:
    for name, status in itertools.zip_longest(names, statuses):
        yield name, odd, status


def answer(family: socket.AddressFamily, host: str, port: int, raw: bytes) -> bytes:
    """What a server answers to some bytes."""
    out = b""
    with socket.socket(family) as connection:
        connection.settimeout(10)
        connection.connect((host, port))
        try:
            connection.sendall(raw)
            connection.shutdown(socket.SHUT_WR)
            while data := connection.recv(1 << 16):
                out += data
        except ConnectionError:  # it has not waited for all that was sent
            pass
    return out


def statuses_of(response: bytes) -> list[int]:
    """The statuses of the responses in some bytes."""
    return [int(status) for status in re.findall(rb"^HTTP/1\.[01] (\d{3}) ", response, re.MULTILINE)]


@dataclass(frozen=True)
class Mined:
    """A workspace that mines one log of a server."""

    workspace: Path
    logs: Path
    format: "Format"

    def words(self) -> list[str]:
        """What `crm logs mine` is called with."""
        log = f"{self.logs}/{self.format.name}.log*"
        return ["-w", str(self.workspace), "logs", "mine", log, "--log-format", self.format.asked or self.format.line]

    def hits(self) -> list[dict[str, Any]]:
        """The stored hits."""
        return App(DEFAULT_PLUGINS, self.workspace).workspace().scan("hits").collect().to_dicts()

    def account(self) -> Counter[str]:
        """Where all lines went, by the ledger."""
        rows = App(DEFAULT_PLUGINS, self.workspace).workspace().records.frame("sources").to_dicts()
        return Counter({key: sum(row[key] for row in rows) for key in ("lines", "hits", "blank")})


PROGRAM = """
import json, sys
from cli.main import main
codes = []
for words in json.loads(sys.argv[1]):
    try:
        main(words)
    except SystemExit as end:
        codes.append(end.code)
sys.exit(max(codes))
"""
"""Mines one log after the other; its exit code is the greatest of theirs."""


def start(mined: list[Mined]) -> "subprocess.Popen[str]":
    """Start a process that mines all logs of a server, each into its workspace."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CRM_")}
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, json.dumps([mine.words() for mine in mined])],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )


def ended(run: "subprocess.Popen[str]", codes: tuple[int, ...]) -> None:
    printed, said = run.communicate(timeout=120)
    assert run.returncode in codes, (run.returncode, printed, said)


@pytest.fixture
def mined(server: "Server", tmp_path: Path) -> list[Mined]:
    """A workspace for each log of the server."""
    out = [Mined(tmp_path / format_.name, server.logs, format_) for format_ in server.kind.formats]
    for mine in out:
        mine.workspace.mkdir()
        (mine.workspace / "crm.yaml").write_text("logs: {visitors: {addresses: full, cookie: sid}}\n")
    return out


@pytest.mark.parametrize("policy", POLICIES)
def test_every_request_is_one_hit_however_its_log_is_rotated(server: "Server", mined: list[Mined], policy: str) -> None:
    directives, at_once = POLICIES[policy]
    client, began = Client(server), datetime.now(UTC)
    for round_ in range(ROUNDS):
        for number, odd in enumerate(ODDITIES):
            client.send(odd, number)
            client.send(odd, number + 1)
        with client.sending():
            run = start(mined)
            if at_once:
                time.sleep(0.5 + 0.5 * round_)
                server.rotate(*directives)
            ended(run, (0, 4) if at_once else (0,))  # a log that has gone when it is opened is refused
        if not at_once:
            server.rotate(*directives)
    client.send(ODDITIES[0])
    ended(start(mined), (0,))
    assert sum(sent.odd.name == "live" for sent in client.sent) > 100
    for mine in mined:
        hits = mine.hits()
        check_hits(client, mine.format, hits)
        lines = lines_of(server.logs, mine.format.name)
        assert mine.account() == {"lines": lines, "hits": lines, "blank": 0}
        assert lines == len(hits)
        assert all(began.replace(microsecond=0) <= hit["ts"] <= datetime.now(UTC) for hit in hits)


def lines_of(logs: Path, name: str) -> int:
    """How many lines a log and its older pieces have."""
    count = 0
    for file in glob.glob(f"{logs}/{name}.log*"):
        data = Path(file).read_bytes()
        count += (gzip.decompress(data) if file.endswith(".gz") else data).count(b"\n")
    return count


def check_hits(client: Client, format_: "Format", hits: list[dict[str, Any]]) -> None:
    """Every request is one hit with what was sent; what is left are the requests of which the log shows no path."""
    by_id: dict[str, list[dict[str, Any]]] = {}
    for hit in hits:
        found = re.search(r"\d{7}", f"{hit['path']}?{hit['query']}")
        by_id.setdefault(found.group() if found else "", []).append(hit)
    nameless = by_id.pop("", [])
    lost = [sent for sent in client.sent if sent.id not in by_id]
    assert {sent.odd.name for sent in lost if not (sent.odd.bad and (format_.parts or not sent.id))} == set()
    assert len(nameless) == len(lost)
    assert Counter(sent.status for sent in lost if sent.status) <= Counter(hit["status"] for hit in nameless)
    for sent in client.sent:
        if sent.id in by_id:
            (hit,) = by_id.pop(sent.id)
            wanted = expected(client.server, format_, sent)
            assert {name: hit[name] for name in wanted} == wanted, sent.odd.name
    assert by_id == {}


def expected(server: "Server", format_: "Format", sent: Sent) -> dict[str, Any]:
    """The columns of a request's hit that are known."""
    odd = sent.odd
    wanted: dict[str, Any] = {"address": sent.address, "login": odd.login or None if server.kind.logins else None}
    if format_.parts and odd.forwarded:
        wanted["address"] = odd.forwarded
    if sent.status is not None:
        wanted["status"] = sent.status
    if odd.path is not None and not (format_.parts and odd.bad):
        path = odd.decoded if format_.decoded and odd.decoded else odd.path
        wanted["path"] = path.replace("<id>", sent.id)
        wanted["method"] = odd.hit.get("method", odd.raw.split(b" ")[0].decode())
    if sent.status != 400:  # a server that refuses a request may not have read its headers
        wanted |= {
            name: value for name, value in {"agent": None, "referrer": None, **odd.hit}.items() if name != "method"
        }
    return wanted
