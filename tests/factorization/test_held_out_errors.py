import numpy as np
import pytest

from recsys.factorization.entries import Entries
from recsys.factorization.factors import Factors
from recsys.factorization.held_out_errors import mean_divergence, ranking_loss, rmse
from recsys.factorization.sparse_factors import SparseFactors
from recsys.factorization.validation import hold_out
from tests.matrices import random_matrix, rows_of


@pytest.mark.parametrize("share", [0.05, 0.4])
@pytest.mark.parametrize("error", [rmse, mean_divergence, ranking_loss])
def test_errors_of_sparse_factors_are_those_of_dense_ones(error, share):
    generator = np.random.default_rng(0)
    rows = rows_of(random_matrix(80, 50, density=0.2))
    _, held_out = hold_out(Entries.of(rows), 0.3, seed=0)
    sides = [
        (generator.random((n, 30)) * (generator.random((n, 30)) < share)).astype(np.float32) for n in (80, 50)
    ]
    sparse = Factors.unbiased(*(SparseFactors.of(side) for side in sides))
    assert error(sparse, held_out) == error(Factors.unbiased(*sides), held_out)


def test_the_ranking_loss_of_perfect_lists_is_zero_and_of_lists_upside_down_is_not():
    matrix = random_matrix(30, 20, density=0.4)
    rest, held_out = hold_out(Entries.of(rows_of(matrix)), 0.3, seed=0)
    known = np.where(np.isnan(matrix), 0, 1).astype(np.float32)
    perfect = Factors.unbiased(SparseFactors.of(known), SparseFactors.of(np.eye(20, dtype=np.float32)))
    assert rest.by_user.nnz < known.sum()
    assert ranking_loss(perfect, held_out) == pytest.approx(0, abs=0.05)
    wrong = Factors.unbiased(SparseFactors.of(1 - known), SparseFactors.of(np.eye(20, dtype=np.float32)))
    assert ranking_loss(wrong, held_out) > 0.3
