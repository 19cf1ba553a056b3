"""Gamma-Gamma against quadrature and simulation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from plugins.customers.fitting import Floats
from plugins.customers.gamma_gamma import expected, fit, log_likelihood

CDNOW = np.array((6.25, 3.74, 15.44))
PARAMETERS = st.tuples(st.floats(0.2, 20), st.floats(0.2, 20), st.floats(0.1, 50)).map(np.array)
CUSTOMERS = st.lists(st.tuples(st.integers(1, 20), st.floats(0.01, 500)), min_size=1, max_size=12)


@pytest.mark.parametrize(("x", "mean"), [(1, 5.0), (3, 35.0), (20, 80.0)])
def test_the_density_of_a_customer_is_that_of_all_rates(x: int, mean: float) -> None:
    p, q, gamma = CDNOW
    rates = stats.gamma(q, scale=1 / gamma)

    def density(rate: float) -> float:
        return float(stats.gamma.pdf(mean, p * x, scale=1 / (rate * x)))

    whole = rates.expect(density, limit=200, epsabs=1e-12)
    found, _ = log_likelihood(CDNOW, np.array([float(x)]), np.array([mean]))
    assert found == pytest.approx(np.log(whole), rel=1e-5)
    spend = rates.expect(lambda rate: density(rate) * p / rate, limit=200, epsabs=1e-12) / whole
    assert expected(CDNOW, np.array([float(x)]), np.array([mean]))[0] == pytest.approx(spend, rel=1e-5)


@given(PARAMETERS, CUSTOMERS)
def test_derivatives_are_those_of_the_likelihood(parameters: Floats, customers: list[tuple[int, float]]) -> None:
    x, mean = np.array(customers, dtype=float).T
    _, found = log_likelihood(parameters, x, mean)
    for place, derivative in enumerate(found):
        step = np.zeros(3)
        step[place] = 1e-5 * parameters[place]
        rise = log_likelihood(parameters + step, x, mean)[0] - log_likelihood(parameters - step, x, mean)[0]
        assert derivative == pytest.approx(rise / (2 * step[place]), rel=1e-4, abs=1e-3)


def simulated(parameters: Floats, customers: int) -> tuple[Floats, Floats, Floats]:
    """Numbers of purchases, their means, and the true mean of each customer."""
    p, q, gamma = parameters
    rng = np.random.default_rng(2)
    x = rng.integers(1, 12, customers).astype(float)
    rate = rng.gamma(q, 1 / gamma, customers)
    return x, rng.gamma(p * x, 1 / (rate * x)), p / rate


@pytest.mark.parametrize("parameters", [CDNOW, np.array((2.0, 2.5, 4000.0)), np.array((0.6, 5.0, 0.01))])
def test_parameters_of_simulated_customers_are_found_again(parameters: Floats) -> None:
    x, mean, _ = simulated(parameters, 50_000)
    found = fit(x, mean)
    assert found.values == pytest.approx(parameters, rel=0.15)
    assert found.unsettled == ()
    # Twice the gain over the true parameters is chi-squared with three degrees of freedom: below 16.3 in 99.9%.
    assert 0 <= 2 * (found.log_likelihood - log_likelihood(parameters, x, mean)[0]) < 16.3


def test_spend_is_the_true_mean_of_simulated_customers_with_the_same_past() -> None:
    x, mean, truth = simulated(CDNOW, 300_000)
    found = expected(CDNOW, x, mean)
    for purchases in range(1, 12):
        for low, high in ((0, 25), (25, 45), (45, 90)):
            inside = (x == purchases) & (mean > low) & (mean <= high)
            error = truth[inside].std() / inside.sum() ** 0.5
            assert truth[inside].mean() == pytest.approx(found[inside].mean(), abs=4.5 * error)


def test_of_whom_nothing_is_known_the_mean_of_all_is_expected() -> None:
    p, q, gamma = CDNOW
    nothing = np.array([0.0])
    assert expected(CDNOW, nothing, np.array([np.nan]))[0] == pytest.approx(p * gamma / (q - 1))
    assert np.isnan(expected(np.array((p, 0.9, gamma)), nothing, nothing)[0])
    assert np.isfinite(expected(np.array((p, 0.9, gamma)), np.array([1.0]), np.array([5.0]))[0])


def test_equal_amounts_determine_no_spread() -> None:
    found = fit(np.array([1.0, 2.0, 3.0]), np.array([5.0, 5.0, 5.0]))
    assert found.unsettled
    assert expected(found.values, np.array([2.0]), np.array([5.0]))[0] == pytest.approx(5, rel=0.01)


def test_without_customers_there_is_no_fit() -> None:
    with pytest.raises(ValueError, match="nobody"):
        fit(np.zeros(0), np.zeros(0))
