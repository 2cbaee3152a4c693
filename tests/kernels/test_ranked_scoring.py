import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from recsys import threads
from recsys.factorization.entries import row_blocks
from recsys.factorization.sparse_factors import SparseFactors
from recsys.kernels.dense_scoring import ITEMS, panels_of
from recsys.kernels.ranked_scoring import LONGEST, rank_block, rank_block_dense, rank_block_sparse
from recsys.kernels.ranking import select_top
from recsys.kernels.scoring import ITEM_TILE, score_block
from tests.kernels.blocks import compressed
from tests.reference import ranked_scoring as reference


def places(n_users, n):
    return (
        np.full((n_users, n), -1, np.int32),
        np.full((n_users, n), np.nan, np.float32),
        np.full(n_users, -1),
        np.zeros(n_users, bool),
    )


def dense(users, items, *rest):
    rank_block_dense(users, panels_of(items), *rest)


def passing_zeros(users, items, *rest):
    rank_block(users, np.ascontiguousarray(items.T), *rest)


def sparse(users, items, user_offset, item_offset, *rest):
    w, h = SparseFactors.of(users), SparseFactors.of(items)
    factors = w.indptr, w.components, w.values, *h.by_component
    rank_block_sparse(*factors, user_offset, item_offset, row_blocks(w.indptr), *rest)


KERNELS = {"dense": dense, "passing zeros": passing_zeros, "sparse": sparse}


def lists_of(kernel, model, seen, rows, n):
    """Return the lists of (item, score), and whether each user's scores are finite."""
    items, scores, n_listed, is_finite = out = places(len(model[0]), n)
    KERNELS[kernel](*model, *compressed(seen), np.asarray(rows), *out)
    pairs = zip(items.tolist(), scores.tolist(), n_listed, strict=True)
    return [list(zip(i[:length], s[:length], strict=True)) for i, s, length in pairs], is_finite


@st.composite
def cases(draw):
    n_users, n_items, rank = draw(st.integers(1, 8)), draw(st.integers(1, 40)), draw(st.integers(1, 9))
    # Sums of these are exact, and ties are frequent.
    floats = st.sampled_from([np.float32(v) for v in (0, 0, 0.5, 1, -2)])
    shapes = (n_users, rank), (n_items, rank), (n_users,), (n_items,)
    model = tuple(draw(arrays(np.float32, shape, elements=floats)) for shape in shapes)
    seen = draw(st.lists(st.sets(st.integers(0, n_items - 1)), min_size=3, max_size=3))
    rows = draw(st.lists(st.integers(-1, 2), min_size=n_users, max_size=n_users))
    return model, seen, rows, draw(st.integers(1, 45))


@pytest.mark.parametrize("kernel", KERNELS)
@given(case=cases())
def test_lists_equal_those_of_the_naive_twin(kernel, case):
    model, seen, rows, n = case
    lists, is_finite = lists_of(kernel, *case)
    expected = reference.rank_block(*model, [seen[row] if row >= 0 else set() for row in rows], n)
    assert lists == expected
    assert is_finite.all()


def large_case(n_users=53, n_items=ITEM_TILE + 5 * ITEMS + 3, rank=21, seed=0):
    generator = np.random.default_rng(seed)
    users, items = (generator.standard_normal((n, rank), dtype=np.float32) for n in (n_users, n_items))
    users[generator.random(users.shape) < 0.3] = 0
    offsets = generator.random(n_users, dtype=np.float32), generator.random(n_items, dtype=np.float32)
    seen = [set(generator.choice(n_items, size, replace=False).tolist()) for size in (0, 5, n_items - 2)]
    return (users, items, *offsets), seen, np.arange(n_users) % 4 - 1


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("n", [1, 10, LONGEST])
def test_lists_have_the_bits_of_a_selection_from_all_scores(kernel, n):
    model, seen, rows = large_case()
    scores = np.empty((len(model[0]), len(model[1])), dtype=np.float32)
    score_block(model[0], np.ascontiguousarray(model[1].T), *model[2:], scores)
    items, best, n_listed, is_finite = out = places(len(scores), n)
    select_top(scores, *compressed(seen), rows, *out)
    expected = [
        list(zip(i[:length], s[:length], strict=True))
        for i, s, length in zip(items.tolist(), best.tolist(), n_listed, strict=True)
    ]
    assert is_finite.all()
    for n_threads in (1, 2):
        with threads.use(n_threads):
            lists, is_finite = lists_of(kernel, model, seen, rows, n)
        assert lists == expected
        assert is_finite.all()


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_user_with_a_score_that_is_not_finite_is_marked_though_the_item_is_seen(kernel, bad):
    model, _, _ = large_case(n_users=3)
    model[2][1] = bad
    _, is_finite = lists_of(kernel, model, [set(), set(range(len(model[1]))), set()], [0, 1, 2], 5)
    assert is_finite.tolist() == [True, False, True]
