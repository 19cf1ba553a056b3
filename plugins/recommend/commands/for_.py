"""`crm recommend for`."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import click

from crm.app import App, pass_app
from crm.completing import completing
from crm.errors import NothingFound, UsageError
from crm.options import SHARE
from crm.output import table_output
from crm.reading import current_file
from plugins.recommend.options import DEFAULT, Known, MomentType, algorithms_of, current_events, from_events, moment

if TYPE_CHECKING:
    import polars as pl

    from crm.filters import When
    from crm.recommending import Allowed, Recommender

_BOUGHT: Final = ("order", "converted")


@click.command(name="for")
@click.argument("who", nargs=-1, metavar="[WHO]...")
@click.option("--segment", metavar="NAME", help="The members of this segment.")
@click.option("--all", "everybody", is_flag=True, help="Everybody of whom an event of an item is known.")
@click.option(
    "--algorithm",
    "name",
    default=DEFAULT,
    show_default=True,
    metavar="NAME",
    shell_complete=completing(lambda app, _context, _begin: app.host.recommenders()),
    help="How to recommend; `crm recommend algorithms` lists what there is.",
)
@click.option("-k", "count", type=click.IntRange(min=1), default=10, show_default=True, help="Items for each, at most.")
@click.option("--allow-seen", is_flag=True, help="Also what somebody has seen and not bought.")
@click.option("--allow-bought", is_flag=True, help="Also what somebody has bought.")
@click.option(
    "--diversity",
    type=SHARE,
    default=0.0,
    metavar="SHARE",
    help="How much lists avoid items of the same kind, from 0 to 1.  [default: 0]",
)
@click.option(
    "--at",
    type=MomentType(),
    metavar="WHEN",
    help="Recommend as of this moment: what is offered then, by what is known before.  [default: now]",
)
@from_events
@table_output(columns="who rank item title score reason")
@pass_app
def command(
    app: App,
    who: tuple[str, ...],
    segment: str | None,
    everybody: bool,
    name: str,
    count: int,
    allow_seen: bool,
    allow_bought: bool,
    diversity: float,
    at: "When | None",
) -> "pl.DataFrame":
    """Recommend items to people, and say why.

    WHO... are ids, or logins, phone numbers, e-mail addresses or id numbers in any writing, or `visitor:` and the id of
    a visitor; of a file, its users. What people have viewed, put in the cart, ordered and clicked on is learnt from.

    One row a person and item, the best first. What somebody has seen, bought or does not want is left out, and so is
    what the catalogue does not offer at the moment: unknown to it, out of stock, not yet or no longer there. `score`
    compares the items of one list and no others. Whoever has no events gets what is popular.

    --diversity takes each next item for its score and against its likeness, by categories and tags, to those
    before it: maximal marginal relevance.

    \b
    Examples:
      crm recommend for K0017
      crm recommend for wang.fang K0018 -k 5 --algorithm interest --diversity 0.3
      crm recommend for --segment loyal --allow-bought -o loyal.csv --unmask
      crm recommend for 10001 --input visits.csv --user visitor --item page \\
          --algorithm ease
    """
    import polars as pl

    if sum((bool(who), segment is not None, everybody)) != 1:
        raise UsageError("say for whom: name people, or a segment with --segment, or --all")
    algorithm = algorithms_of(app, [name])[name]
    now = moment(at)
    known = current_events(app, now)
    people = _people(app, who, segment, known)
    recommender = _fitted(app, algorithm.make(), known, diversity, now)
    allowed = _allowed(known, allow_seen, allow_bought, now or datetime.now(UTC))
    rows = recommender.recommend(people, count, allowed)
    if less := len(people) - rows["who"].n_unique():
        every = "1 person" if len(people) == 1 else f"{len(people):,} people"
        app.note(f"nothing for {less:,} of {every}: there is no item that they may get")
    titles = known.items.select("item", "title" if "title" in known.items.columns else pl.lit(None).alias("title"))
    named = rows.join(titles, on="item", how="left", maintain_order="left")
    return named.select("who", "rank", "item", pl.col("title").cast(pl.String), "score", "reason")


def _people(app: App, who: tuple[str, ...], segment: str | None, known: Known) -> "pl.Series":
    """Who is meant, each once, in the order in which they are named.

    Raises:
        NothingFound: somebody is not known.
        UsageError: there is no such segment.
    """
    import polars as pl

    from crm.interest.persons import members, person

    there = known.events["who"].unique().sort()
    if segment is not None:
        if current_file() is not None:
            raise UsageError("--segment is about the workspace, and --input names a file")
        return members(app, segment)
    if not who:
        return there
    if current_file() is not None:
        unknown = [at for at, each in enumerate(who, 1) if each not in there]
        if unknown:
            raise NothingFound(f"the file has no event of the user named as number {unknown[0]}")
        return pl.Series("who", list(dict.fromkeys(who)))
    return pl.Series("who", list(dict.fromkeys(person(app, each, there) for each in who)))


def _fitted(
    app: App, recommender: "Recommender", known: Known, diversity: float, now: datetime | None
) -> "Recommender":
    """The recommender, having learnt; one that ranks by interests is told those of the workspace."""
    from plugins.recommend.diversity import Diverse

    whole = Diverse(recommender, diversity) if diversity else recommender
    if diversity and "title" not in known.items.columns:
        raise UsageError("--diversity needs the catalogue of the workspace, and --input names a file")
    whole.fit(known.events, known.items)
    inform = getattr(recommender, "inform", None)
    if inform is not None and current_file() is None:
        from crm.interest.building import current

        # Interests are made of whole days; the day of the moment has what came after it.
        inform(current(app, now.date() - timedelta(days=1) if now is not None else None))
    return whole


def _allowed(known: Known, allow_seen: bool, allow_bought: bool, now: datetime) -> "Allowed":
    """What may be recommended: what is offered, without what somebody does not want, has seen or bought.

    With a catalogue that is what it has: pages and orders may name anything. Without one it is all that events name.
    """
    import polars as pl

    from crm.catalog import offered
    from crm.recommending import Allowed

    pairs = known.events.select("who", "item", pl.lit(None, dtype=pl.String).alias("kind"))
    if "kind" in known.events.columns:
        pairs = known.events.select("who", "item", "kind")
    bought = pairs.filter(pl.col("kind").is_in(_BOUGHT)).select("who", "item").unique()
    seen = pairs.select("who", "item").unique().join(bought, on=["who", "item"], how="anti")
    parts = [known.refused, *([] if allow_seen else [seen]), *([] if allow_bought else [bought])]
    without = pl.concat(parts).unique().sort("who", "item")
    there = known.items.filter(offered(now))["item"].sort() if known.items.height else None
    return Allowed(there, without)
