"""`crm customers classify predict`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crm.app import App, pass_app
from crm.errors import Unusable
from crm.output import table_output
from crm.reading import current_file, table_or_workspace
from plugins.customers.profile_options import as_of_option, check_moment, workspace_rows

if TYPE_CHECKING:
    import polars as pl

    from plugins.customers.models import About


@click.command(name="predict")
@click.option(
    "--model",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    metavar="FILE",
    help="The file that `crm customers classify train` wrote.",
)
@as_of_option("now")
@table_or_workspace
@table_output(columns="predicted score ...")
@pass_app
def command(app: App, model: Path) -> "pl.DataFrame":
    """Tell the class of customers by a model.

    The rows of the file, or the workspace's customers with the columns that the model needs, with two columns more:
    `predicted`, the class, and `score`. With two classes the score is f(x), above 0 for the second class in order,
    else for the first; with more it is the smallest |f(x)| on the way to the class. A score near 0 means a doubtful
    class. Both are empty where a feature is missing.

    A file that is damaged, was changed, or holds anything but such a model is refused.

    \b
    Examples:
      crm customers classify predict --model grade.model
      crm customers classify predict --input new.csv --model grade.model
      crm customers classify predict --input new.csv --model grade.model \\
          --columns name,predicted -o grades.xlsx
    """
    from plugins.customers.classes import asked, predictions
    from plugins.customers.features import check_new
    from plugins.customers.headers import people_table

    about, fitted = _read(model)
    check_moment()
    columns = about.columns
    frame = workspace_rows(app, columns, f"the model {model}") if current_file() is None else people_table(app)
    check_new(frame, ("predicted", "score"))
    found = asked(fitted, frame)
    predicted, scores = predictions(fitted, found)
    app.note(f"{model}: learnt from {about.rows:,} rows at {about.created}, tells `{about.label}`")
    if len(about.classes) == 2:
        app.note(f"a score above 0 means {about.classes[1]}, else {about.classes[0]}")
    if found.left_out:
        app.note(f"{found.left_out:,} of {found.total:,} rows without a class: a feature is missing")
    if about.label in frame.columns:
        _compare(app, frame[about.label], predicted, about.label)
    return frame.with_columns(predicted.alias("predicted"), scores.alias("score"))


def _compare(app: App, given: "pl.Series", predicted: "pl.Series", label: str) -> None:
    """Say how many of the classes that the file has are predicted."""
    import polars as pl

    texts = given.cast(pl.String).str.strip_chars().replace("", None)
    both = texts.is_not_null() & predicted.is_not_null()
    right = int((texts == predicted).fill_null(value=False).sum())
    app.note(f"{right:,} of the {int(both.sum()):,} rows that have `{label}` are predicted as it says")


def _read(file: Path) -> "tuple[About, Any]":
    from crm.learning.modelfiles import NoModelError
    from plugins.customers.models import unpacked

    try:
        return unpacked(file.read_bytes())
    except OSError as error:
        raise Unusable(f"{file}: cannot be read: {error.strerror or error}") from error
    except NoModelError as error:
        raise Unusable(f"{file}: {error}; make it anew with `crm customers classify train`") from error
