"""How likely counts are, how far they scatter, and which of many tests count."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import false_discovery_control, lognorm, nbinom, poisson

from plugins.tickets.quality.tails import p_values, q_values, shrunken, spread_of, tail, tail_lognormal

COUNTS = st.integers(0, 200)
MEANS = st.floats(0.01, 150)
SPREADS = st.floats(0.001, 2)


@given(COUNTS, MEANS)
def test_without_spread_counts_are_poisson(count: int, mean: float) -> None:
    found = tail(np.array([count]), np.array([mean]), 0.0)[0]
    assert found == pytest.approx(poisson.sf(count - 1, mean), rel=1e-9, abs=1e-280)


@given(COUNTS, MEANS, SPREADS)
def test_with_gamma_rates_counts_are_negative_binomial(count: int, mean: float, spread: float) -> None:
    found = tail(np.array([count]), np.array([mean]), spread)[0]
    slow = nbinom.sf(count - 1, 1 / spread, 1 / (1 + spread * mean))
    assert found == pytest.approx(slow, rel=1e-7, abs=1e-280)


@pytest.mark.parametrize(
    ("count", "mean", "spread"), [(9, 2.0, 0.09), (30, 12.0, 0.3), (3, 0.1, 0.5), (80, 40.0, 0.02)]
)
def test_with_lognormal_rates_as_by_integration(count: int, mean: float, spread: float) -> None:
    width = np.sqrt(np.log1p(spread))
    rates = lognorm(width, scale=np.exp(-(width**2) / 2))
    slow, _ = quad(
        lambda rate: poisson.sf(count - 1, mean * rate) * rates.pdf(rate), 0, 60, limit=400, points=[1, 3, 8]
    )
    found = tail_lognormal(np.array([count]), np.array([mean]), spread)[0]
    assert found == pytest.approx(slow, rel=1e-4)


@given(st.lists(st.tuples(COUNTS, MEANS), min_size=1, max_size=20), SPREADS)
def test_p_values_are_never_below_the_exact_ones(cells: list[tuple[int, float]], spread: float) -> None:
    counts, means = (np.array(each, dtype=float) for each in zip(*cells, strict=True))
    found = p_values(counts, means, spread)
    assert (found >= tail(counts, means, spread) * (1 - 1e-12)).all()
    assert (found <= 1 + 1e-12).all()
    assert (found[counts == 0] == 1).all()


@given(st.lists(st.floats(1e-12, 1), min_size=1, max_size=60))
def test_q_values_are_those_of_scipy(p: list[float]) -> None:
    assert q_values(np.array(p)) == pytest.approx(false_discovery_control(p))


@given(st.lists(st.tuples(st.floats(1e-6, 1), st.floats(0.1, 5)), min_size=1, max_size=30), st.floats(0.01, 0.5))
def test_weighed_tests_are_found_as_the_step_up_rule_finds_them(tests: list[tuple[float, float]], level: float) -> None:
    p, raw = (np.array(each) for each in zip(*tests, strict=True))
    weights = raw / raw.mean()
    ordered = sorted(p / weights)
    passing = [at for at, value in enumerate(ordered, 1) if value <= level * at / len(p) * (1 - 1e-9)]
    bound = ordered[passing[-1] - 1] if passing else -1.0
    found = q_values(p, weights) <= level
    assert (found >= (p / weights <= bound)).all()


def draws(seed: int, spread: float, cells: int = 3000) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    means = rng.gamma(2, 6, cells) + 0.2
    rates = rng.gamma(1 / spread, spread, cells) if spread else np.ones(cells)
    return rng.poisson(means * rates).astype(float), means


@pytest.mark.parametrize("spread", [0.0, 0.04, 0.09, 0.5])
def test_the_spread_is_learnt_a_little_above_what_it_is(spread: float) -> None:
    found = np.array([spread_of(*draws(seed, spread)) for seed in range(8)])
    assert np.median(found) == pytest.approx(spread, rel=0.2, abs=0.01)
    assert (found >= spread * 0.98).sum() >= 6


@pytest.mark.parametrize("spread", [0.0, 0.09])
def test_cells_with_problems_do_not_hide_themselves(spread: float) -> None:
    counts, means = draws(5, spread)
    clean = spread_of(counts, means)
    counts[:30] += means[:30] * 20
    assert spread_of(counts, means) < clean + 0.02
    plain = ((counts - means) ** 2 - means).sum() / (means**2).sum()
    assert plain > 2


def test_few_tickets_make_no_high_lift() -> None:
    lifts = shrunken(np.array([5.0, 500.0, 0.0]), np.array([0.1, 10.0, 0.0]))
    assert lifts == pytest.approx([6 / 1.1, 501 / 11, 1.0])
