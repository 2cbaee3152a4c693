"""Lists with gaps, repeated lengths and histories of any kind, for kernels of what stands in lists."""

import numpy as np
from hypothesis import strategies as st

from recsys import threads
from tests.matrices import frozen

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
    return frozen(indptr), frozen(np.array([at for one in sets for at in sorted(one)], dtype=np.int32))


def run(kernel, *arguments, n, dtype=np.float64):
    """Return what a kernel writes, the same for one and for two threads."""
    results = []
    for n_threads in (1, 2):
        found = np.full(n, -7, dtype=dtype)
        with threads.use(n_threads):
            kernel(*arguments, found)
        results.append(found)
    np.testing.assert_array_equal(*results)
    return results[0]
