"""`crm customers churn evaluate`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crm.app import App, pass_app
from crm.output import table_output
from plugins.customers.churn_options import (
    as_in,
    features_option,
    folds_option,
    from_customers,
    labelled_rows,
    max_rows_option,
    read_model,
)
from plugins.customers.commands.churn_train import fold_count, sampled, tell_left_out
from plugins.customers.learning_options import seed_option

if TYPE_CHECKING:
    import polars as pl

    from crm.learning.separation import Floats, Ints


@click.command(name="evaluate")
@click.option(
    "--model",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Judge this model instead of learning by cross-validation.",
)
@click.option(
    "--by",
    "view",
    type=click.Choice(("model", "decile", "calibration")),
    default="model",
    show_default=True,
    help="A row a model; a tenth of the customers; or a tenth of the scale of probabilities.",
)
@features_option
@folds_option
@max_rows_option
@seed_option
@from_customers(labelled=True, as_of="--horizon before the last order")
@table_output(
    columns=(
        "model chosen auc auc_low auc_high brier log_loss calibration_error decile customers churned rate "
        "probability lift captured from to"
    )
)
@pass_app
def command(
    app: App,
    model: Path | None,
    view: str,
    features: tuple[str, ...] | None,
    folds: int,
    max_rows: int,
    seed: int,
) -> "pl.DataFrame":
    """Measure how well it is told who churns.

    Without --model, as by `churn train`: each customer is judged by models that were learnt without it. With --model
    customers whose fate is known are judged by it; they should be others than those that it was learnt from, or of a
    later cut-off.

    By model: the area under the ROC curve (AUC) with DeLong's interval of 95%, the Brier score, the log loss, and the
    mean distance of probability and rate. By decile, of the chosen model, likeliest first: rate, lift, which is the
    rate over that of all, and which share of all who churned is captured so far. By calibration: mean probability and
    rate.

    \b
    Examples:
      crm customers churn evaluate
      crm customers churn evaluate --by decile --horizon 60d
      crm customers churn evaluate --input telco.csv --label Churn \\
          --customer customerID --by calibration
      crm customers churn evaluate --model churn.model --as-of 2026-04-01
    """
    from plugins.customers.churn_measures import by_decile, calibration

    if model is not None:
        labels, found, chosen = _by_model(app, model)
    else:
        labels, found, chosen = _validated(app, features, folds, max_rows, seed)
    if view == "model":
        return _models(labels, found, chosen)
    app.note(f"of the model {chosen}")
    return by_decile(labels, found[chosen]) if view == "decile" else calibration(labels, found[chosen])


def _validated(
    app: App, features: tuple[str, ...] | None, folds: int, max_rows: int, seed: int
) -> "tuple[Ints, dict[str, Floats], str]":
    """Labels, and probabilities of each model by cross-validation; and which is the best."""
    from plugins.customers.churn import cross_validated
    from plugins.customers.churn_source import learnable

    rows, names, _ = labelled_rows(app, features)
    known = learnable(sampled(app, rows, max_rows), names)
    tell_left_out(app, known)
    found = cross_validated(known.features, known.values, known.labels, fold_count(app, known, folds), seed)
    return known.labels, found.probabilities, found.chosen


def _by_model(app: App, file: Path) -> "tuple[Ints, dict[str, Floats], str]":
    """Labels, and probabilities by each part of a model."""
    from plugins.customers.churn import CANDIDATES
    from plugins.customers.churn_features import matrix

    about, fitted = read_model(file)
    as_in(about)
    rows, _, _ = labelled_rows(app, tuple(each.name for each in about.features))
    values = matrix(rows.frame, about.features)
    app.note(f"{file}: learnt from {about.rows:,} customers at {about.created}; {about.told}")
    return rows.labels, {each: fitted.probabilities(values, each) for each in CANDIDATES}, fitted.chosen  # type: ignore[return-value]


def _models(labels: "Ints", found: "dict[str, Floats]", chosen: str) -> "pl.DataFrame":
    import polars as pl

    from plugins.customers.churn_measures import calibration_error, measures

    rows: list[dict[str, Any]] = [
        {"model": name, "chosen": name == chosen}
        | measures(labels, probabilities)
        | {"calibration_error": calibration_error(labels, probabilities)}
        for name, probabilities in found.items()
    ]
    return pl.DataFrame(rows).fill_nan(None)
