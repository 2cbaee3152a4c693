import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsys.factorization.entries import row_blocks

ROW_COST = 8


@given(st.lists(st.sampled_from([0, 0, 0, 1, 500]), min_size=1, max_size=200), st.integers(1, 64))
def test_row_blocks_cover_all_rows_in_order_with_about_equal_work(counts, n_blocks):
    blocks = row_blocks(np.r_[0, np.cumsum(counts)], n_blocks)
    assert blocks[0] == 0
    assert blocks[-1] == len(counts)
    assert np.all(np.diff(blocks) > 0)
    assert len(blocks) - 1 <= n_blocks
    work = np.array(counts) + ROW_COST
    # Rows are not cut, so a run may exceed its share by one row.
    assert np.add.reduceat(work, blocks[:-1]).max() <= work.sum() / n_blocks + work.max()
