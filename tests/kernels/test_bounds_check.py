"""The run with Numba's check of bounds would notice a kernel that reads beyond an array."""

import numpy as np
import pytest
from numba import config, njit, prange


@njit(parallel=True)
def copy_by_index(source, index, target):
    for row in prange(len(target)):
        target[row] = source[index[row]]


@pytest.mark.skipif(not config.BOUNDSCHECK, reason="NUMBA_BOUNDSCHECK=1 turns the check on")
def test_reading_beyond_an_array_is_noticed():
    target = np.zeros(8)
    copy_by_index(np.ones(5), np.zeros(8, dtype=np.int64), target)
    assert target.sum() == 8
    # Numba reports an IndexError of a parallel loop as one that came with a result.
    with pytest.raises((IndexError, SystemError)):
        copy_by_index(np.ones(5), np.full(8, 10), target)
