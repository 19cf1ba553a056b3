"""`crm customers cluster`."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from crm.access import require
from crm.app import App, pass_app
from crm.errors import UsageError
from crm.messages import counted
from crm.output import table_output
from crm.reading import current_file, table_or_workspace
from plugins.customers.learning_options import (
    features_option,
    quantify_option,
    refuse_personal,
    scales_of,
    scaling_option,
    seed_option,
)
from plugins.customers.profile_options import as_of_option, check_moment, workspace_rows

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
@click.option(
    "--save",
    metavar="PREFIX",
    help="Make segments PREFIX-1, PREFIX-2 ... of the clusters; those of an earlier call go.",
)
@click.option("--customer", metavar="COLUMN", help="The file's column with the customer, for --save.")
@as_of_option("now")
@table_or_workspace
@table_output(columns="cluster size share distinguishing customer ...")
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
    save: str | None,
    customer: str | None,
) -> "pl.DataFrame":
    """Group customers that are alike.

    The workspace's customers are grouped by columns of their profiles, such as age, orders, monetary, last_order_days
    or views (`crm customers segment --help` lists them), as of a moment. A file has a row a customer. The rows, of the
    workspace `customer` and the features, come back with the column `cluster`, and with --method fuzzy in which degree
    each belongs to each cluster: `membership_1`, `membership_2` and so on, which sum to 1; `cluster` is then the one
    with the largest. They are empty where a feature is missing. Clusters are numbered by falling size. The same input
    gives the same clusters.

    What tells a cluster apart is told: features whose mean is far from that of all rows, with how many standard
    deviations it is above or below.

    \b
    Examples:
      crm customers cluster --features frequency,monetary,last_order_days \\
          --save kind
      crm customers cluster --input customers.csv --features income,age
      crm customers cluster --input customers.csv --features income,age \\
          --method fuzzy --clusters 3 -o clusters.csv
      crm customers cluster --input customers.csv --features income,education \\
          --quantify words.yaml --summary
    """
    from plugins.customers.clusters import clustered, names_of, per_record, scaled
    from plugins.customers.clusters import summary as summarised
    from plugins.customers.features import check_new, points
    from plugins.customers.headers import people_table

    if m is not None and method != "fuzzy":
        raise UsageError("--m is about --method fuzzy")
    refuse_personal(app, features)
    scales = scales_of(app, quantify)
    _check_save(app, save, customer)
    frame = workspace_rows(app, features) if current_file() is None else people_table(app)
    found = points(frame, features, scales)
    numbers = range(2, MOST + 1) if clusters is None else [clusters]
    partition = clustered(scaled(found.values, scaling), numbers, method, 2.0 if m is None else m, seed)
    table = summarised(found, features, partition)
    _tell(app, found, partition, min(numbers), method)
    if save is not None:
        _save(app, save, frame, customer or "customer", found.spread(partition.labels + 1))
    if summary:
        return table
    for cluster, size, telling in table.select("cluster", "size", "distinguishing").iter_rows():
        app.note(f"cluster {cluster}: {counted(size, 'row')}{'; ' if telling else ''}{', '.join(telling)}")
    check_new(frame, ("cluster", *(names_of(partition) if method == "fuzzy" else ())))
    return per_record(frame, found, partition)


def _check_save(app: App, prefix: str | None, customer: str | None) -> None:
    """See that options fit each other, and that segments can be made where they are wanted."""
    from plugins.customers.segmenting import NAME

    check_moment()
    if prefix is None:
        if customer is not None:
            raise UsageError("--customer says who belongs to segments, and there is no --save")
        return
    require(app, "analyse")
    if not NAME.fullmatch(prefix):
        raise UsageError(f"--save: `{prefix}` is no name for segments; write letters, digits, and _ . - between them")
    if current_file() is None and customer is not None:
        raise UsageError("--customer is about a file, and none is named with --input")


def _save(app: App, prefix: str, frame: "pl.DataFrame", customer: str, clusters: "pl.Series") -> None:
    """Make each cluster a segment."""
    import polars as pl

    from plugins.customers.features import check_columns
    from plugins.customers.segmenting import save_numbered

    check_columns(frame, [customer], "--customer")
    people = frame.select(pl.col(customer).cast(pl.String).alias("who"), clusters.alias("cluster")).drop_nulls()
    names = save_numbered(app.workspace(), prefix, people.unique("who", keep="first", maintain_order=True))
    app.note(f"segments written: {', '.join(names)}")


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
