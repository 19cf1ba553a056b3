"""`crm customers churn predict`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crm.access import require
from crm.app import App, pass_app
from crm.errors import UsageError
from crm.messages import counted
from crm.output import current, table_output
from plugins.customers.churn_options import asked_rows, from_customers, model_option, read_model

if TYPE_CHECKING:
    import polars as pl

    from crm.learning.separation import Floats
    from plugins.customers.churn import Churn


class _Warned(click.ParamType["tuple[str, float]"]):
    """`0.7` for a probability, `5%` for a share of the customers."""

    name = "warned"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, float]:
        if isinstance(value, tuple):
            return value
        text = str(value).strip()
        try:
            number = float(text.removesuffix("%"))
        except ValueError:
            number = -1.0
        kind, most = ("share", 100) if text.endswith("%") else ("probability", 1)
        if not 0 <= number <= most:
            self.fail(f"`{value}` is neither a probability such as 0.7 nor a share such as 5%.", param, ctx)
        return kind, number / most


@click.command(name="predict")
@model_option
@click.option(
    "--warn",
    "warned",
    type=_Warned(),
    metavar="P|N%",
    help="Only those of at least this probability, or this share of all, the likeliest to churn.",
)
@click.option(
    "--reasons",
    type=click.IntRange(0, 20),
    default=3,
    show_default=True,
    metavar="N",
    help="Give so many reasons for each; 0 is faster.",
)
@click.option("--save", metavar="SEGMENT", help="Make those who are warned of a segment of this name.")
@from_customers(labelled=False, as_of="behind the last order")
@table_output(columns="customer probability decile reasons")
@pass_app
def command(app: App, model: Path, warned: tuple[str, float] | None, reasons: int, save: str | None) -> "pl.DataFrame":
    """Tell who is likely to churn, and why.

    One row a customer, the likeliest first: the probability, the tenth of all customers that it is in (1 is likeliest),
    and reasons: features, their values, and what each adds to the log-odds compared with a usual customer.

    \b
    Examples:
      crm customers churn predict --model churn.model --limit 20
      crm customers churn predict --model churn.model --warn 0.7 --save at_risk
      crm customers churn predict --model churn.model --warn 5% --reasons 5 \\
          -o warned.csv
      crm customers churn predict --model churn.model --input telco.csv \\
          --customer customerID
    """
    import numpy as np
    import polars as pl

    from plugins.customers.churn_features import matrix
    from plugins.customers.churn_measures import deciles

    if save is not None:
        _check(app, save, warned)
    about, fitted = read_model(model)
    rows = asked_rows(app, about)
    values = matrix(rows.frame, about.features)
    chances = fitted.probabilities(values)
    order = np.argsort(-chances, kind="stable")
    order = order[: _warned(chances[order], warned)]
    app.note(f"{model}: learnt from {about.rows:,} customers at {about.created}; {about.told}")
    if warned is not None:
        app.note(f"{counted(len(order), 'customer')} of {len(chances):,} to be warned of")
    if save is not None:
        _save(app, save, rows.customers.gather(order))
    limit = current().limit
    shown = order if limit is None else order[:limit]
    frame = pl.DataFrame(
        {
            "customer": rows.customers.gather(shown),
            "probability": chances[shown],
            "decile": deciles(chances)[shown],
        }
    )
    return frame.with_columns(_reasons(fitted, values[shown], reasons)) if reasons else frame


def _check(app: App, save: str, warned: tuple[str, float] | None) -> None:
    """See that a segment of this name can be made."""
    from plugins.customers.segmenting import NAME

    require(app, "analyse")
    if warned is None:
        raise UsageError("--save keeps those who are warned of: say with --warn who that is")
    if not NAME.fullmatch(save):
        raise UsageError(f"--save: `{save}` is no name for a segment; write letters, digits, and _ . - between them")


def _warned(falling: "Floats", warned: tuple[str, float] | None) -> int:
    """How many customers, the likeliest first, are warned of; all without a bound."""
    if warned is None:
        return len(falling)
    kind, bound = warned
    return int((falling >= bound).sum()) if kind == "probability" else round(bound * len(falling))


def _save(app: App, segment: str, people: "pl.Series") -> None:
    from crm import segments

    segments.replace(app.workspace(), [(segment, people.unique())])
    app.note(f"segment {segment} written: {counted(len(people), 'customer')}")


def _reasons(model: "Churn", values: "Floats", most: int) -> "pl.Series":
    from plugins.customers.churn_reasons import reasons

    return reasons(model, values, most)
