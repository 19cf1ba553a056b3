"""`crm recommend evaluate`."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from crm.app import App, pass_app
from crm.completing import completing, in_list
from crm.errors import UsageError
from crm.messages import counted
from crm.output import impersonal, table_output
from crm.reading import TableFile, current_file
from plugins.recommend.options import (
    Known,
    MomentType,
    algorithms_of,
    current_events,
    from_events,
    in_zone,
    moment,
    of_file,
)

if TYPE_CHECKING:
    from datetime import datetime

    import polars as pl

    from crm.filters import When
    from crm.hookspecs import Algorithm
    from plugins.recommend.splitting import Split

_HOW: Final = ("last", "random", "time")


class _Names(click.ParamType[tuple[str, ...]]):
    """Names separated by commas."""

    name = "a,b"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        names = tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else tuple(value)
        if not all(names) or len(set(names)) < len(names):
            self.fail("write names of algorithms separated by commas, none twice.", param, ctx)
        return names


@dataclass(frozen=True)
class _Trial:
    """How algorithms are tried."""

    split: "Split"
    items: "pl.DataFrame"
    k: int
    how: str
    seed: int
    times: int
    timing: bool


@click.command(name="evaluate")
@click.option(
    "--split",
    "how",
    type=click.Choice(_HOW),
    default="last",
    show_default=True,
    help="Hide the newest item of everybody with at least two; a random one; or everything from a moment on.",
)
@click.option(
    "--at",
    type=MomentType(),
    metavar="WHEN",
    help="Of --split time, the moment.  [default: that with 80% of the events before it]",
)
@click.option(
    "--test",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Hide items of the users of this file, and learn from none of them.",
)
@click.option("-k", "count", type=click.IntRange(min=1), default=10, show_default=True, help="The length of a list.")
@click.option(
    "--algorithms",
    "names",
    type=_Names(),
    metavar="A,B,...",
    shell_complete=completing(lambda app, _context, begin: in_list(app.host.recommenders(), begin)),
    help="Which to try.  [default: all]",
)
@click.option("--tune", is_flag=True, help="Choose parameters, on a part of what is learnt from.")
@click.option(
    "--bootstrap",
    "times",
    type=click.IntRange(min=0),
    default=1000,
    show_default=True,
    metavar="N",
    help="For intervals of 95%, draw people N times; 0 for none.",
)
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, help="Where chance begins.")
@click.option("--timing", is_flag=True, help="Also the seconds that learning and all lists took.")
@from_events
@table_output(
    columns="algorithm people map map_low map_high ndcg ndcg_low ndcg_high recall recall_low recall_high hit_rate "
    "hit_rate_low hit_rate_high coverage novelty fit_s query_s"
)
@pass_app
def command(
    app: App,
    how: str,
    at: "When | None",
    test: Path | None,
    count: int,
    names: tuple[str, ...] | None,
    tune: bool,
    times: int,
    seed: int,
    timing: bool,
) -> "pl.DataFrame":
    """Measure how well algorithms find what people took up next.

    Items are hidden, algorithms learn from the rest, and each recommends a list to everybody of whom something is
    hidden; what is known of somebody is never in the list.

    One row an algorithm. `map` is the mean average precision, `ndcg` the normalised discounted cumulative gain,
    `recall` the share of the hidden items that are found, `hit_rate` the share of the people of whom one is; `_low` and
    `_high` are the ends of the interval of 95% by bootstrap over people. `coverage` is the share of all items that are
    in some list, `novelty` the mean of -log2 of the share of people who have the item.

    With --tune the values that `crm recommend algorithms` lists are tried on items hidden in what is learnt from, and
    those with the best NDCG are taken; stderr says which.

    \b
    Examples:
      crm recommend evaluate
      crm recommend evaluate --split time --at 2026-03-10 \\
          --algorithms popularity,interest,weighted
      crm recommend evaluate --input visits.csv --user visitor --item page \\
          --split random --tune
      crm recommend evaluate --input train.csv --test test.csv --split random \\
          --bootstrap 0 --timing
    """
    import polars as pl

    impersonal()
    if at is not None and how != "time":
        raise UsageError("--at is about --split time")
    if test is not None and (current_file() is None or how == "time"):
        raise UsageError("--test goes with --input and --split last or random")
    chosen = algorithms_of(app, names)
    known = current_events(app)
    split = _split(app, known, how, moment(at), test, seed)
    trial = _Trial(split, known.items, count, how, seed, times, timing)
    asked = split.hidden["who"].n_unique()
    app.note(
        f"learnt from {_people(split.training['who'].n_unique())}, asked about "
        f"{_people(asked)} with {counted(split.hidden.height, 'hidden item')}"
    )
    if not asked:
        app.note("nobody can be asked about: no person has an item to hide and another to be known by")
        return pl.DataFrame(schema={"algorithm": pl.String})
    rows = [_judged(app, name, algorithm, trial, tune) for name, algorithm in chosen.items()]
    return pl.DataFrame(rows).fill_nan(None)


def _split(app: App, known: Known, how: str, at: "datetime | None", test: Path | None, seed: int) -> "Split":
    """What is learnt and what is hidden.

    Raises:
        UsageError: options do not fit each other or the events.
    """
    from plugins.recommend.splitting import hide_later, hide_one, moment_after, others

    if test is not None:
        tested = of_file(app, TableFile(test)).events
        both = known.events.join(tested, on="who", how="semi")["who"].n_unique()
        if both:
            app.note(f"{counted(both, 'user')} of both files: learnt from none of them")
        return others(known.events.join(tested, on="who", how="anti", maintain_order="left"), tested, how, seed)  # type: ignore[arg-type]
    if how != "time":
        return hide_one(known.events, how, seed)  # type: ignore[arg-type]
    moment_of_split = at or moment_after(known.events)
    if moment_of_split is None:
        raise UsageError("--split time: no event has a time")
    app.note(f"hidden is what came from {in_zone(moment_of_split)} on")
    return hide_later(known.events, moment_of_split)


def _judged(app: App, name: str, algorithm: "Algorithm", trial: _Trial, tune: bool) -> dict[str, object]:
    """The row of an algorithm."""
    from plugins.recommend.evaluation import judged, lists_of, tuned
    from plugins.recommend.splitting import validation

    parameters: dict[str, Any] = {}
    if tune and algorithm.parameters:
        part = validation(trial.split, trial.how, trial.seed)  # type: ignore[arg-type]
        parameters, reached = tuned(algorithm, part, trial.items, trial.k)
        said = ", ".join(f"{key} {value}" for key, value in parameters.items())
        app.note(f"{name}: {said} (ndcg {reached:.4f} on {_people(part.hidden['who'].n_unique())})")
    lists = lists_of(algorithm.make(**parameters), trial.split, trial.items, trial.k)
    measures = judged(lists, trial.split, trial.items, trial.k, trial.times, trial.seed)
    seconds = {"fit_s": lists.fit_s, "query_s": lists.query_s} if trial.timing else {}
    people = trial.split.hidden["who"].n_unique()
    return {"algorithm": name, "people": people, **measures, **seconds}


def _people(number: int) -> str:
    return "1 person" if number == 1 else f"{number:,} people"
