import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from recsys import threads
from recsys.kernels.ranking import TILE, select_top
from tests.kernels.blocks import compressed
from tests.reference import ranking as reference


def top(scores, seen, users, n):
    """Return the lists of (item, score), and whether each row was finite."""
    indptr, items = compressed(seen)
    top_items = np.empty((len(users), n), dtype=np.int32)
    top_scores = np.empty((len(users), n), dtype=np.float32)
    n_listed = np.empty(len(users), dtype=np.int64)
    is_finite = np.empty(len(users), dtype=np.bool_)
    select_top(scores.copy(), indptr, items, np.asarray(users), top_items, top_scores, n_listed, is_finite)
    lists = [
        list(zip(top_items[row, :length].tolist(), top_scores[row, :length].tolist(), strict=True))
        for row, length in enumerate(n_listed)
    ]
    return lists, is_finite


@st.composite
def ranking_cases(draw):
    n_users, n_items = draw(st.integers(1, 4)), draw(st.integers(1, 12))
    seen = draw(st.lists(st.sets(st.integers(0, n_items - 1)), min_size=n_users, max_size=n_users))
    users = draw(st.lists(st.integers(-1, n_users - 1), min_size=1, max_size=5))
    # Few different scores, for many ties.
    levels = st.sampled_from([np.float32(v) for v in (-1.5, -0.0, 0.0, 2.0, 3e38)])
    scores = draw(arrays(np.float32, (len(users), n_items), elements=levels))
    return scores, seen, users, draw(st.integers(1, 15))


@given(ranking_cases())
def test_select_top_equals_its_naive_twin(case):
    scores, seen, users, n = case
    lists, is_finite = top(scores, seen, users, n)
    expected = [
        reference.select_top(row.tolist(), seen[user] if user >= 0 else set(), n)
        for row, user in zip(scores, users, strict=True)
    ]
    assert lists == expected
    assert is_finite.all()


def test_ties_follow_the_lower_item_number():
    scores = np.array([[1, 5, 5, 1, 5, 5]], dtype=np.float32)
    lists, _ = top(scores, [{1}], [0], 3)
    assert lists == [[(2, 5.0), (4, 5.0), (5, 5.0)]]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_row_with_a_score_that_is_not_finite_is_marked(bad):
    scores = np.array([[1, 2], [bad, 2]], dtype=np.float32)
    # Seen, so that the mark does not hang on the item being listed.
    _, is_finite = top(scores, [{0}], [0, 0], 1)
    assert is_finite.tolist() == [True, False]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("item", [0, TILE - 1, TILE, 3 * TILE + 4])
def test_a_score_that_is_not_finite_is_found_in_every_tile(bad, item):
    scores = np.full((2, 3 * TILE + 5), -1, dtype=np.float32)
    scores[0, 0] = 1
    scores[1, item] = bad
    _, is_finite = top(scores, [{item}], [0, 0], 1)
    assert is_finite.tolist() == [True, False]


@pytest.mark.parametrize("rising", [True, False])
def test_lists_over_several_tiles_equal_the_naive_twin(rising):
    # Rising: every tile holds better items. Falling: none after the first ones does.
    n_items = 4 * TILE + 3
    scores = np.sort(np.random.default_rng(1).integers(0, 99, (9, n_items)).astype(np.float32), axis=1)
    scores = scores if rising else np.ascontiguousarray(scores[:, ::-1])
    seen = [set(range(start, n_items, 1 + start % 3)) for start in range(0, 9 * TILE // 2, TILE // 2)]
    for n in (1, 7, TILE, TILE + 1):
        expected = [reference.select_top(row.tolist(), seen[user], n) for user, row in enumerate(scores)]
        assert top(scores, seen, range(9), n)[0] == expected


@pytest.mark.parametrize("n", [1, 10, 400])
def test_threads_change_nothing_and_long_rows_are_sorted(n):
    scores = np.random.default_rng(0).integers(0, 50, (60, 300)).astype(np.float32)
    seen = [set(range(user % 7, 300, 7)) for user in range(60)]
    expected = [reference.select_top(row.tolist(), seen[user], n) for user, row in enumerate(scores)]
    for n_threads in (1, 2):
        with threads.use(n_threads):
            assert top(scores, seen, range(60), n)[0] == expected
