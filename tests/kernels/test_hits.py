import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsys import threads
from recsys.kernels.hits import LONGEST_SCAN, find_hits
from tests.kernels.blocks import compressed
from tests.reference import hits as reference


@st.composite
def list_cases(draw):
    n_items, width = draw(st.integers(1, 10)), draw(st.integers(1, 6))
    held_out = draw(st.lists(st.sets(st.integers(0, n_items - 1)), min_size=1, max_size=5))
    users = draw(st.lists(st.integers(0, len(held_out) - 1), min_size=1, max_size=6))
    item_lists = st.lists(st.integers(0, n_items - 1), min_size=width, max_size=width)
    lists = [draw(item_lists) for _ in users]
    return lists, [draw(st.integers(0, width)) for _ in users], users, held_out


def compare(lists, n_listed, users, held_out):
    """Compare with the naive twin, on one thread and on two."""
    indptr, items = compressed(held_out)
    expected = reference.find_hits(
        lists, n_listed, [held_out[user] for user in users], indptr[users].tolist()
    )
    for n_threads in (1, 2):
        # Filled with 99, so that a place the kernel skips shows.
        found = np.full((len(lists), len(lists[0])), 99)
        with threads.use(n_threads):
            find_hits(
                np.array(lists, dtype=np.int32), np.array(n_listed), np.array(users), indptr, items, found
            )
        assert found.tolist() == expected


@given(list_cases())
def test_find_hits_equals_its_naive_twin(case):
    compare(*case)


def test_rows_too_long_to_be_scanned_are_searched():
    generator = np.random.default_rng(0)
    lengths = [LONGEST_SCAN - 1, LONGEST_SCAN, LONGEST_SCAN + 1, 2 * LONGEST_SCAN]
    n_items = 3 * LONGEST_SCAN
    held_out = [set(generator.permutation(n_items)[:length].tolist()) for length in lengths]
    lists = generator.integers(0, n_items, (len(lengths), 30)).tolist()
    compare(lists, [30] * len(lengths), list(range(len(lengths))), held_out)
