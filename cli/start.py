"""Where the program begins: an interruption is one while its parts are still being imported, too."""

import sys


def run() -> None:
    """The program `crm`."""
    try:
        from cli.main import run as go
    except KeyboardInterrupt:
        sys.stderr.write("crm: interrupted\n")
        sys.exit(130)  # as in `cli.exits`, which may not be there yet
    go()
