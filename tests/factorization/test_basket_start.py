import numpy as np
import pytest

from recsys.factorization.sparse_weighted import basket_start
from tests.matrices import random_matrix, rows_of


def start(matrix, rank, **params):
    rows = rows_of(matrix)
    return basket_start(rows, rows.transposed(), rank, **({"seed": 0} | params)).dense


def test_with_enough_users_each_theme_is_what_one_user_took():
    matrix = random_matrix(30, 20)
    at = start(matrix, 12)
    baskets = {tuple(row) for row in ~np.isnan(matrix)}
    themes = [tuple(theme > 0) for theme in at.item_factors.T]
    assert set(themes) <= baskets
    assert len(set(themes)) == 12


def test_a_few_users_begin_a_few_themes_and_the_rest_stay_empty():
    at = start(random_matrix(3, 20, density=0.5), 100)
    live = at.item_factors.any(axis=0)
    np.testing.assert_array_equal(live, at.user_factors.any(axis=0))
    assert live.tolist() == [True] * 24 + [False] * 76


@pytest.mark.parametrize("n_users", [3, 40])
def test_seeds_and_chains_differ_and_repeat(n_users):
    matrix = random_matrix(n_users, 20, density=0.5)
    starts = [start(matrix, 30, seed=seed, chain=chain) for seed, chain in ((0, 0), (1, 0), (0, 1))]
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert (starts[one].item_factors != starts[other].item_factors).any()
    np.testing.assert_array_equal(starts[0].user_factors, start(matrix, 30).user_factors)


def test_products_are_one_half_on_average_where_there_is_an_entry():
    matrix = random_matrix(30, 20)
    at = start(matrix, 12)
    products = (at.user_factors @ at.item_factors.T)[~np.isnan(matrix)]
    assert products.mean() == pytest.approx(0.5, rel=1e-4)
