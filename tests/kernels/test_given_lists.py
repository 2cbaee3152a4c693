import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsys.kernels.given_lists import lay_out
from tests.reference import given_lists as reference


@given(st.lists(st.lists(st.integers(-1, 4), max_size=7), min_size=1, max_size=5), st.integers(1, 6))
def test_lay_out_equals_its_naive_twin(given_lists, n):
    indptr = np.r_[0, np.cumsum([len(one) for one in given_lists])].astype(np.int64)
    items = np.array([item for one in given_lists for item in one], dtype=np.int32)
    rows = np.arange(len(given_lists))[::-1].copy()
    lists = np.full((len(rows), n), 9, dtype=np.int32)
    n_listed, n_repeated = np.full((2, len(rows)), -7)
    lay_out(rows, indptr, items, lists, n_listed, n_repeated)
    for at, row in enumerate(rows):
        expected, repeated = reference.lay_out(given_lists[row], n)
        assert lists[at].tolist() == expected
        assert n_repeated[at] == repeated
        assert n_listed[at] == min(n, len(given_lists[row]))
