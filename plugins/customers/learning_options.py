"""Options that commands which learn from columns of numbers share."""

from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

import click

from crm.errors import UsageError

if TYPE_CHECKING:
    from crm.app import App
    from plugins.customers.classes import Examples, Settings

P = ParamSpec("P")
R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., Any])

MOST_ROWS: Final = 10_000
"""From how many rows a model is learnt, unless the user says otherwise; time grows with their square."""


class NamesType(click.ParamType[tuple[str, ...]]):
    """Names of columns separated by commas, none twice."""

    name = "a,b,c"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """Read them; an empty name or one that is there twice is a usage error."""
        names = tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else tuple(value)
        if not all(names):
            self.fail("write the names of columns separated by commas.", param, ctx)
        twice = next((name for at, name in enumerate(names) if name in names[:at]), None)
        if twice is not None:
            self.fail(f"column `{twice}` is named twice.", param, ctx)
        return names


class GammaType(click.ParamType["float | str"]):
    """A number above 0, `scale` or `auto`."""

    name = "gamma"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float | str:
        """Read it; what is none is a usage error."""
        if value in ("scale", "auto"):
            return str(value)
        try:
            number = float(value)
        except ValueError:
            number = 0.0
        if not 0 < number < float("inf"):
            self.fail(f"`{value}` is neither a number above 0 nor scale or auto.", param, ctx)
        return number


features_option = click.option(
    "--features",
    type=NamesType(),
    required=True,
    metavar="A,B,...",
    help="The columns that count; numbers, or words that --quantify makes numbers.",
)
quantify_option = click.option(
    "--quantify",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="YAML with numbers for the words of columns: `safety: {low: 1, high: 2.5}`; or `safety: [low, high]`, from 1."
    "  [default: customers.quantify of the configuration]",
)
scaling_option = click.option(
    "--scaling",
    type=click.Choice(("max", "standard", "none")),
    default="standard",
    show_default=True,
    help="Divide each feature by its largest absolute value, make its mean 0 and variance 1, or leave it.",
)
seed_option = click.option(
    "--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, help="Where chance begins."
)


def refuse_personal(app: "App", columns: Iterable[str]) -> None:
    """See that no column is personal: what is learnt from it, and errors about its values, would show it unmasked.

    Raises:
        UsageError: one is.
    """
    from plugins.customers.headers import personal_among

    for column in personal_among(app, columns):
        raise UsageError(f"column `{column}` is personal: it can be neither a feature nor a class")


def scales_of(app: "App", file: Path | None) -> "dict[str, dict[str, float]]":
    """What `--quantify` says; without it, what the configuration does."""
    from plugins.customers.config import CustomersConfig
    from plugins.customers.scales import read_scales, scales

    if file is not None:
        return read_scales(file)
    return scales("customers.quantify", app.config.get("customers", CustomersConfig).quantify)


_LEARNING: Final[tuple[Callable[[Any], Any], ...]] = (
    click.option("--label", required=True, metavar="COLUMN", help="The column that names the class."),
    features_option,
    quantify_option,
    scaling_option,
    click.option(
        "--kernel",
        type=click.Choice(("linear", "rbf")),
        default="linear",
        show_default=True,
        help="linear: classes are parted by planes; rbf: by curved borders.",
    ),
    click.option(
        "--C",
        "cost",
        type=click.FloatRange(min=0, min_open=True),
        default=1.0,
        show_default=True,
        metavar="C",
        help="What a row on the wrong side costs: the more, the closer the border follows the rows.",
    ),
    click.option(
        "--gamma",
        type=GammaType(),
        default="scale",
        show_default=True,
        metavar="G",
        help="Of --kernel rbf, how narrow it is: a number, scale for 1 / (features x variance), auto for 1 / features.",
    ),
    click.option(
        "--strategy",
        type=click.Choice(("chain", "balanced")),
        default="chain",
        show_default=True,
        help="Of more than two classes: take one off at a time, or part them into halves.",
    ),
    click.option(
        "--max-rows",
        type=click.IntRange(min=2),
        default=MOST_ROWS,
        show_default=True,
        metavar="N",
        help="Of more rows, learn from N, evenly taken of each class.",
    ),
)
_NAMES: Final = ("label", "features", "quantify", "scaling", "kernel", "cost", "gamma", "strategy", "max_rows")
_META: Final = "customers.learning"


def learning(function: Callable[P, R]) -> Callable[P, R]:
    """Add the options that say what to learn, and how; stands above `table_or_workspace`."""

    @wraps(function)
    def command(*args: P.args, **kwargs: P.kwargs) -> R:
        click.get_current_context().meta[_META] = {name: kwargs.pop(name) for name in _NAMES}
        return function(*args, **kwargs)

    for option in reversed(_LEARNING):
        option(command)
    return command


def current_learning(app: "App") -> "tuple[Examples, Settings]":
    """What the user of the running command wants to learn from, and how; what was left out is told.

    Raises:
        LookupError: the command that runs is not decorated with `learning`.
        UsageError: options do not fit the table, or a column is personal.
        Unusable: the table, or the file of scales, cannot be used.
    """
    from crm.reading import current_file
    from plugins.customers.classes import Settings, examples
    from plugins.customers.headers import people_table
    from plugins.customers.profile_options import check_moment, workspace_rows

    given = click.get_current_context().meta.get(_META)
    if not isinstance(given, dict):
        raise LookupError("the running command does not learn")
    refuse_personal(app, (*given["features"], given["label"]))
    scales = scales_of(app, given["quantify"])
    settings = Settings(given["strategy"], given["kernel"], given["cost"], given["gamma"], given["scaling"], scales)
    check_moment()
    names = (*given["features"], given["label"])
    table = workspace_rows(app, names, "--features and --label") if current_file() is None else people_table(app)
    known = examples(table, given["features"], given["label"], scales, given["max_rows"])
    _tell(app, known)
    return known, settings


def _tell(app: "App", known: "Examples") -> None:
    """Say which rows do not count."""
    taken = len(known.codes)
    incomplete = known.points.total - known.known - known.unlabelled
    for number, what in ((incomplete, "a feature is missing"), (known.unlabelled, "the class is missing")):
        if number:
            app.note(f"{number:,} of {known.points.total:,} rows left out: {what}")
    if taken < known.known:
        app.note(f"{taken:,} of {known.known:,} rows taken, evenly of each class (--max-rows)")
