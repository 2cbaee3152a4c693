import subprocess
import sys

import numpy as np
import pytest
from implicit.cpu.als import AlternatingLeastSquares
from scipy import sparse
from threadpoolctl import threadpool_limits

from recsys import threads
from recsys.errors import ModelError
from recsys.models.baselines.als import ALS
from tests.matrices import random_matrix, rows_of


@pytest.mark.parametrize(
    ("confidence", "grown"),
    [("constant", np.ones_like), ("linear", lambda x: 1 + 2 * x), ("log", lambda x: 1 + 2 * np.log1p(x))],
)
def test_factors_are_those_of_the_bare_library(confidence, grown):
    amounts = np.nan_to_num(random_matrix(60, 40))
    confident = np.where(amounts > 0, 20 * grown(amounts), 0).astype(np.float32)
    with threadpool_limits(1, "blas"):
        bare = AlternatingLeastSquares(
            factors=6, regularization=0.05, iterations=4, num_threads=1, random_state=7
        )
        bare.fit(sparse.csr_matrix(confident), show_progress=False)
    model = ALS(
        n_components=6, l2=0.05, weight=20.0, max_iter=4, random_state=7, confidence=confidence, alpha=2.0
    )
    model.fit(sparse.csr_array(amounts))
    np.testing.assert_array_equal(model.user_factors_, bare.user_factors)
    np.testing.assert_array_equal(model.item_factors_, bare.item_factors)


BLAS_DURING_FIT = """
import numpy as np
from threadpoolctl import threadpool_info
from recsys import threads
from recsys import threads
from recsys.models.baselines.als import ALS

class Listener:
    def start(self, *_): pass
    def finish(self): pass
    def advance(self, *_):
        print(max(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"))

with threads.launch():  # as any other model trained before
    pass
ALS(n_components=2, max_iter=1).fit(np.ones((3, 3)), progress=Listener())
"""


@pytest.mark.slow
def test_blas_is_held_at_one_thread_during_a_fit():
    # A process of its own: what BLAS libraries are loaded when is the point.
    done = subprocess.run([sys.executable, "-c", BLAS_DURING_FIT], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1"


@pytest.mark.parametrize("n_threads", [1, 2])
def test_new_users_get_the_factors_that_the_bare_library_calculates(n_threads):
    amounts = np.nan_to_num(random_matrix(60, 40))
    others = np.nan_to_num(random_matrix(9, 40, seed=1))
    others[4] = 0
    model = ALS(n_components=6, l2=0.05, weight=20.0, max_iter=4).fit(sparse.csr_array(amounts))
    bare = AlternatingLeastSquares(factors=6, regularization=0.05, num_threads=1)
    bare.item_factors = model.item_factors_
    with threadpool_limits(1, "blas"):
        confident = sparse.csr_matrix(np.where(others > 0, 20, 0).astype(np.float32))
        factors = bare.recalculate_user(np.arange(9), confident)
    rows = rows_of(np.where(others > 0, others, np.nan))
    with threads.use(n_threads):
        scores = model.score_histories(rows)
    np.testing.assert_allclose(scores, factors @ model.item_factors_.T, atol=1e-5)
    assert not scores[4].any()
    assert not model.score_histories(rows.select(np.array([4]))).any()


def test_new_users_whose_equations_have_no_one_answer_are_refused():
    model = ALS(n_components=64, l2=0.0).fit(random_matrix(20, 9))
    with pytest.raises(ModelError, match=r"Try increasing .* It is l2, now 0\."):
        model.score_histories(rows_of(random_matrix(3, 9, seed=2)))
