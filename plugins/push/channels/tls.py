"""How the certificates of servers are checked."""

import ssl
from pathlib import Path

from crm.errors import Unusable

LOOPBACK = ("localhost", "127.0.0.1", "::1")


def checked_by(file: Path | None) -> ssl.SSLContext:
    """What checks certificates: by the system's, and those in a file.

    Raises:
        Unusable: the file holds none.
    """
    context = ssl.create_default_context()
    if file is not None:
        try:
            context.load_verify_locations(cafile=file)
        except (OSError, ssl.SSLError) as error:
            raise Unusable(f"{file} holds no certificates that can be read: {error}") from error
    return context
