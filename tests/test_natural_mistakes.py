"""What newcomers try first, and junk: each gets an answer, or one error of ours."""

from __future__ import annotations

import contextlib
import io

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import recsys
from recsys.progress import SILENT, listener

FRAME = pd.DataFrame(
    {"user_id": [1, 1, 2, 2, 3], "item_id": ["a", "b", "b", "c", "a"], "rating": [5.0, 3.0, 4.0, 1.0, 2.0]}
)


def test_a_long_table_is_no_matrix():
    with pytest.raises(recsys.InputError, match=r"user_id, item_id, rating: it looks like a log.*from_frame"):
        recsys.MaskedNMF().fit(FRAME)


def test_a_wide_table_is_one():
    wide = pd.DataFrame([[5, np.nan], [np.nan, 3]], index=["ann", "bob"], columns=["tea", "milk"])
    data = recsys.Interactions.from_matrix(wide)
    assert (list(data.user_ids), list(data.item_ids)) == (["ann", "bob"], ["tea", "milk"])
    assert recsys.Bias().fit(wide).n_items_ == 2
    with pytest.raises(recsys.InputError, match=r"labels of the data frame cannot be ids.*stands twice"):
        recsys.Interactions.from_matrix(wide.set_axis(["tea", "tea"], axis=1))


def test_a_table_becomes_interactions():
    data = recsys.Interactions.from_frame(FRAME)
    assert data.feedback == "explicit"
    assert data.digest == recsys.Interactions.from_log(recsys.load_log(FRAME)).digest
    assert data.digest == recsys.Interactions.from_frame(pa.Table.from_pandas(FRAME)).digest
    with pytest.raises(recsys.InputError, match=r"no table; for a file use recsys\.load_log"):
        recsys.Interactions.from_frame("log.csv")
    with pytest.raises(recsys.InputError, match="DataFrame is no log"):
        recsys.Interactions.from_log(FRAME)


def test_columns_named_by_numbers():
    numbered = FRAME.set_axis([0, 1, 2], axis=1)
    log = recsys.load_log(numbered, user=0, item=1, value=2)
    assert log.log.values.tolist() == FRAME.rating.tolist()
    with pytest.raises(recsys.ParameterError, match=r"user is \['u'\]; expected text, e.g. user='user_id'"):
        recsys.load_log(FRAME, user=["u"])


def test_whole_numbers_written_as_floats_are_ids():
    users = pd.Series([17850.0, 13047.0])
    for column in (users, users.tolist(), users.to_numpy()):
        assert list(recsys.Interactions.from_pairs(column, ["a", "b"]).user_ids) == [13047, 17850]
    with pytest.raises(recsys.InputError, match="fractions or gaps"):
        recsys.Interactions.from_pairs([1.5, 2.0], ["a", "b"])


def test_ids_that_cannot_be_held_are_refused():
    with pytest.raises(recsys.InputError, match="beyond 2"):
        recsys.Interactions.from_pairs([2**70, 1], ["a", "b"])
    with pytest.raises(recsys.InputError, match="half of a surrogate pair"):
        recsys.Interactions.from_pairs(["\ud800", "x"], ["a", "b"])
    with pytest.raises(recsys.InputError, match=r"a column of ids is 'abc'"):
        recsys.Interactions.from_pairs("abc", ["a", "b", "c"])


def test_half_precision_ratings():
    log = recsys.load_log(FRAME.astype({"rating": "float16"}))
    assert log.log.values.tolist() == FRAME.rating.tolist()


def test_progress_may_be_a_function_or_true():
    lines = []
    recsys.MaskedNMF(1, max_iter=3, validation_share=0.0, tol=0.0).fit(
        recsys.Interactions.from_frame(FRAME), progress=lines.append
    )
    assert len(lines) >= 3
    assert "2/3" in lines[1]
    assert "a second" in lines[1]
    assert "s left" in lines[1]
    shown = io.StringIO()
    with contextlib.redirect_stderr(shown):
        recsys.MaskedNMF(1, max_iter=2).fit(recsys.Interactions.from_frame(FRAME), progress=True)
    assert shown.getvalue().startswith("\r")
    assert shown.getvalue().endswith("\n")
    assert listener(None) is listener(False) is listener(SILENT) is SILENT
    with pytest.raises(recsys.ParameterError, match="progress is 3; expected True"):
        recsys.MaskedNMF(1).fit(recsys.Interactions.from_frame(FRAME), progress=3)


def test_a_model_without_ids_says_who_recommends():
    model = recsys.MaskedNMF(1).fit(np.array([[5.0, 3.0], [4.0, np.nan]]))
    with pytest.raises(AttributeError, match=r"Bundle\.of\(model, interactions\).*bundle\.recommend"):
        model.recommend(1, np.zeros((1, 2)))
    assert not hasattr(model, "recommend")


@pytest.mark.parametrize("log", [recsys.load_log(FRAME), recsys.split(FRAME, "random:0.4"), "ratings.csv"])
def test_a_log_is_no_matrix(log):
    with pytest.raises(recsys.InputError, match=r"is no matrix.*Of a log, take recsys\.train.*its train"):
        recsys.MaskedNMF(1).fit(log)


def test_a_frame_with_its_columns_in_another_order_is_refused():
    ratings = pd.DataFrame([[5, 3, 1.0], [4, np.nan, 2]], columns=["tea", "jam", "milk"])
    model = recsys.MaskedNMF(1).fit(ratings)
    assert list(model.feature_names_in_) == ["tea", "jam", "milk"]
    for call in (model.transform, model.complete):
        with pytest.raises(recsys.InputError, match="column 0 of the frame is 'milk'; expected 'tea'"):
            call(ratings[["milk", "jam", "tea"]])
        assert call(ratings).shape == call(ratings.to_numpy()).shape
    model.fit(ratings.to_numpy())
    assert not hasattr(model, "feature_names_in_")


JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.floats(),
    st.text(max_size=3),
    st.binary(max_size=3),
    st.just(object()),
    st.just(len),
    st.lists(st.one_of(st.integers(-1, 2), st.text(max_size=2), st.none()), max_size=3),
    st.dictionaries(st.text(max_size=2), st.integers(0, 2), max_size=2),
    st.just(np.zeros((2, 2, 2))),
    st.just(pd.DataFrame({"x": [1]})),
)
DATA = recsys.Interactions.from_frame(FRAME)
BUNDLE = recsys.Bundle.of(recsys.Bias().fit(DATA), DATA)
DONE = recsys.evaluate("bias", FRAME, split="random:0.4", metrics="rmse")
CALLS = {
    "load_log": lambda junk: recsys.load_log(junk),
    "load_log user": lambda junk: recsys.load_log(FRAME, user=junk),
    "load_log where": lambda junk: recsys.load_log(FRAME, where=junk),
    "load_log feedback": lambda junk: recsys.load_log(FRAME, feedback=junk),
    "from_frame": lambda junk: recsys.Interactions.from_frame(junk),
    "from_log": lambda junk: recsys.Interactions.from_log(junk),
    "from_pairs": lambda junk: recsys.Interactions.from_pairs(junk, junk),
    "from_pairs values": lambda junk: recsys.Interactions.from_pairs([1, 2], [1, 2], junk),
    "from_matrix": lambda junk: recsys.Interactions.from_matrix(junk),
    "split": lambda junk: recsys.split(FRAME, junk),
    "split log": lambda junk: recsys.split(junk),
    "split seed": lambda junk: recsys.split(FRAME, "random:0.4", seed=junk),
    "split min_user": lambda junk: recsys.split(FRAME, "random:0.4", min_user=junk),
    "compare models": lambda junk: recsys.compare(junk, FRAME, metrics="rmse", seed=-1),
    "evaluate log": lambda junk: recsys.evaluate("bias", junk, metrics="rmse"),
    "evaluate metrics": lambda junk: recsys.evaluate("bias", FRAME, metrics=junk, seed=-1),
    "evaluate split": lambda junk: recsys.evaluate("bias", FRAME, split=junk, metrics="rmse"),
    "evaluate threads": lambda junk: recsys.evaluate("bias", FRAME, threads=junk, metrics="rmse"),
    "train": lambda junk: recsys.train(junk, FRAME, seed=-1),
    "train log": lambda junk: recsys.train("bias", junk),
    "interval": lambda junk: recsys.interval(junk, "rmse"),
    "interval metric": lambda junk: recsys.interval(DONE, junk),
    "compare_pairs": lambda junk: recsys.compare_pairs(junk, "rmse"),
    "write_report": lambda junk: recsys.write_report(junk, "r.html"),
    "Recommender": lambda junk: recsys.Recommender(junk),
    "recommend": lambda junk: BUNDLE.recommend(junk),
    "recommend n": lambda junk: BUNDLE.recommend([1], junk),
    "recommend_for": lambda junk: BUNDLE.recommend_for(junk),
    "predict": lambda junk: BUNDLE.predict(junk, junk),
    "fit": lambda junk: recsys.Bias().fit(junk),
    "set_threads": lambda junk: (recsys.set_threads(junk), recsys.set_threads(None)),
    "load_bundle": lambda junk: recsys.load_bundle(junk),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
@settings(max_examples=25)
@given(junk=JUNK)
def test_what_is_raised_is_ours(name, junk):
    with contextlib.suppress(recsys.RecsysError):  # an answer will do, too
        CALLS[name](junk)
