"""BG/NBD against quadrature, the equations of its source, and simulation."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.integrate import quad
from scipy.special import hyp2f1

from plugins.customers.bgnbd import Histories, alive, expected, fit, log_likelihood
from plugins.customers.fitting import Floats

CDNOW = np.array((0.2426, 4.4136, 0.7929, 2.4259))
POSITIVE = st.floats(0.1, 12)
PARAMETERS = st.tuples(POSITIVE, POSITIVE, POSITIVE | st.just(1.0), POSITIVE).map(np.array)
SHARES = st.floats(0.0, 1.0)


def one(x: float, recency: float, age: float) -> Histories:
    return Histories(*(np.array([value], dtype=float) for value in (x, recency, age)))


@st.composite
def histories(draw: st.DrawFn) -> Histories:
    """Some customers, of whom those who bought once have recency 0, as they must."""
    frequency = np.array(draw(st.lists(st.integers(0, 12), min_size=1, max_size=12)), dtype=float)
    age = np.array([draw(st.floats(0.1, 60)) for _ in frequency])
    return Histories(frequency, np.where(frequency > 0, age * [draw(SHARES) for _ in frequency], 0.0), age)


def mean_over(distribution: "stats.rv_frozen", function: "object") -> float:
    """The mean of a function under a distribution on the positive numbers, by quadrature."""
    return float(distribution.expect(function, epsabs=1e-12, epsrel=1e-9, limit=200))


@pytest.mark.parametrize(
    "history", [(0, 0, 38.86), (1, 1.71, 38.86), (2, 30.43, 38.86), (5, 20.0, 21.0), (3, 8.0, 8.0)]
)
@pytest.mark.parametrize("parameters", [CDNOW, np.array((2.0, 5.0, 1.0, 3.0))])
def test_the_likelihood_of_a_customer_is_that_of_all_rates_and_chances(
    parameters: Floats, history: tuple[int, float, float]
) -> None:
    (r, alpha, a, b), (x, recency, age) = parameters, history
    rate, chance = stats.gamma(r, scale=1 / alpha), stats.beta(a, b)
    stays = mean_over(rate, lambda k: k**x * np.exp(-k * age)) * mean_over(chance, lambda p: (1 - p) ** x)
    leaves = 0.0
    if x:
        left = mean_over(chance, lambda p: p * (1 - p) ** (x - 1))
        leaves = left * mean_over(rate, lambda k: k**x * np.exp(-k * recency))
    assert log_likelihood(parameters, one(*history))[0] == pytest.approx(np.log(stays + leaves), rel=1e-5)
    assert alive(parameters, one(*history))[0] == pytest.approx(stays / (stays + leaves), rel=1e-5)


@given(PARAMETERS, histories())
def test_derivatives_are_those_of_the_likelihood(parameters: Floats, known: Histories) -> None:
    _, found = log_likelihood(parameters, known)
    for place, derivative in enumerate(found):
        step = np.zeros(4)
        step[place] = 1e-5 * parameters[place]
        rise = log_likelihood(parameters + step, known)[0] - log_likelihood(parameters - step, known)[0]
        assert derivative == pytest.approx(rise / (2 * step[place]), rel=1e-4, abs=1e-4)


def by_chances(parameters: Floats, x: float, age: float, horizon: float) -> float:
    """Expected purchases of somebody alive: the mean over chances to leave, p, of (1 - E exp(-rate p horizon)) / p."""
    r, alpha, a, b = parameters

    def of(p: float) -> float:
        return (
            float(-np.expm1(-(r + x) * np.log1p(p * horizon / (alpha + age))) / p)
            if p
            else ((r + x) * horizon / (alpha + age))
        )

    weights = (a - 1, b + x - 1)
    total = quad(of, 0, 1, weight="alg", wvar=weights, limit=500, epsabs=0, epsrel=1e-10)[0]
    return total / quad(lambda p: 1.0, 0, 1, weight="alg", wvar=weights, epsabs=0)[0]


@settings(max_examples=50)
@given(PARAMETERS, st.integers(0, 40), SHARES, st.floats(1, 60), st.floats(0.5, 100))
@example(
    np.array((0.5, 2.0, 12.0, 3.0)), 2, 0.5, 20.0, 100.0
)  # more likely to leave than to buy: the other form of 2F1
def test_expected_purchases_are_a_mean_over_chances_to_leave(
    parameters: Floats, x: int, share: float, age: float, horizon: float
) -> None:
    known = one(x, share * age if x else 0, age)
    wanted = by_chances(parameters, x, age, horizon) * alive(parameters, known)[0]
    assert expected(parameters, known, horizon)[0] == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("history", [(0, 0, 38.86), (2, 30.43, 38.86), (7, 20, 30)])
def test_expected_purchases_are_those_of_equation_10(history: tuple[int, float, float]) -> None:
    (r, alpha, a, b), (x, recency, age), t = CDNOW, history, 39
    whole = hyp2f1(r + x, b + x, a + b + x - 1, t / (alpha + age + t)) * ((alpha + age) / (alpha + age + t)) ** (r + x)
    odds = (a / (b + x - 1) * ((alpha + age) / (alpha + recency)) ** (r + x)) if x else 0
    wanted = (a + b + x - 1) / (a - 1) * (1 - whole) / (1 + odds)
    assert expected(CDNOW, one(*history), t)[0] == pytest.approx(wanted, rel=1e-9)


def test_the_published_example_is_met() -> None:
    # Fader, Hardie and Lee (2005), section 3.6: x = 2, t_x = 30.43, T = 38.86, the next 39 weeks.
    assert expected(CDNOW, one(2, 30.43, 38.86), 39)[0] == pytest.approx(1.226, abs=0.001)


@pytest.mark.parametrize("discount", [0.0018, 0.05, 1.0])
def test_each_purchase_is_discounted_at_its_moment(discount: float) -> None:
    known = one(2, 30.43, 38.86)
    times = np.linspace(0, 52, 209)
    steps = np.diff([expected(CDNOW, known, t)[0] if t else 0.0 for t in times])
    middles = (times[1:] + times[:-1]) / 2
    wanted = np.sum(steps * np.exp(-discount * middles))
    assert expected(CDNOW, known, 52, discount)[0] == pytest.approx(wanted, rel=0.01)


def simulated(parameters: Floats, customers: int, age: float, ahead: float) -> tuple[Histories, Floats, Floats]:
    """Customers who live as the model says: their histories, whether they are alive, and purchases afterwards."""
    r, alpha, a, b = parameters
    rng = np.random.default_rng(1)
    rate, chance = rng.gamma(r, 1 / alpha, customers), rng.beta(a, b, customers)
    frequency, recency, later, clock = (np.zeros(customers) for _ in range(4))
    living = np.ones(customers, dtype=bool)
    alive_then = np.ones(customers)
    going = np.arange(customers)
    while len(going):
        clock[going] += rng.exponential(1 / np.maximum(rate[going], 1e-300))
        going = going[clock[going] < age + ahead]
        before = clock[going] <= age
        frequency[going] += before
        later[going] += ~before
        recency[going] = np.where(before, clock[going], recency[going])
        left = rng.random(len(going)) < chance[going]
        living[going[left]] = False
        alive_then[going[left & before]] = 0
        going = going[~left]
    return Histories(frequency, recency, np.full(customers, age)), alive_then, later


def test_alive_and_expected_are_what_happens_to_simulated_customers() -> None:
    known, living, later = simulated(np.array((0.8, 5.0, 0.9, 3.0)), 200_000, 40.0, 20.0)
    parameters = np.array((0.8, 5.0, 0.9, 3.0))
    chances, purchases = alive(parameters, known), expected(parameters, known, 20.0)
    bins = np.minimum(known.frequency, 12) * 4 + np.minimum(known.recency / 10, 3).astype(int)
    for each in np.unique(bins):
        inside = bins == each
        count = int(inside.sum())
        if count < 500:
            continue
        assert living[inside].mean() == pytest.approx(chances[inside].mean(), abs=4 * (0.25 / count) ** 0.5)
        error = later[inside].std() / count**0.5
        assert later[inside].mean() == pytest.approx(purchases[inside].mean(), abs=4.5 * error + 1e-3)


def test_parameters_of_simulated_customers_are_found_again() -> None:
    parameters = np.array((0.8, 5.0, 0.9, 3.0))
    known, _, _ = simulated(parameters, 100_000, 40.0, 0.0)
    found = fit(known)
    assert found.values == pytest.approx(parameters, rel=0.1)
    assert found.unsettled == ()
    # Twice the gain over the true parameters is chi-squared with four degrees of freedom: below 18.5 in 99.9%.
    assert 0 <= 2 * (found.log_likelihood - log_likelihood(parameters, known)[0]) < 18.5
    assert log_likelihood(found.values, known)[1] == pytest.approx(np.zeros(4), abs=1.0)


@settings(max_examples=8)
@given(histories(), st.floats(0.01, 100))
def test_the_unit_of_time_changes_alpha_alone(known: Histories, unit: float) -> None:
    if not known.frequency.any():
        return
    found = fit(known)
    other = fit(Histories(known.frequency, known.recency * unit, known.age * unit))
    shift = known.frequency.sum() * np.log(unit)
    assert other.log_likelihood + shift == pytest.approx(found.log_likelihood, abs=1e-3, rel=1e-5)


def test_no_start_is_far_enough_to_be_lost() -> None:
    known, _, _ = simulated(np.array((3.0, 0.02, 0.3, 9.0)), 20_000, 0.5, 0.0)
    found = fit(known)
    assert found.unsettled == ()
    assert found.log_likelihood >= log_likelihood(np.array((3.0, 0.02, 0.3, 9.0)), known)[0]


def test_customers_who_are_all_alike_determine_no_spread() -> None:
    found = fit(Histories(np.full(50, 3.0), np.full(50, 9.0), np.full(50, 10.0)))
    assert "r" in found.unsettled


def test_nobody_who_bought_again_means_no_fit() -> None:
    with pytest.raises(ValueError, match="nobody has bought again"):
        fit(Histories(np.zeros(3), np.zeros(3), np.ones(3)))
    assert expected(CDNOW, Histories(*(np.zeros(0) for _ in range(3))), 52).shape == (0,)


def test_extreme_customers_get_finite_numbers() -> None:
    known = Histories(np.array([0.0, 1.0, 5000.0]), np.array([0.0, 0.0, 700.0]), np.array([0.0, 1000.0, 700.0]))
    for found in (alive(CDNOW, known), expected(CDNOW, known, 1000.0, 0.1)):
        assert np.isfinite(found).all()
        assert (found >= 0).all()
