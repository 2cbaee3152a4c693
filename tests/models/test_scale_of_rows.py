"""What penalties and rows of extreme size may not do to an estimator."""

import numpy as np
import pytest

from recsys.models.registry import make
from tests.matrices import ABSENT

ESTIMATORS: dict[str, tuple[str, dict[str, object]]] = {
    "squared": ("masked-nmf", {}),
    "squared, no biases": ("masked-nmf", {"biases": False}),
    "kl": ("masked-nmf", {"loss": "kl", "biases": False, "l2": 0.01}),
    "weighted": ("weighted-nmf", {"l2": 0.2}),
    "weighted, defaults": ("weighted-nmf", {}),
    "weighted, linear": ("weighted-nmf", {"l2": 0.2, "confidence": "linear"}),
    "weighted, any sign": ("weighted-nmf", {"l2": 0.2, "nonnegative": False}),
    "poisson": ("poisson-nmf", {"value_transform": "raw"}),
    "poisson, penalty": ("poisson-nmf", {"value_transform": "raw", "l2": 0.01}),
    "poisson, binary": ("poisson-nmf", {}),
}


def ratings():
    """Return ratings from 1 to 5 with gaps, (40, 20)."""
    generator = np.random.default_rng(0)
    values = generator.integers(1, 6, (40, 20)).astype(float)
    return np.where(generator.random(values.shape) < 0.5, values, ABSENT)


def new(kind, **params):
    name, own = ESTIMATORS[kind]
    return make(name, {"n_components": 4} | own | params)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", ESTIMATORS)
def test_transform_of_a_row_keeps_its_bits_beside_a_row_a_million_times_as_large(kind, seed):
    model = new(kind).fit(ratings())
    row = ratings()[seed : seed + 1]
    alone = model.transform(row)
    np.testing.assert_array_equal(model.transform(np.vstack([row, 1e6 * row]))[:1], alone)
    np.testing.assert_array_equal(model.transform(np.vstack([1e6 * row, row]))[1:], alone)


@pytest.mark.parametrize("init", ["random", "nndsvd"])
@pytest.mark.parametrize("kind", ESTIMATORS)
def test_a_penalty_beyond_single_precision_fits_finite_factors(kind, init):
    model = new(kind, l2=1e39, init=init).fit(ratings())
    assert np.isfinite(model.user_factors_).all()
    assert np.isfinite(model.item_factors_).all()
    assert np.isfinite(model.history_.objective).all()
    assert np.isfinite(model.score_block(np.arange(40))).all()
    assert np.isfinite(model.transform(ratings())).all()
