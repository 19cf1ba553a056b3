"""Parameters of recommenders that make no sense are refused, whichever way they are given."""

import inspect
from functools import partial
from typing import Any

import pytest

from plugins.recommend import algorithms
from plugins.recommend.algorithms import ALGORITHMS
from plugins.recommend.parameters import BOUNDS, checked

BY_NAME = {each.name: each for each in ALGORITHMS}
WRONG = [
    ("popularity", "half_life", 0, "days above 0"),
    ("popularity", "half_life", "7", "days above 0"),
    ("item-cosine", "shrink", -1, "from 0 on"),
    ("item-conditional", "alpha", 1.5, "from 0 to 1"),
    ("user-neighbours", "k", 0, "whole number from 1 on"),
    ("user-neighbours", "k", 2.5, "whole number from 1 on"),
    ("user-neighbours", "k", True, "whole number from 1 on"),
    ("user-neighbours", "similarity", "cosin", "jaccard, cosine, overlap"),
    ("user-neighbours", "informative", 1, "true or false"),
    ("ease", "penalty", -1, "above 0"),
    ("ease", "penalty", float("nan"), "above 0"),
    ("ease", "dropout", 1.0, "less than 1"),
    ("log-linear", "power", -0.5, "from 0 to 1"),
    ("log-linear", "epochs", 0, "from 1 on"),
    ("log-linear", "seed", -3, "from 0 on"),
    ("content", "weighting", 1, "once, log"),
    ("sequence", "decay", 0, "above 0 and up to 1"),
    ("sequence", "backoff", 0, "above 0"),
    ("interest", "factors", [1, 2], "five numbers"),
    ("interest", "config", 3, "a section `interest`"),
    ("weighted", "weights", [0, 0, 0], "three numbers from 0 on, not all 0"),
    ("weighted", "weights", "abc", "three numbers"),
    ("switching", "least", -1, "from 0 on"),
    ("layered", "candidates", -5, "from 1 on"),
    ("features", "side", -1, "from 0 on"),
]


@pytest.mark.parametrize(("algorithm", "name", "value", "what"), WRONG, ids=lambda value: str(value))
def test_a_value_that_makes_no_sense_is_refused(algorithm: str, name: str, value: Any, what: str) -> None:
    with pytest.raises(ValueError, match=what) as caught:
        BY_NAME[algorithm].make(**{name: value})
    assert str(caught.value).startswith(f"`{name}` is ")


def test_an_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(ValueError, match="no `penality` \\(did you mean `penalty`\\?\\)"):
        BY_NAME["ease"].make(penality=3)
    with pytest.raises(ValueError, match="no `similarity`"):
        BY_NAME["item-cosine"].make(similarity="cosine")


@pytest.mark.parametrize("algorithm", ALGORITHMS, ids=lambda each: each.name)
def test_defaults_and_all_that_is_tried_will_do(algorithm: Any) -> None:
    algorithm.make()
    for name, values in algorithm.parameters.items():
        for value in values:
            algorithm.make(**{name: value})


def test_every_parameter_has_a_bound_or_words_to_choose_from() -> None:
    kinds = {value for value in vars(algorithms).values() if inspect.isclass(value) and hasattr(value, "recommend")}
    kinds.discard(algorithms.Algorithm)
    for kind in kinds:
        for name, parameter in inspect.signature(kind).parameters.items():
            if "weighting" not in name and "similarity" not in name:
                assert name in BOUNDS, (kind, name)
                assert parameter.default is None or BOUNDS[name][0](parameter.default), (kind, name)


def test_what_is_given_by_place_cannot_be_given_again() -> None:
    class Thing:
        def __init__(self, k: int = 1, shrink: float = 0.0) -> None:
            self.k, self.shrink = k, shrink

    made = checked(partial(Thing, 5))
    assert (made(shrink=2).k, made(shrink=2).shrink) == (5, 2)
    with pytest.raises(ValueError, match="no `k`"):
        made(k=3)


def test_a_campaign_is_told_in_one_sentence(crm: Any) -> None:
    campaign = crm.folder / "c.yaml"
    campaign.write_text("name: spring\nalgorithm: popularity\nparameters: {half_life: 0}\nchannels: [file]\n")
    people = crm.folder / "people.csv"
    people.write_text("id,name\nK1,张三\n")
    crm("customers", "import", people)
    told = crm("push", "candidates", "--campaign", campaign, code=4).stderr
    assert "`parameters`: popularity does not take them: `half_life` is 0, and must be a number of days" in told
