"""Runs something to its end and says it with an exit code and at most one sentence on stderr."""

import errno
import io
import os
import re
import sys
from collections.abc import Callable, Sequence
from typing import TextIO, cast

import click

from crm.errors import CrmError
from crm.messages import as_json, say, traceback_of

INTERRUPTED = 130
"""Ctrl-C: 128 + SIGINT, as shells say it."""

BROKEN_PIPE = 141
"""The reader of the output went away: 128 + SIGPIPE, as shells say it of programs that the signal ends."""

LOG_JSON, QUIET, VERBOSE = (re.compile(text) for text in ("--log-json", "-q|--quiet", "-v+|--verbose"))

_SYSTEM = {
    *(errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EACCES, errno.EPERM),
    *(errno.EMFILE, errno.ENFILE, errno.ENOMEM),
}
"""What the machine refuses is not a bug: full, read-only or broken disks, missing permissions, open files or memory
beyond the limits of the caller."""

_OF_STORE = "object-store error"
"""What Polars says of an object store that fails in the middle of a query."""


def exit_code(action: Callable[[], int], args: Sequence[str], culprit: Callable[[], str]) -> int:
    """Run `action` and return its exit code, or the one of the error that it raises.

    Args:
        action: Returns an exit code.
        args: The command line; `-v` in it asks for tracebacks.
        culprit: Names the plugin in charge, for a bug in it; empty if it is this program.
    """
    try:
        code = _judged(action, args, culprit)
    except BrokenPipeError:
        code = BROKEN_PIPE
    if _given(LOG_JSON, args) and (code or not _given(QUIET, args)):
        say(as_json("error" if code else "info", "exit", code=code))
    for stream in (sys.stdout, sys.stderr):
        _let_go(stream)
    return code


def _judged(action: Callable[[], int], args: Sequence[str], culprit: Callable[[], str]) -> int:
    try:
        code = action()
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except BrokenPipeError:
        raise
    except (KeyboardInterrupt, EOFError, click.Abort):
        if sys.stderr is not None and sys.stderr.isatty():
            click.echo(err=True)  # behind the ^C of the terminal
        _say("interrupted", None, args)
        return INTERRUPTED
    except click.ClickException as error:
        if _given(LOG_JSON, args):
            _say(error.format_message(), None, args)
        else:
            told = io.StringIO()
            error.show(told)
            say(told.getvalue().removesuffix("\n"))
        return error.exit_code
    except CrmError as error:
        _say(str(error), error if error.exit_code == 1 else None, args)
        return error.exit_code
    except Exception as error:
        if lacking := _lacking(error):
            _say(lacking, error, args)
            return 4
        where = culprit()
        what = f"{type(error).__name__}: {' '.join(str(error).split())}".rstrip(": ")
        hint = "" if _given(VERBOSE, args) else "; -v before the command shows the traceback"
        _say(f"this is a bug{f' in {where}' if where else ''} ({what}){hint}", error, args)
        return 1


def _lacking(error: Exception) -> str:
    """What the machine or a limit of the caller has refused; empty if it is something else that went wrong."""
    if isinstance(error, MemoryError):
        return "there is too little memory, or too little is allowed (ulimit -v)"
    if _OF_STORE in str(error):
        from crm.storage.remote import why

        return f"the object store of the lake cannot be read: {why(error)}; try again"
    if not isinstance(error, OSError) or error.errno not in _SYSTEM:
        return ""
    reason = error.strerror or str(error)
    where = str(error.filename).strip("<>") if error.filename else "stdout" if _stuck(sys.stdout) else ""
    return f"{where}: {reason[:1].lower()}{reason[1:]}" if where else reason


def _stuck(stream: TextIO | None) -> bool:
    """Whether a stream still holds what it cannot write."""
    try:
        if stream is not None:
            stream.flush()
    except OSError:
        return True
    return False


def _say(sentence: str, error: BaseException | None, args: Sequence[str]) -> None:
    trace = traceback_of(error) if error is not None and _given(VERBOSE, args) else ""
    if _given(LOG_JSON, args):
        say(as_json("error", "error", sentence, **({"traceback": trace} if trace else {})))
        return
    if trace:
        say(trace)
    say(f"crm: {sentence}")


def _given(option: re.Pattern[str], args: Sequence[str]) -> bool:
    """Whether an option is given; read from the words because an error may come before click has read them."""
    return any(option.fullmatch(arg) for arg in args)


def _let_go(stream: TextIO | None) -> None:
    """Write out what is buffered, or drop it if that is impossible.

    Python would try once more at its exit, and complain. A stream is None if the caller has closed it.
    """
    try:
        if stream is not None:
            stream.flush()
    except OSError:
        with open(os.devnull, "wb") as nothing:
            os.dup2(nothing.fileno(), cast("TextIO", stream).fileno())
