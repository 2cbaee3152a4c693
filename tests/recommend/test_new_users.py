"""Many people known by what they did alone: as one by one, empty ones by popularity; files of both."""

from __future__ import annotations

import numpy as np
import pytest

from recsys.data.interactions import Interactions
from recsys.errors import InputError
from recsys.models.registry import MODELS
from recsys.recommend.id_files import histories_in, user_ids_in
from recsys.recommend.rules import Rules
from tests.recommend.test_explain import fitted_bundle

HISTORIES = {"ann": {0: 5, 3: 4, 6: 5}, "bob": {1: 2}, "eve": {}}


@pytest.fixture(scope="module", params=MODELS)
def bundle(request):
    found = fitted_bundle(request.param)
    if not found.model.folds_in:
        pytest.skip("it knows only its users")
    return found


def test_together_and_one_by_one_are_the_same(bundle):
    together = bundle.recommend_for_each(HISTORIES, n=4, reasons=2)
    assert together.users == ("ann", "bob", "eve")
    for number, history in enumerate(HISTORIES.values()):
        alone = bundle.recommend_for(history, n=4, reasons=2)
        span = slice(together.indptr[number], together.indptr[number + 1])
        assert together.items[span].tolist() == alone.items.tolist()
        np.testing.assert_array_equal(together.scores[span], alone.scores)
        assert together.reasons[span] == alone.reasons
        assert together.sources[number] == alone.sources[0]


def test_who_has_nothing_gets_the_popularity_list_marked(bundle):
    lists = bundle.recommend_for_each(HISTORIES, n=4, reasons=1)
    assert lists.sources[2] == "popularity"
    span = slice(lists.indptr[2], lists.indptr[3])
    counts = bundle.item_counts
    assert lists.items[span].tolist() == np.argsort(-counts, kind="stable")[:4].tolist()
    assert all(reason.kind == "popularity" for reason in lists.reasons[span])
    explained = bundle.explain_for({}, n=4)
    assert [explanation.item for explanation in explained] == lists.items[span].tolist()
    assert all(explanation.source == "popularity" for explanation in explained)
    if lists.predicted is not None:
        assert np.isfinite(lists.predicted).all()


def test_a_history_of_what_the_model_learned_nothing_of_is_served_by_popularity():
    matrix = np.full((30, 5), np.nan)
    matrix[:, 0] = 1
    matrix[:15, 1] = matrix[:15, 2] = 1
    matrix[0, 3] = 1
    bundle = fitted_bundle("slim", Interactions.from_matrix(matrix, feedback="implicit"))
    weights = bundle.model.weights_between(np.array([4], dtype=np.int32), np.arange(5))
    assert not weights.any()  # nobody has item 4
    lists = bundle.recommend_for([4], n=3)
    assert lists.sources == ("popularity",)
    assert lists.items.tolist() == [0, 1, 2]


def test_names_of_people_are_those_that_rules_go_by(bundle):
    free = bundle.recommend_for_each(HISTORIES, n=24)
    rules = Rules(exclude_for={"bob": [int(free.items[free.indptr[1]])]})
    ruled = bundle.recommend_for_each(HISTORIES, n=24, rules=rules)
    lengths = np.diff(free.indptr) - np.diff(ruled.indptr)
    assert lengths.tolist() == [0, 1, 0]


def test_nobody_gets_nothing(bundle):
    assert len(bundle.recommend_for_each({}, n=3)) == 0
    with pytest.raises(InputError, match="expected a mapping"):
        bundle.recommend_for_each([[0, 3]])


def test_ids_and_histories_from_files(tmp_path):
    (tmp_path / "lines.txt").write_text("b\na\nb\n")
    assert user_ids_in(tmp_path / "lines.txt") == ["b", "a"]
    (tmp_path / "table.csv").write_text("name,user_id\nx,7\ny,9\n")
    assert user_ids_in(tmp_path / "table.csv") == ["7", "9"]
    (tmp_path / "taken.csv").write_text("user,item\n1,a\n2,b\n1,c\n1,a\n")
    assert histories_in(tmp_path / "taken.csv") == {"1": ("a", "c"), "2": ("b",)}
    (tmp_path / "amounts.csv").write_text("user,item,quantity\n1,a,2\n1,a,3\n")
    assert histories_in(tmp_path / "amounts.csv") == {"1": {"a": 5.0}}
    (tmp_path / "ratings.csv").write_text("user,item,rating\n1,a,2\n1,a,3\n")
    assert histories_in(tmp_path / "ratings.csv") == {"1": {"a": 3.0}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("user,thing\n1,a\n", "no column of a usual name for items"),
        ("item,thing\n1,a\n", "no column of a usual name for users"),
        ("user,item,rating\n1,a,good\n", "'good' in column 'rating' is no number"),
    ],
)
def test_histories_that_cannot_be_read(tmp_path, text, message):
    (tmp_path / "histories.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        histories_in(tmp_path / "histories.csv")
    with pytest.raises(InputError, match="there is no such file"):
        user_ids_in(tmp_path / "gone.txt")
