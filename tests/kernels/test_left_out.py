import numpy as np
import pytest

from recsys import threads
from recsys.kernels.left_out import solve_without
from tests.reference import left_out as reference


def case(n_entries, rank, seed=0):
    """Return the problem of a row, without each of its entries and with all of them."""
    generator = np.random.default_rng(seed)
    items = generator.random((n_entries, rank)) * (generator.random((n_entries, rank)) < 0.5)
    weights, targets = generator.random(n_entries) + 0.5, generator.random(n_entries) + 0.5
    other = generator.random((30, rank)) * (generator.random((30, rank)) < 0.3)
    quadratic = (items * weights[:, None]).T @ items + 0.05 * other.T @ other + 0.02 * np.eye(rank)
    linear = (weights * targets) @ items - 0.01
    own, none = np.vstack([items, np.zeros(rank)]), np.zeros(1)
    is_absent = np.count_nonzero(items, axis=0) - (own != 0) == 0
    start = np.maximum(generator.standard_normal((n_entries + 1, rank)), 0)
    problem = (quadratic, linear, own, np.r_[weights, none], np.r_[targets, none], is_absent)
    return problem, start


@pytest.mark.parametrize("n_passes", [0, 1, 4])
@pytest.mark.parametrize(("n_entries", "rank"), [(1, 1), (1, 4), (3, 7), (12, 5)])
def test_passes_equal_those_of_the_naive_twin(n_entries, rank, n_passes):
    problem, start = case(n_entries, rank)
    factors = start.copy()
    solve_without(*problem, 0.0, n_passes, factors)
    np.testing.assert_allclose(factors, reference.solve_without(*problem, n_passes, start), atol=1e-12)


def test_at_the_end_no_factor_wants_to_move():
    problem, factors = case(12, 9)
    solve_without(*problem, 1e-10, 10_000, factors)
    quadratic, linear, own, weights, targets, is_absent = problem
    for row, w in enumerate(factors):
        gradient = linear - weights[row] * targets[row] * own[row]
        gradient -= (quadratic - weights[row] * np.outer(own[row], own[row])) @ w
        gradient[is_absent[row]] = 0
        assert np.abs(gradient[w > 0]).max() < 1e-8
        assert gradient[w == 0].max(initial=0) < 1e-8


def test_a_row_has_the_same_bits_alone_and_on_any_number_of_threads():
    problem, start = case(20, 11)
    solved = []
    for n_threads in (1, 2):
        factors = start.copy()
        with threads.use(n_threads):
            solve_without(*problem, 1e-7, 100, factors)
        solved.append(factors)
    np.testing.assert_array_equal(*solved)
    last = [part[-3:-2] for part in problem[2:]]
    alone = start[-3:-2].copy()
    solve_without(*problem[:2], *last, 1e-7, 100, alone)
    np.testing.assert_array_equal(alone, solved[0][-3:-2])
