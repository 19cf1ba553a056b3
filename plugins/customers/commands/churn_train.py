"""`crm customers churn train`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crm.access import require
from crm.app import App, pass_app
from crm.errors import UsageError
from crm.output import table_output
from crm.reading import current_file
from plugins.customers.churn_options import (
    features_option,
    folds_option,
    from_customers,
    labelled_rows,
    max_rows_option,
    told,
)
from plugins.customers.learning_options import seed_option

if TYPE_CHECKING:
    from datetime import datetime

    import polars as pl

    from plugins.customers.churn import Churn, Validated
    from plugins.customers.churn_source import Learnable


@click.command(name="train")
@click.option(
    "--model",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    metavar="FILE",
    help="Write the model to this file.",
)
@features_option
@folds_option
@max_rows_option
@seed_option
@from_customers(labelled=True, as_of="--horizon before the last order")
@table_output(columns="feature value weight mean spread")
@pass_app
def command(
    app: App, model: Path, features: tuple[str, ...] | None, folds: int, max_rows: int, seed: int
) -> "pl.DataFrame":
    """Learn who churns.

    Of the workspace, customers who were active before the cut-off are looked at as they were then, and one who orders
    nothing within --horizon from it on has churned; nothing from the cut-off on is known to the model. What counts is
    age, sex, region, country, language, and what profiles count of orders, visits, answers and points; --features
    names others. Of a file, --label says who churned, and all other columns count, as numbers where all texts are, else
    as words.

    A logistic regression and gradient boosting are learnt, calibrated by rows that they have not seen, and the better
    one, or their mean, is chosen by the log loss of cross-validation.

    One row a number or word of the logistic regression: its weight for one standard deviation more, or for having the
    word, in log-odds. How good each model is by cross-validation is told, and is in the file, with date, versions and
    a fingerprint of the rows.

    \b
    Examples:
      crm customers churn train --model churn.model
      crm customers churn train --model churn.model --as-of 2026-01-01 \\
          --horizon 60d --active 6mo
      crm customers churn train --model churn.model --input telco.csv \\
          --label Churn --customer customerID
      crm customers churn train --model churn.model --input 客户.xlsx \\
          --label 流失 --positive 是 --features 年龄,月数
    """
    from plugins.customers.churn import cross_validated, learnt
    from plugins.customers.churn_reasons import weights_of
    from plugins.customers.churn_source import learnable

    if (app.workspace_path / "version").exists():
        require(app, "analyse")
    _check_place(model)
    rows, names, moment = labelled_rows(app, features)
    known = learnable(sampled(app, rows, max_rows), names)
    tell_left_out(app, known)
    found = cross_validated(known.features, known.values, known.labels, fold_count(app, known, folds), seed)
    fitted = learnt(known.features, known.values, known.labels, found, seed)
    _save(model, known, fitted, found, moment)
    tell_measures(app, known, found)
    app.note(f"{model}: learnt from {len(known.labels):,} customers; chosen: {fitted.chosen}")
    return weights_of(fitted)


def _check_place(model: Path) -> None:
    """See that the model can be written, before time is spent on it."""
    file = current_file()
    if file is not None and model.exists() and file.path.exists() and model.samefile(file.path):
        raise UsageError(f"--model {model} is the file that --input reads, and would be overwritten")
    if not model.parent.is_dir():
        raise UsageError(f"--model: there is no folder {model.parent}")


def sampled(app: App, rows: Any, most: int) -> Any:
    """At most so many customers, evenly taken."""
    from plugins.customers.features import evenly

    total = len(rows.customers)
    if total <= most:
        return rows
    app.note(f"{most:,} of {total:,} customers taken, evenly (--max-rows)")
    return rows.taken(evenly(total, most))


def fold_count(app: App, known: "Learnable", folds: int) -> int:
    """No more folds than the rarer class has rows."""
    lost = int(known.labels.sum())
    used = min(folds, lost, len(known.labels) - lost)
    if used < folds:
        app.note(f"cross-validated with {used} folds: no more customers churned, or stayed")
    return used


def tell_left_out(app: App, known: "Learnable") -> None:
    """Say which columns cannot be learnt from."""
    for why in dict.fromkeys(known.left_out.values()):
        names = [name for name, reason in known.left_out.items() if reason == why]
        app.note(f"left out, {why}: {', '.join(names)}")


def tell_measures(app: App, known: "Learnable", found: "Validated") -> None:
    """Say how good each model is by cross-validation."""
    from plugins.customers.churn_measures import measures

    for name, probabilities in found.probabilities.items():
        each = measures(known.labels, probabilities)
        app.note(
            f"{name}: AUC {each['auc']:.4f} ({each['auc_low']:.4f} to {each['auc_high']:.4f}), "
            f"Brier {each['brier']:.4f}, log loss {each['log_loss']:.4f}, cross-validated"
        )


def _save(file: Path, known: "Learnable", fitted: "Churn", found: "Validated", moment: "datetime | None") -> None:
    """Write the model, whole or not at all."""
    from datetime import UTC, datetime

    import sklearn

    from crm import __version__
    from crm.atomic import replacing
    from plugins.customers.churn_files import FORMAT, AboutChurn, fingerprint, packed
    from plugins.customers.churn_measures import measures

    source, meaning, horizon, active = told()
    about = AboutChurn(
        crm_churn=FORMAT,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        crm=__version__,
        sklearn=sklearn.__version__,
        source="workspace" if source == "workspace" else "file",
        told=meaning,
        as_of=moment.isoformat() if moment else "",
        horizon_days=horizon,
        active_days=active,
        features=fitted.features,
        weights=tuple(fitted.weights.tolist()),
        intercept=fitted.intercept,
        lines={name: (line.slope, line.offset) for name, line in fitted.lines.items()},
        chosen=fitted.chosen,  # type: ignore[arg-type]  # one of the candidates
        rows=len(known.labels),
        churned=int(known.labels.sum()),
        fingerprint=fingerprint(known.features, known.values, known.labels),
        metrics=measures(known.labels, found.probabilities[fitted.chosen]),
    )
    with replacing(file) as out:
        out.write(packed(about, fitted.boosting))
