"""What every recommender keeps to."""

import inspect
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

from crm.parameters import made
from crm.recommending import Allowed
from crm.structs import MistakeError
from plugins.recommend.algorithms import ALGORITHMS
from plugins.recommend.base import RECOMMENDED
from plugins.recommend.diversity import Diverse
from plugins.recommend.evaluation import settings, tuned
from plugins.recommend.interest_ranking import InterestRanking
from plugins.recommend.splitting import hide_one

Events = Callable[[Any], pl.DataFrame]
BY_NAME = {each.name: each for each in ALGORITHMS}
EVERY = pytest.mark.parametrize("name", list(BY_NAME))
ROWS = [
    *((f"r{at}", item, 10 + at / 10) for at in range(8) for item in "abc"),
    *((f"s{at}", item, 11 + at / 10) for at in range(4) for item in "de"),
    ("one", "a", 12.0),
    ("two", "d", 12.0),
    ("old", "ghost", 0.0),
]


@EVERY
def test_lists_are_allowed_ranked_and_the_same_every_time(name: str, events: Events, catalogue: pl.DataFrame) -> None:
    frame = events(ROWS)
    who = frame["who"].unique().sort().append(pl.Series(["stranger"]))
    allowed = Allowed(pl.Series(["a", "b", "c", "d", "new"]), frame.select("who", "item").unique())
    found = BY_NAME[name].make().fit(frame, catalogue).recommend(who, 3, allowed)
    assert found.schema == pl.Schema(RECOMMENDED)
    assert found["who"].unique(maintain_order=True).to_list() == who.to_list()
    assert set(found["item"]) <= {"a", "b", "c", "d", "new"}
    assert not found.join(frame, on=["who", "item"], how="semi").height
    for _, rows in found.group_by("who"):
        assert rows["rank"].to_list() == list(range(1, rows.height + 1))
        assert rows["score"].is_sorted(descending=True)
    assert found["reason"].null_count() == 0
    assert found["score"].is_finite().all()
    shuffled = frame.sample(fraction=1, shuffle=True, seed=1)
    again = BY_NAME[name].make().fit(shuffled, catalogue).recommend(who.reverse(), 3, allowed)
    pair = [each.sort("who", "rank").select("who", "rank", "item", "reason") for each in (found, again)]
    assert pair[0].equals(pair[1])


@EVERY
def test_strangers_get_what_is_popular(name: str, events: Events, catalogue: pl.DataFrame) -> None:
    found = BY_NAME[name].make().fit(events(ROWS), catalogue).recommend(pl.Series(["stranger"]), 3, Allowed())
    assert found["item"].to_list() == ["a", "b", "c"]
    assert found["reason"].to_list() == ["popular"] * 3


@EVERY
def test_who_is_met_is_known_and_not_learnt_from(name: str, events: Events, catalogue: pl.DataFrame) -> None:
    frame = events(ROWS)
    model: Any = BY_NAME[name].make().fit(frame, catalogue)
    met = model.meet(events([("met", "d", 12.0), ("met", "nowhere", 12.0)]))
    found = met.recommend(pl.Series(["met", "one"]), 3, Allowed(without=pl.DataFrame({"who": ["met"], "item": ["d"]})))
    if name not in ("popularity",):
        assert found.filter(who="met")["item"][0] == "e"
    assert found.filter(who="one")["reason"].unique().to_list() == ["popular"]


@pytest.mark.parametrize("name", ["content", "interest", "weighted", "features", "layered"])
def test_new_items_are_found_by_what_they_are(name: str, events: Events, catalogue: pl.DataFrame) -> None:
    frame = events([row for row in ROWS if row[1] != "b"])
    allowed = Allowed(without=frame.select("who", "item").unique())
    found = BY_NAME[name].make().fit(frame, catalogue).recommend(pl.Series(["one"]), 10, allowed)["item"].to_list()
    assert found.index("new") < found.index("d")


@EVERY
def test_nothing_known_is_nothing_recommended(name: str, events: Events, catalogue: pl.DataFrame) -> None:
    model = BY_NAME[name].make().fit(events([]), catalogue.clear())
    assert model.recommend(pl.Series(["u"]), 3, Allowed()).height == 0


def test_reasons_name_what_speaks_for_an_item(events: Events, catalogue: pl.DataFrame) -> None:
    frame = events(ROWS).with_columns(pl.lit("view").alias("kind"))
    frame = frame.with_columns(pl.when(who="two").then(pl.lit("order")).otherwise("kind").alias("kind"))
    model = BY_NAME["item-cosine"].make().fit(frame, catalogue)
    found = model.recommend(pl.Series(["one", "two"]), 1, Allowed(without=frame.select("who", "item")))
    assert found["reason"].to_list() == ["because you viewed 东北大米 5kg", "because you bought running shoes"]


def test_interests_are_taken_from_the_workspace_if_it_knows_them(events: Events, catalogue: pl.DataFrame) -> None:
    model = InterestRanking().fit(events(ROWS), catalogue)
    model.inform(
        pl.DataFrame(
            {
                "who": ["one", "stranger", "cross"],
                "level": ["3", "2", "1"],
                "key": ["sport/shoes/running", "food/oil", "food"],
                "weight": [0.4, 0.0, 0.2],
                "stance": [None, "wanted", "unwanted"],
            }
        )
    )
    found = model.recommend(pl.Series(["one", "stranger", "cross"]), 1, Allowed())
    assert found["item"].to_list()[:2] == ["d", "c"]
    assert found["reason"].to_list()[0] == "fits your interest in sport/shoes/running"
    worst = model.recommend(pl.Series(["cross"]), 9, Allowed())["item"].to_list()[-4:]
    assert set(worst) == {"a", "b", "c", "new"}


def test_diverse_lists_have_more_kinds(events: Events, catalogue: pl.DataFrame) -> None:
    rows = [(f"u{at}", item, 1.0) for at in range(6) for item in "abe"] + [
        ("me", "c", 1.0),
        ("x", "c", 1.0),
        ("x", "a", 1.0),
    ]
    rows += [("y", "c", 1.0), ("y", "b", 1.0), ("z", "c", 1.0), ("z", "d", 1.0)]
    allowed = Allowed(without=pl.DataFrame({"who": ["me"], "item": ["c"]}))
    plain, diverse = (
        Diverse(BY_NAME["item-conditional"].make(), each)
        .fit(events(rows), catalogue)
        .recommend(pl.Series(["me"]), 2, allowed)
        for each in (0.0, 0.9)
    )
    assert plain["item"].to_list() == ["a", "b"]
    assert diverse["item"].to_list() == ["a", "d"]
    assert diverse["rank"].to_list() == [1, 2]


def test_parameters_are_all_tried_and_the_best_is_taken(events: Events, catalogue: pl.DataFrame) -> None:
    algorithm = BY_NAME["item-conditional"]
    assert len(list(settings(algorithm))) == 9
    split = hide_one(events(ROWS), "random", 1)
    parameters, reached = tuned(algorithm, split, catalogue, 3)
    assert set(parameters) == {"shrink", "alpha"}
    assert 0 < reached <= 1


@EVERY
def test_every_parameter_that_is_tried_is_one(name: str, events: Events, catalogue: pl.DataFrame) -> None:
    for parameters in settings(BY_NAME[name]):
        assert vars(BY_NAME[name].make(**parameters)).items() >= parameters.items()


@EVERY
def test_what_tuning_tries_is_within_the_bounds(name: str) -> None:
    for parameter, values in BY_NAME[name].parameters.items():
        for value in values:
            made(BY_NAME[name], {parameter: list(value) if isinstance(value, tuple) else value}, "parameters")


@EVERY
def test_every_number_has_bounds(name: str) -> None:
    for parameter in inspect.signature(BY_NAME[name].make).parameters:
        with pytest.raises(MistakeError):
            made(BY_NAME[name], {parameter: -1}, "parameters")
