"""`crm audit log` and `crm audit verify`."""

from string import hexdigits
from typing import TYPE_CHECKING, Final

import click

from crm.app import App, pass_app
from crm.filters import current_filters, filtered_like
from crm.output import impersonal, table_output

if TYPE_CHECKING:
    import polars as pl

_DIGITS: Final = 64


@click.command(name="log")
@click.option("--last", type=click.IntRange(min=1), metavar="N", help="Only the newest N of the entries that are left.")
@filtered_like("action = 'unmask'")
@table_output(columns="entry ts who action what rows hash")
@pass_app
def log(app: App, last: int | None) -> "pl.LazyFrame":
    """List who did what to personal data, and when.

    One row an entry, the newest last: its number, when it was, the operating system's user, what was done, to which
    table or by which command, to how many rows (nothing where nobody could know), and its hash. Entries are made by
    whatever shows personal values unmasked, changes or deletes them, and by what a role may not do.

    \b
    Examples:
      crm audit log --last 20
      crm audit log --since 7d --where "action = 'unmask'"
      crm audit log -f ndjson -o audit.ndjson
    """
    impersonal()
    rows = current_filters().rows(app, app.workspace().scan("audit").sort("entry"), "ts")
    return rows if last is None else rows.tail(last)


@click.command(name="verify")
@click.option("--head", metavar="HASH", help="The hash of an entry, noted elsewhere, which must still be there.")
@table_output(columns="entries head")
@pass_app
def verify(app: App, head: str | None) -> "pl.DataFrame":
    """See whether the audit log is as it was written.

    Each entry has the hash of itself and of the hash before it, so one that was edited, taken out, put in or moved
    breaks the chain: the first such entry is named, and the exit code is 4. Cutting off the newest entries, or writing
    the whole log anew, breaks nothing; note the hash of the head that this prints on another machine, and give it as
    --head the next time.

    \b
    Examples:
      crm audit verify
      crm audit verify --head "$(cat /mnt/elsewhere/audit.head)"
      crm audit verify --columns head -f csv
    """
    import polars as pl

    from crm import audit
    from crm.errors import Unusable

    found = audit.verify(app.workspace().records, None if head is None else _hash(head))
    if found.broken is not None:
        raise Unusable(f"the audit log is not as it was written: {found.broken}")
    return pl.DataFrame(
        {"entries": [found.entries], "head": [found.head or None]}, schema={"entries": pl.Int64, "head": pl.String}
    )


def _hash(text: str) -> str:
    """The hash of an entry as it was given; a file that is empty, say, must not pass for one.

    Raises:
        UsageError: it is none.
    """
    from crm.errors import UsageError

    digest = text.strip().lower()
    if len(digest) != _DIGITS or set(digest) - set(hexdigits):
        raise UsageError(f"--head takes the hash of an entry, of {_DIGITS} hexadecimal digits")
    return digest
