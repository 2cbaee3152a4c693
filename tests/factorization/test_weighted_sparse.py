"""Weighted sweeps by non-zeros: what they minimise, and what they cost."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from recsys import threads
from recsys.factorization import weighted_sides
from recsys.factorization.descent import descend
from recsys.factorization.entries import Entries
from recsys.factorization.kl import KLObjective
from recsys.factorization.penalty import Penalty
from recsys.factorization.profile_start import profile_start
from recsys.models.weighted_nmf import WeightedNMF
from tests.descents import descended
from tests.factorization.test_weighted import FULL, dense_objective
from tests.matrices import random_matrix, rows_of
from tests.objectives import problem_of, start_of


@pytest.mark.parametrize("begin", ["profiles", "everywhere"])
def test_at_the_end_of_a_long_fit_no_coordinate_would_move(begin):
    matrix = random_matrix(40, 25, density=0.3)
    rows = rows_of(matrix)
    starts = {
        "profiles": profile_start(Entries.of(rows), 8, seed=0).factors,
        "everywhere": start_of(FULL, rows, 8),
    }
    fitted, trace = descended(problem_of(FULL, rows, starts[begin]), 1500)
    assert fitted.users.factors.is_sparse
    assert fitted.nonzero_share < 0.9
    assert trace[-1] == pytest.approx(dense_objective(matrix, fitted, FULL), rel=1e-4)
    before = problem_of(FULL, rows, starts[begin]).projected_gradient()
    assert problem_of(FULL, rows, fitted, is_scaled=False).projected_gradient() < 1e-4 * before


@pytest.mark.parametrize("n_threads", [1, 2])
def test_neither_chunks_of_rows_nor_threads_change_a_bit(monkeypatch, n_threads):
    rows = rows_of(random_matrix(40, 25, density=0.3))

    def fitted():
        start = profile_start(Entries.of(rows), 8, seed=0).factors
        return descended(problem_of(FULL, rows, start), 6)

    whole, trace = fitted()
    monkeypatch.setattr(weighted_sides, "_CHUNK_BYTES", 3 * 4 * 8)  # three rows at a time
    with threads.use(n_threads):
        found, other_trace = fitted()
    assert trace == other_trace
    np.testing.assert_array_equal(found.user_factors, whole.user_factors)
    np.testing.assert_array_equal(found.item_factors, whole.item_factors)


@pytest.mark.parametrize("kind", ["weighted", "poisson"])
def test_a_gradient_takes_no_memory_by_entry_and_component(kind):
    rows = rows_of(random_matrix(200, 150, density=0.7))
    objective, rank = {"weighted": FULL, "poisson": KLObjective(all_cells=True)}[kind], 200
    problem = problem_of(objective, rows, start_of(objective, rows, rank))  # 17 MB for factors of entries
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
    objective = replace(FULL, nonnegative=nonnegative, penalty=Penalty(0.02, 0.5))
    start = start_of(objective, rows, 300)
    found = []
    for n_threads in (1, 2):
        with threadpool_limits(n_threads, "blas"):
            problem = problem_of(objective, rows, start)
            found.append((norms_of(problem), model.fit(rows.to_scipy()).transform(new)))
    for one, two in zip(*found, strict=True):
        np.testing.assert_array_equal(one, two)
