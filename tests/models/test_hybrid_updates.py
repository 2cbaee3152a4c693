"""New entries in a fitted hybrid, and the hybrid as it stands after each sweep of its themes."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import recsys
from recsys.data.interactions import Interactions
from recsys.errors import ModelError
from recsys.experiment.updating import update
from recsys.models.hybrid_nmf import HybridNMF
from recsys.models.masked_nmf import MaskedNMF
from recsys.models.slim import SLIM
from recsys.models.taken_entries import liked, newly_taken
from recsys.models.weighted_nmf import WeightedNMF
from recsys.progress import Silent


def parts_of_log(feedback="explicit", seed=0):
    """Return a log in two parts, of which the second has new users and items and known pairs again."""
    generator = np.random.default_rng(seed)
    pairs = np.argwhere(generator.random((40, 20)) < 0.3)
    values = generator.integers(1, 6, len(pairs)).astype(np.float32)
    late = (pairs[:, 0] > 35) | (pairs[:, 1] == 19) | (generator.random(len(pairs)) < 0.05)
    again = ~late & (generator.random(len(pairs)) < 0.1)
    made = []
    for part, more in ((~late, 0), (late | again, 1)):
        higher = np.minimum(values[part] + more, 5)
        made.append(Interactions.from_pairs(*pairs[part].T, higher, feedback=feedback))
    return made


def model(**params):
    return HybridNMF(3, n_neighbors=5, neighbor_l2=5.0, **params)


def same(ours, other):
    arrays, others = ours.to_arrays(), other.to_arrays()
    assert arrays.keys() == others.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, others[name], err_msg=name)


def test_an_update_is_that_of_each_part():
    first, second = parts_of_log()
    ours = model().fit(first)
    themes = WeightedNMF(3, max_iter=3).fit(first).partial_fit(second)
    ratings = MaskedNMF().fit(first).partial_fit(second)
    neighbors = SLIM(n_neighbors=5, l2=5.0).fit(first)
    neighbors.scale_weights(ours.neighbors_.weight_scale_)
    same(ours.neighbors_, neighbors)
    assert ours.partial_fit(second) is ours
    for part, alone in zip(
        (ours.themes_, ours.neighbors_, ours.ratings_),
        (themes, neighbors.partial_fit(second), ratings),
        strict=True,
    ):
        same(part, alone)
    whole = first.merged(second)
    ours.check_fitted_to(whole)
    np.testing.assert_array_equal(ours.training_.by_user.values, whole.by_user.values)
    users = np.arange(whole.n_users)
    added = ours.themes_.score_block(users) + ours.neighbors_.score_block(users)
    np.testing.assert_allclose(ours.score_block(users), added, rtol=1e-5)


@pytest.mark.parametrize("feedback", ["explicit", "implicit"])
def test_a_stored_model_is_updated_as_the_one_in_memory(tmp_path, feedback):
    first, second = parts_of_log(feedback)
    ours = model().fit(first)
    recsys.save_bundle(recsys.Bundle.of(ours, first, training={"source": "pairs", "seed": 0}), tmp_path / "m")
    loaded = recsys.load_bundle(tmp_path / "m").model
    with pytest.raises(ModelError, match=r"give it: partial_fit\(X, known=data\)"):
        loaded.partial_fit(second)
    same(loaded.partial_fit(second, known=first), ours.partial_fit(second))


@pytest.mark.parametrize("kind", ["hybrid-nmf", "slim"])
def test_the_command_s_call_leaves_the_old_bundle_as_it_was(kind):
    frame = pd.DataFrame({"user": [1, 1, 2, 2, 3, 3, 4], "item": list("abacbca")})
    new = pd.DataFrame({"user": [5, 5, 1], "item": list("adc")})
    old = recsys.train(kind, frame)
    before = {name: array.copy() for name, array in old.model.to_arrays().items()}
    after = update(old, new)
    for name, array in old.model.to_arrays().items():
        np.testing.assert_array_equal(array, before[name])
    twin = recsys.train(kind, frame).model.partial_fit(Interactions.from_log(recsys.load_log(new).log))
    same(after.model, twin)
    assert len(after.user_ids) == 5


@pytest.mark.parametrize("feedback", ["explicit", "implicit"])
def test_what_counts_as_taken_is_that_of_everything(feedback):
    first, second = parts_of_log(feedback)
    taken = replace(first, by_user=liked(first.by_user, "all", 3.0))
    newly = newly_taken(first, second, 3.0)
    merged, whole = taken.merged(newly), first.merged(second)
    expected = liked(whole.by_user, "all", 3.0)
    for name in ("indptr", "columns", "values"):
        np.testing.assert_array_equal(getattr(merged.by_user, name), getattr(expected, name))
    assert (merged.user_ids, merged.item_ids) == (whole.user_ids, whole.item_ids)
    ours = model(liked_from=3.0).fit(first).partial_fit(second)
    assert ours.themes_.training_.nnz == expected.nnz


def test_what_cannot_be_taken_in_says_so():
    first, second = parts_of_log()
    with pytest.raises(ModelError, match="liked='above-mean' goes by the mean"):
        model(liked="above-mean").fit(first).partial_fit(second)
    lower = second.__class__.from_pairs(
        first.user_ids.values[:1],
        first.item_ids.values[first.by_user.columns[:1]],
        [0.5],
        feedback="explicit",
    )
    with pytest.raises(ModelError, match="1 entries that counted as taken are below liked_from 1 now"):
        model(liked_from=1.0).fit(first).partial_fit(lower)
    fitted = model().fit(first)
    older = {name: array for name, array in fitted.to_arrays().items() if name != "neighbors_scale"}
    loaded = model()
    loaded.load(older)
    np.testing.assert_array_equal(loaded.score_block([0, 1]), fitted.score_block([0, 1]))
    with pytest.raises(ModelError, match="an older version, which does not say how neighbors were scaled"):
        loaded.partial_fit(second, known=first)


class Shots(Silent):
    def __init__(self):
        self.models = []

    def snapshot(self, model):
        self.models.append(model)


@pytest.mark.parametrize("ratings", ["yes", "no"])
def test_after_each_sweep_the_model_is_a_fit_of_so_many(ratings):
    first, _ = parts_of_log()
    shots = Shots()
    fitted = model(max_iter=3, ratings=ratings).fit(first, progress=shots)
    assert [shot.max_iter for shot in shots.models] == [1, 2, 3]
    for shot in shots.models:
        same(shot, model(max_iter=shot.max_iter, ratings=ratings).fit(first))
        assert shot.config() == model(max_iter=shot.max_iter, ratings=ratings).fit(first).config()
    same(shots.models[-1], fitted)
