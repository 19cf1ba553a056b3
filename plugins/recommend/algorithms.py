"""The recommenders of this plugin by name, with what `--tune` tries."""

from functools import partial
from typing import Final

from crm.hookspecs import Algorithm
from plugins.recommend.base import Popularity
from plugins.recommend.content import Content
from plugins.recommend.ease import Ease
from plugins.recommend.hybrids import DROPOUT, SIDE, Layered, Switching, Weighted
from plugins.recommend.interest_ranking import InterestRanking
from plugins.recommend.item_neighbours import ItemNeighbours
from plugins.recommend.loglinear import LogLinear
from plugins.recommend.sequence import Sequence
from plugins.recommend.user_neighbours import UserNeighbours

_SHRINK: Final = (0.0, 5.0, 20.0)
_PENALTIES: Final = (10.0, 30.0, 100.0, 300.0, 1000.0)
_LOGLINEAR: Final = (0.1, 0.3, 1.0, 3.0)

ALGORITHMS: Final = (
    Algorithm(
        "popularity",
        Popularity,
        "What most people have taken up, recent events more.",
        {"half_life": (None, 7.0, 30.0, 90.0)},
    ),
    Algorithm(
        "item-cosine",
        partial(ItemNeighbours, "cosine"),
        "Items that the same people have taken up, by the cosine.",
        {"shrink": _SHRINK},
    ),
    Algorithm(
        "item-conditional",
        partial(ItemNeighbours, "conditional"),
        "Items that the same people have taken up, by conditional probability.",
        {"shrink": _SHRINK, "alpha": (0.0, 0.25, 0.5)},
    ),
    Algorithm(
        "user-neighbours",
        UserNeighbours,
        "What the k most similar people have taken up.",
        {"k": (50, 200, 500), "similarity": ("jaccard", "cosine", "overlap")},
    ),
    Algorithm(
        "ease",
        Ease,
        "A linear model in closed form that makes each item out of the others.",
        {"penalty": _PENALTIES, "dropout": (0.0, 0.3, 0.5)},
    ),
    Algorithm(
        "log-linear",
        LogLinear,
        "How likely each item is the one that is missing from a profile.",
        {"penalty": _LOGLINEAR, "power": (0.25, 0.5, 0.75)},
    ),
    Algorithm(
        "content",
        Content,
        "Items with a similar title, tags and categories.",
        {"weighting": ("once", "log")},
    ),
    Algorithm(
        "sequence",
        Sequence,
        "What others took up next after the last items.",
        {"window": (1, 3, 5), "decay": (0.5, 0.7, 0.9), "backoff": (1.0, 5.0, 20.0)},
    ),
    Algorithm(
        "interest",
        InterestRanking,
        "Items by the interest in their categories, tags and themselves.",
        {"factors": ((1.0, 0.5, 0.25, 0.5, 0.5), (1.0, 0.25, 0.1, 0.2, 1.0), (1.0, 0.5, 0.25, 0.0, 0.0))},
    ),
    Algorithm(
        "weighted",
        Weighted,
        "The weighted sum of log-linear, item-cosine and interest.",
        {"weights": ((1.0, 0.3, 0.3), (1.0, 0.1, 0.0), (0.3, 0.3, 1.0)), "penalty": _LOGLINEAR},
    ),
    Algorithm(
        "switching",
        Switching,
        "Log-linear where there is enough evidence, else content.",
        {"least": (5, 20, 80), "penalty": _LOGLINEAR},
    ),
    Algorithm(
        "layered",
        Layered,
        "Item neighbours and content pick candidates, `features` ranks them.",
        {"candidates": (20, 50, 100), "penalty": (30.0, 100.0, 300.0)},
    ),
    Algorithm(
        "features",
        partial(Ease, dropout=DROPOUT, side=SIDE),
        "Features of items and what people have taken up in one linear model.",
        {"penalty": _PENALTIES, "side": (5.0, 20.0, 80.0)},
    ),
)
