"""A mail server on loopback that keeps, of every mail that it takes, the time, the id and the recipient: no text.

    python benchmarks/smtp_sink.py LOG

The port is written to stdout once it listens. Each mail is a line of the log before the client is told so.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING

from aiosmtpd.smtp import SMTP

if TYPE_CHECKING:
    from aiosmtpd.smtp import Envelope, Session


class Sink:
    """Takes every mail.

    Args:
        log: The file that says which.
    """

    def __init__(self, log: IO[str]) -> None:
        self._log = log

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        """Write a line, then say that the mail was taken."""
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        head = content.split(b"\r\n\r\n", 1)[0].lower()
        name = head.partition(b"message-id: <")[2].partition(b"@")[0].decode("ascii")
        for recipient in envelope.rcpt_tos:
            self._log.write(f"{time.time():.6f} {name} {recipient}\n")
        self._log.flush()
        return "250 taken"


async def serve(log: IO[str]) -> None:
    """Listen on a free port until stdin ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Sink(log), loop=loop), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


def main() -> None:
    """Run as a program."""
    with Path(sys.argv[1]).open("a", encoding="ascii") as log, contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(log))


if __name__ == "__main__":
    main()
