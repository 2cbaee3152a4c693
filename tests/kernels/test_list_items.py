"""Kernels of what stands in lists, on lists with gaps, repeated lengths and histories of any kind."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys import threads
from recsys.kernels.given_lists import lay_out
from recsys.kernels.list_categories import divergences
from recsys.kernels.list_items import count_unexpected_hits, mean_distances, mean_of_items
from recsys.kernels.pair_order import shares_in_order
from tests.reference import given_lists as reference_lists
from tests.reference import list_items as reference
from tests.reference import pair_order as reference_order

N_ITEMS = 9
SETS = st.lists(st.sets(st.integers(0, N_ITEMS - 1)), min_size=3, max_size=3)


@st.composite
def list_blocks(draw):
    """Items (some -1) of up to 70 users, more than share a scratch, lengths, and a cut."""
    n_block, width = draw(st.sampled_from([1, 3, 70])), draw(st.integers(1, 6))
    generator = np.random.default_rng(draw(st.integers(0, 999)))
    items = np.array([generator.permutation(N_ITEMS)[:width] for _ in range(n_block)], dtype=np.int32)
    items[generator.random(items.shape) < 0.2] = -1
    return items, generator.integers(0, width + 1, n_block), draw(st.integers(0, width)), generator


def compressed(sets):
    indptr = np.r_[0, np.cumsum([len(one) for one in sets])].astype(np.int64)
    return indptr, np.array([at for one in sets for at in sorted(one)], dtype=np.int32)


def run(kernel, *arguments, n, dtype=np.float64):
    """Return what a kernel writes, the same for one and for two threads."""
    results = []
    for n_threads in (1, 2):
        found = np.full(n, -7, dtype=dtype)
        with threads.use(n_threads), threads.launch():
            kernel(*arguments, found)
        results.append(found)
    np.testing.assert_array_equal(*results)
    return results[0]


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


@given(list_blocks(), st.integers(1, 5))
def test_mean_distances_equals_its_naive_twin(block, n_columns):
    items, n_listed, n_counted, generator = block
    vectors = generator.normal(size=(N_ITEMS, n_columns)) * (generator.random((N_ITEMS, n_columns)) < 0.6)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    units = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    indptr, columns = compressed([set(np.flatnonzero(row)) for row in units])
    values = units[units != 0].astype(np.float32)
    found = run(mean_distances, items, n_listed, n_counted, indptr, columns, values, n_columns, n=len(items))
    expected = [
        reference.mean_distances(row, length, n_counted, vectors.tolist())
        for row, length in zip(items.tolist(), n_listed, strict=True)
    ]
    np.testing.assert_allclose(found, expected, atol=1e-6)  # vectors are of single precision


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


@given(st.lists(st.sampled_from([-np.inf, 0.0, 0.5, 1.0, 2.0]), min_size=1, max_size=9), st.integers(0, 99))
def test_shares_in_order_equals_its_naive_twin(scores, seed):
    unseen = [item for item, score in enumerate(scores) if score != -np.inf]
    held = set(np.array(unseen)[np.random.default_rng(seed).random(len(unseen)) < 0.4].tolist())
    found = run(
        shares_in_order,
        np.array([scores, scores], dtype=np.float32),
        np.array([1, 0]),
        *compressed([held, set()]),
        n=2,
    )
    np.testing.assert_allclose(found, [np.nan, reference_order.shares_in_order(scores, held)], atol=1e-12)


@given(st.lists(st.lists(st.integers(-1, 4), max_size=7), min_size=1, max_size=5), st.integers(1, 6))
def test_lay_out_equals_its_naive_twin(given_lists, n):
    indptr = np.r_[0, np.cumsum([len(one) for one in given_lists])].astype(np.int64)
    items = np.array([item for one in given_lists for item in one], dtype=np.int32)
    rows = np.arange(len(given_lists))[::-1].copy()
    lists = np.full((len(rows), n), 9, dtype=np.int32)
    n_listed, n_repeated = np.full((2, len(rows)), -7)
    with threads.launch():
        lay_out(rows, indptr, items, lists, n_listed, n_repeated)
    for at, row in enumerate(rows):
        expected, repeated = reference_lists.lay_out(given_lists[row], n)
        assert lists[at].tolist() == expected
        assert n_repeated[at] == repeated
        assert n_listed[at] == min(n, len(given_lists[row]))


@pytest.mark.parametrize("n_held", [0, 3])
def test_there_is_no_order_without_two_kinds_of_items(n_held):
    found = run(
        shares_in_order,
        np.ones((1, 3), dtype=np.float32),
        np.array([0]),
        *compressed([set(range(n_held))]),
        n=1,
    )
    assert np.isnan(found[0])
