from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys import threads
from recsys.errors import InputError
from recsys.evaluation import pair_tests
from recsys.evaluation.entry_errors import EntryErrors
from recsys.evaluation.measurements import Measurements
from recsys.evaluation.pair_tests import PairTests
from recsys.evaluation.randomisation import exchange_p_values, holm
from recsys.evaluation.significance import compare_pairs, interval
from recsys.evaluation.uncertainty import N_GROUPS, bootstrap


def measured(values, metric="ndcg@10"):
    values = np.asarray(values, dtype=float)
    return Measurements(
        {metric: float(np.nanmean(values))}, {metric: values}, np.arange(len(values)), len(values), 0, 0.0, ()
    )


def one_pair(a, b):
    return float(exchange_p_values(np.column_stack([a, b]), np.array([[0, 1]]), seed=0)[0])


def test_a_pair_is_found_as_it_was_made():
    draw = np.random.default_rng(0)
    noise = draw.random(300)
    at = {"worse": measured(noise), "better": measured(noise + 0.1 + 0.01 * draw.normal(size=300))}
    (test,) = compare_pairs(at, "ndcg@10", seed=0)
    assert (test.better, test.other, test.n_users) == ("better", "worse", 300)
    assert test.is_significant
    assert test.p_value == test.p_adjusted == pytest.approx(1e-4)
    differences = at["better"].per_user["ndcg@10"] - noise
    of_differences = bootstrap(differences, seed=0)
    assert test.difference == pytest.approx(differences.mean())
    assert (test.low, test.high) == pytest.approx((of_differences.low, of_differences.high))
    assert test.effect_size == pytest.approx(differences.mean() / differences.std(ddof=1))
    by = f"{test.difference:.4f} ({test.low:.4f} to {test.high:.4f})"
    assert test.sentence == f"better is better than worse on ndcg@10 by {by}."


def test_p_values_are_those_of_all_exchanges():
    draw = np.random.default_rng(1)
    for n_users in (5, 9, 11):
        a, b = draw.integers(0, 4, n_users) / 4, draw.integers(0, 4, n_users) / 4
        differences = a - b
        sums = [
            abs(np.dot(signs, differences)) for signs in itertools.product((1, -1), repeat=n_users)
        ]  # quarters add up without rounding
        exact = np.mean(np.asarray(sums) >= abs(differences.sum()))
        assert one_pair(a, b) == pytest.approx(exact, abs=0.02)


@pytest.mark.parametrize("n_users", [12, 100])
def test_equal_models_are_called_different_as_rarely_as_said(n_users):
    draw = np.random.default_rng(2)
    pairs = np.array([[2 * i, 2 * i + 1] for i in range(600)])
    # Two models that serve each user alike but for luck; most users get nothing from either.
    totals = np.where(draw.random((n_users, 1200)) < 0.4, draw.random((n_users, 1200)), 0.0)
    p_values = exchange_p_values(totals, pairs, seed=0)
    assert 0.02 <= np.mean(p_values < 0.05) <= 0.075  # 0.05 expected, spread 0.009


def test_users_exchanged_in_groups_keep_level_and_power():
    draw = np.random.default_rng(3)
    n_users = 3 * N_GROUPS
    totals = draw.random((n_users, 300))
    pairs = np.array([[2 * i, 2 * i + 1] for i in range(150)])
    assert np.mean(exchange_p_values(totals, pairs, seed=0) < 0.05) <= 0.11  # 0.05, spread 0.018
    lead = 4 * np.sqrt(2 / 12 / n_users)  # four standard errors
    found = exchange_p_values(totals + lead * (np.arange(300) % 2), pairs, seed=0)
    assert np.mean(found < 0.05) >= 0.94  # 0.979 in theory


def test_among_many_equal_models_seldom_one_is_found_better():
    draw = np.random.default_rng(4)
    n_false = 0
    for seed in range(100):
        at = {f"m{i}": measured(draw.random(40)) for i in range(5)}
        n_false += any(test.is_significant for test in compare_pairs(at, "ndcg@10", seed=seed))
    assert n_false <= 12  # 5 at most expected, spread 2.2


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_raises_p_values_and_keeps_their_order(p_values):
    found = holm(np.array(p_values))
    assert np.all(found >= p_values)
    assert np.all(found <= 1)
    order = np.argsort(p_values, kind="stable")
    assert np.all(np.diff(found[order]) >= 0)
    assert found[order][0] == min(1.0, len(p_values) * min(p_values))


def test_holm_on_an_example_done_by_hand():
    assert holm(np.array([0.01, 0.04, 0.03, 0.005])) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_all_pairs_come_the_best_first():
    draw = np.random.default_rng(5)
    at = {name: measured(draw.random(60) + lift) for name, lift in {"a": 0, "c": 2, "b": 1}.items()}
    tests = compare_pairs(at, "ndcg@10", seed=0)
    assert [(test.better, test.other) for test in tests] == [("c", "b"), ("c", "a"), ("b", "a")]


def test_of_errors_less_is_better():
    at = {"high": measured(np.full(40, 2.0), "gini@10"), "low": measured(np.full(40, 1.5), "gini@10")}
    (test,) = compare_pairs(at, "gini@10", seed=0)
    assert (test.better, test.difference, test.low, test.high) == ("low", 0.5, 0.5, 0.5)
    assert test.effect_size is None
    assert test.sentence == "low is better (lower) than high on gini@10 by 0.5000 (0.5000 to 0.5000)."


def test_users_for_whom_one_of_a_pair_has_no_value_are_left_out():
    draw = np.random.default_rng(6)
    a, b, c = draw.random(50), draw.random(50), draw.random(50)
    gaps = a.copy()
    gaps[[3, 7, 20]] = np.nan
    tests = compare_pairs({"a": measured(gaps), "b": measured(b), "c": measured(c)}, "ndcg@10", seed=0)
    by_pair = {frozenset((test.better, test.other)): test for test in tests}
    assert by_pair[frozenset("ab")].n_users == 47
    assert by_pair[frozenset("bc")].n_users == 50
    kept = ~np.isnan(gaps)
    (alone,) = compare_pairs({"a": measured(a[kept]), "b": measured(b[kept])}, "ndcg@10", seed=0)
    assert by_pair[frozenset("ab")].difference == pytest.approx(alone.difference)
    assert by_pair[frozenset("ab")].low == pytest.approx(alone.low)


def test_a_model_without_values_and_one_alone_have_no_tests():
    nothing = measured(np.full(20, 0.5))
    nothing.per_user["ndcg@10"][:] = np.nan
    one = measured(np.random.default_rng(7).random(20))
    assert compare_pairs({"a": one, "b": nothing}, "ndcg@10", seed=0) == ()
    assert compare_pairs({"a": one}, "ndcg@10", seed=0) == ()
    assert compare_pairs({"a": one, "b": one}, "coverage@10", seed=0) == ()
    assert interval(nothing, "ndcg@10", seed=0) is None


def test_models_that_are_not_told_apart_are_not_called_equal():
    values = np.random.default_rng(8).random(20)
    for at in (
        {"a": measured(values), "b": measured(values)},
        {"a": measured([0.1]), "b": measured([0.9])},
    ):
        (test,) = compare_pairs(at, "ndcg@10", seed=0)
        assert not test.is_significant
        assert test.p_value == 1
        who = f"{test.better} and {test.other}"
        assert test.sentence.startswith(f"No clear difference between {who} on ndcg@10: 0.")
        assert "level" not in test.sentence


def test_the_effect_size_of_errors_has_the_sign_of_the_difference():
    """A few users have nearly all entries, and there b errs more; among the many others it is a."""
    users, n_entries = np.arange(40), np.where(np.arange(40) < 4, 500.0, 1.0)
    a, b = np.where(users < 4, 1.0, 1.5), np.where(users < 4, 1.2, 1.0)
    at = {}
    for label, error in (("a", a), ("b", b)):
        errors = EntryErrors(users, n_entries, {"rmse": error**2 * n_entries, "mae": error * n_entries})
        metrics = {name: errors.value(name) for name in ("rmse", "mae")}
        at[label] = Measurements(metrics, {}, users, 40, 2036, 0.0, (), entry_errors=errors)
    for metric in ("rmse", "mae"):
        (test,) = compare_pairs(at, metric, seed=0)
        assert (test.better, test.other) == ("a", "b")
        assert test.effect_size > 0


def test_models_of_different_users_cannot_be_compared():
    with pytest.raises(InputError, match="a and b were measured on different users"):
        compare_pairs({"a": measured(np.ones(3)), "b": measured(np.ones(4))}, "ndcg@10", seed=0)


def test_tests_of_all_pairs_are_made_once_for_each_metric(monkeypatch):
    asked = []
    work = pair_tests.compare_pairs
    monkeypatch.setattr(
        pair_tests, "compare_pairs", lambda *given, **seed: asked.append(given[1]) or work(*given, **seed)
    )
    draw = np.random.default_rng(9)
    models = {label: measured(draw.random(20)) for label in "ab"}
    tests = PairTests(models, seed=3)
    assert asked == []
    first = tests.on("ndcg@10")
    assert tests.on("ndcg@10") is first
    assert tests.on("coverage@10") == tests.on("coverage@10") == ()
    assert asked == ["ndcg@10", "coverage@10"]
    assert first == work(models, "ndcg@10", seed=3)
    assert PairTests(models, seed=3).on("ndcg@10") == first
    assert PairTests(models, seed=4).on("ndcg@10") != first


def test_the_number_of_threads_changes_no_bit():
    draw = np.random.default_rng(10)
    values = [draw.random(200) for _ in range(3)]
    found = []
    for n_threads in (1, 2):
        with threads.use(n_threads):
            at = {str(i): measured(one) for i, one in enumerate(values)}
            found.append(compare_pairs(at, "ndcg@10", seed=0))
    assert found[0] == found[1]
