"""`crm customers segment`."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from crm.access import require
from crm.app import App, pass_app
from crm.errors import UsageError
from crm.messages import counted
from crm.output import table_output
from crm.reading import current_file, table_or_workspace
from plugins.customers.profile_options import as_of_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from plugins.customers.segmenting import Flags, Rule

_EXAMPLE: Final = "age between 18 and 25 and region = '广东'"


@click.command(name="segment")
@click.argument("rules", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--first", is_flag=True, help="Put a customer into the first segment only whose condition it fulfils.")
@click.option("--dry-run", is_flag=True, help="Only count; write nothing.")
@click.option("--customer", metavar="COLUMN", help="The file's column with the customer.  [default: customer]")
@as_of_option("now")
@table_or_workspace
@table_output(columns="segment members share also help")
@pass_app
def command(app: App, rules: Path | None, first: bool, dry_run: bool, customer: str | None) -> "pl.DataFrame":
    """Put customers into segments by rules.

    RULES is YAML: `segments:` with names, each with a condition in SQL over the columns of the customers' profiles, or
    of the file. Without RULES the file that the configuration names is read (`customers.segments`). A customer is in
    every segment whose condition it fulfils, and the members that these segments had before go.

    Columns of profiles are the fields of customers (region, city, sex, birth, language ...), their own columns, age,
    orders, spent, monetary, mean_order, first_order_days, last_order_days, usual_days, overdue, frequency, items,
    categories, returns, returned, orders_30, orders_90, orders_365, spent_365, sessions, views, duration_s,
    last_visit_days, visits_30, visits_90, visits_365, nps, csat, points, tickets, tickets_90 and tier. A condition sees
    personal columns masked; own columns have to be named under `access.shown`.

    One row a segment: how many members it has, their share of all customers, and with which other segments it shares
    how many.

    \b
    Examples:
      crm customers segment segments.yaml --dry-run
      crm customers segment segments.yaml
      crm customers segment segments.yaml --first --as-of 2026-01-01
      crm customers segment segments.yaml --input members.csv --customer 会员号
    """
    from plugins.customers.segmenting import only_first, read_rules, summary

    require(app, "analyse")
    known = read_rules(_file(app, rules))
    frame = _rows(app, known, customer)
    flags = _flags(app, frame, known)
    flags = only_first(flags) if first else flags
    alone = int((~flags.any(axis=1)).sum())
    app.note(f"{counted(frame.height, 'customer')}, {alone:,} of them in no segment")
    if not dry_run:
        _write(app, frame["customer"], known, flags)
    return summary(known, flags)


def _file(app: App, given: Path | None) -> Path:
    """The file of the rules."""
    from plugins.customers.config import CustomersConfig

    if given is not None:
        return given
    named = app.config.get("customers", CustomersConfig).segments
    if named is None:
        raise UsageError("name a file of rules, or set `customers.segments` in the configuration")
    folder = app.config_file.parent if app.config_file is not None else Path()
    return folder / named


def _rows(app: App, rules: "Sequence[Rule]", customer: str | None) -> "pl.DataFrame":
    """The customers, each once, with all columns that conditions may name."""
    from datetime import UTC, datetime

    from plugins.customers.profile_options import given_moment, refuse_hidden, words_of, workspace_profiles

    if current_file() is not None:
        return _of_file(app, customer or "customer")
    if customer is not None:
        raise UsageError("--customer is about a file, and none is named with --input")
    words = words_of(rule.where for rule in rules)
    found = workspace_profiles(app, given_moment() or datetime.now(UTC), words)
    columns = found.collect_schema().names()
    for rule in rules:
        refuse_hidden(app, f"segment {rule.name}", words_of([rule.where]), columns)
    return found.collect()


def _of_file(app: App, customer: str) -> "pl.DataFrame":
    """The rows of the file, its texts as numbers where all are."""
    import polars as pl

    from plugins.customers.features import check_columns
    from plugins.customers.headers import people_table
    from plugins.customers.profile_options import given_moment
    from plugins.customers.profiles import as_numbers

    if given_moment() is not None:
        raise UsageError("--as-of is about the workspace, and --input names a file")
    table = people_table(app)
    check_columns(table, [customer], "--customer")
    texts = [as_numbers(each) for each in table.get_columns() if each.dtype == pl.String and each.name != customer]
    table = table.with_columns(texts).with_columns(pl.col(customer).cast(pl.String).str.strip_chars())
    kept = table.filter(pl.col(customer) != "").unique(customer, keep="first", maintain_order=True)
    if kept.height < table.height:
        app.note(
            f"{table.height - kept.height:,} of {counted(table.height, 'row')} left out: no customer, or one again"
        )
    return kept if customer == "customer" else kept.drop("customer", strict=False).rename({customer: "customer"})


def _flags(app: App, frame: "pl.DataFrame", rules: "Sequence[Rule]") -> "Flags":
    """Who fulfils which condition; shape (customers, segments)."""
    import numpy as np
    import polars as pl

    from crm.filters import matching, wrong

    flags = np.zeros((frame.height, len(rules)), dtype=np.bool_)
    for at, rule in enumerate(rules):
        said = f"segment {rule.name}"
        try:
            found = matching(app, frame.lazy(), rule.where, said, _EXAMPLE).select("customer").collect()
        except pl.exceptions.PolarsError as error:
            raise UsageError(wrong(error, said)) from error
        flags[:, at] = frame["customer"].is_in(found["customer"].implode()).to_numpy()
    return flags


def _write(app: App, customers: "pl.Series", rules: "Sequence[Rule]", flags: "Flags") -> None:
    from crm import segments

    groups = [(rule.name, customers.filter(flags[:, at])) for at, rule in enumerate(rules)]
    segments.replace(app.workspace(), groups)
    app.note(f"{counted(len(rules), 'segment')} written; `crm customers segments` lists all")
