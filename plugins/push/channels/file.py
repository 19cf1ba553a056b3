"""The channel `file`: messages as lines of JSON, appended to a file a day, for other programs to take up."""

import fcntl
import json
import os
import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from crm.delivery import Message, TryAgainError
from crm.errors import Locked, Unusable
from crm.hookspecs import Channel
from plugins.push.credentials import beside_config

if TYPE_CHECKING:
    from crm.app import App

_ID: Final = re.compile(rb'\{"id": "([a-z2-7]{26})"')
_TAIL: Final = 64 * 2**20
"""So many bytes at the end of a file are searched for messages that an earlier run has written and not told of."""


class FileSender:
    """Appends messages to files in a folder; they are on the disk before they count as delivered.

    Args:
        folder: The folder; it is made, for its owner alone, if it is missing.

    Raises:
        Unusable: the folder cannot be written.
        Locked: another program is writing there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock, self._synced = threading.Lock(), threading.Lock()
        self._descriptor, self._day = -1, ""
        self._written = self._safe = 0
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._guard = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise Unusable(f"messages cannot be written to {folder}: {error.strerror}") from error
        try:
            fcntl.flock(self._guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._guard)
            raise Locked(f"another program is writing messages to {folder}") from None
        self._there = set(self._known())

    def _known(self) -> Iterator[str]:
        """The ids at the ends of the two newest files, for a run may have been killed at midnight."""
        for file in sorted(self._folder.glob("messages-*.ndjson"))[-2:]:
            with file.open("r+b") as lines:
                _cut_off_half_a_line(lines.fileno())
                lines.seek(max(0, os.fstat(lines.fileno()).st_size - _TAIL))
                yield from (found[1].decode("ascii") for line in lines if (found := _ID.match(line)))

    def send(self, message: Message) -> bool:
        """Append a message, unless it is there already.

        Raises:
            TryAgainError: the file cannot be written: the disk is full, say.
        """
        line = (json.dumps(as_object(message), ensure_ascii=False) + "\n").encode()
        try:
            with self._lock:
                if message.id in self._there:
                    return True
                self._append(line)
                self._there.add(message.id)
                self._written = mine = self._written + 1
            self._sync(mine)
        except OSError as error:
            raise TryAgainError(f"the file cannot be written: {error.strerror}") from error
        return True

    def _append(self, line: bytes) -> None:
        """Write a whole line to the file of the day, or nothing."""
        day = f"{datetime.now(UTC):%Y-%m-%d}"
        if day != self._day:
            self._close_file()
            path = self._folder / f"messages-{day}.ndjson"
            self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            self._day = day
            self._sync_folder()
        size = os.fstat(self._descriptor).st_size
        try:
            rest = memoryview(line)
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError:
            os.ftruncate(self._descriptor, size)
            raise

    def _sync(self, mine: int) -> None:
        """Wait until the disk has the line; one thread waits for all lines that are there by then."""
        with self._synced:
            if self._safe >= mine:
                return
            with self._lock:
                written, descriptor = self._written, self._descriptor
            os.fsync(descriptor)
            self._safe = written

    def _sync_folder(self) -> None:
        descriptor = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _close_file(self) -> None:
        if self._descriptor >= 0:
            os.fsync(self._descriptor)
            os.close(self._descriptor)

    def close(self) -> None:
        """Close the file, and let others write."""
        self._close_file()
        self._descriptor = -1
        os.close(self._guard)


def _cut_off_half_a_line(descriptor: int) -> None:
    """Take away what a run that was killed has begun to write: what has no end is no line."""
    size = os.fstat(descriptor).st_size
    begin = max(0, size - _TAIL)
    tail = os.pread(descriptor, size - begin, begin)
    whole = tail.rfind(b"\n") + 1
    if whole < len(tail):
        os.ftruncate(descriptor, begin + whole)


def as_object(message: Message) -> dict[str, object]:
    """A message as programs get it; its id comes first."""
    return {
        "id": message.id,
        "customer": message.customer,
        "campaign": message.campaign,
        "subject": message.subject,
        "text": message.text,
        "html": message.html,
        "data": dict(message.data),
        "try": message.tried + 1,
        "queued": message.queued.isoformat() if message.queued else None,
    }


def _folder(app: "App") -> Path:
    from plugins.push.config import PushConfig

    folder = app.config.get("push", PushConfig).file.folder
    return beside_config(app, folder) if folder else app.workspace_path / "outbox"


def _open(app: "App") -> FileSender:
    return FileSender(_folder(app))


def _check(app: "App") -> None:
    """See that the folder can be written, or made where it is missing."""
    folder = _folder(app)
    there = next(each for each in (folder, *folder.parents) if each.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        why = "Permission denied" if there.is_dir() else "Not a directory"
        raise Unusable(f"messages cannot be written to {folder}: {why}")


CHANNEL: Final = Channel("file", _open, help="Lines of JSON in a folder, for other programs.", check=_check)
