import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsys.kernels.list_categories import divergences
from tests.kernels.blocks import N_ITEMS, SETS, compressed, list_blocks, run
from tests.reference import list_items as reference


@given(list_blocks(), SETS, st.integers(0, 99))
def test_divergences_equals_its_naive_twin(block, histories, seed):
    items, n_listed, n_counted, generator = block
    drawn = np.random.default_rng(seed).random((N_ITEMS, 4)) < 0.4
    categories = [set(np.flatnonzero(row).tolist()) for row in drawn]
    users = generator.integers(0, len(histories), len(items))
    found = run(
        divergences,
        *(items, n_listed, n_counted, users),
        *(*compressed(histories), *compressed(categories), 4, 0.01),
        n=len(items),
    )
    expected = [
        reference.divergences(row, length, n_counted, histories[user], categories, 0.01)
        for row, length, user in zip(items.tolist(), n_listed, users, strict=True)
    ]
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert np.all(np.isnan(found) | (found >= -1e-12))
