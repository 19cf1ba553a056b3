"""Association rules: which pages imply which others in a session.

Agrawal and Srikant 1994. A rule `antecedent -> consequent` is made of a frequent itemset in two parts. All rules that
can be made are tried; each has a p-value (Fisher's exact test) that is corrected for their number. A rule is
*redundant* if a more general one, with fewer pages in front and the same behind, is as sure (Bayardo, Agrawal and
Gunopulos 2000); the most general one has nothing in front.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import polars as pl

from plugins.paths.corpus import Codes, Flags, Ints
from plugins.paths.itemsets import SEPARATOR
from plugins.paths.patterns import texts
from plugins.paths.significance import Floats, benjamini_hochberg, fisher
from plugins.paths.trie import Groups, Trie

COLUMNS = {
    "antecedent": pl.String,
    "consequent": pl.String,
    "support": pl.Float64,
    "confidence": pl.Float64,
    "lift": pl.Float64,
    "leverage": pl.Float64,
    "conviction": pl.Float64,
    "p_value": pl.Float64,
}


@dataclass(frozen=True)
class Choice:
    """Which rules are returned.

    Attributes:
        min_confidence: Confidence at least.
        min_lift: Lift at least.
        max_consequent: Most pages of a consequent.
        significance: The largest corrected p-value.
        everything: Also redundant and insignificant rules.
    """

    min_confidence: float = 0.5
    min_lift: float = 0.0
    max_consequent: int = 1
    significance: float = 0.05
    everything: bool = False


@dataclass(frozen=True)
class Form:
    """The rules of itemsets of one size whose consequents stand at the same places.

    Attributes:
        antecedent: Their pages; shape (rules, pages in front).
        consequent: Shape (rules, pages behind).
        both: In how many sessions all of their pages are; shape (rules,).
        front: In how many those of the antecedent are; shape (rules,).
        behind: In how many those of the consequent are; shape (rules,).
        surer: The highest confidence of a more general rule; shape (rules,).
    """

    antecedent: Codes
    consequent: Codes
    both: Ints
    front: Ints
    behind: Ints
    surer: Floats


@dataclass(frozen=True)
class Rules:
    """What was found.

    Attributes:
        frame: `antecedent`, `consequent`, `support` (a share), `confidence`, `lift`, `leverage`, `conviction`
            (infinite where the rule always holds), `p_value`; the surest first, then by support and name.
        tried: How many rules were tried.
        redundant: How many were sure enough, and redundant.
        insignificant: How many more were sure enough, and may be chance.
    """

    frame: pl.DataFrame
    tried: int
    redundant: int
    insignificant: int


def rules(groups: Groups, names: pl.Series, sessions: int, choice: Choice) -> Rules:
    """Make rules of itemsets.

    Args:
        groups: All frequent itemsets by size, with their support (`plugins.paths.itemsets`).
        names: The pages' names by code; shape (pages,).
        sessions: How many sessions there are.
        choice: Which rules are wanted.
    """
    forms = list(_forms(groups, sessions, choice.max_consequent))
    if not forms:
        return Rules(pl.DataFrame(schema=COLUMNS), 0, 0, 0)
    both, front, behind = (
        np.concatenate([getattr(form, name) for form in forms]) for name in ("both", "front", "behind")
    )
    surer = np.concatenate([form.surer for form in forms])
    confidence, lift = both / front, both * sessions / (front * behind)
    p_value = benjamini_hochberg(fisher(both, front, behind, sessions))
    sure = (confidence >= choice.min_confidence) & (lift >= choice.min_lift)
    redundant, chance = surer >= confidence, p_value > choice.significance
    kept = sure if choice.everything else sure & ~redundant & ~chance
    frame = _names(forms, names, kept).with_columns(
        pl.Series("support", both[kept] / sessions),
        pl.Series("confidence", confidence[kept]),
        pl.Series("lift", lift[kept]),
        pl.Series("leverage", both[kept] / sessions - front[kept] / sessions * (behind[kept] / sessions)),
        pl.Series("conviction", _conviction(confidence[kept], behind[kept] / sessions)),
        pl.Series("p_value", p_value[kept]),
    )
    order = ["confidence", "support", "antecedent", "consequent"]
    frame = frame.sort(order, descending=[True, True, False, False])
    return Rules(frame, len(both), int((sure & redundant).sum()), int((sure & ~redundant & chance).sum()))


def _conviction(confidence: Floats, behind: Floats) -> Floats:
    """Brin et al. 1997: how much more often the rule would fail if both sides had nothing to do with each other."""
    fails = 1 - confidence
    found: Floats = np.divide(1 - behind, fails, out=np.full(len(fails), np.inf), where=fails > 0)
    return found


def _names(forms: list[Form], names: pl.Series, kept: Flags) -> pl.DataFrame:
    parts, at = [pl.DataFrame(schema={name: COLUMNS[name] for name in ("antecedent", "consequent")})], 0
    for form in forms:
        rows = kept[at : at + len(form.both)]
        at += len(rows)
        sides = {"antecedent": form.antecedent[rows], "consequent": form.consequent[rows]}
        parts.append(pl.DataFrame({side: texts(names, pages, SEPARATOR) for side, pages in sides.items()}))
    return pl.concat(parts)


def _forms(groups: Groups, sessions: int, max_consequent: int) -> Iterator[Form]:
    """All rules, those of the smallest itemsets first: a more general rule is one of a smaller itemset."""
    trie = Trie(groups)
    known: dict[tuple[int, tuple[int, ...]], Floats] = {}
    for size in sorted(groups):
        pages, both = groups[size]
        for behind_size in range(1, min(max_consequent, size - 1) + 1):
            for places in combinations(range(size), behind_size):
                front_places = [at for at in range(size) if at not in places]
                antecedent, consequent = pages[:, front_places], pages[:, list(places)]
                front = groups[len(front_places)][1][trie.find(antecedent)]
                behind = groups[behind_size][1][trie.find(consequent)]
                surer = behind / sessions
                for dropped in front_places if len(front_places) > 1 else ():
                    rest = trie.find(np.delete(pages, dropped, axis=1))
                    moved = tuple(at - (at > dropped) for at in places)
                    surer = np.maximum(surer, known[size - 1, moved][rest])
                known[size, places] = np.maximum(surer, both / front)
                yield Form(antecedent, consequent, both, front, behind, surer)
