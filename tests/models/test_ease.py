import numpy as np
import pytest
from scipy import sparse

from recsys import memory
from recsys.data.interactions import Interactions
from recsys.errors import ModelError
from recsys.models.baselines import ease
from recsys.models.baselines.ease import EASE
from tests.matrices import random_matrix


def entries(n_users=50, n_items=20, seed=0):
    return np.nan_to_num(random_matrix(n_users, n_items, density=0.3, seed=seed))


def test_weights_solve_the_regression_of_each_item_on_the_others():
    matrix = (entries() > 0).astype(float)
    model = EASE(l2=3.0).fit(sparse.csr_array(matrix))
    for item in range(20):
        others = np.delete(np.arange(20), item)
        x = matrix[:, others]
        expected = np.linalg.solve(x.T @ x + 3.0 * np.eye(19), x.T @ matrix[:, item])
        np.testing.assert_allclose(model.weights_[others, item], expected, rtol=1e-4, atol=1e-6)
        assert model.weights_[item, item] == 0
    np.testing.assert_allclose(
        model.score_block(np.arange(50)), matrix @ model.weights_, rtol=1e-5, atol=1e-6
    )


def test_blocks_change_nothing_but_the_last_bits(monkeypatch):
    whole = EASE().fit(entries())
    monkeypatch.setattr(ease, "_BLOCK_BYTES", 12 * 20 * 3)
    np.testing.assert_allclose(EASE().fit(entries()).weights_, whole.weights_, rtol=1e-6)


def test_the_scale_of_amounts_changes_no_weight():
    data = [Interactions.from_matrix(entries() * scale) for scale in (1, 1000)]
    small, large = (EASE(value_transform="raw").fit(one) for one in data)
    np.testing.assert_allclose(large.weights_, small.weights_, rtol=1e-5, atol=1e-8)


def test_too_many_items_for_the_memory_are_refused_before_anything_is_taken(monkeypatch):
    monkeypatch.setattr(memory, "free_memory", lambda: (2**20, "the machine has free"))
    wide = sparse.csr_array(([1.0, 1.0], ([0, 0], [0, 29_999])), shape=(1, 30_000))
    message = (
        r"ease: 1 users, 30,000 items .* need about 10\.2 GiB, and the machine has free 1 MiB; .*item-knn"
    )
    with pytest.raises(ModelError, match=message):
        EASE().fit(wide)


def test_a_matrix_that_cannot_be_inverted_is_refused():
    # Ten items with the same users: without a penalty to speak of, they are one.
    with pytest.raises(ModelError, match="not positive definite in double precision; raise l2"):
        EASE(l2=1e-300).fit(np.ones((5, 10)))
