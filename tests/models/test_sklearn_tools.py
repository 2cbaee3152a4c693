"""scikit-learn's tools take the models for estimators of its own."""

import pickle

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("sklearn", minversion="1.6")
import sklearn
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_validate, train_test_split
from sklearn.pipeline import make_pipeline

import recsys
from recsys import EntryKFold, MaskedNMF, ObservedEntries, PoissonNMF, WeightedNMF
from tests.matrices import random_matrix

X = random_matrix(40, 12)


def test_a_grid_search_chooses_by_entries_that_were_held_out():
    entries = ObservedEntries(X)
    grid = {"l2": [1e-3, 0.1, 10.0]}
    search = GridSearchCV(MaskedNMF(2, max_iter=10), grid, cv=EntryKFold(3)).fit(entries)
    naive = []
    for l2 in grid["l2"]:
        scores = []
        for train, test in EntryKFold(3).split(entries):
            held_out = np.full(X.shape, np.nan)
            held_out[entries.users[train], entries.items[train]] = entries.values[train]
            model = MaskedNMF(2, max_iter=10, l2=l2).fit(held_out)
            error = model.predict_by_row(entries.users[test], entries.items[test]) - entries.values[test]
            scores.append(-np.sqrt(np.mean(error.astype(np.float64) ** 2)))
        naive.append(np.mean(scores))
    np.testing.assert_allclose(search.cv_results_["mean_test_score"], naive, rtol=1e-6)
    assert search.best_params_["l2"] == grid["l2"][int(np.argmax(naive))]
    assert search.best_estimator_.training_.nnz == len(entries)


def test_lists_are_chosen_by_a_metric_of_lists():
    scoring = {name: recsys.entry_scorer(name) for name in ("ndcg@5", "recall@5")}
    done = cross_validate(WeightedNMF(2), ObservedEntries(X), cv=EntryKFold(3), scoring=scoring)
    assert len(done["test_ndcg@5"]) == len(done["test_recall@5"]) == 3
    assert (done["test_ndcg@5"] > 0).all()


def test_a_training_score_is_refused():
    with pytest.raises(recsys.InputError, match="entries were fitted"):
        cross_validate(
            MaskedNMF(2),
            ObservedEntries(X),
            cv=EntryKFold(3),
            return_train_score=True,
            error_score="raise",
        )


def test_train_test_split_holds_entries_out():
    train, test = train_test_split(ObservedEntries(X), test_size=0.2, random_state=0)
    assert MaskedNMF(2).fit(train).score(test) < 0


def test_a_pipeline_of_users_components():
    likes_first = (np.nan_to_num(X).sum(axis=1) > 14).astype(int)
    pipeline = make_pipeline(MaskedNMF(3, biases=False), LogisticRegression())
    done = cross_validate(pipeline, X, likes_first, cv=3, error_score="raise")
    assert len(done["test_score"]) == 3
    assert clone(pipeline).set_params(maskednmf__l2=0.5).fit(X, likes_first)[0].l2 == 0.5


@pytest.mark.parametrize("kind", [MaskedNMF, WeightedNMF, PoissonNMF])
def test_output_as_a_data_frame(kind):
    frame = pd.DataFrame(np.nan_to_num(X), index=[f"user {n}" for n in range(40)])
    model = kind(2, max_iter=5)
    plain = model.fit(frame).transform(frame)
    assert isinstance(plain, np.ndarray)
    shown = clone(model.set_output(transform="pandas")).fit(frame).transform(frame)
    assert list(shown.columns) == list(model.get_feature_names_out())
    assert list(shown.index) == list(frame.index)
    np.testing.assert_array_equal(shown.to_numpy(), plain)
    assert isinstance(model.fit_transform(frame), pd.DataFrame)
    assert isinstance(model.set_output(transform="default").transform(frame), np.ndarray)
    with sklearn.config_context(transform_output="pandas"):
        assert isinstance(kind(2, max_iter=5).fit_transform(frame.to_numpy()), pd.DataFrame)
        assert isinstance(model.transform(frame), np.ndarray)  # its own choice comes first
    with pytest.raises(recsys.ParameterError, match="transform is 'list'; expected one of default"):
        model.set_output(transform="list")


def test_output_as_a_frame_of_polars():
    pytest.importorskip("polars")
    shown = MaskedNMF(2).set_output(transform="polars").fit_transform(X)
    assert shown.columns == ["maskednmf0", "maskednmf1"]


def test_weights_are_routed():
    entries = ObservedEntries(X)
    weights = np.random.default_rng(0).random(len(entries)) + 0.1
    with sklearn.config_context(enable_metadata_routing=True):
        model = MaskedNMF(2, max_iter=5).set_fit_request(entry_weight=True)
        search = GridSearchCV(model, {"l2": [0.1, 1.0]}, cv=EntryKFold(3))
        routed = search.fit(entries, entry_weight=weights)
        unasked = GridSearchCV(MaskedNMF(2), {"l2": [0.1]}, cv=EntryKFold(3))
        with pytest.raises(sklearn.exceptions.UnsetMetadataPassedError, match="entry_weight"):
            unasked.fit(entries, entry_weight=weights)
        pipeline = make_pipeline(MaskedNMF(2).set_fit_request(entry_weight=True), LogisticRegression())
        pipeline.fit(X, np.arange(40) % 2, entry_weight=np.where(np.isnan(X), np.nan, 1.0))
    expected = MaskedNMF(2, max_iter=5, l2=routed.best_params_["l2"]).fit(entries, entry_weight=weights)
    np.testing.assert_array_equal(routed.best_estimator_.components_, expected.components_)


def test_a_notebook_shows_the_diagram_and_the_text():
    shown = MaskedNMF(7)._repr_mimebundle_()
    assert "MaskedNMF" in shown["text/html"]
    assert "n_components" in shown["text/html"]
    assert shown["text/plain"].startswith("MaskedNMF(n_components=7")
    assert "maskednmf" in make_pipeline(MaskedNMF(7), LogisticRegression())._repr_html_()


def test_a_notebook_without_scikit_learn_shows_the_text(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "sklearn.utils", None)
    assert list(MaskedNMF(7)._repr_mimebundle_()) == ["text/plain"]
    monkeypatch.setitem(sys.modules, "sklearn.utils.metadata_routing", None)
    with pytest.raises(recsys.DependencyError, match="metadata routing is scikit-learn's"):
        MaskedNMF(7).get_metadata_routing()


def test_a_fitted_model_travels_between_processes():
    model = MaskedNMF(2).fit(X)
    copied = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copied.transform(X), model.transform(X))
