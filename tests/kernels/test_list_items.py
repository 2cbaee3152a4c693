import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsys.kernels.list_items import count_unexpected_hits, mean_distances, mean_of_items, mean_of_rows
from tests.kernels.blocks import N_ITEMS, SETS, compressed, list_blocks, run
from tests.matrices import frozen
from tests.reference import list_items as reference


@given(list_blocks())
def test_mean_of_items_equals_its_naive_twin(block):
    items, n_listed, n_counted, generator = block
    of_item = generator.random(N_ITEMS)
    found = run(mean_of_items, items, n_listed, n_counted, of_item, n=len(items))
    expected = [
        reference.mean_of_items(row, length, n_counted, of_item)
        for row, length in zip(items.tolist(), n_listed, strict=True)
    ]
    np.testing.assert_allclose(found, expected, atol=1e-12)


@given(SETS, st.integers(0, 99))
def test_mean_of_rows_equals_its_naive_twin(histories, seed):
    of_item = np.random.default_rng(seed).random(N_ITEMS)
    users = np.array([2, 0, 1, 2])
    found = run(mean_of_rows, users, *compressed(histories), of_item, n=len(users))
    expected = [reference.mean_of_rows(sorted(histories[user]), of_item) for user in users]
    np.testing.assert_allclose(found, expected, atol=1e-12)


@given(list_blocks(), st.integers(1, 5))
def test_mean_distances_equals_its_naive_twin(block, n_columns):
    items, n_listed, n_counted, generator = block
    vectors = generator.normal(size=(N_ITEMS, n_columns)) * (generator.random((N_ITEMS, n_columns)) < 0.6)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    units = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    indptr, columns = compressed([set(np.flatnonzero(row)) for row in units])
    values = frozen(units[units != 0].astype(np.float32))
    found = run(mean_distances, items, n_listed, n_counted, indptr, columns, values, n_columns, n=len(items))
    expected = [
        reference.mean_distances(row, length, n_counted, vectors.tolist())
        for row, length in zip(items.tolist(), n_listed, strict=True)
    ]
    np.testing.assert_allclose(found, expected, atol=1e-6)  # vectors are of single precision


@given(list_blocks(), SETS, st.integers(0, 6))
def test_count_unexpected_hits_equals_its_naive_twin(block, histories, n_expected):
    items, _, n_counted, generator = block
    users = generator.integers(0, len(histories), len(items))
    may_hit = [
        [item >= 0 and item not in histories[user] for item in row]
        for row, user in zip(items, users, strict=True)
    ]
    hits = np.array(may_hit) & (generator.random(items.shape) < 0.7)  # a seen item is never a hit
    by_popularity = generator.permutation(N_ITEMS)
    found = run(
        count_unexpected_hits,
        *(items, hits, n_counted, n_expected, users, *compressed(histories), np.argsort(by_popularity)),
        n=len(items),
        dtype=np.int64,
    )
    expected = [
        reference.count_unexpected_hits(
            row, marks, n_counted, n_expected, histories[user], by_popularity.tolist()
        )
        for row, marks, user in zip(items.tolist(), hits.tolist(), users, strict=True)
    ]
    assert found.tolist() == expected
