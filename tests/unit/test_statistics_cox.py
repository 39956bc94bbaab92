"""Cox's model, against its likelihood written out."""

import numpy as np
import pytest
from scipy import optimize

from onclair.core.errors import BadInput
from onclair.science.statistics.cox import FollowUp, cox


def cohort(seed=0, n=90, columns=2):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, columns))
    time = np.ceil(rng.exponential(8 * np.exp(-0.6 * x[:, 0])))
    return x, time, rng.uniform(size=n) < 0.7, rng.integers(0, 3, n)


def partial_likelihood(beta, x, time, event, ties):
    """The partial log-likelihood, tied death by tied death."""
    total = 0.0
    eta = x @ beta
    for t in np.unique(time[event]):
        dead, at_risk = event & (time == t), time >= t
        for place in range(dead.sum()):
            thinned = place / dead.sum() if ties == "efron" else 0.0
            total -= np.log(np.exp(eta[at_risk]).sum() - thinned * np.exp(eta[dead]).sum())
        total += eta[dead].sum()
    return total


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_the_estimate_maximises_the_written_out_likelihood(ties):
    x, time, event, _ = cohort()
    peer = optimize.minimize(lambda b: -partial_likelihood(b, x, time, event, ties), np.zeros(2), method="BFGS", options={"gtol": 1e-8})
    fit = cox(x, FollowUp(time, event), ties=ties)
    np.testing.assert_allclose(fit.coefficients, peer.x, atol=1e-6)
    assert fit.log_likelihood[1] == pytest.approx(-peer.fun, abs=1e-9)
    assert fit.log_likelihood[0] == pytest.approx(partial_likelihood(np.zeros(2), x, time, event, ties), abs=1e-9)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_the_covariance_is_the_inverse_of_the_numerical_hessian(ties):
    x, time, event, _ = cohort(1)
    fit, step = cox(x, FollowUp(time, event), ties=ties), 1e-3
    basis = np.eye(2) * step

    def value(shift):
        return partial_likelihood(fit.coefficients + shift, x, time, event, ties)

    hessian = [[(value(a + b) - value(a - b) - value(b - a) + value(-a - b)) / (4 * step**2) for a in basis] for b in basis]
    np.testing.assert_allclose(fit.covariance, np.linalg.inv(-np.array(hessian)), rtol=1e-4)


def test_strata_add_their_likelihoods():
    x, time, event, stratum = cohort(2)

    def loss(b):
        return -sum(partial_likelihood(b, x[stratum == s], time[stratum == s], event[stratum == s], "efron") for s in range(3))

    peer = optimize.minimize(loss, np.zeros(2), method="BFGS", options={"gtol": 1e-8})
    np.testing.assert_allclose(cox(x, FollowUp(time, event, stratum)).coefficients, peer.x, atol=1e-6)


def test_a_ridge_subtracts_half_its_squared_length():
    x, time, event, _ = cohort(3)
    peer = optimize.minimize(
        lambda b: 2.5 * b @ b - partial_likelihood(b, x, time, event, "efron"), np.zeros(2), method="BFGS", options={"gtol": 1e-8}
    )
    np.testing.assert_allclose(cox(x, FollowUp(time, event), ridge=5.0).coefficients, peer.x, atol=1e-6)


def test_a_ridge_fits_more_features_than_rows():
    x, time, event, _ = cohort(4, n=25, columns=60)
    assert cox(x, FollowUp(time, event), ridge=2.0).ok


def test_an_offset_takes_the_place_of_a_known_coefficient():
    x, time, event, _ = cohort(5)
    whole = cox(x, FollowUp(time, event))
    rest = cox(x[:, 1:], FollowUp(time, event), offset=whole.coefficients[0] * x[:, 0])
    assert rest.coefficients[0] == pytest.approx(whole.coefficients[1], abs=1e-8)


def test_the_baseline_without_predictors_is_the_nelson_aalen_sum():
    fit = cox(np.zeros((4, 0)), FollowUp([1.0, 2.0, 2.0, 4.0], [1, 1, 1, 0]), ties="breslow")
    np.testing.assert_allclose(fit.baseline[0].at([0.5, 1.0, 3.0]), [0.0, 1 / 4, 1 / 4 + 2 / 3])


def test_tied_deaths_thin_the_baseline_as_efron_says():
    fit = cox(np.zeros((4, 0)), FollowUp([1.0, 2.0, 2.0, 4.0], [1, 1, 1, 0]))
    np.testing.assert_allclose(fit.baseline[0].at([3.0]), [1 / 4 + 1 / 3 + 1 / 2])


def test_risk_by_a_time_is_one_minus_survival():
    fit = cox(np.zeros((4, 0)), FollowUp([1.0, 2.0, 2.0, 4.0], [1, 1, 1, 0]))
    assert fit.risk([np.log(2.0)], by=1.5)[0] == pytest.approx(1 - np.exp(-0.5))


def test_a_censoring_at_a_death_time_is_still_at_risk():
    tied = cox(np.zeros((3, 0)), FollowUp([1.0, 1.0, 2.0], [1, 0, 1]))
    assert tied.log_likelihood[0] == pytest.approx(-np.log(3))


def test_a_predictor_that_orders_every_death_has_no_finite_estimate():
    fit = cox([[3.0], [2.0], [1.0], [0.0]], FollowUp([1.0, 2.0, 3.0, 4.0], [1, 1, 1, 1]))
    assert fit.status == "not_available"
    assert "orders the events perfectly" in fit.reason


def test_a_constant_predictor_is_an_answer():
    assert "constant" in cox(np.ones((3, 1)), FollowUp([1.0, 2.0, 3.0], [1, 1, 0])).reason


def test_no_event_is_an_answer():
    assert cox([[1.0], [2.0]], FollowUp([1.0, 2.0], [0, 0])).reason == "there is no event"


@pytest.mark.parametrize(("time", "event", "said"), [([-1.0, 2.0], [1, 0], "Row 0 was followed for -1"), ([1.0, 2.0], [1, 3], "holds 3")])
def test_impossible_follow_up_is_refused(time, event, said):
    with pytest.raises(BadInput, match=said):
        FollowUp(time, event)


def test_large_linear_predictors_do_not_overflow():
    x, time, event, _ = cohort(6)
    plain, shifted = cox(x, FollowUp(time, event)), cox(x + 900.0, FollowUp(time, event))
    np.testing.assert_allclose(shifted.coefficients, plain.coefficients, atol=1e-6)
