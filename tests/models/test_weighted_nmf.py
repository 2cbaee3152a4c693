import numpy as np
import pytest
from scipy.linalg import block_diag

from recsys.data.interactions import Interactions
from recsys.errors import InputError
from recsys.models.weighted_nmf import WeightedNMF, confidences
from tests.matrices import ABSENT, random_matrix, rows_of


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("constant", [1, 1]),
        ("log", [1 + 2 * np.log(4), 1 + 2 * np.log(1.5)]),
        ("linear", [7, 2]),
    ],
)
def test_confidences_grow_with_the_amount_and_zeros_are_no_positives(kind, expected):
    rows = confidences(rows_of(np.array([[3, 0, ABSENT], [ABSENT, ABSENT, 0.5]])), kind, 2.0)
    assert rows.columns.tolist() == [0, 2]
    assert rows.indptr.tolist() == [0, 1, 2]
    np.testing.assert_allclose(rows.values, expected, rtol=1e-6)


def test_amounts_that_are_all_zero_are_refused():
    with pytest.raises(InputError, match="all values are 0"):
        WeightedNMF().fit(np.zeros((2, 2)))


def test_amounts_matter_only_where_confidence_grows():
    matrix = random_matrix(20, 12)
    more = np.where(matrix == 5, 500, matrix)
    scores = {
        kind: [
            WeightedNMF(n_components=3, l2=0.1, confidence=kind).fit(given).score_block(np.arange(20))
            for given in (matrix, more)
        ]
        for kind in ("constant", "log")
    }
    np.testing.assert_array_equal(*scores["constant"])
    assert not np.allclose(*scores["log"])


def test_scores_are_preferences_whatever_the_exponents_of_the_target():
    # An observed cell is wanted at 1 after the target's scale is taken out again.
    # Groups of unlike sizes, so that users and items differ in how many entries they have.
    matrix = block_diag(np.ones((12, 3)), np.ones((4, 8)), np.ones((2, 5)))
    matrix[matrix == 0] = ABSENT
    model = WeightedNMF(
        n_components=6, unobserved_weight=1e-4, l2=0, max_iter=200, user_exponent=0.5, item_exponent=0.5
    ).fit(matrix)
    observed = model.score_block(np.arange(18))[~np.isnan(matrix)]
    np.testing.assert_allclose(observed, 1, atol=0.02)


@pytest.mark.parametrize("n", [2, 5, 30])
def test_the_default_penalty_leaves_a_small_log_its_themes(n):
    model = WeightedNMF().fit(np.where(np.kron(np.eye(2), np.ones((n, n))) > 0, 1.0, np.nan))
    scores = model.score_block(np.arange(2 * n))
    own, foreign = scores[:n, :n], scores[:n, n:]
    assert own.min() > 2 * foreign.max()


@pytest.mark.parametrize(
    "matrix",
    [
        np.array([[1.0, 2.0, 3.0]]),
        np.array([[1.0], [2.0]]),
        np.array([[1.0]]),
        np.where(np.eye(2) > 0, 1.0, ABSENT),
        np.where(np.eye(5) > 0, 1.0, ABSENT),
        np.array([[1e6, ABSENT, 1.0], [ABSENT, 1e6, 1.0]]),
    ],
    ids=["one user", "one item", "one cell", "two apart", "five apart", "large counts"],
)
def test_no_tiny_log_is_fitted_by_zeros(matrix):
    scores = WeightedNMF().fit(matrix).score_block(np.arange(len(matrix)))
    assert scores[~np.isnan(matrix)].min() > 0.2


def test_there_are_no_more_components_than_users_or_items_unless_asked_for():
    data = Interactions.from_matrix(random_matrix(30, 12, density=0.4), feedback="implicit")
    model = WeightedNMF().fit(data)
    assert model.components_.shape == (12, 12)
    assert model.config()["n_components"] == 12
    assert model.partial_fit(data).components_.shape == (12, 12)
    again = WeightedNMF(warm_start=True).fit(data).fit(data)
    assert again.components_.shape == (12, 12)
    loaded = WeightedNMF(**model.config())
    loaded.load(model.to_arrays())
    np.testing.assert_array_equal(loaded.components_, model.components_)
    assert WeightedNMF(n_components=15).fit(data).components_.shape == (15, 12)
