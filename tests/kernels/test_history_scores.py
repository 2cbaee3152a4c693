import numpy as np
from hypothesis import given
from scipy import sparse

from recsys.data.rows import CompressedRows
from recsys.kernels.history_scores import add_history_scores
from tests.matrices import observed_matrices, rows_of
from tests.reference import history_scores as reference


@given(observed_matrices(values=(np.nan, np.nan, 1, 2)))
def test_history_scores_are_added_to_what_is_there(matrix):
    weights = np.arange(matrix.shape[1] ** 2, dtype=np.float32).reshape(matrix.shape[1], -1) % 3
    by_past = CompressedRows.from_scipy(sparse.csr_array(weights))
    histories = rows_of(matrix)
    scores = np.full(matrix.shape, 0.5, dtype=np.float32)
    expected = reference.add_history_scores(np.nan_to_num(matrix).astype(np.float32), weights, scores)
    add_history_scores(
        histories.indptr,
        histories.columns,
        histories.values,
        by_past.indptr,
        by_past.columns,
        by_past.values,
        scores,
    )
    np.testing.assert_allclose(scores, expected, rtol=1e-6)
