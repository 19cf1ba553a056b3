"""Files that appear whole or not at all."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from crm.errors import Unusable


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open `path` for writing so that it changes only when the block ends without an exception.

    What is written goes to a file beside it (mode by the umask), which is then renamed. A symbolic link keeps
    pointing where it did; what is no regular file (a pipe, /dev/null) is written to directly.

    Raises:
        Unusable: the file cannot be written; the sentence says why.
    """
    target = Path(os.path.realpath(path))
    if path.exists() and not path.is_file():
        with _explained(path), path.open("wb") as out:
            yield out
        return
    part = target.with_name(f".{target.name[:200]}.{secrets.token_hex(4)}.part")
    with _explained(path):
        out = os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666), "wb")
        try:
            with out:
                yield out
                out.flush()
                os.fsync(out.fileno())
            part.replace(target)
        except BaseException:
            with suppress(FileNotFoundError):
                part.unlink()
            raise


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn what the system says about writing into a sentence that names the file the user gave."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise Unusable(f"cannot write {path}: {error.strerror or error}") from error
