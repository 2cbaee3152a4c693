"""What a bundle records of its training; warm starts, updates, differences, the gate and monitoring."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import recsys
from recsys.experiment.bundle_quality import ServedLists
from recsys.experiment.model_diff import model_diff
from recsys.experiment.monitoring import monitor
from recsys.experiment.paired_quality import quality_of_both
from recsys.experiment.promotion import promote
from recsys.experiment.updating import update
from recsys.recommend.model_store import ModelStore


def events(seed=0, n=900, n_users=50, n_items=40, first_day=0, days=60):
    """Users of two tastes who take items over some days."""
    generator = np.random.default_rng(seed)
    users = generator.integers(0, n_users, n)
    half = n_items // 2
    items = generator.integers(0, half, n) + half * (users % 2)
    times = pd.Timestamp("2024-01-01") + pd.to_timedelta(
        first_day + days * np.sort(generator.random(n)), unit="D"
    )
    return pd.DataFrame(
        {"user": [f"u{u}" for u in users], "item": [f"i{i}" for i in items], "count": 1, "time": times}
    )


def until(frame, day):
    return frame[frame.time < pd.Timestamp("2024-01-01") + pd.Timedelta(days=day)]


LOG = events()
SPEC = recsys.ModelSpec("weighted-nmf", {"n_components": 6, "max_iter": 4})


@pytest.fixture(scope="module")
def old():
    return recsys.train(SPEC, until(LOG, 40))


# -- what is recorded ----------------------------------------------------------------------------
def test_a_bundle_says_when_and_from_what_it_was_made(tmp_path):
    path = tmp_path / "log.csv"
    LOG.to_csv(path, index=False)
    plan = recsys.LogPlan(path, where="count > 0")
    bundle = recsys.train("popularity", plan, min_user=3, min_item=2, measure="time:1w", metrics="ndcg@5")
    recsys.save_bundle(bundle, tmp_path / "model")
    training = recsys.load_bundle(tmp_path / "model").training
    log = training["log"]
    assert log["n_bytes"] == path.stat().st_size
    assert log["read_as"]["where"] == "count > 0"
    assert log["columns"] == {"user": "user", "item": "item", "value": "count", "time": "time"}
    assert (log["n_read"], log["n_events"]) == (len(LOG), len(LOG))
    assert log["first_time"] == str(LOG.time.min().floor("s")).replace(" ", "T")
    assert (training["min_user"], training["min_item"]) == (3, 2)
    assert training["packages"]["numpy"] == np.__version__
    again = recsys.evaluate("popularity", plan, split="time:1w", metrics="ndcg@5", min_user=3, min_item=2)
    assert training["quality"]["metrics"] == dict(again.measurements.metrics)
    assert training["quality"]["split"] == "time:1w"


def test_least_support_leaves_out_whom_it_says():
    thin = pd.concat(
        [LOG, pd.DataFrame({"user": ["lone"], "item": ["i1"], "count": 1, "time": LOG.time[:1]})]
    )
    assert "lone" in set(recsys.train("popularity", thin).user_ids)
    kept = recsys.train("popularity", thin, min_user=2)
    assert "lone" not in set(kept.user_ids)
    assert np.diff(kept.seen.indptr).min() >= 2


def test_metrics_without_a_split_to_measure_on_are_refused():
    with pytest.raises(recsys.ParameterError, match="nothing is measured"):
        recsys.train("popularity", LOG, metrics="ndcg@5")


# -- warm start ----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "spec",
    [
        SPEC,
        recsys.ModelSpec("hybrid-nmf", {"n_components": 6}),
        recsys.ModelSpec("masked-nmf", {"n_components": 4, "max_iter": 20}),
    ],
    ids=lambda spec: spec.name,
)
def test_a_warm_start_keeps_the_numbers_of_the_themes(spec):
    before = recsys.train(spec, until(LOG, 40))
    after = recsys.train(recsys.ModelSpec(spec.name), LOG, warm_start=before)
    pairs = model_diff(before, after).themes
    assert len(pairs) == spec.params["n_components"]
    assert all(pair.new == pair.old for pair in pairs if pair.is_same)
    assert after.training["warm_start"]["n_components"] == spec.params["n_components"]
    # What a later fit from nothing would do is as it was.
    assert after.model.config()["max_iter"] == type(after.model)().max_iter
    part = after.model.component_model
    assert part.shares_.sum() == pytest.approx(1)
    again = recsys.train(recsys.ModelSpec(spec.name), LOG, warm_start=before)
    for name, array in after.model.to_arrays().items():
        assert np.array_equal(array, again.model.to_arrays()[name]), name


def test_labels_of_themes_that_are_still_the_same_go_with_them(old):
    from dataclasses import replace

    labelled = replace(old, theme_labels={1: "toys", 2: "tools"})
    after = recsys.train(SPEC, LOG, warm_start=labelled)
    same = {pair.old for pair in model_diff(old, after).themes if pair.is_same}
    assert set(after.theme_labels) == {1, 2} & same


def test_a_warm_start_says_what_it_cannot_do(old):
    with pytest.raises(recsys.ParameterError, match=r"has 6 components and 9 are asked for"):
        recsys.train(recsys.ModelSpec("weighted-nmf", {"n_components": 9}), LOG, warm_start=old)
    with pytest.raises(recsys.ParameterError, match=r"is weighted-nmf, this one poisson-nmf"):
        recsys.train("poisson-nmf", LOG, warm_start=old)
    with pytest.raises(recsys.ModelError, match="has no components"):
        recsys.train("popularity", LOG, warm_start=recsys.train("popularity", LOG))
    strangers = LOG.assign(user="x" + LOG.user, item="x" + LOG.item)
    with pytest.raises(recsys.ModelError, match="knows none of these"):
        recsys.train(SPEC, strangers, warm_start=old)


# -- update --------------------------------------------------------------------------------------
def test_an_update_is_partial_fit_and_leaves_the_old_bundle_as_it_was(old, tmp_path):
    new = LOG[LOG.time >= until(LOG, 40).time.max()][1:]
    before = {name: array.copy() for name, array in old.model.to_arrays().items()}
    recsys.save_bundle(old, tmp_path / "model")
    after = update(tmp_path / "model", new)
    for name, array in old.model.to_arrays().items():
        assert np.array_equal(array, before[name])
    known = recsys.Interactions.from_log(recsys.load_log(until(LOG, 40)))
    twin = recsys.WeightedNMF(6, max_iter=4).fit(known)
    twin.partial_fit(recsys.Interactions.from_log(recsys.load_log(new)))
    for name, array in twin.to_arrays().items():
        assert np.array_equal(array, after.model.to_arrays()[name]), name
    (record,) = after.training["updates"]
    assert record["log"]["n_events"] == len(new)
    assert after.training["n_entries"] == after.seen.nnz > old.seen.nnz
    recsys.save_bundle(after, tmp_path / "after")
    assert len(update(tmp_path / "after", new[:5]).training["updates"]) == 2


def test_what_cannot_be_updated_says_so():
    with pytest.raises(recsys.ModelError, match="popularity cannot take new events; train it anew"):
        update(recsys.train("popularity", LOG), LOG[:5])


# -- monitoring ----------------------------------------------------------------------------------
def test_monitoring_is_what_counting_by_hand_gives(old):
    done = monitor(old, LOG, since="2024-02-10", metrics="precision@5,recall@5,coverage@5")
    assert done.periods[0].begins == "2024-02-10"
    assert [period.begins for period in done.periods] == ["2024-02-10", "2024-02-17", "2024-02-24"]
    for period in done.periods:
        begin = pd.Timestamp(str(period.begins))
        rows = LOG[(LOG.time >= begin) & (LOG.time < begin + pd.Timedelta(days=7))]
        taken = rows.groupby("user")["item"].agg(set)
        precision, listed = [], set()
        for user, items in taken.items():
            seen = set(until(LOG, 40).loc[until(LOG, 40).user == user, "item"])
            if not items - seen:
                continue
            top = old.recommend(user, 5).to_frame()["item"]
            listed |= set(top)
            precision.append(len(set(top) & (items - seen)) / 5)
        assert period.measurements.metrics["precision@5"] == pytest.approx(np.mean(precision))
        assert period.measurements.metrics["coverage@5"] == pytest.approx(len(listed) / len(old.item_ids))
        assert period.n_events == len(rows)


def test_users_whom_the_model_does_not_know_count_with_the_popularity_list(old):
    top = old.recommend("nobody", 3).to_frame()["item"]
    later = pd.DataFrame({"user": "nobody", "item": [top[0]], "count": 1, "time": ["2024-03-05"]})
    done = monitor(old, later, metrics="recall@3")
    assert done.whole.measurements.metrics == {"recall@3": 1.0}
    assert done.whole.n_unknown_users == 1


def test_monitoring_begins_after_training_where_nothing_is_said(old):
    after = monitor(old, LOG, metrics="recall@3").whole
    assert after.n_events == int(
        (LOG.time >= until(LOG, 40).time.max().floor("s") + pd.Timedelta("1s")).sum()
    )


@pytest.mark.parametrize(
    ("more", "error", "message"),
    [
        (
            {"since": "2030-01-01"},
            recsys.InputError,
            "has no event since 2030-01-01; its events are from 2024",
        ),
        ({"since": "soon"}, recsys.ParameterError, r"--since 'soon': expected e.g. 2011-11-01"),
        ({"by": "year"}, recsys.ParameterError, "expected one of day, week, month"),
        ({"metrics": "rmse"}, recsys.ParameterError, "rmse is no metric of lists"),
        ({"metrics": "auc"}, recsys.ParameterError, "auc is no metric of lists"),
    ],
)
def test_wrong_use_of_monitoring(old, more, error, message):
    with pytest.raises(error, match=message):
        monitor(old, LOG, **more)


def test_logs_that_cannot_be_monitored(old):
    with pytest.raises(recsys.InputError, match="no time column"):
        monitor(old, LOG[["user", "item", "count"]], since="2024-02-10")
    with pytest.raises(recsys.InputError, match="all pairs of these events are known"):
        monitor(old, until(LOG, 40), since="2024-01-01")
    with pytest.raises(recsys.InputError, match="no event after"):
        monitor(recsys.train("popularity", LOG), LOG)


# -- differences and the gate ---------------------------------------------------------------------
def test_a_model_does_not_differ_from_itself(old):
    done = model_diff(old, old, LOG)
    assert done.settings == {}
    assert done.mean_overlap == 1.0
    assert done.changes == ()
    assert not done.moved
    assert done.pairs.n_both == old.seen.nnz
    quality = done.quality
    assert quality.measurements["old"].metrics == quality.measurements["new"].metrics
    assert not quality.is_clearly_worse("ndcg@10")


def test_a_difference_names_what_changed(old):
    other = recsys.train(
        recsys.ModelSpec("weighted-nmf", {"n_components": 6, "max_iter": 4, "l2": 50.0}), LOG
    )
    order = np.array([1, 0, 2, 3, 4, 5])
    moved = recsys.train(SPEC, until(LOG, 40))
    moved.model.reorder_components(order)
    assert {(pair.old, pair.new) for pair in model_diff(old, moved).moved} == {(1, 2), (2, 1)}
    done = model_diff(old, other, n_changes=3)
    assert done.settings["l2"][1] == 50.0
    assert done.users.n_only_new == len(set(other.user_ids) - set(old.user_ids))
    assert len(done.changes) == 3
    for change in done.changes:
        was, now = (set(bundle.recommend(change.user, 10).to_frame()["item"]) for bundle in (old, other))
        assert set(change.left) == was - now
        assert set(change.entered) == now - was


def test_both_are_measured_on_pairs_that_are_new_to_both(old):
    newer = recsys.train(SPEC, until(LOG, 50))
    quality = quality_of_both(old, newer, LOG, metrics="recall@5")
    known = {(u, i) for u, i in zip(until(LOG, 50).user, until(LOG, 50).item, strict=True)}
    pairs = {(u, i) for u, i in zip(LOG.user, LOG.item, strict=True)} - known
    assert quality.n_pairs == len(pairs)
    users = sorted({user for user, _ in pairs})
    for label, bundle in (("old", old), ("new", newer)):
        recalls = []
        for user in users:
            top = set(bundle.recommend(user, 5).to_frame()["item"])
            mine = {item for who, item in pairs if who == user}
            recalls.append(len(top & mine) / len(mine))
        assert quality.measurements[label].metrics["recall@5"] == pytest.approx(np.mean(recalls))


def test_the_gate_lets_pass_what_is_not_clearly_worse_and_nothing_else(tmp_path, old):
    store = ModelStore(tmp_path / "models")
    recsys.save_bundle(old, tmp_path / "good")
    first = promote(tmp_path / "good", store.folder)
    assert first.is_promoted
    assert "no version was in use" in first.reason
    # One that lists what nobody of the user's taste takes.
    swapped = LOG.assign(user=["u" + str(int(user[1:]) ^ 1) for user in LOG.user])
    recsys.save_bundle(recsys.train(SPEC, until(swapped, 40)), tmp_path / "bad")
    later = LOG[~LOG.index.isin(until(LOG, 40).index)]
    done = promote(tmp_path / "bad", store.folder, gate="ndcg@10", log=later)
    assert not done.is_promoted
    assert done.test.better == "old"
    assert done.test.low > 0
    assert store.current == first.version
    assert store.versions() == (first.version,)
    done = promote(tmp_path / "good", store.folder, gate="ndcg@10", log=later, keep=1)
    assert done.is_promoted
    assert store.versions() == (store.current,) == (done.version,)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"gate": "ndcg@10"}, "give --gate and --on"),
        ({"gate": "coverage@10", "log": LOG}, "no value of users"),
        ({"gate": "ndcg-gap@10", "log": LOG}, "cannot be a gate"),
        ({"keep": 0}, "expected a number of versions"),
    ],
)
def test_wrong_use_of_the_gate(tmp_path, old, more, message):
    recsys.save_bundle(old, tmp_path / "model")
    store = tmp_path / "models"
    promote(tmp_path / "model", store)
    with pytest.raises(recsys.ParameterError, match=message):
        promote(tmp_path / "model", store, **more)


def test_lists_are_made_once_for_whoever_is_measured(old):
    loaded = recsys.load_log(LOG)
    rows = np.arange(len(loaded.log))
    served = ServedLists.of(old, loaded.log, rows, 4)
    assert served.lists.lengths.max() == 4
    assert (served.lists.lengths > 0).sum() == LOG.user.nunique()


def test_the_next_log_is_read_as_the_first_was(tmp_path):
    first, later = tmp_path / "first.csv", tmp_path / "later.csv"
    first.write_text("who;what;score;day\nann;tea;5;31.01.2024\nbob;tea;4;01.02.2024\nbob;jam;3;02.02.2024\n")
    later.write_text("what,who,score,day\njam,ann,4,09.03.2024\n")
    named = {"user": "who", "item": "what", "value": "score", "time": "day", "time_format": "%d.%m.%Y"}
    bundle = recsys.train("popularity", recsys.LogPlan(first, **named))
    recsys.save_bundle(bundle, tmp_path / "model")
    done = monitor(tmp_path / "model", str(later), metrics="recall@1")
    assert done.periods[0].begins == "2024-03-09"
    assert done.whole.measurements.metrics == {"recall@1": 1.0}
    matrix = tmp_path / "matrix.csv"
    matrix.write_text("user,tea,jam,milk\nann,5,,3\nbob,,1,2\n")
    model = recsys.train(recsys.MaskedNMF(1, max_iter=3), recsys.LogPlan(matrix, layout="matrix"))
    matrix.write_text("user,tea,jam,milk\neve,5,,\n")
    assert "eve" in set(update(model, str(matrix)).user_ids)


@pytest.mark.parametrize("call", [model_diff, promote])
def test_a_moment_without_events_is_refused(tmp_path, old, call):
    recsys.save_bundle(old, tmp_path / "model")
    with pytest.raises(recsys.ParameterError, match="--on"):
        call(tmp_path / "model", tmp_path / ("model" if call is model_diff else "models"), since="2024-02-10")
