"""Items like an item, users like a user: equal to a plain loop over all pairs, for every model that can."""

from __future__ import annotations

import json

import numpy as np
import pytest

from recsys.errors import InputError, ModelError, ParameterError
from recsys.models.factor_model import FactorModel
from recsys.models.registry import MODELS
from recsys.recommend.bundle import Bundle
from recsys.recommend.similar import Similarities
from tests.recommend.test_explain import IMPLICIT, Silent, fitted_bundle

NEITHER = ("popularity", "bias")
BY_NEIGHBORS = ("slim", "item-knn", "ease", "hybrid-nmf")


@pytest.fixture(scope="module", params=[name for name in MODELS if name not in NEITHER])
def bundle(request):
    return fitted_bundle(request.param)


def lists_of(similar: Similarities):
    return [[entry[similar.kind] for entry in record["similar"]] for record in similar.lists()]


def cosines(factors):
    """Return the cosine of every two rows, pair by pair."""
    rows = [row.astype(float) for row in factors]
    lengths = [sum(value * value for value in row.tolist()) ** 0.5 for row in rows]
    return np.array(
        [
            [
                sum(a * b for a, b in zip(one.tolist(), other.tolist(), strict=True)) / (of_one * of_other)
                if of_one * of_other
                else 0.0
                for other, of_other in zip(rows, lengths, strict=True)
            ]
            for one, of_one in zip(rows, lengths, strict=True)
        ]
    )


def test_by_factors_it_is_the_cosine_of_every_pair(bundle):
    model = bundle.model if isinstance(bundle.model, FactorModel) else bundle.model.component_model
    if model is None:
        with pytest.raises(ModelError, match="has no factors to compare items by"):
            bundle.similar(3, by="factors")
        return
    everything = cosines(model.item_factors_)
    similar = bundle.similar([3, 0], n=23, by="factors")
    for number, item in enumerate((3, 0)):
        span = slice(similar.indptr[number], similar.indptr[number + 1])
        listed = list(similar.ids[span])
        assert item not in listed
        np.testing.assert_allclose(similar.values[span], everything[item, listed], atol=1e-5)
        positive = {other for other in range(24) if other != item and everything[item, other] > 1e-6}
        assert positive <= set(listed)
        assert bool(similar.why_short[number]) == (len(listed) < 23)


def test_by_neighbors_it_is_what_having_one_adds_to_the_other(bundle):
    if bundle.model.name not in BY_NEIGHBORS:
        with pytest.raises(ModelError, match="has no neighbors to compare items by"):
            bundle.similar(3, by="neighbors")
        return
    similar = bundle.similar(3, n=23)
    assert similar.by == "neighbors"
    of_model = bundle.model.neighbor_model
    unit = of_model.weights_between(np.array([3], dtype=np.int32), np.arange(24))[0]
    unit[3] = 0
    order = [item for item in np.argsort(-unit, kind="stable").tolist() if unit[item] > 0]
    assert list(similar.ids) == order
    np.testing.assert_array_equal(similar.values, unit[order].astype(np.float32))


def test_users_are_compared_by_their_factors(bundle):
    model = bundle.model if isinstance(bundle.model, FactorModel) else bundle.model.component_model
    if model is None:
        with pytest.raises(ModelError, match="learns nothing of users"):
            bundle.similar_users(3)
        return
    similar = bundle.similar_users(3, n=5)
    everything = cosines(model.user_factors_)[3]
    everything[3] = -1
    np.testing.assert_allclose(similar.values, np.sort(everything)[::-1][:5], atol=1e-5)
    assert similar.kind == "user"


def test_one_by_one_and_together_are_the_same():
    bundle = fitted_bundle("hybrid-nmf", IMPLICIT)
    for by in ("factors", "neighbors"):
        together = lists_of(bundle.similar(range(24), n=4, by=by))
        assert together == [lists_of(bundle.similar(item, n=4, by=by))[0] for item in range(24)]
        assert lists_of(bundle.similar([5, 5, "5"], n=4, by=by)) == [together[5]]


def test_items_of_one_taste_are_alike():
    bundle = fitted_bundle("weighted-nmf", IMPLICIT)
    alike = lists_of(bundle.similar(range(24), n=4))
    assert np.mean([other % 3 == item % 3 for item, listed in enumerate(alike) for other in listed]) > 0.7


def test_an_item_that_shares_nothing_has_a_shorter_list():
    bundle = fitted_bundle("slim", IMPLICIT)
    similar = bundle.similar(0, n=23)
    assert len(similar.ids) < 23
    assert similar.why_short[0].endswith("anything in common with it")


def test_tables_and_records_are_plain():
    similar = fitted_bundle("hybrid-nmf", IMPLICIT).similar([3, 4], n=2, by="factors")
    frame = similar.to_frame()
    assert frame.columns.tolist() == ["item", "rank", "similar", "name", "similarity"]
    assert frame["item"].tolist() == [3, 3, 4, 4]
    assert frame["rank"].tolist() == [1, 2, 1, 2]
    records = json.loads(json.dumps(list(similar.lists())))
    assert [record["item"] for record in records] == [3, 4]
    assert records[0]["similar"][0]["name"].startswith("item ")


@pytest.mark.parametrize("name", NEITHER)
def test_a_model_that_learns_nothing_of_the_sort_says_so(name):
    bundle = fitted_bundle(name)
    with pytest.raises(ModelError, match="learns nothing of items that could be compared"):
        bundle.similar(3)
    with pytest.raises(ModelError, match="learns nothing of users that could be compared"):
        bundle.similar_users(3)


def test_a_model_of_ones_own_says_so_too():
    with pytest.raises(ModelError, match="silent learns nothing of items"):
        Bundle.of(Silent().fit(IMPLICIT), IMPLICIT).similar(3)


def test_what_is_refused():
    bundle = fitted_bundle("hybrid-nmf", IMPLICIT)
    with pytest.raises(InputError, match="item 99 is not known"):
        bundle.similar(99)
    with pytest.raises(InputError, match="user 'nobody' is not known"):
        bundle.similar_users("nobody")
    with pytest.raises(ParameterError, match="n is 0"):
        bundle.similar(3, n=0)
    with pytest.raises(ParameterError, match="by is 'taste'; expected one of factors, neighbors"):
        bundle.similar(3, by="taste")
