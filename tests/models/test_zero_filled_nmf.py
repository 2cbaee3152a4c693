import sys

import numpy as np
import pytest
from scipy import sparse
from sklearn.decomposition import NMF
from threadpoolctl import threadpool_limits

from recsys.data.interactions import Interactions
from recsys.data.rows import CompressedRows
from recsys.errors import DependencyError, InputError, ModelError
from recsys.models.baselines import zero_filled_nmf
from recsys.models.baselines.zero_filled_nmf import ZeroFilledNMF
from tests.matrices import random_matrix, rows_of


def filled(n_users=40, n_items=25):
    return np.nan_to_num(random_matrix(n_users, n_items))


@pytest.mark.filterwarnings("ignore:Maximum number of iterations")
@pytest.mark.parametrize(("alpha", "l1_ratio", "scale"), [(0.0, 0.0, 1), (0.003, 0.4, 1), (0.0, 0.0, 64)])
def test_scores_are_those_of_the_bare_library(alpha, l1_ratio, scale):
    matrix, others = filled(), filled(30)
    settings = {"l1_ratio": l1_ratio, "tol": 1e-8, "max_iter": 1000}
    bare = NMF(4, alpha_W=alpha, random_state=2, **settings)
    with threadpool_limits(1, "blas"):
        users = bare.fit_transform(sparse.csr_array(matrix))
        new = bare.transform(others)
    model = ZeroFilledNMF(4, alpha=alpha, random_state=2, **settings)
    model.fit(Interactions.from_matrix(sparse.csr_array(matrix * scale)))
    near = {"rtol": 1e-4, "atol": 1e-4 * scale}
    np.testing.assert_allclose(model.score_block(np.arange(40)), scale * users @ bare.components_, **near)
    rows = rows_of(np.where(others > 0, others * scale, np.nan))
    np.testing.assert_allclose(model.score_histories(rows), scale * new @ bare.components_, **near)


def test_an_absent_rating_is_predicted_near_nothing():
    matrix = np.full((20, 20), np.nan)
    matrix[np.arange(20), np.arange(20)] = 5
    assert ZeroFilledNMF(2).fit(matrix).score_block(np.arange(20)).mean() < 1


def test_predictions_are_in_the_units_of_the_log_or_refused():
    data = Interactions.from_matrix(np.where(filled() > 0, filled(), np.nan), feedback="implicit")
    users, items = np.array([0, -1]), np.array([1, 1])
    with pytest.raises(ModelError, match=r"fitted to binary amounts, .* set value_transform=raw"):
        ZeroFilledNMF(3).fit(data).predict_by_row(users, items)
    model = ZeroFilledNMF(3, value_transform="raw").fit(data)
    assert model.predict_by_row(users, items)[1] == pytest.approx(np.mean(data.by_user.values))
    assert model.predict_by_row(*np.indices((40, 25)).reshape(2, -1)).min() >= 1


def test_without_scikit_learn_the_message_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.decomposition", None)
    with pytest.raises(DependencyError, match=r'needs scikit-learn, .* pip install "recsys\[sklearn\]"'):
        ZeroFilledNMF(2).fit(filled())


def test_more_entries_than_scikit_learn_can_count_are_refused():
    class Vast(CompressedRows):
        nnz = 2**31  # none of which is in memory

    rows = Vast(np.array([0, 1]), np.array([0]), np.array([1.0]), 1)
    with pytest.raises(ModelError, match="2,147,483,648 entries; scikit-learn counts 2,147,483,647 at most"):
        zero_filled_nmf._matrix(rows, 1.0)


def test_more_columns_than_have_a_number_of_32_bits_are_refused():
    with pytest.raises(InputError, match="2,147,483,648 columns; expected at most 2,147,483,647"):
        CompressedRows(np.array([0, 0]), np.zeros(0), np.zeros(0), 2**31)
