import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsys import threads
from recsys.kernels.hits import mark_gains, mark_hits
from tests.reference import hits as reference


@st.composite
def list_cases(draw):
    n_items, width = draw(st.integers(1, 10)), draw(st.integers(1, 6))
    held_out = draw(st.lists(st.sets(st.integers(0, n_items - 1)), min_size=1, max_size=5))
    users = draw(st.lists(st.integers(0, len(held_out) - 1), min_size=1, max_size=6))
    item_lists = st.lists(st.integers(0, n_items - 1), min_size=width, max_size=width)
    lists = [draw(item_lists) for _ in users]
    return lists, [draw(st.integers(0, width)) for _ in users], users, held_out


@given(list_cases())
def test_mark_hits_equals_its_naive_twin(case):
    lists, n_listed, users, held_out = case
    indptr = np.r_[0, np.cumsum([len(items) for items in held_out])].astype(np.int64)
    items = np.array([item for held in held_out for item in sorted(held)], dtype=np.int32)
    expected = reference.mark_hits(lists, n_listed, [held_out[user] for user in users])
    for n_threads in (1, 2):
        # Filled with True, so that a place the kernel skips shows.
        hits = np.ones((len(lists), len(lists[0])), dtype=np.bool_)
        with threads.use(n_threads), threads.launch():
            mark_hits(
                np.array(lists, dtype=np.int32), np.array(n_listed), np.array(users), indptr, items, hits
            )
        assert hits.tolist() == expected


@given(list_cases(), st.integers(0, 99))
def test_mark_gains_equals_its_naive_twin(case, seed):
    lists, n_listed, users, held_out = case
    indptr = np.r_[0, np.cumsum([len(items) for items in held_out])].astype(np.int64)
    items = np.array([item for held in held_out for item in sorted(held)], dtype=np.int32)
    values = np.random.default_rng(seed).random(len(items)).astype(np.float32)
    of_user = [
        dict(zip(sorted(held), values[indptr[user] : indptr[user + 1]].tolist(), strict=True))
        for user, held in enumerate(held_out)
    ]
    hits = reference.mark_hits(lists, n_listed, [held_out[user] for user in users])
    expected = reference.mark_gains(lists, hits, [of_user[user] for user in users])
    gains = np.ones((len(lists), len(lists[0])), dtype=np.float32)
    with threads.launch():
        mark_gains(
            np.array(lists, dtype=np.int32), np.array(hits), np.array(users), indptr, items, values, gains
        )
    assert gains.tolist() == expected
