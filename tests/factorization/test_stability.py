import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from recsys.errors import InputError, ParameterError
from recsys.factorization.penalty import Penalty
from recsys.factorization.squared import SquaredObjective
from recsys.factorization.stability import match_components, stability
from tests.descents import descended
from tests.matrices import rows_of
from tests.objectives import problem_of, start_of


def components(n_items=20, rank=4, seed=0):
    return np.random.default_rng(seed).gamma(0.3, size=(n_items, rank)).astype(np.float32)


def test_renumbered_and_rescaled_components_are_found_again():
    reference = components()
    order = np.array([2, 0, 3, 1])
    other = reference[:, order] * np.array([1, 5, 0.1, 1e20], dtype=np.float32)
    partners, cosines = match_components(reference, other)
    np.testing.assert_array_equal(order[partners], np.arange(4))
    np.testing.assert_allclose(cosines, 1)


def test_the_sum_of_cosines_counts_not_each_component_for_itself():
    # Both themes of the reference are nearest to the first of the other; only one can have it.
    reference = np.array([[1.0, 0.9], [0.0, 0.1], [0.0, 0.4]], dtype=np.float32)
    other = np.array([[1.0, 0.5], [0.0, 0.0], [0.1, 1.0]], dtype=np.float32)
    partners, _ = match_components(reference, other)
    assert partners.tolist() == [0, 1]


def test_a_component_of_zeros_is_like_none():
    reference = components(rank=3)
    other = reference.copy()
    other[:, 1] = 0
    partners, cosines = match_components(reference, other)
    assert partners.tolist() == [0, 1, 2]
    np.testing.assert_allclose(cosines, [1, 0, 1])
    assert match_components(other, other)[1][1] == 0


def test_components_without_a_partner_say_so():
    reference = components(rank=4)
    partners, cosines = match_components(reference, reference[:, [3, 1]])
    assert partners.tolist() == [-1, 1, -1, 0]
    np.testing.assert_allclose(cosines, [0, 1, 0, 1])
    partners, _ = match_components(reference[:, [3, 1]], reference)
    assert partners.tolist() == [3, 1]


@given(
    st.lists(arrays(np.float32, (6, 3), elements=st.sampled_from([0, 0, 0.5, 1, 3])), min_size=2, max_size=4)
)
def test_stability_is_the_mean_over_the_other_runs_between_zero_and_one(runs):
    found = stability(runs)
    assert found.shape == (3,)
    assert found.min() >= 0
    assert found.max() <= 1
    np.testing.assert_allclose(
        found, np.mean([match_components(runs[0], run)[1] for run in runs[1:]], axis=0)
    )


def test_the_reference_is_the_run_that_is_asked_for():
    first = components(seed=0)
    second = first.copy()
    second[:, 2] = components(seed=1)[:, 2]
    third = second[:, ::-1]
    found = stability([first, second, third], reference=1)
    np.testing.assert_allclose(found[[0, 1, 3]], 1)
    assert 0.5 <= found[2] < 1  # the third run has it, the first has another


def test_planted_groups_are_stable_and_superfluous_components_are_not():
    groups = np.kron(np.eye(6), np.ones((6, 5))) * 4
    rows = rows_of(groups + np.random.default_rng(0).random(groups.shape))
    objective = SquaredObjective(Penalty(0.01, 1.0))

    def run(seed):
        start = start_of(objective, rows, 8, seed=seed)
        return descended(problem_of(objective, rows, start), 200)[0].item_factors

    found = np.sort(stability([run(seed) for seed in range(4)]))
    assert found[2:].min() > 0.98
    assert found[:2].max() < 0.95


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(ParameterError, match="found 1 runs"):
        stability([components()])
    with pytest.raises(ParameterError, match="reference is 2; expected a run from 0 to 1"):
        stability([components(), components()], reference=2)
    with pytest.raises(InputError, match="same number of items"):
        match_components(components(20), components(19))
    with pytest.raises(InputError, match="two matrices"):
        match_components(components()[:, 0], components()[:, 0])
