"""Objectives, problems and factors as tests write them."""

from dataclasses import replace

import numpy as np

from recsys.factorization.entries import Entries
from recsys.factorization.factors import Factors, SideFactors
from recsys.factorization.fold_in import fold_in
from recsys.factorization.problem import AlternatingProblem
from recsys.factorization.starts import random_start

PARTS = ("user_factors", "item_factors", "user_bias", "item_bias")


def with_penalty(objective, **parts):
    """Return the objective with other parts of its penalty: l2, l2_exponent, user_l1, item_l1."""
    return replace(objective, penalty=replace(objective.penalty, **parts))


def factors_of(mean, user_factors, item_factors, user_bias=None, item_bias=None):
    """Return dense factors of arrays."""
    return Factors(mean, SideFactors.of(user_factors, user_bias), SideFactors.of(item_factors, item_bias))


def changed(factors, **parts):
    """Return dense factors with some arrays replaced, by their names in `PARTS`."""
    arrays = {name: getattr(factors, name) for name in PARTS} | parts
    return factors_of(factors.mean, *(arrays[name] for name in PARTS))


def start_of(objective, rows, rank, *, seed=0, number=0):
    """Return the factors of a random start, the mean of predictions set."""
    entries = Entries.of(rows)
    factors = random_start(objective, entries, rank, seed=seed, number=number).factors
    return replace(factors, mean=objective.start_mean(entries))


def problem_of(objective, rows, start, weights=None, *, is_scaled=None):
    """Return the problem of fitting rows; without a word, a start is scaled as a drawn one is."""
    scaled = objective.draws_scaled if is_scaled is None else is_scaled
    return AlternatingProblem(objective, Entries.of(rows, weights), start, is_scaled=scaled)


def folded(objective, rows, factors, **options):
    """Return factors and biases of new users fitted to the items."""
    held = objective.hold_items(factors.items, factors.mean)
    side = fold_in(objective, rows, held, factors.rank, **options)
    return side.factors.dense(), side.bias


def assert_same(factors, other):
    """Expect the same bits in every part."""
    for name in PARTS:
        np.testing.assert_array_equal(getattr(factors, name), getattr(other, name))
