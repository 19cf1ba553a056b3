"""Blocking, comparison, EM and persons against slow counts, and the laws of linking records."""

import math
import random
from itertools import combinations, pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import OSA, JaroWinkler

from plugins.customers import blocking, fellegi_sunter
from plugins.customers.comparison import LEVELS, MISSING, Comparison, packed, unpacked
from plugins.customers.linkage_columns import chosen
from plugins.customers.normalising import normalised
from plugins.customers.persons import COHESION, LARGEST, Links, persons
from plugins.customers.record_linkage import Linkage

COLUMNS = {"given": "given", "family": "family", "birth": "birth", "phone": "phone", "city": "city"}
NAMES = st.sampled_from(["anna", "anne", "hannah", "bob", "smith", "smyth", "jones", "", "伟", "wei", "卫"])
RECORDS = st.lists(
    st.fixed_dictionaries(
        {
            "given": NAMES,
            "family": NAMES,
            "birth": st.sampled_from(["1980-01-02", "1980-02-01", "1980-01-03", "1991-11-12", ""]),
            "phone": st.sampled_from(["13800138000", "13800138001", "13900001111", "5551234", ""]),
            "city": st.sampled_from(["perth", "pert", "sydney", "北京", ""]),
        }
    ),
    max_size=14,
)


def table(rows: list[dict[str, str]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=dict.fromkeys(COLUMNS, pl.String))


def linkage(rows: list[dict[str, str]], ids: list[int]) -> Linkage:
    return Linkage(table(rows), COLUMNS, pl.Series(ids, dtype=pl.Int64))


def indices(numbers: list[int]) -> "np.typing.NDArray[np.int64]":
    return np.array(numbers, dtype=np.int64)


@settings(max_examples=15)
@given(RECORDS, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(rows: list[dict[str, str]], dice: random.Random) -> None:
    order = list(range(len(rows)))
    dice.shuffle(order)
    one, other = linkage(rows, list(range(len(rows)))), linkage([rows[at] for at in order], order)
    assert one.pairs(0, 0.9).equals(other.pairs(0, 0.9))
    assert one.parameters(COLUMNS).equals(other.parameters(COLUMNS))
    groups = [
        {frozenset(part["id"].to_list()) for part in each.persons(0.9)[0].partition_by("person")}
        for each in (one, other)
    ]
    assert groups[0] == groups[1]


@settings(max_examples=25)
@given(RECORDS)
def test_no_pair_comes_twice_and_none_with_itself(rows: list[dict[str, str]]) -> None:
    found = blocking.candidates(normalised(table(rows), COLUMNS))
    pairs = list(zip(found.left.tolist(), found.right.tolist(), strict=True))
    assert len(pairs) == len(set(pairs))
    assert all(left < right for left, right in pairs)


@settings(max_examples=25)
@given(RECORDS)
def test_pairs_that_share_a_key_are_compared(rows: list[dict[str, str]]) -> None:
    values = normalised(table(rows), COLUMNS)
    found = blocking.candidates(values, [("phone",), ("birth", "city")])
    wanted = {
        (one, other)
        for one, other in combinations(range(len(rows)), 2)
        for key in (("phone",), ("birth", "city"))
        if all(values[part][one] is not None and values[part][one] == values[part][other] for part in key)
    }
    assert set(zip(found.left.tolist(), found.right.tolist(), strict=True)) == wanted


def test_blocks_that_are_too_large_are_left_out_and_counted() -> None:
    many = blocking.LARGEST + 1
    values = pl.DataFrame({"phone": ["1" * 7] * many + ["2" * 7] * 3, "city": ["x"] * (many + 3)})
    found = blocking.candidates(values, [("phone",)])
    assert found.left.tolist() == [many, many, many + 1]
    assert found.right.tolist() == [many + 1, many + 2, many + 2]
    assert dict(found.skipped) == {"phone": 1}


@given(st.lists(st.integers(1, 6), max_size=8))
def test_all_pairs_within_blocks(sizes: list[int]) -> None:
    left, right = blocking.pairs_within(indices(sizes))
    ends = np.cumsum([0, *sizes]).tolist()
    wanted = [pair for first, end in pairwise(ends) for pair in combinations(range(first, end), 2)]
    assert list(zip(left.tolist(), right.tolist(), strict=True)) == wanted


def level(one: str | None, other: str | None, kind: str) -> int:
    if one is None or other is None:
        return MISSING
    if one == other:
        return 2
    if kind == "JaroWinkler":
        low, high = sorted((one, other))
        return int(JaroWinkler.similarity(low, high) >= 0.9)
    swapped = len(one) == 8 and one[:4] + one[6:] + one[4:6] == other
    return int(OSA.distance(one, other) <= 1 or (kind == "date" and swapped))


@settings(max_examples=25)
@given(RECORDS)
def test_values_are_compared_as_one_by_one(rows: list[dict[str, str]]) -> None:
    values = normalised(table(rows), COLUMNS)
    pairs = list(combinations(range(len(rows)), 2))
    comparison = Comparison(values)
    found = comparison.levels(indices([a for a, _ in pairs]), indices([b for _, b in pairs]))
    for field, kind in (("birth", "date"), ("phone", "OSA"), ("city", "JaroWinkler")):
        column = values[field].to_list()
        wanted = [level(column[a], column[b], kind) for a, b in pairs]
        assert found[:, comparison.fields.index(field)].tolist() == wanted


@pytest.mark.parametrize(
    ("one", "other", "wanted"),
    [
        (("anna", "smith"), ("anna", "smith"), ("exact", "exact")),
        (("anna", "smith"), ("smith", "anna"), ("exact", "exact")),
        (("anna", "smith"), ("smyth", "anna"), ("exact", "close")),
        (("anna", "smith"), ("bob", "smith"), ("different", "exact")),
        (("伟", "张"), ("Wei", "Zhang"), ("close", "close")),
        (("伟", "张"), ("张", "伟"), ("exact", "exact")),
        (("晓伟", "张"), ("伟张", "晓"), ("close", "close")),
        (("anna", ""), ("anna", "smith"), ("exact", "missing")),
        (("smith", "anna"), ("anna", "smyth"), ("close", "exact")),
        (("José", "Müller"), ("jose", "MULLER"), ("exact", "exact")),
    ],
)
def test_names_are_compared_in_either_order(
    one: tuple[str, str], other: tuple[str, str], wanted: tuple[str, str]
) -> None:
    rows = pl.DataFrame([one, other], schema=["given", "family"], orient="row")
    comparison = Comparison(normalised(rows, {"given": "given", "family": "family"}))
    found = comparison.levels(indices([0]), indices([1]))[0].tolist()
    assert tuple([*LEVELS, "missing"][at] for at in found) == wanted
    back = comparison.levels(indices([1]), indices([0]))[0].tolist()
    assert sorted(back) == sorted(found)


@given(st.lists(st.lists(st.integers(-1, 2), min_size=3, max_size=3), max_size=20))
def test_levels_can_be_packed_and_unpacked(rows: list[list[int]]) -> None:
    levels = np.array(rows, dtype=np.int8).reshape(-1, 3)
    assert unpacked(packed(levels), 3).tolist() == levels.tolist()


def plain_em(
    patterns: list[tuple[int, ...]], counts: list[int], start: list[list[list[float]]], rounds: int
) -> tuple[list[float], list[list[list[float]]]]:
    """EM number by number."""
    levels, shares = start, list(fellegi_sunter.FIRST)
    classes, fields = range(len(start)), range(len(start[0]))
    for _ in range(rounds):
        sums = [[[fellegi_sunter.WORTH * x for x in start[c][f]] for f in fields] for c in classes]
        total = [1.0 for _ in classes]
        for pattern, count in zip(patterns, counts, strict=True):
            chance = [
                shares[c] * math.prod(levels[c][f][pattern[f]] for f in fields if pattern[f] >= 0) for c in classes
            ]
            for c in classes:
                part = count * chance[c] / sum(chance)
                total[c] += part
                for f in fields:
                    if pattern[f] >= 0:
                        sums[c][f][pattern[f]] += part
        learnt = [[[x / sum(row) for x in row] for row in sums[c]] for c in classes]
        for row in learnt[0]:
            if row[0] > fellegi_sunter.MOST_DIFFERENT:
                rest = (1 - fellegi_sunter.MOST_DIFFERENT) / (row[1] + row[2])
                row[:] = fellegi_sunter.MOST_DIFFERENT, row[1] * rest, row[2] * rest
        levels = [*learnt[: fellegi_sunter.LEARNT], *start[fellegi_sunter.LEARNT :]]
        shares = [each / (sum(counts) + len(total)) for each in total]
    return shares, levels


@settings(max_examples=25)
@given(
    st.dictionaries(st.tuples(*(st.integers(-1, 2) for _ in range(3))), st.integers(1, 500), min_size=1, max_size=12)
)
def test_em_learns_what_a_slow_one_learns(seen: dict[tuple[int, ...], int]) -> None:
    chance = np.array([[0.7, 0.1, 0.2], [0.9, 0.06, 0.04], [0.9, 0.05, 0.05]])
    start = fellegi_sunter.expected(("given", "phone", "birth"), chance)
    patterns = np.array(list(seen), dtype=np.int8)
    model = fellegi_sunter.learn(patterns, indices(list(seen.values())), start)
    shares, levels = plain_em(list(seen), list(seen.values()), start.tolist(), model.rounds)
    np.testing.assert_allclose(model.shares, shares, rtol=1e-6)
    np.testing.assert_allclose(model.levels, levels, rtol=1e-6)
    for pattern, weight in zip(seen, model.weight(patterns), strict=True):
        each = [math.prod(levels[c][f][pattern[f]] for f in range(3) if pattern[f] >= 0) for c in range(len(shares))]
        other = sum(share * x for share, x in zip(shares[1:], each[1:], strict=True)) / sum(shares[1:])
        assert weight == pytest.approx(math.log2(each[0] / other), rel=1e-6, abs=1e-6)
        wanted = shares[0] * each[0] / sum(share * x for share, x in zip(shares, each, strict=True))
        assert model.probability(np.array([weight]))[0] == pytest.approx(wanted, rel=1e-4)


def test_em_finds_the_probabilities_that_pairs_were_drawn_with() -> None:
    dice = np.random.default_rng(5)
    m = np.array([[0.1, 0.1, 0.8], [0.05, 0.15, 0.8], [0.2, 0.1, 0.7], [0.02, 0.08, 0.9], [0.1, 0.2, 0.7]])
    u = np.array([[0.9, 0.05, 0.05], [0.95, 0.03, 0.02], [0.6, 0.1, 0.3], [0.98, 0.01, 0.01], [0.8, 0.1, 0.1]])
    match = dice.random(60_000) < 0.15
    drawn = np.stack(
        [np.where(match, dice.choice(3, 60_000, p=a), dice.choice(3, 60_000, p=b)) for a, b in zip(m, u, strict=True)]
    )
    patterns, counts = np.unique(drawn.T.astype(np.int8), axis=0, return_counts=True)
    start = fellegi_sunter.expected(("given", "family", "sex", "phone", "birth"), u)
    model = fellegi_sunter.learn(patterns, counts, start)
    assert model.prior == pytest.approx(0.15, abs=0.01)
    np.testing.assert_allclose(model.m, m, atol=0.02)
    np.testing.assert_allclose(model.u, u, atol=0.02)


def test_namesakes_are_not_taken_for_matches_where_there_are_none() -> None:
    dice = np.random.default_rng(6)
    namesakes = dice.random(50_000) < 0.2
    fields = ("given", "family", "birth", "phone", "email", "address")
    chance = np.tile([0.97, 0.02, 0.01], (len(fields), 1))
    drawn = dice.choice(3, (50_000, len(fields)), p=chance[0])
    drawn[:, :2] = np.where(namesakes[:, None], 2, drawn[:, :2])
    patterns, counts = np.unique(drawn.astype(np.int8), axis=0, return_counts=True)
    model = fellegi_sunter.learn(patterns, counts, fellegi_sunter.expected(fields, chance))
    sure = model.probability(model.weight(patterns)) >= 0.9
    assert counts[sure].sum() < 10


def score_of(known: dict[tuple[int, int], float]):  # type: ignore[no-untyped-def]
    def score(left, right):  # type: ignore[no-untyped-def]
        pairs = zip(left.tolist(), right.tolist(), strict=True)
        return np.array([known.get((min(pair), max(pair)), 1e-9) for pair in pairs], dtype=np.float64)

    return score


def grouped(records: int, known: dict[tuple[int, int], float]) -> list[int]:
    sure = [pair for pair, chance in known.items() if chance >= 0.9]
    links = Links(indices([a for a, _ in sure]), indices([b for _, b in sure]), np.array([known[p] for p in sure]))
    return persons(records, links, score_of(known)).person.tolist()


def test_records_that_are_linked_are_one_person() -> None:
    assert grouped(5, {(0, 3): 0.95, (1, 2): 0.99}) == [0, 1, 1, 0, 2]


def test_a_link_that_is_missing_among_many_does_not_part_a_person() -> None:
    pairs = dict.fromkeys(combinations(range(4), 2), 0.99)
    assert grouped(4, pairs | {(0, 3): 0.2}) == [0, 0, 0, 0]


def test_a_chain_of_records_that_disagree_is_cut() -> None:
    assert grouped(3, {(0, 1): 0.999, (1, 2): 0.95}) == [0, 0, 1]
    whole = dict.fromkeys([*combinations(range(3), 2), *combinations(range(3, 6), 2)], 0.99)
    assert grouped(6, whole | {(2, 3): 0.95}) == [0, 0, 0, 1, 1, 1]


def test_several_chains_are_cut_each_by_itself() -> None:
    lengths = [12, 4, 9, 3, 7, 5, 12, 3]
    starts = np.cumsum([0, *lengths]).tolist()
    links = [(at, at + 1) for start, end in pairwise(starts) for at in range(start, end - 1)]
    found = grouped(starts[-1], dict.fromkeys(links, 0.95))
    chains = [set(found[start:end]) for start, end in pairwise(starts)]
    assert all(len(chain) > 1 for chain in chains)
    assert sum(map(len, chains)) == len(set().union(*chains))


def test_links_of_records_that_are_written_alike_count_once() -> None:
    links = Links(indices([0, 1, 2, 0, 1]), indices([2, 2, 3, 1, 3]), np.array([1.0, 3.0, 2.0, 9.0, 5.0]))
    found = links.among(indices([0, 0, 2, 3]))
    assert list(zip(found.left.tolist(), found.right.tolist(), found.weight.tolist(), strict=True)) == [
        (0, 2, 3.0),
        (0, 3, 5.0),
        (2, 3, 2.0),
    ]


def test_a_long_chain_falls_into_pieces_that_hold_together() -> None:
    length = 5 * LARGEST
    known = {(at, at + 1): 0.9 + 0.09 * (at % 7) / 7 for at in range(length - 1)}
    found = grouped(length, known)
    assert max(np.bincount(found)) <= math.ceil(2 / COHESION)


@settings(max_examples=50)
@given(st.dictionaries(st.tuples(st.integers(0, 9), st.integers(0, 9)).filter(lambda p: p[0] < p[1]), st.floats(0, 1)))
def test_persons_are_never_more_than_what_is_linked(known: dict[tuple[int, int], float]) -> None:
    found = grouped(10, known)
    parent = list(range(10))
    for (a, b), chance in known.items():
        if chance >= 0.9:
            parent = [parent[b] if each == parent[a] else each for each in parent]
    assert all(parent[a] == parent[b] for a, b in combinations(range(10), 2) if found[a] == found[b])
    assert found == [sorted(set(found), key=found.index).index(each) for each in found]


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        (["姓名", "手机号", "客户编号"], {"name": "姓名", "phone": "手机号"}),
        (
            ["Given Name", "SURNAME", "full_name", "E-Mail"],
            {"given": "Given Name", "family": "SURNAME", "email": "E-Mail"},
        ),
        (["客户姓名", "联系电话", "身份证号码"], {"name": "客户姓名", "idnumber": "身份证号码", "phone": "联系电话"}),
        (["customer_name", "date_of_birth"], {"name": "customer_name", "birth": "date_of_birth"}),
    ],
)
def test_columns_are_guessed_from_their_names(names: list[str], wanted: dict[str, str]) -> None:
    assert chosen(names, {}) == wanted
