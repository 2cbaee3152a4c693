"""Small matrices for tests: dense, NaN where nothing is observed."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from recsys.data.rows import CompressedRows

ABSENT = float("nan")


def rows_of(matrix):
    """Return the compressed rows of a dense matrix; unlike `Interactions`, it may be empty."""
    observed = ~np.isnan(matrix)
    indptr = np.r_[0, np.cumsum(observed.sum(axis=1))]
    return CompressedRows(indptr, np.nonzero(observed)[1], matrix[observed], matrix.shape[1])


def frozen(array):
    """Return the array, closed to writing as those of logs are: Numba compiles a kernel for each kind."""
    array.flags.writeable = False
    return array


def random_matrix(n_users, n_items, *, density=0.4, seed=0):
    """Return ratings from 1 to 5 at random cells."""
    generator = np.random.default_rng(seed)
    ratings = generator.integers(1, 6, (n_users, n_items)).astype(float)
    return np.where(generator.random((n_users, n_items)) < density, ratings, ABSENT)


def matrices(values=(ABSENT, ABSENT, 0, 1, 2.5, 5), *, max_users=8, max_items=8):
    """Generate matrices with empty rows, single entries and stored zeros."""
    shapes = st.tuples(st.integers(1, max_users), st.integers(1, max_items))
    return shapes.flatmap(lambda shape: arrays(np.float64, shape, elements=st.sampled_from(values)))


def observed_matrices(**options):
    """Generate matrices with at least one entry above zero."""
    return matrices(**options).filter(lambda matrix: np.nansum(matrix) > 0)
