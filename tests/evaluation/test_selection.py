"""The luck of the winner: against a plain loop, and against winners measured on users never seen."""

from __future__ import annotations

import numpy as np
import pytest

from recsys.evaluation import selection
from recsys.evaluation.quantity import Quantity
from recsys.evaluation.selection import selection_gain


def quantities(values):
    return [Quantity(column, np.ones(len(column))) for column in values.T]


def test_it_equals_a_loop_over_the_draws(monkeypatch):
    values = np.random.default_rng(0).random((7, 3))
    draws = np.random.default_rng(1).integers(0, 4, (5, 7)).astype(float)
    monkeypatch.setattr(selection, "resampled_sums", lambda columns, seed: draws @ columns)
    luck = []
    for counts in draws:
        drawn = [float(counts @ column / counts.sum()) for column in values.T]
        winner = max(range(3), key=drawn.__getitem__)
        luck.append(drawn[winner] - values[:, winner].mean())
    assert selection_gain(quantities(values), "ndcg@10", seed=0) == pytest.approx(np.mean(luck), abs=1e-12)


def test_it_is_about_what_equal_settings_gain_on_users_never_seen():
    """Settings that differ by noise alone: what the winner loses on new users, over many repeats."""
    generator = np.random.default_rng(3)
    lost, estimated = [], []
    for repeat in range(40):
        values = generator.normal(0.1, 0.05, (300, 12))
        lost.append(values.mean(axis=0).max() - 0.1)
        if repeat < 10:
            estimated.append(selection_gain(quantities(values), "ndcg@10", seed=repeat))
    assert np.mean(estimated) == pytest.approx(np.mean(lost), rel=0.35)


def test_a_clear_winner_gains_next_to_nothing_and_one_setting_nothing():
    values = np.random.default_rng(4).normal([0.1, 0.1, 0.1, 0.2], 0.01, (500, 4))
    assert selection_gain(quantities(values), "ndcg@10", seed=0) < 1e-4
    assert selection_gain(quantities(values[:, :1]), "ndcg@10", seed=0) == 0.0


def test_less_is_better_for_an_error_which_is_of_entries():
    generator = np.random.default_rng(5)
    sizes = generator.integers(1, 9, 400).astype(float)
    errors = [Quantity(sizes * generator.normal(1.0, 0.3, 400) ** 2, sizes, np.sqrt) for _ in range(8)]
    gain = selection_gain(errors, "rmse", seed=0)
    assert 0 < gain < 0.05
    turned = [Quantity(-error.totals, sizes) for error in errors]
    squared = [Quantity(error.totals, sizes) for error in errors]
    assert selection_gain(squared, "rmse", seed=0) == pytest.approx(
        selection_gain(turned, "ndcg@10", seed=0), rel=1e-9
    )


def test_a_user_without_a_value_in_one_setting_is_left_out_of_all():
    values = np.random.default_rng(6).random((50, 3))
    with_gap = np.vstack([values, [[np.nan, 9.0, 0.0]]])
    assert selection_gain(quantities(with_gap), "ndcg@10", seed=2) == selection_gain(
        quantities(values), "ndcg@10", seed=2
    )
