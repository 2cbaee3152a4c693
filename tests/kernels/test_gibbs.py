import numpy as np
import pytest
from scipy import stats

from recsys import threads
from recsys.factorization.sharing import row_blocks
from recsys.kernels.gibbs import draw_positive_normals, sweep_gibbs
from tests.reference.gibbs import bias_conditional, factor_conditional

N = 40_000


@pytest.mark.parametrize(
    ("mean", "deviation"), [(5.0, 1.0), (0.0, 1.0), (-0.46, 1.0), (-0.48, 1.0), (-3.0, 0.5), (-40.0, 1.0)]
)
def test_positive_normals_have_their_distribution(mean, deviation):
    drawn = np.empty(N)
    draw_positive_normals(np.full(N, mean), np.full(N, deviation), np.uint64(3), drawn)
    assert drawn.min() >= 0
    if mean < -30:  # so far out the tail is an exponential, where SciPy's own digits end
        expected = stats.expon(scale=deviation**2 / -mean)
    else:
        expected = stats.truncnorm(-mean / deviation, np.inf, loc=mean, scale=deviation)
    assert stats.kstest(drawn, expected.cdf).pvalue > 1e-3


def sweep(values, w, h, *, tau, precisions, bias_precision, key, mean=0.5):
    """Draw many equal users at once, all with the same entries; return their biases and factors."""
    n = len(values)
    indptr = np.arange(N + 1) * n
    own, own_bias, errors = np.tile(np.float32(w), (N, 1)), np.zeros(N, np.float32), np.zeros(N)
    sweep_gibbs(
        row_blocks(indptr), indptr, np.tile(np.arange(n, dtype=np.int32), N), np.tile(np.float32(values), N),
        np.float32(mean), own, own_bias, np.float32(h), np.zeros(n, np.float32),
        tau, np.array(precisions), bias_precision, np.uint64(key), errors,
    )  # fmt: skip
    return own_bias, own, errors


def test_a_sweep_draws_from_the_conditionals():
    values, w = np.array([1.0, 2.5, 0.2]), np.array([0.7])
    h = np.array([[0.5], [1.5], [0.1]])
    bias, own, errors = sweep(values, w, h, tau=2.0, precisions=[1.3], bias_precision=0.8, key=11)
    centre, deviation = bias_conditional(values - 0.5 - h @ w, 2.0, 0.8)
    assert stats.kstest(bias, stats.norm(centre, deviation).cdf).pvalue > 1e-3
    # The factor is drawn given the bias just drawn: through its conditional it becomes uniform.
    uniform = [
        factor_conditional(values - 0.5 - b, h[:, 0], 2.0, 1.3).cdf(drawn)
        for b, drawn in zip(bias[:2000].astype(float), own[:2000, 0].astype(float), strict=True)
    ]
    assert stats.kstest(uniform, "uniform").pvalue > 1e-3
    residuals = values - 0.5 - bias[:, None] - own @ h.T
    np.testing.assert_allclose(errors, np.sum(residuals**2, axis=1), rtol=1e-4)


def test_a_row_without_entries_is_drawn_from_the_prior():
    bias, own, _ = sweep(
        np.zeros(0), [1.0, 1.0], np.zeros((0, 2)), tau=2.0, precisions=[4.0, 0.25], bias_precision=1.0, key=5
    )
    assert stats.kstest(bias, "norm").pvalue > 1e-3
    for f, scale in enumerate((0.5, 2.0)):
        assert stats.kstest(own[:, f], stats.halfnorm(scale=scale).cdf).pvalue > 1e-3
    assert abs(np.corrcoef(own.T)[0, 1]) < 0.02


def test_draws_depend_on_key_and_row_but_not_on_threads():
    case = {"tau": 1.0, "precisions": [1.0, 1.0], "bias_precision": 1.0}
    values, h = np.array([1.0, 2.0]), np.ones((2, 2))
    one = sweep(values, [1.0, 1.0], h, **case, key=1)
    with threads.use(2), threads.launch():
        two = sweep(values, [1.0, 1.0], h, **case, key=1)
    for left, right in zip(one, two, strict=True):
        np.testing.assert_array_equal(left, right)
    other = sweep(values, [1.0, 1.0], h, **case, key=2)
    assert len(np.unique(np.r_[one[1][:, 0], other[1][:, 0]])) > 1.95 * N
