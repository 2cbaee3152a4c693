"""What sweeps by non-zeros minimise is what the dense ones do."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from recsys import threads
from recsys.factorization import sparse_weighted
from recsys.factorization.descent import descend
from recsys.factorization.factors import densely
from recsys.factorization.poisson import PoissonObjective, PoissonProblem, poisson_start
from recsys.factorization.sparse_weighted import SparseWeightedProblem, basket_start
from recsys.factorization.weighted import WeightedProblem, scaled, weighted_start
from recsys.models.weighted_nmf import WeightedNMF
from tests.descents import descended
from tests.factorization.test_weighted import FULL, dense_objective
from tests.matrices import random_matrix, rows_of


@pytest.mark.parametrize("begin", ["baskets", "everywhere"])
def test_at_the_end_of_a_long_fit_no_coordinate_would_move(begin):
    matrix = random_matrix(40, 25, density=0.3)
    rows = rows_of(matrix)
    sides = rows, rows.transposed()
    starts = {
        "baskets": basket_start(*sides, 8, seed=0),
        "everywhere": weighted_start(rows, 8, FULL, seed=0),
    }
    found, trace = descended(SparseWeightedProblem(*sides, FULL, starts[begin]), 3000)
    assert found.nonzero_share < 0.9
    assert trace[-1] == pytest.approx(dense_objective(matrix, found.dense, FULL), rel=1e-4)
    at = densely(scaled(found, *sides, FULL))
    before = WeightedProblem(*sides, FULL, densely(starts[begin])).projected_gradient()
    assert WeightedProblem(*sides, FULL, at).projected_gradient() < 1e-4 * before


@pytest.mark.parametrize("n_threads", [1, 2])
def test_neither_chunks_of_rows_nor_threads_change_a_bit(monkeypatch, n_threads):
    rows = rows_of(random_matrix(40, 25, density=0.3))

    def fitted():
        start = basket_start(rows, rows.transposed(), 8, seed=0)
        return descended(SparseWeightedProblem(rows, rows.transposed(), FULL, start), 6)

    whole, trace = fitted()
    monkeypatch.setattr(sparse_weighted, "_CHUNK_BYTES", 3 * 4 * 8)  # three rows at a time
    with threads.use(n_threads):
        found, other_trace = fitted()
    assert trace == other_trace
    for one, other in zip(found.sides, whole.sides, strict=True):
        np.testing.assert_array_equal(one.dense(), other.dense())


@pytest.mark.parametrize("kind", ["weighted", "poisson"])
def test_a_gradient_takes_no_memory_by_entry_and_theme(kind):
    rows = rows_of(random_matrix(200, 150, density=0.7))
    sides, rank = (rows, rows.transposed()), 200  # 21,000 entries: 17 MB for their factors
    if kind == "weighted":
        problem = WeightedProblem(*sides, FULL, weighted_start(rows, rank, FULL, seed=0))
    else:
        problem = PoissonProblem(*sides, PoissonObjective(), poisson_start(rows, rank, seed=0))
    problem.projected_gradient()
    tracemalloc.start()
    problem.projected_gradient()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8e6


def norms_of(problem):
    """Return the norms of the gradient that a descent of one sweep sees."""
    norms = []

    def gradient():
        norms.append(problem.projected_gradient())
        return norms[-1]

    descend(problem, max_iter=1, tol=0, name="test", gradient=gradient, gradient_tol=1e-9)
    return norms


@pytest.mark.parametrize("nonnegative", [True, False])
def test_the_threads_of_blas_change_no_bit(nonnegative):
    # So large that BLAS shares the work out, and rounds by how.
    rows, new = rows_of(random_matrix(20, 5000, density=0.05)), random_matrix(3, 5000, density=0.01, seed=1)
    model = WeightedNMF(300, nonnegative=nonnegative, init="random", max_iter=1)
    objective = replace(FULL, nonnegative=nonnegative, l1=0.0)
    start = weighted_start(rows, 300, objective, seed=0)
    found = []
    for n_threads in (1, 2):
        with threadpool_limits(n_threads, "blas"):
            problem = WeightedProblem(rows, rows.transposed(), objective, start)
            found.append((norms_of(problem), model.fit(rows.to_scipy()).transform(new)))
    for one, two in zip(*found, strict=True):
        np.testing.assert_array_equal(one, two)
