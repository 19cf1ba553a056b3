"""What the engine raises; each message is one sentence for the user."""


class LogparseError(Exception):
    """Base of the engine's errors."""


class FormatError(LogparseError):
    """A log format's pattern cannot be compiled."""


class UnknownFormat(LogparseError):
    """No known format fits the first lines of a log."""


class UnreadableSource(LogparseError):
    """A file cannot be opened, or its compressed data are damaged."""
