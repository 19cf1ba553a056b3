"""`crm customers cluster`."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from crm.app import App, pass_app
from crm.errors import UsageError
from crm.messages import counted
from crm.output import table_output
from crm.reading import current_table, table_file
from plugins.customers.learning_options import (
    features_option,
    quantify_option,
    refuse_personal,
    scales_of,
    scaling_option,
    seed_option,
)

if TYPE_CHECKING:
    import polars as pl

    from plugins.customers.clusters import Clusters
    from plugins.customers.features import Points

MOST: Final = 10
"""Up to how many clusters are compared, unless the user says how many there are."""


@click.command(name="cluster")
@features_option
@click.option(
    "--method",
    type=click.Choice(("kmeans", "fuzzy")),
    default="kmeans",
    show_default=True,
    help="kmeans: a row belongs to one cluster; fuzzy: to each in some degree (fuzzy c-means).",
)
@click.option(
    "--clusters",
    type=click.IntRange(1, 100),
    metavar="K",
    help=f"How many.  [default: 2 to {MOST}, as the silhouette says]",
)
@click.option(
    "--m",
    type=click.FloatRange(min=1, min_open=True),
    metavar="M",
    help="The fuzzifier of --method fuzzy: near 1 degrees are 0 or 1, and the larger the vaguer.  [default: 2]",
)
@quantify_option
@scaling_option
@seed_option
@click.option(
    "--summary", is_flag=True, help="One row a cluster instead: what tells it apart, and the mean of each feature."
)
@table_file
@table_output()
@pass_app
def command(
    app: App,
    features: tuple[str, ...],
    method: str,
    clusters: int | None,
    m: float | None,
    quantify: Path | None,
    scaling: str,
    seed: int,
    summary: bool,
) -> "pl.DataFrame":
    """Group customers that are alike.

    The file has a row a customer. Its rows come back with the column `cluster`, and with --method fuzzy in which degree
    each belongs to each cluster: `membership_1`, `membership_2` and so on, which sum to 1; `cluster` is then the one
    with the largest. They are empty where a feature is missing. Clusters are numbered by falling size. The same input
    gives the same clusters.

    What tells a cluster apart is told: features whose mean is far from that of all rows, with how many standard
    deviations it is above or below.

    \b
    Examples:
      crm customers cluster --input customers.csv --features income,age
      crm customers cluster --input customers.csv --features income,age --method fuzzy --clusters 3 -o clusters.csv
      crm customers cluster --input customers.csv --features income,education --quantify words.yaml --summary
    """
    from plugins.customers.clusters import clustered, names_of, per_record, scaled
    from plugins.customers.clusters import summary as summarised
    from plugins.customers.features import check_new, points

    if m is not None and method != "fuzzy":
        raise UsageError("--m is about --method fuzzy")
    refuse_personal(app, features)
    scales = scales_of(quantify)
    frame = current_table(app)
    found = points(frame, features, scales)
    numbers = range(2, MOST + 1) if clusters is None else [clusters]
    partition = clustered(scaled(found.values, scaling), numbers, method, 2.0 if m is None else m, seed)
    table = summarised(found, features, partition)
    _tell(app, found, partition, min(numbers), method)
    if summary:
        return table
    for cluster, size, telling in table.select("cluster", "size", "distinguishing").iter_rows():
        app.note(f"cluster {cluster}: {counted(size, 'row')}{'; ' if telling else ''}{', '.join(telling)}")
    check_new(frame, ("cluster", *(names_of(partition) if method == "fuzzy" else ())))
    return per_record(frame, found, partition)


def _tell(app: App, found: "Points", partition: "Clusters", least: int, method: str) -> None:
    """Say how the clusters came about."""
    if found.left_out:
        app.note(f"{found.left_out:,} of {found.total:,} rows without a cluster: a feature is missing")
    if not partition.count:
        return
    tried = ", ".join(f"{number}: {value:.3f}" for number, value in partition.silhouettes.items())
    reached = {"kmeans": "sum of squares", "fuzzy": "J"}[method]
    app.note(
        f"{counted(len(found.rows), 'row')}, {counted(partition.count, 'cluster')}"
        f"{f'; mean silhouette of {tried}' if tried else ''}; {reached} = {partition.objective:.4f}"
    )
    if partition.fitted < len(found.rows):
        app.note(f"found from {partition.fitted:,} of them, evenly taken; all others joined the nearest cluster")
    if partition.count < least:
        app.note(f"fewer clusters than {least}: too few rows are different")
    if not partition.settled:
        app.warn("the clusters have not come to rest, and others may be as good: take fewer, or another --m")
