import numpy as np
import pytest

from recsys.factorization.entries import Entries
from recsys.factorization.profile_start import profile_start
from tests.matrices import random_matrix, rows_of


def start(matrix, rank, **params):
    return profile_start(Entries.of(rows_of(matrix)), rank, **({"seed": 0} | params)).factors


def test_with_enough_users_each_component_is_what_one_user_took():
    matrix = random_matrix(30, 20)
    at = start(matrix, 12)
    profiles = {tuple(row) for row in ~np.isnan(matrix)}
    components = [tuple(component > 0) for component in at.item_factors.T]
    assert set(components) <= profiles
    assert len(set(components)) == 12


def test_a_few_users_begin_a_few_components_and_the_rest_stay_empty():
    at = start(random_matrix(3, 20, density=0.5), 100)
    live = at.item_factors.any(axis=0)
    np.testing.assert_array_equal(live, at.user_factors.any(axis=0))
    assert live.tolist() == [True] * 24 + [False] * 76


@pytest.mark.parametrize("n_users", [3, 40])
def test_seeds_and_numbers_differ_and_repeat(n_users):
    matrix = random_matrix(n_users, 20, density=0.5)
    starts = [start(matrix, 30, seed=seed, number=number) for seed, number in ((0, 0), (1, 0), (0, 1))]
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert (starts[one].item_factors != starts[other].item_factors).any()
    np.testing.assert_array_equal(starts[0].user_factors, start(matrix, 30).user_factors)


def test_products_are_one_half_on_average_where_there_is_an_entry():
    matrix = random_matrix(30, 20)
    at = start(matrix, 12)
    products = (at.user_factors @ at.item_factors.T)[~np.isnan(matrix)]
    assert products.mean() == pytest.approx(0.5, rel=1e-4)
