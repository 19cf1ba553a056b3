"""Options that the commands of `crm tickets classify` share."""

from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

import click

from crm.app import App
from crm.errors import Unusable, UsageError
from crm.nearest import did_you_mean, one_of

if TYPE_CHECKING:
    from plugins.tickets.classify.files import AboutClasses
    from plugins.tickets.classify.learning import Candidate, Known, Model

P = ParamSpec("P")
R = TypeVar("R")

AUTO: Final = "auto"
_META: Final = "tickets.classify"


class _Names(click.ParamType[tuple[str, ...]]):
    """Names of columns separated by commas; an empty text for none."""

    name = "a,b,c"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        if isinstance(value, tuple):
            return value
        names = tuple(part.strip() for part in str(value).split(",")) if str(value).strip() else ()
        if not all(names):
            self.fail("write the names of columns separated by commas.", param, ctx)
        return names


_LEARNING: Final[tuple[Callable[[Any], Any], ...]] = (
    click.option("--text", "texts", type=_Names(), metavar="A,B,...", help="Columns of text.  [default: fault_text]"),
    click.option(
        "--codes",
        type=_Names(),
        metavar="A,B,...",
        help="Columns of codes, '' for none.  [default: labour_code, fault_code, part, part_category, model and "
        "vehicle_type of tickets; none where --text is given for a file]",
    ),
    click.option(
        "--numbers",
        type=_Names(),
        metavar="A,B,...",
        help="Columns of numbers, '' for none.  [default: mileage, months, quantity, parts_cost, labour_cost and "
        "amount of tickets; none where --text is given for a file]",
    ),
    click.option("--label", metavar="COLUMN", help="Of a file, the column of the class."),
    click.option(
        "--classifier",
        default=AUTO,
        show_default=True,
        metavar="NAME",
        help="linear-svm, svm-tree or one that a plugin brings; auto tries all, with several values of their "
        "parameters, by cross-validation.",
    ),
    click.option(
        "--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, help="Where chance begins."
    ),
)
_NAMES: Final = ("texts", "codes", "numbers", "label", "classifier", "seed")


def learning(function: Callable[P, R]) -> Callable[P, R]:
    """Add the options that say what to learn from, and how; stands above `table_or_workspace`."""

    @wraps(function)
    def command(*args: P.args, **kwargs: P.kwargs) -> R:
        click.get_current_context().meta[_META] = {name: kwargs.pop(name) for name in _NAMES}
        return function(*args, **kwargs)

    for option in reversed(_LEARNING):
        option(command)
    return command


def current_learning(app: App) -> "tuple[Known, list[Candidate], int]":
    """The rows that the user of the running command wants to learn from, the classifiers to try, and the seed.

    Raises:
        LookupError: the command that runs is not decorated with `learning`.
        UsageError: options do not fit the table, or each other.
        Unusable: the table cannot be used.
        NothingFound: no class is known.
    """
    from plugins.tickets.classify.source import known_rows

    given = click.get_current_context().meta.get(_META)
    if not isinstance(given, dict):
        raise LookupError("the running command does not learn")
    tried = _tried(app, given["classifier"])
    return known_rows(app, given, given["label"]), tried, given["seed"]


def _tried(app: App, name: str) -> "list[Candidate]":
    from plugins.tickets.classify.learning import candidates

    classifiers = app.host.ticket_classifiers()
    if name == AUTO:
        return candidates(list(classifiers.values()))
    if name not in classifiers:
        known = (AUTO, *classifiers)
        near = did_you_mean(name, known)
        raise UsageError(f"--classifier: there is no classifier `{name}`{near}; there are: {one_of(known)}")
    return candidates([classifiers[name]])


confidence_option = click.option(
    "--confidence",
    type=click.FloatRange(0, 1),
    metavar="SHARE",
    help="Below this confidence a class goes to a person.  [default: tickets.confidence of the configuration]",
)
model_option = click.option(
    "--model",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    metavar="FILE",
    help="The file that `crm tickets classify train` wrote.",
)


def least_confidence(app: App, given: float | None) -> float:
    """What the user has said, else what the configuration does."""
    from plugins.tickets.config import TicketsConfig

    return app.config.get("tickets", TicketsConfig).confidence if given is None else given


def read_model(app: App, file: Path) -> "tuple[AboutClasses, Model]":
    """The model in a file, which is told.

    Raises:
        Unusable: it holds none, or one that cannot be believed.
    """
    from crm.learning.modelfiles import NoModelError
    from plugins.tickets.classify.files import unpacked

    try:
        about, model = unpacked(file.read_bytes(), app.host.ticket_classifiers())
    except OSError as error:
        raise Unusable(f"{file}: cannot be read: {error.strerror or error}") from error
    except NoModelError as error:
        raise Unusable(f"{file}: {error}; make it anew with `crm tickets classify train`") from error
    app.note(f"{file}: {about.used}, learnt from {about.rows:,} rows at {about.created}")
    return about, model


def check_folds(sizes: Sequence[int], classes: Sequence[str], folds: int) -> None:
    """See that each fold can have a row of each class.

    Raises:
        UsageError: it cannot.
    """
    size, name = min(zip(sizes, classes, strict=True))
    if size < folds:
        raise UsageError(
            f"--folds {folds}: class `{name}` has only {size:,} of the rows; take fewer folds, or leave the class out"
        )
