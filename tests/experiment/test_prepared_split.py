"""Splits put to work: what trains, what is held out, what is told, and the audit."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.columns import Columns
from recsys.data.load import load_log
from recsys.data.loaded_log import LoadedLog
from recsys.errors import InputError, ModelError, ParameterError
from recsys.evaluation.list_profile import profile_lists
from recsys.evaluation.metrics import parse_metrics
from recsys.experiment.comparison import run
from recsys.experiment.prepared_split import prepare, prepare_all
from recsys.experiment.settings import ModelSpec
from recsys.models.registry import make
from recsys.recommend.ranking import ranked_blocks
from recsys.remarks import RemarkCode
from recsys.report.groups import by_popularity
from recsys.splitting.support import MinSupport
from tests.logs import log_of, random_log


def loaded(log, source="a log"):
    return LoadedLog(log, source, Columns("user", "item", None, None), len(log), (), {})


def entries(data):
    """Return the (user id, item id) pairs of interactions."""
    return {
        (data.user_ids[user], data.item_ids[item])
        for user, item in zip(data.by_user.row_numbers.tolist(), data.by_user.columns.tolist(), strict=True)
    }


def asked(prepared):
    """Return the (user id, item id) pairs held out, of users and items that are known."""
    held = prepared.held_out.by_user
    return {
        (prepared.user_ids[user], prepared.train.item_ids[item])
        for user, item in zip(held.row_numbers.tolist(), held.columns.tolist(), strict=True)
    }


SPECS = [
    "random:0.3", "random-user:0.3", "last:2", "last:0.3", "time:0.3", "time:60..100", "users:0.3",
    "users:0.4:2",
]  # fmt: skip


@given(st.sampled_from(SPECS), st.integers(0, 20), st.booleans())
def test_the_audit_counts_what_it_says(spec, seed, with_support):
    log = random_log(150, n_users=15, n_items=20, seed=seed)
    support = MinSupport(2, 2) if with_support else None
    prepared = prepare(loaded(log), split=spec, seed=seed, support=support)
    found = prepared.split.to_json()["audit"]
    json.dumps(prepared.split.to_json())
    held_out = prepared.held_out

    assert not entries(prepared.train) & asked(prepared)
    assert not entries(prepared.measured) & asked(prepared)
    assert found["n_pairs_on_both_sides"] == prepared.split.n_repeated_pairs == held_out.n_repeated
    assert found["n_users_evaluated"] == len({user for user in held_out.users.tolist() if user >= 0})
    assert found["share_evaluated"] == found["n_users_evaluated"] / found["n_users_with_held_out"]
    assert found["n_users_with_held_out"] == found["n_users_evaluated"] + found["n_cold_users"]
    assert found["n_held_out_pairs_of_cold_items"] == sum(held_out.items < 0)
    assert found["n_held_out_pairs_of_cold_users"] == sum(held_out.users < 0)
    assert (found["filters"] is not None) == with_support
    if spec.startswith("time"):
        assert found["n_future_events"] == found["n_future_events_global"] == 0
        assert found["train_window"][1] < found["window"][0]
    if not spec.startswith("random"):
        assert found["n_future_events"] == 0
    if spec == "time:60..100":
        assert found["window"] == [60, 99]
        assert found["n_left_out_events"] == 50


def test_future_events_are_counted_by_user_and_over_all():
    train = log_of([("a", 1, 1, 5), ("a", 2, 1, 7), ("a", 3, 1, 9), ("b", 1, 1, 8), ("c", 1, 1, 6)])
    test = log_of([("a", 4, 1, 7), ("a", 5, 1, 20), ("b", 4, 1, 30), ("d", 1, 1, 40)])
    prepared = prepare(loaded(train), test=loaded(test, "the test"))
    found = prepared.split.to_json()["audit"]
    assert found["n_future_events"] == 1  # a met item 3 after 4; an equal time is not later
    assert found["n_future_events_global"] == 2
    assert found["window"] == [7, 40]
    assert found["train_window"] == [5, 9]
    assert found["n_cold_users"] == 1
    assert found["n_users_with_held_out"] == 3
    assert found["n_users_evaluated"] == 2
    assert any("1 events later than the same user's first" in remark for remark in found["remarks"])
    assert prepared.split.name == "file:the test"


def test_what_needs_times_is_none_without_them():
    found = prepare(loaded(random_log(80, with_times=False)), split="random:0.3").split.to_json()["audit"]
    for key in ("n_future_events", "n_future_events_global", "window", "train_window"):
        assert found[key] is None
    assert found["remarks"] == []


def test_times_of_two_kinds_are_told_of():
    train = log_of([("a", 1, 1, 5), ("b", 2, 1, 7)])
    test = log_of([("a", 2, 1, 10**15)], time_kind="timestamp")
    found = prepare(loaded(train), test=loaded(test)).split.to_json()["audit"]
    assert found["n_future_events"] is None
    (said,) = found["remarks"]
    assert "of another kind than those of the training part (5 ...)" in said


def test_few_users_evaluated_are_remarked():
    events = [("a", 1, 1, 1), ("b", 2, 1, 2), ("a", 2, 1, 9), *((f"c{n}", 1, 1, 10 + n) for n in range(4))]
    found = prepare(loaded(log_of(events)), split="time:9").split.to_json()["audit"]
    assert found["share_evaluated"] == 1 / 5
    assert "only 1 of 5 users" in found["remarks"][0]


def test_files_have_a_digest_that_tells_them_apart():
    train = loaded(log_of([("a", 1), ("b", 2)]))
    tests = [loaded(log_of([("a", item)])) for item in (2, 3)]
    one, again, other = (prepare(train, test=test).split.digest for test in (tests[0], tests[0], tests[1]))
    assert one == again != other


def test_every_fold_is_a_trial_and_together_they_hold_out_everything():
    log = random_log(150, n_users=15, n_items=20)
    splits = prepare_all(loaded(log), split="folds:4", seed=1, load_seconds=100.0)
    together = sum(prepared.held_out.n_pairs for prepared in splits)
    assert together == len(np.unique(log.pairs))
    assert [prepared.split.part for prepared in splits] == [1, 2, 3, 4]
    assert splits[0].load_seconds >= 100 > splits[1].load_seconds
    with pytest.raises(ParameterError, match="makes 4 parts"):
        prepare(loaded(log), split="folds:4")


def test_folds_of_users_measure_everyone_once():
    log = random_log(200, n_users=13, n_items=20)
    splits = prepare_all(loaded(log), split="user-folds:3")
    measured = [set(prepared.user_ids) for prepared in splits]
    assert sum(map(len, measured)) == 13
    assert set.union(*measured) == set(log.user_ids)
    for prepared in splits:
        assert not set(prepared.train.user_ids) & set(prepared.user_ids)
        assert prepared.histories.item_ids == prepared.train.item_ids
        assert prepared.seen is prepared.histories.by_user
        assert prepared.split.to_json()["audit"]["n_history_users"] == len(prepared.user_ids)


def test_filters_hold_for_training_alone_unless_asked():
    events = [(user, item) for user in "abc" for item in (1, 2, 3)] + [("rare", 1), ("a", 9), ("rare", 2)]
    train, test = log_of(events), log_of([("a", 4), ("a", 9), ("rare", 3), ("new", 1), ("b", 9)])
    kept = prepare(loaded(train), test=loaded(test), support=MinSupport(user=3, item=3))
    assert entries(kept.train) == {(user, item) for user in "abc" for item in (1, 2, 3)}
    assert kept.held_out.n_pairs == 5
    assert kept.split.to_json()["audit"]["filters"] == {
        "min_user": 3, "min_item": 3, "filter_test": False,
        "n_train_events_removed": 3, "n_train_pairs_removed": 3, "n_users_removed": 1, "n_items_removed": 1,
        "n_held_out_events_removed": 0,
    }  # fmt: skip
    items_only = prepare(loaded(train), test=loaded(test), support=MinSupport(item=3, test=True))
    assert items_only.split.to_json()["audit"]["filters"]["n_held_out_events_removed"] == 3
    assert items_only.split.to_json()["audit"]["n_cold_users"] == 1
    with pytest.raises(InputError, match="nothing of the held-out part stays"):
        prepare(loaded(train), test=loaded(test), support=MinSupport(3, 3, test=True))


def test_filters_change_the_digest():
    log = loaded(random_log(100, n_users=20, n_items=20))
    digests = {
        prepare(log, split="random:0.2", support=support).split.digest
        for support in (None, MinSupport(user=3), MinSupport(user=3, test=True))
    }
    assert len(digests) == 3


def test_histories_hold_only_items_that_training_knows():
    events = [(f"u{user}", item, 1, item) for user in range(20) for item in range(user % 4, 6)]
    events += [("odd", f"odd{n}", 1, n) for n in range(6)]
    log = log_of([(user, str(item), value, time) for user, item, value, time in events])
    for seed in range(4):
        prepared = prepare(loaded(log), split="users:0.4:0.5", seed=seed, support=MinSupport(item=2))
        assert "odd" not in [*prepared.user_ids, *prepared.train.user_ids]
        if prepared.split.n_cold_users:  # "odd" is held out, and nothing it did is known
            assert prepared.split.to_json()["audit"]["n_held_out_pairs_of_cold_users"] == 3
            break
    else:
        raise AssertionError("no seed held out the odd user")
    assert all(item in prepared.train.item_ids for _, item in entries(prepared.histories))


def test_held_out_users_of_whom_too_little_is_known_leave_with_the_others_where_asked():
    log = loaded(random_log(150, n_users=30, n_items=15))
    few, all_ = (
        prepare(log, split="users:0.5:0.5", support=MinSupport(user=3, test=test)) for test in (True, False)
    )
    assert min(few.histories.by_user.counts) >= 3 > min(all_.histories.by_user.counts)
    assert set(few.user_ids) < set(all_.user_ids)
    assert few.split.n_cold_users == 0
    assert few.split.to_json()["audit"]["filters"]["n_held_out_events_removed"] > 0


@pytest.mark.parametrize("spec", ["last:5", "last:0.2", "time:0.2", "time:8w..4w", "users:0.2", "random:0.2"])
def test_no_split_in_time_of_a_real_log_leaks_a_users_future(shared_data, spec):
    log = load_log(shared_data / "ml-100k" / "u1_train.parquet")
    found = prepare(log, split=spec).split.to_json()["audit"]
    assert (found["n_future_events"] > 0) == spec.startswith("random")
    assert (found["n_future_events_global"] > 0) == (not spec.startswith("time"))


def test_a_model_that_cannot_fold_in_is_told_before_its_fit(monkeypatch):
    prepared = prepare(loaded(random_log(150, n_users=15)), split="users:0.4")
    monkeypatch.setattr("recsys.models.base.Model.fit", lambda *_, **__: pytest.fail("was fitted"))
    with pytest.raises(ModelError, match="bayesian-nmf knows only the users it was trained on"):
        run(ModelSpec("bayesian-nmf"), prepared, parse_metrics("ndcg@5"))


@pytest.mark.parametrize("spec", ["random:0.3", "last:2", "time:0.3", "users:0.4:0.5", "user-folds:3"])
def test_popularity_surprises_nobody_whatever_the_split(spec):
    splits = prepare_all(loaded(random_log(300, n_users=30, n_items=15)), split=spec)
    found = run(ModelSpec("popularity"), splits, parse_metrics("serendipity@5,hit-rate@5")).measurements
    assert found.metrics["serendipity@5"] == 0
    assert found.metrics["hit-rate@5"] > 0


def test_popularity_is_a_share_of_the_users_trained_on_where_others_are_measured():
    prepared = prepare(loaded(random_log(300, n_users=30, n_items=15)), split="users:0.2:0.5")
    items = by_popularity(prepared.train.item_counts)
    model = prepared.scorer_for(make("popularity", {}).fit(prepared.train))
    found = profile_lists(
        model,
        prepared.seen,
        prepared.held_out,
        metrics=["ndcg"],
        k=3,
        catalogue=prepared.catalogue,
        item_groups=items.of,
    )
    shares = prepared.train.item_counts / prepared.train.n_users
    assert np.sort(shares)[0] < found.popularity <= np.sort(shares)[-1]
    assert found.popularity == pytest.approx(
        np.mean([shares[item] for block in _lists(prepared, model, 3) for item in block])
    )


def _lists(prepared, model, n):
    users = np.flatnonzero(prepared.held_out.n_held_out)
    return [
        items[:n_listed]
        for block in ranked_blocks(model, users, n, prepared.seen)
        for items, n_listed in zip(block.items.tolist(), block.n_listed, strict=True)
    ]


def test_new_users_are_served_by_their_tastes():
    """Two tastes without overlap: who is told of one is listed the rest of it."""
    generator = np.random.default_rng(0)
    events = [
        (user, 10 * (user % 2) + int(item), 5, n)
        for user in range(60)
        for n, item in enumerate(generator.permutation(10)[:8])
    ]
    prepared = prepare(loaded(log_of(events, feedback="explicit")), split="users:0.3:0.75", seed=1)
    spec = ModelSpec("masked-nmf", {"n_components": 2, "max_iter": 5})
    found = run(spec, prepared, parse_metrics("recall@18,rmse")).measurements
    assert found.n_users == len(prepared.user_ids) == 18
    assert found.metrics["recall@18"] == 1.0
    assert found.metrics["rmse"] < 0.5
    assert [remark.code for remark in found.remarks] == [RemarkCode.RANKS_BY_VALUE]


def test_the_record_of_a_split_has_the_keys_that_programs_know():
    record = prepare(loaded(random_log(80)), split="random:0.3", support=MinSupport(1, 1)).split.to_json()
    assert list(record) == [
        "name", "seed", "digest", "part", "n_parts", "n_train_events", "n_held_out_events", "n_train_pairs",
        "n_held_out_pairs", "n_repeated_pairs", "n_zero_pairs", "n_cold_users", "n_cold_items", "n_users",
        "n_items", "audit",
    ]  # fmt: skip
    assert list(record["audit"]) == [
        "n_pairs_on_both_sides", "n_future_events", "n_future_events_global", "n_cold_users", "n_cold_items",
        "n_held_out_pairs_of_cold_users", "n_held_out_pairs_of_cold_items", "n_users_with_held_out",
        "n_users_evaluated", "share_evaluated", "n_history_users", "n_history_events", "window",
        "train_window", "n_left_out_events", "filters", "remarks",
    ]  # fmt: skip
    assert list(record["audit"]["filters"]) == [
        "min_user", "min_item", "filter_test", "n_train_events_removed", "n_train_pairs_removed",
        "n_users_removed", "n_items_removed", "n_held_out_events_removed",
    ]  # fmt: skip
    assert all(isinstance(remark, str) for remark in record["audit"]["remarks"])
    assert json.loads(json.dumps(record)) == record
