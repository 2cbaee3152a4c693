import numpy as np
import pytest
from implicit.nearest_neighbours import BM25Recommender, CosineRecommender, TFIDFRecommender
from scipy import sparse

from recsys.data.interactions import Interactions
from recsys.models.baselines import item_knn
from recsys.models.baselines.item_knn import ItemKNN
from recsys.recommend.bundle import Bundle
from recsys.recommend.recommender import Recommender
from tests.matrices import ABSENT, random_matrix


def amounts(n_users=60, n_items=25, seed=0):
    """Return amounts so uneven that no two similarities tie."""
    observed = ~np.isnan(random_matrix(n_users, n_items, density=0.3, seed=seed))
    return np.where(observed, np.random.default_rng(seed).uniform(0.5, 9, observed.shape), 0)


def similarities(bare, matrix, k):
    """Return what implicit keeps of the similarities, (n_items, n_items)."""
    solver = bare(K=k, num_threads=1)
    with pytest.warns(match="Method expects CSR input"):  # its own conversion
        solver.fit(matrix, show_progress=False)
    return solver.similarity.toarray()


@pytest.mark.parametrize(
    ("similarity", "bare"),
    [
        ("cosine", CosineRecommender),
        ("tf-idf", TFIDFRecommender),
        ("bm25", BM25Recommender),
    ],
)
@pytest.mark.parametrize("n_neighbors", [3, 24])
def test_neighbours_are_those_of_implicit(similarity, bare, n_neighbors):
    matrix = sparse.csr_matrix(amounts())
    model = ItemKNN(n_neighbors, similarity=similarity, value_transform="raw").fit(matrix)
    expected = similarities(bare, matrix, 25)
    np.fill_diagonal(expected, 0)
    least = np.sort(expected, axis=1)[:, -n_neighbors, None]
    expected[expected < least] = 0
    np.testing.assert_allclose(model.neighbors_.to_scipy().toarray(), expected, rtol=1e-5)
    if similarity != "bm25":  # an item is most like itself, which takes a place among implicit's
        beside = similarities(bare, matrix, n_neighbors + 1) - np.eye(25)
        np.testing.assert_allclose(beside, expected, rtol=1e-5, atol=1e-12)


def test_scores_are_those_of_implicit():
    matrix = sparse.csr_matrix(amounts())
    model = ItemKNN(5, similarity="cosine", value_transform="raw").fit(matrix)
    bare = CosineRecommender(K=6, num_threads=1)
    with pytest.warns(match="Method expects CSR input"):
        bare.fit(matrix, show_progress=False)
    scores = model.score_block(np.arange(60)) * model.unit_
    for user in range(60):
        items, expected = bare.recommend(user, matrix[user], N=25)  # those not seen
        listed = expected > 0  # the rest is padding
        np.testing.assert_allclose(scores[user, items[listed]], expected[listed], rtol=1e-5)


@pytest.mark.parametrize("similarity", ["cosine", "tf-idf", "bm25"])
def test_blocks_change_nothing(similarity, monkeypatch):
    data = amounts(40, 30)
    whole = ItemKNN(4, similarity=similarity).fit(data)
    monkeypatch.setattr(item_knn, "_BLOCK_BYTES", 12 * 30 * 7)
    blocks = ItemKNN(4, similarity=similarity).fit(data)
    for name, array in whole.to_arrays().items():
        np.testing.assert_array_equal(array, blocks.to_arrays()[name])


def test_equals_fall_to_the_lower_item_number():
    # Items 1 to 4 have the same users: to item 0 all are alike.
    model = ItemKNN(2, similarity="cosine").fit(np.ones((3, 5)))
    assert model.neighbors_.row(0)[0].tolist() == [1, 2]
    assert model.neighbors_.row(4)[0].tolist() == [0, 1]


def test_items_without_a_common_user_are_no_neighbours():
    model = ItemKNN(10, similarity="cosine").fit(np.array([[1, 1, ABSENT], [ABSENT, ABSENT, 1]]))
    assert model.neighbors_.counts.tolist() == [1, 1, 0]
    assert model.score_block(np.array([0]))[0].tolist() == [1, 1, 0]


def test_shrinkage_favours_neighbours_with_many_common_users():
    matrix = np.full((40, 3), ABSENT)
    matrix[:30, 0] = matrix[:25, 1] = matrix[0, 2] = 1  # item 2: one user, who has all three
    bare = ItemKNN(similarity="cosine").fit(matrix).neighbors_.to_scipy().toarray()
    shrunk = ItemKNN(similarity="cosine", shrinkage=10.0).fit(matrix).neighbors_.to_scipy().toarray()
    assert bare[2, 1] == pytest.approx(1 / 5)
    assert shrunk[2, 1] == pytest.approx(1 / 15)
    assert shrunk[0, 1] / bare[0, 1] > 2 * shrunk[2, 1] / bare[2, 1]


@pytest.mark.parametrize(("feedback", "kind"), [("explicit", "raw"), ("implicit", "binary")])
def test_auto_counts_ratings_as_they_are_and_amounts_as_one(feedback, kind):
    data = Interactions.from_matrix(sparse.csr_array(amounts()), feedback=feedback)
    auto, told = ItemKNN().fit(data), ItemKNN(value_transform=kind).fit(data)
    assert auto.config()["value_transform"] == kind
    np.testing.assert_array_equal(auto.score_block(np.arange(9)), told.score_block(np.arange(9)))


def test_a_user_without_a_history_gets_what_is_popular():
    data = Interactions.from_pairs(["a", "a", "b", "b", "c"], ["x", "y", "x", "z", "y"], [1, 1, 1, 1, 0])
    bundle = Bundle.of(ItemKNN().fit(data), data)
    first, last = Recommender(bundle).recommend(["a", "c"], n=1).lists()
    assert first["source"] == "model"
    assert (last["source"], last["items"][0]["item"]) == ("popularity", "x")


def test_a_user_who_has_everything_divides_nothing_by_zero():
    matrix = np.ones((4, 3))
    for similarity in ("tf-idf", "bm25"):
        scores = ItemKNN(similarity=similarity).fit(matrix).score_block(np.arange(4))
        np.testing.assert_array_equal(scores, 0)
