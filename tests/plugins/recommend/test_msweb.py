"""The table of public figures on which areas of a web site people visit (UCI, Anonymous Microsoft Web Data)."""

import gzip
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from crm.recommending import Allowed
from plugins.recommend.base import ItemRanker, Popularity
from plugins.recommend.item_neighbours import ItemNeighbours
from plugins.recommend.loglinear import LogLinear
from plugins.recommend.metrics import means, per_person
from plugins.recommend.user_neighbours import UserNeighbours

pytestmark = pytest.mark.reference
NOTHING = pl.DataFrame(schema={"item": pl.String})


def visits(file: Path) -> pl.DataFrame:
    rows, user = [], ""
    with gzip.open(file, "rt", encoding="latin-1") as lines:
        for line in lines:
            kind, number, *_ = line.strip().split(",")
            user = number.strip('"') if kind == "C" else user
            rows += [(user, number)] if kind == "V" else []
    frame = pl.DataFrame(rows, ("who", "item"), orient="row")
    return frame.with_columns(pl.lit(None, dtype=pl.Datetime("us", "UTC")).alias("ts"), pl.lit(1.0).alias("weight"))


@pytest.fixture(scope="module")
def msweb(reference_data: Path) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Visits to learn from, profiles of the tested, and their hidden visits, drawn in the order of the file."""
    folder = reference_data / "msweb"
    training, tested = (visits(folder / f"anonymous-msweb.{name}.gz") for name in ("data", "test"))
    tested = tested.with_columns(pl.format("t{}", "who").alias("who"))
    several = tested.filter(pl.len().over("who") > 1).with_columns(pl.int_range(pl.len()).over("who").alias("at"))
    sizes = several.group_by("who", maintain_order=True).len()
    chance = np.random.default_rng(0)
    drawn = sizes.select("who", pl.Series("at", [int(chance.integers(size)) for size in sizes["len"]]))
    hidden = several.join(drawn, on=["who", "at"]).select("who", "item")
    profiles = several.drop("at").join(hidden, on=["who", "item"], how="anti")
    return training, profiles, hidden


@pytest.mark.parametrize(
    ("model", "wanted"),
    [
        (Popularity(), (0.343, 0.414, 0.645)),
        (ItemNeighbours("cosine"), (0.444, 0.517, 0.750)),
        (ItemNeighbours("conditional"), (0.466, 0.534, 0.751)),
        (UserNeighbours(200, "overlap", informative=False), (0.475, 0.541, 0.752)),
    ],
    ids=["popularity", "cosine", "conditional", "users"],
)
def test_figures_are_the_published_ones(
    msweb: tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame], model: ItemRanker, wanted: tuple[float, ...]
) -> None:
    assert msweb[2].height == 3453
    assert measured(msweb, model) == pytest.approx(wanted, abs=0.01)


def test_the_log_linear_model_is_better(msweb: tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]) -> None:
    _, ndcg, recall = measured(msweb, LogLinear())
    assert ndcg >= 0.58
    assert recall >= 0.78


def measured(msweb: tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame], model: ItemRanker) -> tuple[float, ...]:
    training, profiles, hidden = msweb
    met = model.fit(training, NOTHING).meet(profiles)
    lists = met.recommend(hidden["who"].unique().sort(), 10, Allowed(without=profiles))
    found = means(per_person(lists, hidden, 10), 0, 0)
    return found["map"], found["ndcg"], found["recall"]
