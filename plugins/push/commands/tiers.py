"""`crm push tiers`."""

import math
from typing import TYPE_CHECKING, Any, Final

import click

from crm.access import require
from crm.app import App, pass_app
from crm.errors import UsageError
from crm.filters import WHEN
from crm.messages import counted
from crm.nearest import no_column
from crm.output import also_personal, current, table_output
from crm.reading import current_file, current_table, table_or_workspace

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from crm.filters import When
    from plugins.push.grey import Feature
    from plugins.push.tier_config import TiersConfig

_DIRECTIONS: Final = ("up", "down")
COEFFICIENT: Final = "coef_"
"""Before the name of a column in that of its coefficients."""


class _Feature(click.ParamType[tuple[str, str, float]]):
    """`spent=up`, `recency=down:2`: a column, whether much of it is good, and how much it counts."""

    name = "feature"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str, float]:  # fmt: skip
        if isinstance(value, tuple):
            return value
        name, _, rest = str(value).rpartition("=")
        direction, _, weight = rest.partition(":")
        try:
            number = float(weight or 1)
        except ValueError:
            number = 0.0
        if not name or direction not in _DIRECTIONS or not (number > 0 and math.isfinite(number)):
            self.fail(f"write a column as spent=up or recency=down:2, not `{value}`.", param, ctx)
        return name, direction, number


class _List(click.ParamType[tuple[str, ...]]):
    """Words separated by commas."""

    name = "list"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:  # noqa: ARG002
        return value if isinstance(value, tuple) else tuple(part.strip() for part in str(value).split(","))


@click.command(name="tiers")
@click.option(
    "--feature",
    "wanted",
    type=_Feature(),
    multiple=True,
    metavar="NAME=up|down[:WEIGHT]",
    help="Grade by this column; may be repeated.  [default: those of the configuration]",
)
@click.option("--rho", type=click.FloatRange(0, 1, min_open=True), help="The distinguishing coefficient.")
@click.option("--scale", type=click.Choice(("maximum", "min-max", "mean")), help="How columns are made dimensionless.")
@click.option(
    "--by", type=click.Choice(("quantile", "grade")), help="What cuts are: quantiles of customers, or grades."
)
@click.option("--cuts", type=_List(), metavar="A,B,...", help="Where tiers begin, rising, such as 0.5,0.8.")
@click.option("--names", type=_List(), metavar="A,B,...", help="Names of the tiers, lowest first.")
@click.option("--explain", is_flag=True, help="Show the coefficient of each column as well.")
@click.option("--save", is_flag=True, help="Store the tiers as segments, so that campaigns can require one.")
@click.option("--at", "--as-of", "moment", type=WHEN, metavar="WHEN", help="As of this moment.  [default: now]")
@click.option("--customer", metavar="COLUMN", help="The file's column with the customer.  [default: customer]")
@table_or_workspace
@table_output(columns="customer grade tier ...")
@pass_app
def command(
    app: App,
    /,
    wanted: tuple[tuple[str, str, float], ...],
    explain: bool,
    save: bool,
    moment: "When | None",
    customer: str | None,
    **given: Any,
) -> "pl.DataFrame":
    """Grade customers against an ideal one, and cut the grades into tiers.

    Grey relational analysis (Deng 1982): the ideal has the best value of every column. Columns are made dimensionless;
    a coefficient tells for each value how near it is to the ideal, 1 at best; the grade of a customer is the mean of
    the coefficients, weighted as the configuration says (`push.tiers`). What is not known of a customer counts as the
    worst that there is.

    Columns are orders, spent, mean_order, recency (days since the last order), visits, views, last_visit (days since),
    points, nps and csat, or those of a file. Customers are listed best first. With --save the tiers become the segments
    `tier:A`, `tier:B` ..., which `tier` in a campaign means.

    \b
    Examples:
      crm push tiers
      crm push tiers --feature spent=up:2 --feature recency=down --explain
      crm push tiers --cuts 0.25,0.5,0.9 --names basic,bronze,silver,gold --save
      crm push tiers --input members.csv --customer 会员号 --feature 积分=up \\
          --feature 退货=down
    """
    import polars as pl

    from plugins.push import grey

    if save:
        require(app, "analyse")
    config = _config(app, given)
    features = _features(config, wanted)
    rows = _rows(app, [each.name for each in features], moment, customer)
    also_personal({"customer": "name"})
    if not features or not rows.height:
        raise UsageError("there is nobody to grade")
    values = rows.select(each.name for each in features).to_numpy()
    _tell(app, rows, features)
    found = grey.coefficients(values, features, config.rho, config.scale)
    grades = grey.grades(found, features)
    places = grey.tiers(grades, config.cuts, quantiles=config.by == "quantile")
    whole = pl.DataFrame(
        {"customer": rows["customer"], "grade": grades, "tier": [config.names[place] for place in places]}
    )
    parts = (
        [pl.Series(f"{COEFFICIENT}{each.name}", found[:, at]) for at, each in enumerate(features)] if explain else []
    )
    if save:
        _save(app, whole, config.names)
    return whole.with_columns(parts).sort("grade", "customer", descending=[True, False])


def _config(app: App, given: "dict[str, Any]") -> "TiersConfig":
    """The configuration, with what the options say instead."""
    import msgspec

    from plugins.push.config import PushConfig
    from plugins.push.tier_config import wrong

    said = {name: value for name, value in given.items() if value is not None}
    if "cuts" in said:
        try:
            said["cuts"] = tuple(float(text) for text in said["cuts"])
        except ValueError:
            raise UsageError("--cuts: write rising numbers, such as 0.5,0.8") from None
        if not all(0 <= cut <= 1 for cut in said["cuts"]):
            raise UsageError("--cuts: quantiles and grades are numbers from 0 to 1")
    config = app.config.get("push", PushConfig).tiers
    if problem := wrong(said.get("cuts", config.cuts), said.get("names", config.names)):
        raise UsageError(f"--cuts and --names: {problem}")
    return msgspec.structs.replace(config, **said)


def _features(config: "TiersConfig", wanted: tuple[tuple[str, str, float], ...]) -> "list[Feature]":
    """The columns by which customers are graded."""
    from plugins.push.grey import Feature

    if wanted:
        if len({name for name, _, _ in wanted}) < len(wanted):
            raise UsageError("--feature: a column is there twice")
        return [Feature(name, direction, weight) for name, direction, weight in wanted]  # type: ignore[arg-type]
    return [Feature(name, each.direction, each.weight, each.ideal) for name, each in config.features.items()]


def _rows(app: App, names: "list[str]", moment: "When | None", customer: str | None) -> "pl.DataFrame":
    """`customer` and the columns as numbers, of the file or of the workspace."""
    from datetime import UTC, datetime
    from zoneinfo import ZoneInfo

    from plugins.push.features import FEATURES, features

    if current_file() is not None:
        if moment is not None:
            raise UsageError("--at is about the workspace, and --input names a file")
        return _of_file(app, names, customer or "customer")
    if customer is not None:
        raise UsageError("--customer is about a file, and none is named with --input")
    _check(names, FEATURES)
    now = datetime.now(UTC)
    at = moment.span(ZoneInfo(current().tz), now)[0] if moment is not None else now
    return features(app.workspace(), at, names)


def _check(names: "Sequence[str]", known: "Sequence[str] | Any") -> None:
    for name in names:
        if name not in known:
            raise UsageError(no_column(name, known))


def _of_file(app: App, names: "list[str]", customer: str) -> "pl.DataFrame":
    """The rows of the file."""
    import polars as pl

    table = current_table(app)
    _check([customer, *names], table.columns)
    rows = table.select(pl.col(customer).cast(pl.String).str.strip_chars().alias("customer"), *names)
    kept = rows.filter(pl.col("customer") != "").unique("customer", keep="first", maintain_order=True)
    if kept.height < rows.height:
        app.note(f"{counted(rows.height - kept.height, 'row')} left out: no customer, or one again")
    numbers = [_number(name, kept[name]) for name in names if name != "customer"]
    return kept.with_columns(numbers)


def _number(name: str, column: "pl.Series") -> "pl.Series":
    """A column of the file as numbers; empty texts are not known."""
    import polars as pl

    texts = column.cast(pl.String).str.normalize("NFKC").str.strip_chars().replace("", None)
    found = texts.cast(pl.Float64, strict=False)
    if not found.is_finite().all() or found.null_count() > texts.null_count():
        raise UsageError(f"the column `{name}` holds what is no number; customers are graded by numbers alone")
    return found


def _tell(app: App, rows: "pl.DataFrame", features: "Sequence[Feature]") -> None:
    """Say of how many customers something is not known."""
    gaps = {each.name: rows[each.name].null_count() for each in features}
    told = [f"{name} of {number:,}" for name, number in gaps.items() if number]
    if told:
        app.note(f"not known, and taken for the worst: {', '.join(told)} of {counted(rows.height, 'customer')}")


def _save(app: App, whole: "pl.DataFrame", names: tuple[str, ...]) -> None:
    """Store the tiers as segments."""
    from crm import segments
    from plugins.push.tier_config import TIER

    groups = [(f"{TIER}{name}", whole.filter(tier=name)["customer"]) for name in names]
    segments.replace(app.workspace(), groups)
    app.note(f"{counted(len(names), 'tier')} written, as the segments {', '.join(name for name, _ in groups)}")
