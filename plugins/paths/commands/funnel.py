"""`crm paths funnel`."""

from datetime import timedelta
from typing import TYPE_CHECKING

import click

from crm.app import App, pass_app
from crm.options import DURATION
from crm.output import impersonal, table_output
from plugins.paths.options import current_source, from_sessions

if TYPE_CHECKING:
    import polars as pl

    from plugins.paths.corpus import Flags
    from plugins.paths.source import Source

MICROSECOND = timedelta(microseconds=1)


@click.command(name="funnel")
@click.argument("steps", nargs=-1, required=True, metavar="STEP...")
@click.option(
    "--within",
    type=DURATION,
    metavar="DURATION",
    help="From the view of the first step to that of the last, at most: 1h, 30m.  [default: any time]",
)
@click.option("--strict", is_flag=True, help="The steps follow each other directly, without a view between them.")
@from_sessions
@table_output(columns="step name sessions visitors conversion step_conversion median_s lost lost_to")
@pass_app
def command(app: App, steps: tuple[str, ...], within: timedelta | None, strict: bool) -> "pl.DataFrame":
    """Count how many sessions go how far along some steps.

    STEP is a page (/cart), pages with * for anything ('/c/*'), or category:NAME of the configuration's
    site.categories, with * as well; 'A|B' is either. A session reaches a step if views that fit the first step to this
    one stand in it in this order; others may lie between them. With --within only those count that take no longer, from
    any view of the first step.

    `conversion` is the share of the sessions of the first step, `step_conversion` that of the step before. `median_s`
    is the median time in seconds from a session's first view of the step before to its first view of this one.
    `lost` are the sessions that go no further, and `lost_to` says what most of them viewed right after their last
    view of the step.

    \b
    Examples:
      crm paths funnel /cart /checkout /checkout/pay /order/done
      crm paths funnel '/c/*' '/item/*' /cart --within 1h --since 30d
      crm paths funnel 'category:food/*' /cart --strict -f csv
    """
    from crm.errors import UsageError
    from plugins.paths.funnel import funnel, reached

    if empty := [step for step in steps if not all(step.split("|"))]:
        raise UsageError(f"the step `{empty[0]}` names no page; write a page, pages with *, or category:NAME")
    source = current_source(app)
    found = source.paths(capped=False, ordered=True)
    if found.sessions.height and found.sessions["visitor"].null_count() == found.sessions.height:
        app.note("the file names no visitors (a column visitor), so they are not counted")
    corpus, longest = found.corpus, None if within is None else within // MICROSECOND
    if longest is not None and corpus.times is None and corpus.views:
        raise UsageError(f"--within needs the times of the views, and {source.file} has none (a column ts)")
    fits = _fitting(app, source, steps, corpus.names)
    if corpus.times is None:
        longest = None
    where = reached(corpus, fits, within=longest, strict=strict)
    impersonal()  # `name` is a step; not before --where has judged sessions
    return funnel(corpus, found.sessions["visitor"], steps, where, within=longest)


def _fitting(app: App, source: "Source", steps: tuple[str, ...], pages: "pl.Series") -> "list[Flags]":
    """The pages that fit each step; the user is told of steps that none fits."""
    from crm.nearest import did_you_mean
    from plugins.paths.funnel import CATEGORY, fitting

    names = None
    if any(part.startswith(CATEGORY) for step in steps for part in step.split("|")):
        names = pages if source.by_category else source.categories(pages, f"a step `{CATEGORY}NAME`")
    found = [fitting(step, pages, names) for step in steps]
    for step, fits in zip(steps, found, strict=True):
        if not fits.any() and len(pages):
            known = [f"{CATEGORY}{name}" for name in names.unique().sort().drop_nulls()] if names is not None else []
            near = did_you_mean(step, known if step.startswith(CATEGORY) else pages.to_list())
            app.warn(f"no session has a view of step `{step}`{near}")
    return found
