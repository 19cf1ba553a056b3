"""`crm paths clusters`."""

from typing import TYPE_CHECKING, Final

import click

from crm.app import App, pass_app
from crm.errors import UsageError
from crm.messages import counted
from crm.output import table_output
from plugins.paths.options import current_source, from_sessions

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from plugins.paths.clusters import Clusters
    from plugins.paths.source import Source

MOST: Final = 10
"""Up to how many clusters are tried, unless the user says otherwise."""

_LEFT_OUT: Final = {
    "sessions": "sessions without a view",
    "visitors": "sessions without a view, or without a visitor",
    "pages": "pages that are in one session only",
}


@click.command(name="clusters")
@click.option(
    "--of",
    type=click.Choice(("sessions", "visitors", "pages")),
    default="sessions",
    show_default=True,
    help="What is grouped: sessions or visitors by the pages they view, or pages by the sessions that view them.",
)
@click.option(
    "--clusters", type=click.IntRange(1, 100), metavar="K", help="How many.  [default: as the silhouette says]"
)
@click.option(
    "--max-clusters",
    type=click.IntRange(2, 100),
    metavar="N",
    help=f"Compare 2 to N clusters by silhouette.  [default: {MOST}]",
)
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, help="Where chance begins.")
@click.option("--members", is_flag=True, help="List who or what belongs to each cluster, the most typical first.")
@click.option(
    "--save",
    metavar="NAME",
    help="With --of visitors: make the clusters the segments NAME-1, NAME-2, ... for --segment.",
)
@from_sessions
@table_output(
    columns="cluster size share views coherence distinguishing typical session likeness visitor sessions pages"
)
@pass_app
def command(
    app: App, of: str, clusters: int | None, max_clusters: int | None, seed: int, members: bool, save: str | None
) -> "pl.DataFrame":
    """Group sessions, visitors or pages that are alike.

    Rows are sessions, or all views of a visitor; features are pages, weighted by TF-IDF. For k clusters, k-means sees
    the first k singular vectors of these rows. k is the one with the best mean silhouette; of several within one
    standard error of it, the largest. The same input gives the same clusters, which are numbered by falling size.

    `views` is the mean of a member, `coherence` the mean cosine of a member and the middle of its cluster: 1 where
    all are the same. `distinguishing` are the pages whose share of the cluster's members exceeds their share of all
    others most; `typical` is the path of the session that is nearest to the middle. With --of pages, rows are pages,
    and features the sessions that view them; pages in one session only are left out, and `pages` are the ten that most
    sessions view.

    --members has instead one row a member: its cluster, and its `likeness`, the cosine of it and the middle.

    \b
    Examples:
      crm paths clusters
      crm paths clusters --clusters 3 --by category
      crm paths clusters --of pages --max-clusters 20 -f ndjson
      crm paths clusters --of visitors --save taste
      crm paths clusters --of visitors --clusters 4 --members -o visitors.csv
    """
    import polars as pl

    if clusters is not None and max_clusters is not None:
        raise UsageError("--max-clusters is about choosing the number of clusters, and --clusters says it")
    numbers = range(2, (max_clusters or MOST) + 1) if clusters is None else [clusters]
    source = current_source(app)
    if save is not None:
        _check_save(source, of, save)
    found = _found(source, of, numbers, seed)
    _tell(app, found, of, numbers)
    if save is not None:
        _save(app, source, save, found)
    if members:
        return found.rows()
    listed = {"distinguishing", "pages"} & set(found.table.columns)
    return found.table.with_columns(pl.col(*listed).list.join(", ")) if listed else found.table


def _found(source: "Source", of: str, numbers: "Sequence[int]", seed: int) -> "Clusters":
    from plugins.paths.clusters import of_pages, of_people

    paths = source.paths()
    if of == "pages":
        return of_pages(paths.corpus, numbers, seed)
    return of_people(paths.corpus, paths.sessions[of.removesuffix("s")], numbers, seed)


def _check_save(source: "Source", of: str, name: str) -> None:
    from plugins.paths.saving import check_name

    if of != "visitors":
        raise UsageError("--save makes segments of visitors: add --of visitors")
    if source.file is not None:
        raise UsageError("--save makes segments in the workspace, and --input names a file")
    check_name(name)


def _save(app: App, source: "Source", name: str, found: "Clusters") -> None:
    from plugins.paths.saving import save

    if not found.found.count:
        app.warn("--save: there is no cluster, and segments stay as they were")
        return
    names = save(source.workspace(), name, found.rows())
    app.note(f"saved {len(names):,} segments, {names[0]} to {names[-1]}" if len(names) > 1 else f"saved {names[0]}")


def _tell(app: App, found: "Clusters", of: str, numbers: "Sequence[int]") -> None:
    """Say how the clusters came about."""
    partition, members = found.found, len(found.members)
    if found.left_out:
        app.note(f"{found.left_out:,} left out: {_LEFT_OUT[of]}")
    if not members:
        return
    tried = ", ".join(f"{number}: {value:.3f}" for number, value in partition.silhouettes.items())
    app.note(
        f"{counted(members, of.removesuffix('s'))}, {counted(partition.count, 'cluster')}"
        f"{f'; mean silhouette of {tried}' if tried else ''}; "
        f"explained by so many dimensions: {partition.explained:.0%}"
    )
    if partition.fitted < members:
        app.note(f"found from {partition.fitted:,} of them, evenly taken; all others joined the nearest cluster")
    if partition.count < min(numbers):
        app.note(f"fewer clusters than {min(numbers)}: too few {of} are different")
