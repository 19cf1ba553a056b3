"""The mistakes a user can make, each with the exit code of the program.

Every message is one sentence that says what is wrong, where, and what to do. Anything that is not a
`CrmError` (nor click's own usage error, code 2) is a bug: exit code 1.
"""


class CrmError(Exception):
    """Base of the errors that are shown as one sentence, without a traceback."""

    exit_code = 1


class MinerFailed(CrmError):
    """A plugin's miner does not work; everything but its tables has been stored."""

    exit_code = 1


class UsageError(CrmError):
    """The call does not make sense: a wrong option, an unknown column."""

    exit_code = 2


class TooManyRejects(CrmError):
    """More lines or rows were rejected than `--max-rejects` allows; what was good has been stored."""

    exit_code = 3


class Unusable(CrmError):
    """The configuration or the input cannot be used; nothing of it was stored."""

    exit_code = 4


class Damaged(Unusable):
    """What the workspace keeps is damaged, is missing, or cannot be reached."""


class Locked(CrmError):
    """Another run holds the workspace's lock."""

    exit_code = 5


class NothingFound(CrmError):
    """A query that asks for one thing found none."""

    exit_code = 6


class Refused(CrmError):
    """A rule forbids it: a settlement whose part is not back, a consent that is missing."""

    exit_code = 7
