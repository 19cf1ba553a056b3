"""`crm paths suggest-links`."""

from typing import TYPE_CHECKING

import click

from crm.app import App, pass_app
from crm.output import table_output
from plugins.paths.options import current_source, from_sessions

if TYPE_CHECKING:
    import polars as pl

    from plugins.paths.source import Source


@click.command(name="suggest-links")
@click.option(
    "--max-clicks", type=click.IntRange(2, 50), default=5, show_default=True, metavar="N", help="The longest detour."
)
@click.option(
    "--min-sessions",
    type=click.IntRange(min=1),
    default=2,
    show_default=True,
    metavar="N",
    help="In how many sessions at least.",
)
@click.option("--all", "known", is_flag=True, help="List pairs too whose link is there already.")
@from_sessions
@table_output(columns="page target sessions clicks saved direct via")
@pass_app
def command(app: App, max_clicks: int, min_sessions: int, known: bool) -> "pl.DataFrame":
    """Suggest links that would save clicks.

    A session goes from `page` to `target` by a detour if it views other pages between them; the shortest one counts,
    once a session, and a session that also goes there directly does not count. `clicks` is its mean length, `saved` the
    clicks that a link from page to target would have saved all `sessions`. `via` are the pages that are between most
    often.

    Only pairs are listed for which the log shows no link: `direct` is how often it shows the step. A view came from
    the page that its referrer names; where it names none of the site's, from the view before it. With
    --complete, ways back count as clicks.

    \b
    Examples:
      crm paths suggest-links -n 20
      crm paths suggest-links --complete --max-clicks 8 --min-sessions 10
      crm paths suggest-links --all --segment taste-1 -o links.csv
    """
    import polars as pl

    from plugins.paths.links import suggestions

    source = current_source(app)
    paths = source.paths(ordered=True)
    taken = _taken(source, paths.sessions)
    found = suggestions(paths.corpus, taken, max_clicks, min_sessions, known=known)
    return found.with_columns(pl.col("via").list.join(", "))


def _taken(source: "Source", sessions: "pl.DataFrame") -> "pl.DataFrame":
    """The links that the sessions have taken, between pages or, where the user wants that, between categories."""
    from plugins.paths.corpus import Corpus
    from plugins.paths.links import steps
    from plugins.paths.referrers import referring_pages

    logged = Corpus.of(sessions["path"])
    texts = source.referrers(sessions)
    origins = None if texts is None else referring_pages(logged, texts, source.site())
    return steps(logged, origins, source.categories(logged.names) if source.by_category else None)
