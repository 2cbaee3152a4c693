import numpy as np
import pytest
from numba import config
from scipy import stats

from recsys import threads
from recsys.factorization.entries import row_blocks
from recsys.kernels.gibbs import sweep_gibbs
from tests.matrices import frozen
from tests.reference.gibbs import bias_conditional, latent_conditional

N = 1_000 if config.DISABLE_JIT else 40_000  # plain Python takes a thousand times as long


def sweep(
    values, other, taus, *, start, prior_means, precisions, bias_precision=0.8, own_tau=2.0, mean=0.5, key=1
):
    """Draw many equal users at once, all with the same entries; return biases, latents and errors."""
    n = len(values)
    indptr = frozen(np.arange(N + 1) * n)
    own, own_bias, errors = np.tile(np.float32(start), (N, 1)), np.zeros(N, np.float32), np.zeros(N)
    sweep_gibbs(
        row_blocks(indptr), indptr,
        frozen(np.tile(np.arange(n, dtype=np.int32), N)), frozen(np.tile(np.float32(values), N)),
        np.float32(mean), own, own_bias, np.full(N, own_tau, np.float32),
        np.float32(other), np.zeros(n, np.float32), np.float32(taus),
        np.tile(np.reshape(prior_means, (-1, 1)), N), np.array(precisions), bias_precision,
        np.uint64(key), errors,
    )  # fmt: skip
    return own_bias, own, errors


def latents(value, other, tau, prior_mean, prior_precision):
    """Draw latent numbers of rows with one entry and next to no bias."""
    _, own, _ = sweep(
        [value], [[other]], [tau], start=[0.5], prior_means=[prior_mean], precisions=[prior_precision],
        bias_precision=1e16, own_tau=1.0, mean=0.0,
    )  # fmt: skip
    return own[:, 0]


@pytest.mark.parametrize(
    ("value", "other", "tau", "prior_mean", "prior_precision"),
    [
        (1.5, 1.0, 2.0, 0.5, 1.0),
        (-2.0, 1.0, 1.0, 0.4, 3.0),  # both sides with a bound near the centre
        (-2.0, 1.0, 1.0, -0.3, 3.0),
        (2.0, 2.0, 10.0, -2.0, 4.0),  # entry and prior disagree
        (-8000.0, 0.01, 1.0, 40.0, 1.0),  # 40 deviations beyond the bound on both sides
        (-8000.0, 0.01, 1.0, 9.0, 1.0),  # on one of them
        (-30.0, 1.0, 30.0, 1.0, 0.01),  # next to nothing above 0
        (30.0, 1.0, 30.0, -1.0, 0.01),  # next to nothing below
    ],
)
def test_latent_numbers_have_their_distribution(value, other, tau, prior_mean, prior_precision):
    drawn = latents(value, other, tau, prior_mean, prior_precision)
    expected = latent_conditional(
        np.array([value]), np.float32([other]), np.array([tau]), prior_mean, prior_precision
    )
    assert stats.kstest(drawn, expected).pvalue > 1e-3


@pytest.mark.parametrize(
    ("value", "tau", "prior_mean", "expected"),
    [(1e4, 1e4, 0.0, 1e4), (-1e4, 1e4, -1.0, -1.0), (0.0, 0.0, 1e4, 1e4), (0.0, 0.0, -1e4, -1e4)],
)
def test_latent_numbers_stay_finite_where_one_side_has_no_weight(value, tau, prior_mean, expected):
    assert latents(value, 1.0, tau, prior_mean, 1.0).mean() == pytest.approx(expected, rel=0.6)


VALUES, TAUS = np.array([1.0, 2.5, 0.2]), np.array([1.0, 0.3, 4.0])
OTHER = np.array([[0.5, -0.4], [1.5, 0.3], [-0.1, 0.9]])  # latent numbers, some below 0
START, PRIOR_MEANS, PRECISIONS = np.array([0.7, -0.2]), np.array([0.4, -0.6]), np.array([1.3, 2.0])
FACTORS = np.maximum(OTHER, 0)


def common(values=VALUES, other=OTHER, **changes):
    """Sweep the case above."""
    case = {"start": START, "prior_means": PRIOR_MEANS, "precisions": PRECISIONS} | changes
    return sweep(values, other, TAUS[: len(values)], **case)


def test_a_sweep_draws_from_the_conditionals():
    bias, own, errors = common(key=11)
    start = np.maximum(START, 0)
    centre, deviation = bias_conditional(VALUES - 0.5 - FACTORS @ start, 2.0 * TAUS, 0.8)
    assert stats.kstest(bias, stats.norm(centre, deviation).cdf).pvalue > 1e-3
    # A factor is drawn given what was drawn before it: through its conditional it becomes uniform.
    uniform = np.empty((500, 2))
    for row in range(len(uniform)):
        at = start.copy()
        for f in range(2):
            at[f] = 0
            residuals = VALUES - 0.5 - bias[row].astype(float) - FACTORS @ at
            conditional = latent_conditional(
                residuals, FACTORS[:, f], 2.0 * TAUS, PRIOR_MEANS[f], PRECISIONS[f]
            )
            uniform[row, f] = conditional(own[row, f])
            at[f] = max(own[row, f], 0)
    for f in range(2):
        assert stats.kstest(uniform[:, f], "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(uniform.T)[0, 1]) < 0.15
    residuals = VALUES - 0.5 - bias[:, None] - np.maximum(own, 0) @ FACTORS.T
    np.testing.assert_allclose(errors, np.sum(residuals**2, axis=1), rtol=1e-4)


def test_a_row_without_entries_is_drawn_from_the_prior():
    bias, own, errors = common(np.zeros(0), np.zeros((0, 2)), key=5)
    assert stats.kstest(bias, stats.norm(0, 0.8**-0.5).cdf).pvalue > 1e-3
    for f in range(2):
        prior = stats.norm(PRIOR_MEANS[f], PRECISIONS[f] ** -0.5)
        assert stats.kstest(own[:, f], prior.cdf).pvalue > 1e-3
    assert abs(np.corrcoef(own.T)[0, 1]) < 4 / np.sqrt(N)
    assert not errors.any()


def test_draws_depend_on_key_and_row_but_not_on_threads():
    one = common(key=1)
    with threads.use(2):
        two = common(key=1)
    for left, right in zip(one, two, strict=True):
        np.testing.assert_array_equal(left, right)
    other = common(key=2)
    assert len(np.unique(np.r_[one[1][:, 0], other[1][:, 0]])) > 1.95 * N
