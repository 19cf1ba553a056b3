"""What the commands of churn share: from where customers come, and how they are found."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

import click

from crm.errors import Unusable, UsageError
from crm.messages import counted
from crm.reading import current_file, table_or_workspace
from plugins.customers.learning_options import NamesType, refuse_personal
from plugins.customers.order_options import Horizon, HorizonType
from plugins.customers.profile_options import as_of_option, given_moment, profiles_of, refuse_hidden

if TYPE_CHECKING:
    from datetime import datetime

    import polars as pl

    from crm.app import App
    from plugins.customers.churn import Churn
    from plugins.customers.churn_files import AboutChurn
    from plugins.customers.churn_source import Rows

P = ParamSpec("P")
R = TypeVar("R")

_META: Final = "customers.churn"
_NAMES: Final = ("label", "positive", "customer", "horizon", "active")
HORIZON: Final = 90.0
ACTIVE: Final = 365.0

model_option = click.option(
    "--model",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    metavar="FILE",
    help="The file that `crm customers churn train` wrote.",
)
features_option = click.option(
    "--features",
    type=NamesType(),
    metavar="A,B,...",
    help="The columns that count.  [default: of the workspace those below, of a file all]",
)
max_rows_option = click.option(
    "--max-rows",
    type=click.IntRange(min=100),
    default=100_000,
    show_default=True,
    metavar="N",
    help="Of more customers, learn from N, evenly taken.",
)
folds_option = click.option(
    "--folds",
    type=click.IntRange(2, 50),
    default=5,
    show_default=True,
    metavar="N",
    help="Cross-validate with N folds.",
)
_OF_FILES: Final = (
    click.option("--label", metavar="COLUMN", help="The file's column that says who churned."),
    click.option(
        "--positive", metavar="VALUE", help="The value of the label that means churned.  [default: Yes, 1 ...]"
    ),
)
_OF_ALL: Final = (
    click.option("--customer", metavar="COLUMN", help="The file's column with the customer.  [default: row numbers]"),
    click.option(
        "--horizon",
        type=HorizonType(),
        metavar="TIME",
        help="Who orders nothing for so long from the cut-off on has churned.  [default: 90d]",
    ),
    click.option(
        "--active",
        type=HorizonType(),
        metavar="TIME",
        help="Only customers who have ordered in this time before the cut-off.  [default: 365d]",
    ),
)


def from_customers(*, labelled: bool, as_of: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Add the options that say which customers are meant; stands above `table_output`.

    Args:
        labelled: Whether it has to be known who churned.
        as_of: What the cut-off is if none is given, in words.
    """

    def add(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def command(*args: P.args, **kwargs: P.kwargs) -> R:
            click.get_current_context().meta[_META] = {name: kwargs.pop(name, None) for name in _NAMES}
            return function(*args, **kwargs)

        whole = as_of_option(as_of)(table_or_workspace(command))
        for option in reversed((*(_OF_FILES if labelled else ()), *_OF_ALL)):
            whole = option(whole)
        return whole

    return add


def _days(given: Horizon | None, default: float) -> float:
    return default if given is None else given.within("day")


def told() -> tuple[str, str, float, float]:
    """What is meant: `workspace` or `file`, what churn is in words, the horizon and the time of activity in days."""
    given = click.get_current_context().meta[_META]
    if current_file() is not None:
        return "file", f"{given['label']} is {given['positive']}", 0.0, 0.0
    days = _days(given["horizon"], HORIZON)
    return "workspace", f"no order within {days:g} days", days, _days(given["active"], ACTIVE)


def labelled_rows(app: "App", features: tuple[str, ...] | None) -> "tuple[Rows, tuple[str, ...], datetime | None]":
    """Customers of whom it is known whether they churned, the columns that may count, and the cut-off.

    Raises:
        UsageError: options do not fit what is read.
        Unusable: it cannot be read, or does not tell who churned.
    """
    given = click.get_current_context().meta[_META]
    if current_file() is None:
        _refuse(given, ("label", "positive", "customer"), "are about a file, and none is named with --input")
        return _of_workspace(app, features)
    _refuse(given, ("horizon", "active"), "are about the workspace, and --input names a file")
    if given["label"] is None:
        raise UsageError("--label: name the column of the file that says who churned")
    rows, names = _of_file(app, given, features)
    return rows, names, None


def as_in(about: "AboutChurn") -> None:
    """Where the user has not said what churn is and who is active, it is as the model has it."""
    given = click.get_current_context().meta[_META]
    if current_file() is not None:
        return
    if about.source == "file":
        raise UsageError("the model was learnt from a file: name one with the same columns with --input")
    given["horizon"] = given["horizon"] or Horizon(about.horizon_days, "day")
    given["active"] = given["active"] or Horizon(about.active_days, "day")


def _refuse(given: dict[str, Any], names: tuple[str, ...], why: str) -> None:
    if any(given[name] is not None for name in names):
        *others, last = (f"--{name}" for name in names)
        raise UsageError(f"{', '.join(others)} and {last} {why}")


def _of_workspace(app: "App", features: tuple[str, ...] | None) -> "tuple[Rows, tuple[str, ...], datetime]":
    from plugins.customers.churn_source import OF_PROFILES, Rows, active, churned, cut_off
    from plugins.customers.loading import loaded

    _, _, horizon, before = told()
    names = features or OF_PROFILES
    known = loaded(app.workspace(), names)
    moment = cut_off(known.orders, given_moment(), horizon)
    people = active(known.orders, moment, before)
    frame = _profiles(app, known, moment, people, names)
    labels = churned(known.orders, people, moment, horizon)
    app.note(
        f"{counted(len(people), 'customer')} who ordered in the {before:g} days before {moment:%Y-%m-%d}; "
        f"{int(labels.sum()):,} of them churned: {told()[1]}"
    )
    return Rows(people, frame, labels), tuple(names), moment


def _profiles(
    app: "App", known: Any, moment: "datetime", people: "pl.Series", names: tuple[str, ...]
) -> "pl.DataFrame":
    """The profiles of some people, in their order."""
    import polars as pl

    whole = profiles_of(app, known.only(people), moment)
    refuse_personal(app, names)
    refuse_hidden(app, "--features", names, whole.collect_schema().names())
    return (
        pl.DataFrame([people.alias("customer")])
        .lazy()
        .join(whole, on="customer", how="left", maintain_order="left")
        .collect()
    )


def _of_file(app: "App", given: dict[str, Any], features: tuple[str, ...] | None) -> "tuple[Rows, tuple[str, ...]]":
    import polars as pl

    from plugins.customers.churn_source import Rows, labels_of

    refuse_personal(app, [given["label"]])
    table = _table(app, given["customer"])
    said, given["positive"] = labels_of(table, given["label"], given["positive"])
    if said.null_count():
        app.note(f"{said.null_count():,} of {counted(table.height, 'row')} left out: the label is missing")
    kept = table.filter(said.is_not_null())
    rows = Rows(_ids(kept, given["customer"]), kept, said.drop_nulls().cast(pl.Int64).to_numpy())
    app.note(f"{counted(kept.height, 'customer')}; {int(said.sum() or 0):,} of them churned: {told()[1]}")
    return rows, _names(app, table, features, given)


def _table(app: "App", customer: str | None) -> "pl.DataFrame":
    from plugins.customers.features import check_columns
    from plugins.customers.headers import people_table

    if given_moment() is not None:
        raise UsageError("--as-of is about the workspace, and --input names a file")
    table = people_table(app)
    check_columns(table, [customer] if customer else [], "--customer")
    return table


def _ids(table: "pl.DataFrame", customer: str | None) -> "pl.Series":
    import polars as pl

    if customer is not None:
        return table[customer].cast(pl.String).alias("customer")
    return pl.int_range(1, table.height + 1, eager=True).cast(pl.String).alias("customer")


def _names(
    app: "App", table: "pl.DataFrame", features: tuple[str, ...] | None, given: dict[str, Any]
) -> tuple[str, ...]:
    """The columns of a file that may count; personal ones may not."""
    if features is not None:
        refuse_personal(app, features)
        if given["label"] in features:
            raise UsageError(f"--label {given['label']} is among --features, where it would tell itself")
        return features
    from plugins.customers.headers import personal_among

    personal = personal_among(app, table.columns)
    others = [name for name in table.columns if name not in (given["label"], given["customer"])]
    left = [name for name in others if name in personal]
    if left:
        app.note(f"left out, as they are personal: {', '.join(left)}")
    return tuple(name for name in others if name not in personal)


def asked_rows(app: "App", about: "AboutChurn") -> "Rows":
    """The customers that a model is asked about.

    Raises:
        UsageError: options do not fit what is read.
        Unusable: it cannot be read.
    """
    from plugins.customers.churn_source import Rows, active, latest
    from plugins.customers.loading import loaded

    given = click.get_current_context().meta[_META]
    names = tuple(each.name for each in about.features)
    if current_file() is not None:
        _refuse(given, ("horizon", "active"), "are about the workspace, and --input names a file")
        table = _table(app, given["customer"])
        return Rows(_ids(table, given["customer"]), table, None)
    _refuse(given, ("customer", "horizon"), "are about a file, or given by the model")
    as_in(about)
    known = loaded(app.workspace(), names)
    moment = given_moment() or latest(known.orders)
    before = _days(given["active"], ACTIVE)
    people = active(known.orders, moment, before)
    app.note(f"{counted(len(people), 'customer')} who ordered in the {before:g} days before {moment:%Y-%m-%d}")
    return Rows(people, _profiles(app, known, moment, people, names), None)


def read_model(file: Path) -> "tuple[AboutChurn, Churn]":
    """The model in a file.

    Raises:
        Unusable: it is none, or cannot be believed.
    """
    from crm.learning.modelfiles import NoModelError
    from plugins.customers.churn_files import unpacked

    try:
        return unpacked(file.read_bytes())
    except NoModelError as error:
        raise Unusable(f"{file}: {error}") from None
    except OSError as error:
        raise Unusable(f"{file}: {error.strerror or error}") from None
