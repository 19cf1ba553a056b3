"""`crm customers loyalty nps` and `csat`."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from crm.app import App, pass_app
from crm.errors import Unusable, UsageError
from crm.messages import counted
from crm.nearest import did_you_mean, one_of
from crm.output import current, table_output
from crm.reading import current_file, table_or_workspace

if TYPE_CHECKING:
    import polars as pl

    from plugins.customers.surveys import Scale

F = TypeVar("F", bound=Callable[..., Any])

_PERIODS: Final = ("month", "quarter", "year")
_COLUMNS: Final = ("customer", "score", "date")


def _options(function: F) -> F:
    for option in (
        click.option(
            "--by",
            "group",
            metavar="month|quarter|year|COLUMN",
            help="A row a period, or a value of this column: the file's, or one of customers or answers.",
        ),
        click.option(
            "--last", is_flag=True, help="Only the last answer of each customer, in each period if --by is one."
        ),
        click.option("--customer", metavar="COLUMN", help="The file's column with the customer.  [default: customer]"),
        click.option("--score", metavar="COLUMN", help="The file's column with the score.  [default: score]"),
        click.option("--date", metavar="COLUMN", help="The file's column with the day.  [default: date]"),
    ):
        function = option(function)
    return function


@click.command(name="nps")
@click.option("--question", default="nps", show_default=True, metavar="NAME", help="The workspace's answers to this.")
@_options
@table_or_workspace
@table_output(columns="period group answers promoters passives detractors nps low high ...")
@pass_app
def nps(app: App, /, question: str, group: str | None, last: bool, **columns: str | None) -> "pl.DataFrame":
    """Measure how many customers would recommend.

    Of answers from 0 to 10, those of 9 and 10 are promoters, those up to 6 detractors, and NPS = 100 (promoters -
    detractors) / answers, from -100 to 100. `low` and `high` are its interval of 95%.

    \b
    Examples:
      crm customers loyalty nps --by month
      crm customers loyalty nps --by region --last
      crm customers loyalty nps --input answers.csv --customer id --score 分数 \\
          --date 日期 --by quarter
    """
    from plugins.customers import surveys

    return surveys.nps(_answers(app, question, surveys.NPS, group, columns, last=last)).rename(_named(group))


@click.command(name="csat")
@click.option("--question", default="csat", show_default=True, metavar="NAME", help="The workspace's answers to this.")
@_options
@table_or_workspace
@table_output(columns="period group answers satisfied csat low high mean ...")
@pass_app
def csat(app: App, /, question: str, group: str | None, last: bool, **columns: str | None) -> "pl.DataFrame":
    """Measure how satisfied customers are.

    Of answers from 1 to 5, those of 4 and 5 are satisfied, and `csat` is their share, `low` and `high` its interval of
    95% (Wilson), `mean` the mean of all answers.

    \b
    Examples:
      crm customers loyalty csat --by month
      crm customers loyalty csat --question service --by city
      crm customers loyalty csat --input answers.csv --score 满意度 --by shop
    """
    from plugins.customers import surveys

    return surveys.csat(_answers(app, question, surveys.CSAT, group, columns, last=last)).rename(_named(group))


def _named(group: str | None) -> dict[str, str]:
    """What the first column is called."""
    return {"group": "period" if group in _PERIODS else group or "group"}


def _answers(
    app: App, question: str, scale: "Scale", group: str | None, columns: dict[str, str | None], *, last: bool
) -> "pl.DataFrame":
    """`group` and `score` of each answer that counts."""
    import polars as pl

    from plugins.customers.headers import personal_among
    from plugins.customers.surveys import PERIODS

    if group is not None and personal_among(app, [group]):
        raise UsageError(f"--by: the column `{group}` is personal")
    needed = {"score"} | ({"date"} if group in _PERIODS or last else set()) | ({"customer"} if last else set())
    rows = (
        _of_file(app, columns, group, needed) if current_file() is not None else _stored(app, question, columns, group)
    )
    if group in _PERIODS:
        rows = rows.filter(pl.col("date").is_not_null()).with_columns(
            pl.col("date").dt.truncate(PERIODS[group]).alias("group")
        )
    good = rows.filter(scale.fits().fill_null(value=False))
    if good.height < rows.height:
        app.note(
            f"{rows.height - good.height:,} of {counted(rows.height, 'answer')} left out: no whole number from "
            f"{scale.least} to {scale.most}"
        )
    if not last:
        return good.select("group", "score")
    keys = ["customer", "group"] if group in _PERIODS else ["customer"]
    return (
        good.sort("date", maintain_order=True).unique(keys, keep="last", maintain_order=True).select("group", "score")
    )


def _stored(app: App, question: str, columns: dict[str, str | None], group: str | None) -> "pl.DataFrame":
    """The workspace's answers to a question."""
    import polars as pl

    from plugins.customers.loading import now

    if any(columns.values()):
        raise UsageError("--customer, --score and --date are about a file, and none is named with --input")
    workspace = app.workspace()
    rows = now(workspace, workspace.records.frame("surveys"))
    if rows.is_empty():
        raise Unusable("the workspace has no answers; `crm surveys import` brings some in, or name a file with --input")
    known = rows["question"].drop_nulls().unique().sort().to_list()
    if question not in known and known:
        raise UsageError(
            f"--question: no answer to `{question}`{did_you_mean(question, known)}; there are: {one_of(known)}"
        )
    found = rows.filter(question=question).sort("ts", "customer").with_columns(
        pl.col("ts").dt.convert_time_zone(current().tz).dt.date().alias("date"), _label(group).alias("group")
    )  # fmt: skip
    if group is None or group in _PERIODS:
        return found
    if group in rows.columns:
        return found.with_columns(pl.col(group).cast(pl.String).alias("group"))
    contract = [column.name for column in app.tables["customers"].columns if not column.secret]
    if group not in contract:
        raise UsageError(
            f"--by: there is no column `{group}`{did_you_mean(group, contract)}; there are: {one_of(contract)}"
        )
    people = workspace.records.frame("customers", columns=("customer", group))
    named = people.select("customer", pl.col(group).cast(pl.String).alias("group"))
    return found.drop("group").join(named, on="customer", how="left", maintain_order="left")


def _of_file(app: App, columns: dict[str, str | None], group: str | None, needed: set[str]) -> "pl.DataFrame":
    """The file's answers."""
    import polars as pl

    from plugins.customers.features import check_columns
    from plugins.customers.headers import people_table
    from plugins.customers.order_values import amounts, dates

    table = people_table(app)
    names = {role: columns[role] or role for role in _COLUMNS}
    for role, name in names.items():
        if role in needed or columns[role]:
            check_columns(table, [name], f"--{role}")
    read = {
        "customer": lambda each: each.cast(pl.String),
        "score": amounts,
        "date": dates,
    }
    found = table.select(
        read[role](table[name]).alias(role) for role, name in names.items() if name in table.columns
    ).with_columns(_label(group).alias("group"))
    if group is None or group in _PERIODS:
        return found
    check_columns(table, [group], "--by")
    return found.with_columns(table[group].cast(pl.String).alias("group"))


def _label(group: str | None) -> "pl.Expr":
    """What stands for all answers together."""
    import polars as pl

    return pl.lit("all" if group is None else None, dtype=pl.String)
