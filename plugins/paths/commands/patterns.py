"""`crm paths patterns`."""

from typing import TYPE_CHECKING

import click

from crm.app import App, pass_app
from crm.output import table_output
from plugins.paths.options import current_source, from_sessions, kind_of, kinds, min_support, top

if TYPE_CHECKING:
    import polars as pl

    from plugins.paths.support import Support


@click.command(name="patterns")
@min_support("0.01")
@click.option(
    "--min-length", type=click.IntRange(min=1), default=1, show_default=True, help="Fewest pages of a pattern."
)
@click.option("--max-length", type=click.IntRange(min=1), metavar="N", help="Most pages of a pattern.")
@click.option(
    "--max-gap",
    type=click.IntRange(min=0),
    metavar="N",
    help="Most other views between two pages of a pattern.  [default: any number]",
)
@click.option("--contiguous", is_flag=True, help="No other view between: the same as --max-gap 0.")
@kinds("patterns")
@top("patterns")
@from_sessions
@table_output(columns="pattern length support share")
@pass_app
def command(
    app: App,
    min_support: "Support",
    min_length: int,
    max_length: int | None,
    max_gap: int | None,
    contiguous: bool,
    closed: bool,
    maximal: bool,
    top: int | None,
) -> "pl.DataFrame":
    """Find the sequences of pages that many sessions share.

    A pattern is in a session if its pages were viewed there in this order, other views between them or not.
    `support` is the number of such sessions, `share` their share of all; `length` the number of pages.
    The most frequent come first, then by name.

    With --max-gap, a pattern is contained in another as it would be in a session: within the same gap. Where
    there are more patterns than paths.max_candidates of the configuration, the rarest are left out, and this is told.
    Baskets have no order: their patterns are sets.

    \b
    Examples:
      crm paths patterns --min-support 5% --min-length 2
      crm paths patterns --closed --max-length 6 -o patterns.csv
      crm paths patterns --contiguous --top 20 --since 30d
      crm paths patterns --input MSNBC.spmf.gz --min-support 0.1 -f csv
    """
    from plugins.paths.patterns import Wanted, mine
    from plugins.paths.telling import left_out, mined_corpus, most_candidates

    if contiguous and max_gap:
        raise click.UsageError("--contiguous means --max-gap 0, and another gap is given.")
    if max_length is not None and min_length > max_length:
        raise click.UsageError(f"--min-length {min_length} is more than --max-length {max_length}.")
    gap = 0 if contiguous else max_gap
    kind = kind_of(closed=closed, maximal=maximal)
    corpus = mined_corpus(app, current_source(app), indexed=gap is None)
    least = min_support.count(corpus.sessions)
    found = mine(corpus, Wanted(least, kind, max_length, gap, min_length, top, most_candidates(app)))
    left_out(app, "patterns", least, found.minimum, top)
    frame = found.frame(corpus.names, corpus.sessions)
    return frame if top is None else frame.head(top)
