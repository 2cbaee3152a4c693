from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recsys.data.ids import Ids
from recsys.evaluation.entry_errors import EntryErrors
from recsys.evaluation.gap import GroupMean, gap
from recsys.evaluation.measurements import Measurements
from recsys.experiment.pooling import pooled


def measured(values, users, *, coverage=0.5, errors=None):
    values = np.asarray(values, dtype=float)
    metrics = {"ndcg@10": float(np.nanmean(values)), "coverage@10": coverage}
    if errors is not None:
        metrics |= {name: errors.value(name) for name in errors.sums}
    return Measurements(
        metrics, {"ndcg@10": values}, np.asarray(users), len(users), 4, 2.0, ("said",), entry_errors=errors
    )


def test_a_users_value_is_the_mean_over_the_trials_the_user_is_in():
    # Users a, b, c; the second trial numbers them otherwise and has a user of its own.
    first = measured([0.2, 0.4], [0, 2], coverage=0.5)
    second = measured([0.6, 1.0, 0.0], [0, 1, 2], coverage=0.7)
    found = pooled([first, second], [Ids(["a", "b", "c"]), Ids(["c", "d", "b"])])
    assert found.users.tolist() == [0, 1, 2, 3]  # a, b, c, then d
    assert found.per_user["ndcg@10"] == pytest.approx([0.2, 0.0, 0.5, 1.0])
    assert found.metrics["ndcg@10"] == pytest.approx(1.7 / 4)
    assert found.metrics["coverage@10"] == pytest.approx(0.6)
    assert (found.n_users, found.n_pairs, found.seconds, found.remarks) == (4, 8, 2.0, ("said",))


def test_a_value_not_defined_in_one_trial_is_that_of_the_other():
    found = pooled(
        [measured([np.nan, 0.4, np.nan], [0, 1, 2]), measured([0.6, 0.2, np.nan], [0, 1, 2])],
        [Ids([1, 2, 3]), Ids([1, 2, 3])],
    )
    assert found.per_user["ndcg@10"][:2] == pytest.approx([0.6, 0.3])
    assert np.isnan(found.per_user["ndcg@10"][2])
    assert found.metrics["ndcg@10"] == pytest.approx(0.45)


def test_errors_are_those_of_all_entries():
    draw = np.random.default_rng(0)
    errors, of_all = [], []
    for _ in range(2):
        error = draw.normal(size=6)
        of_all.append(error)
        # Users 0 and 1 have two entries each; two entries are of users nobody knows.
        errors.append(
            EntryErrors(
                np.array([0, 1, -1, -1]),
                np.array([2.0, 2.0, 1.0, 1.0]),
                {
                    name: np.array([of[:2].sum(), of[2:4].sum(), of[4], of[5]])
                    for name, of in (("rmse", error**2), ("mae", abs(error)))
                },
            )
        )
    found = pooled(
        [measured([0.1, 0.2], [0, 1], errors=one) for one in errors], [Ids(["a", "b"]), Ids(["b", "a"])]
    )
    everything = np.concatenate(of_all)
    assert found.metrics["rmse"] == pytest.approx(np.sqrt(np.mean(everything**2)))
    assert found.metrics["mae"] == pytest.approx(np.mean(np.abs(everything)))
    assert found.entry_errors.users.tolist() == [0, 1, -1, -1, -1, -1]
    assert found.entry_errors.n_entries.tolist() == [4, 4, 1, 1, 1, 1]
    assert found.entry_errors.sums["mae"][0] == pytest.approx(
        np.abs(of_all[0][:2]).sum() + np.abs(of_all[1][2:4]).sum()
    )


def test_what_a_model_cannot_answer_in_one_trial_it_cannot_answer():
    first, second = measured([0.1], [0]), measured([0.1], [0])
    second.metrics["coverage@10"] = None
    assert pooled([first, second], [Ids(["a"]), Ids(["a"])]).metrics["coverage@10"] is None


def test_one_trial_stays_as_it_is():
    alone = measured([0.1], [0])
    assert pooled([alone], [Ids(["a"])]) is alone


def test_means_of_groups_are_pooled_and_a_gap_is_between_them():
    def of(*groups):
        at = measured([0.5, 0.5], [0, 1])
        means = tuple(GroupMean(*group) for group in groups)
        return replace(at, metrics={"ndcg-gap@10": gap(means)}, groups={"ndcg-gap@10": means})

    ids = [Ids(["a", "b"])] * 2
    first, second = of(("few", 3, 0.2), ("many", 5, 0.4)), of(("few", 4, 0.6), ("many", 4, 0.4))
    found = pooled([first, second], ids)
    assert found.groups["ndcg-gap@10"] == (
        GroupMean("few", 4, pytest.approx(0.4)),
        GroupMean("many", 5, pytest.approx(0.4)),
    )
    assert found.metrics["ndcg-gap@10"] == pytest.approx(0)  # each trial's gap of 0.2 is the other's undone
    other = pooled([first, of(("few", 4, 0.6), ("most", 4, 0.3))], ids)
    assert other.groups == {}
    assert other.metrics["ndcg-gap@10"] == pytest.approx(0.25)
