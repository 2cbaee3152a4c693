import numpy as np
from implicit.cpu.bpr import BayesianPersonalizedRanking
from scipy import sparse
from threadpoolctl import threadpool_limits

from recsys.models.baselines.bpr import BPR
from tests.matrices import random_matrix


def test_scores_are_those_of_the_bare_library():
    taken = np.nan_to_num(random_matrix(60, 40))
    taken[7] = 0
    with threadpool_limits(1, "blas"):
        bare = BayesianPersonalizedRanking(
            factors=5, learning_rate=0.05, regularization=0.02, iterations=8, num_threads=1, random_state=3
        )
        bare.fit(sparse.csr_matrix(taken.astype(np.float32)), show_progress=False)
    model = BPR(5, learning_rate=0.05, l2=0.02, max_iter=8, random_state=3).fit(sparse.csr_array(taken))
    expected = bare.user_factors @ bare.item_factors.T
    np.testing.assert_allclose(model.score_block(np.arange(60)), expected, rtol=1e-4, atol=1e-6)
    # A user without entries has nothing of their own: the items' biases make the list.
    np.testing.assert_array_equal(model.score_block(np.array([7]))[0], model.item_bias_)


def test_what_a_user_has_comes_to_stand_above_the_rest():
    blocks = np.kron(np.eye(2), np.ones((10, 8)))
    blocks[np.arange(16), np.arange(16)] = 0  # of each item, one cell is withheld
    model = BPR(4, learning_rate=0.1, max_iter=200).fit(sparse.csr_array(blocks))
    scores = model.score_block(np.arange(20))
    assert scores[:10, :8].min() > scores[:10, 8:].max()
    assert scores[10:, 8:].min() > scores[10:, :8].max()
