"""Items by what is said of them: words of the title, tags and categories, weighted by TF-IDF.

Salton, Buckley, "Term-weighting approaches in automatic text retrieval", 1988. A run of Chinese signs has no blanks
between words, so it is cut into single signs and pairs of them; other writings into words, in small letters.
"""

import re
from typing import Final

import numpy as np
import polars as pl
import scipy.sparse as sp

from plugins.recommend.base import ItemRanker
from plugins.recommend.interactions import Floats, Interactions, Ints, Profiles, Sparse, Weighting

_HAN: Final = r"\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff\u3040-\u30ff"
_RUN: Final = re.compile(rf"[{_HAN}]+|[^\W_{_HAN}]+")
_FIRST_OF_HAN: Final = "\u3040"


def words(title: str) -> list[str]:
    """What a title is made of: words, and single signs and pairs of Chinese."""
    found = []
    for run in _RUN.findall(title.casefold()):
        if run[0] < _FIRST_OF_HAN:
            found.append(run)
        else:
            found += [*run, *(run[at : at + 2] for at in range(len(run) - 1))]
    return found


def features(catalogue: pl.DataFrame) -> Sparse:
    """What is said of items; each row of length 1, or empty where nothing is; shape (items, features).

    Args:
        catalogue: `title`, `tags` (lists), `category1` to `category3`, whichever there are; shape (items,).
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    documents = _documents(catalogue)
    if not any(documents):
        return sp.csr_matrix((len(documents), 0))
    vectors = TfidfVectorizer(analyzer=list, sublinear_tf=True, dtype=np.float64)
    return sp.csr_matrix(vectors.fit_transform(documents))


def _documents(catalogue: pl.DataFrame) -> list[list[str]]:
    """The features of each item, as texts; the kind before each keeps a tag from being a word."""
    count = catalogue.height
    parts: list[list[list[str]]] = []
    if "title" in catalogue.columns:
        parts.append([[f"title {word}" for word in words(title or "")] for title in catalogue["title"]])
    if "tags" in catalogue.columns:
        parts.append([[f"tag {tag}" for tag in ([] if tags is None else tags)] for tags in catalogue["tags"].to_list()])
    parts += [
        [[] if path is None else [f"category {path}"] for path in catalogue[name]]
        for name in ("category1", "category2", "category3")
        if name in catalogue.columns
    ]
    return [sorted(word for part in parts for word in part[at]) for at in range(count)]


class Content(ItemRanker):
    """Items whose title, tags and categories are like those of what somebody has taken up.

    The score is the cosine of an item and the sum of somebody's items.

    Args:
        weighting: once or log, as for item neighbours.
    """

    def __init__(self, weighting: Weighting = "log") -> None:
        self.weighting = weighting

    def _learn(self, known: Interactions) -> None:
        self.features_ = features(known.catalogue)

    def evidence(self, profiles: Profiles) -> Floats:
        """The cosine of each item and what somebody has taken up; shape (people, items)."""
        sums = (profiles.values(self.weighting) @ self.features_).tocsr()
        norms = np.sqrt(np.asarray(sums.multiply(sums).sum(axis=1)).ravel())
        scaled = sp.diags(np.divide(1, norms, out=np.zeros_like(norms), where=norms > 0)) @ sums
        found: Floats = (scaled @ self.features_.T).toarray()
        return found

    def _ties(self, profiles: Profiles, own: Ints, other: Ints) -> Floats:  # noqa: ARG002 - as in the base
        return pairs(self.features_, own, other)


def pairs(described: Sparse, own: Ints, other: Ints) -> Floats:
    """The cosine of the features of pairs of items; shape (pairs,)."""
    if not len(own):
        return np.zeros(0)
    return np.asarray(described[own].multiply(described[other]).sum(axis=1), dtype=np.float64).ravel()
