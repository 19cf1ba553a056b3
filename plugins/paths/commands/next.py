"""`crm paths next`."""

from typing import TYPE_CHECKING, Final

import click

from crm.app import App, pass_app
from crm.errors import NothingFound
from crm.nearest import did_you_mean
from crm.output import current, table_output
from plugins.paths.options import current_source, from_sessions
from plugins.paths.order import order_option

if TYPE_CHECKING:
    from collections.abc import Iterable

    import polars as pl

    from plugins.paths.grams import Pages
    from plugins.paths.prediction import Prediction

SHOWN: Final = 10
"""How many pages are listed, unless -n says otherwise."""


@click.command(name="next")
@click.argument("last", nargs=-1, required=True, metavar="PAGE...")
@click.option("--from-start", is_flag=True, help="The session began with the first PAGE; else more may be before it.")
@order_option
@from_sessions
@table_output(columns="rank page probability count context")
@pass_app
def command(app: App, last: tuple[str, ...], from_start: bool, order: int) -> "pl.DataFrame":
    """Predict the next page from the last ones.

    PAGE... are the last pages of a session, oldest first. One row a page, the most likely first, ten unless -n says
    otherwise. `probability` is that of the page to come next if the session goes on; those of all pages sum to 1.
    `context` is the longest end of the given pages after which the page was seen, and `count` how often it was
    seen there; without a context, `count` is how often it was viewed.

    Probabilities are smoothed over the last pages by interpolated Kneser-Ney. Where no session goes on from the given
    pages in this order, only the last of them count; stderr says which, and how often sessions ended there. How good
    predictions are, `crm paths evaluate` measures.

    \b
    Examples:
      crm paths next /login
      crm paths next / /search --from-start -n 3
      zcat visits.spmf.gz | crm paths next 13 7 --input - --input-format spmf \\
          --order 5 -f json
    """
    import numpy as np

    from plugins.paths.prediction import START, Counts, kneser_ney, predict

    # Of a shorter context than the model's it is known after how many pages it came, and not how often.
    order = min(order, len(last) + from_start)
    counts = Counts.of(current_source(app).corpus(ordered=True), order)
    pages = counts.pages
    symbols = [_symbol(pages, page) for page in last] if len(pages.names) else []
    begin = [pages.start] if from_start and symbols else []
    found = predict(kneser_ney(counts), np.array([*begin, *symbols], dtype=np.int64))
    if symbols:
        _tell(app, found, [START, *last][-order:] if from_start else last[-order:])
    return _shown(app, found.pages)


def _symbol(pages: "Pages", page: str) -> int:
    found = pages.symbol(page)
    if found is None:
        raise NothingFound(
            f"no session has the page `{page}`{did_you_mean(page, pages.names)}; `crm paths pages` lists what there is"
        )
    return found


def _tell(app: App, found: "Prediction", given: "Iterable[str]") -> None:
    """Say which of the given pages count, and how often sessions ended with them."""
    words = list(given)
    used = " > ".join(words[len(words) - found.used :])
    if found.used < len(words):
        basis = used or "how many different pages each page follows"
        app.note(f"no session goes on from {' > '.join(words)}; predicted from {basis}")
    if used:
        app.note(f"{used}: seen {found.seen:,} times, {found.ended:,} of them at the end of a session")


def _shown(app: App, pages: "pl.DataFrame") -> "pl.DataFrame":
    if current().limit is not None or pages.height <= SHOWN:
        return pages
    app.note(f"the first {SHOWN} of {pages.height:,} pages; -n N lists more")
    return pages.head(SHOWN)
