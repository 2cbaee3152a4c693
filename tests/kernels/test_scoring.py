import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from recsys import threads
from recsys.kernels.dense_scoring import ITEMS, USERS, panels_of, score_block_dense
from recsys.kernels.dense_scoring import USER_CHUNK as DENSE_CHUNK
from recsys.kernels.scoring import ITEM_TILE, USER_CHUNK, score_block, score_pairs
from tests.reference import scoring as reference


def floats(*shape):
    # Zeros are frequent, for the kernel skips themes in which a user has no part.
    return arrays(np.float32, shape, elements=st.sampled_from([np.float32(v) for v in (0, 0, 0.3, 1.7, -2)]))


@st.composite
def factor_models(draw):
    n_users, n_items, rank = draw(st.integers(1, 6)), draw(st.integers(1, 6)), draw(st.integers(1, 19))
    shapes = (n_users, rank), (n_items, rank), (n_users,), (n_items,)
    return tuple(draw(floats(*shape)) for shape in shapes)


def block_scores(users, items, user_offset, item_offset):
    scores = np.full((len(users), len(items)), np.nan, dtype=np.float32)
    score_block(users, np.ascontiguousarray(items.T), user_offset, item_offset, scores)
    return scores


@given(factor_models())
def test_score_block_equals_its_naive_twin(model):
    users, items, user_offset, item_offset = model
    expected = reference.score_block(users, items.T, user_offset, item_offset)
    np.testing.assert_allclose(block_scores(*model), expected, rtol=1e-5, atol=1e-5)


@given(factor_models())
def test_score_block_dense_is_score_block_bit_for_bit(model):
    users, items, user_offset, item_offset = model
    scores = np.full((len(users), len(items)), np.nan, dtype=np.float32)
    score_block_dense(users, panels_of(items), user_offset, item_offset, scores)
    np.testing.assert_array_equal(scores, block_scores(*model))


@pytest.mark.parametrize("n_users", [1, USERS - 1, 2 * DENSE_CHUNK + 7])
def test_tiles_at_the_edges_have_the_bits_of_whole_ones(n_users):
    generator = np.random.default_rng(n_users)
    n_items, rank = 5 * ITEMS + 3, 29
    users, items = (generator.standard_normal((n, rank), dtype=np.float32) for n in (n_users, n_items))
    offsets = generator.random(n_users, dtype=np.float32), generator.random(n_items, dtype=np.float32)
    expected = block_scores(users, items, *offsets)
    for n_threads in (1, 2):
        scores = np.full((n_users, n_items), np.nan, dtype=np.float32)
        with threads.use(n_threads):
            score_block_dense(users, panels_of(items), *offsets, scores)
        np.testing.assert_array_equal(scores, expected)
    np.testing.assert_allclose(
        expected, reference.score_block(users, items.T, *offsets), rtol=1e-4, atol=1e-4
    )


@given(factor_models(), st.data())
def test_score_pairs_equals_its_naive_twin(model, data):
    n_users, n_items = len(model[0]), len(model[1])
    pairs = st.tuples(st.integers(-1, n_users - 1), st.integers(-1, n_items - 1))
    users, items = np.array(data.draw(st.lists(pairs, min_size=1)), dtype=np.int64).T.copy()
    scores = np.full(len(users), np.nan, dtype=np.float32)
    score_pairs(users, items, *model, scores)
    expected = reference.score_pairs(users, items, *model)
    np.testing.assert_allclose(scores, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("n_used", [0, 1, 2, 7, 8, 9, 16, 19])
def test_themes_a_user_has_no_part_in_change_no_bit(n_used):
    generator = np.random.default_rng(n_used)
    rank, n_items = 23, ITEM_TILE + 13
    items = generator.standard_normal((n_items, rank), dtype=np.float32)
    offsets = generator.random(2, dtype=np.float32), generator.random(n_items, dtype=np.float32)
    used = np.sort(generator.permutation(rank)[:n_used])
    users = np.zeros((2, rank), dtype=np.float32)
    users[:, used] = generator.random((2, n_used), dtype=np.float32) + 1
    alone = block_scores(users[:, used].copy(), items[:, used].copy(), *offsets)
    np.testing.assert_array_equal(block_scores(users, items, *offsets), alone)


def test_a_score_does_not_depend_on_block_or_threads():
    generator = np.random.default_rng(0)
    n_users, n_items, rank = 3 * USER_CHUNK + 5, 2 * ITEM_TILE + 37, 29
    users = generator.random((n_users, rank), dtype=np.float32)
    users[generator.random(users.shape) < 0.3] = 0
    items = generator.random((n_items, rank), dtype=np.float32)
    user_offset = generator.random(n_users, dtype=np.float32)
    item_offset = generator.random(n_items, dtype=np.float32)
    expected = block_scores(users, items, user_offset, item_offset)
    np.testing.assert_allclose(
        expected, reference.score_block(users, items.T, user_offset, item_offset), rtol=1e-5
    )
    with threads.use(2):
        np.testing.assert_array_equal(block_scores(users, items, user_offset, item_offset), expected)
    for cut in (1, 7, USER_CHUNK):
        parts = [
            block_scores(users[at : at + cut], items, user_offset[at : at + cut], item_offset)
            for at in range(0, n_users, cut)
        ]
        np.testing.assert_array_equal(np.concatenate(parts), expected)
