"""Places for which a model has no score: what is popular fills them, and every output says so."""

from __future__ import annotations

import json

import numpy as np
import pytest

from recsys.data.interactions import Interactions
from recsys.models.registry import make
from recsys.recommend.bundle import Bundle
from recsys.recommend.rules import Rules

# Two groups with nothing in common: who is in one has scores of 0 for all items of the other.
N_OWN, N_OTHERS = 4, 12
LEFT = [(f"l{user}", f"a{item}") for user in range(6) for item in range(N_OWN) if (user + item) % 3]
RIGHT = [(f"r{user}", f"b{item:02d}") for user in range(9) for item in range(N_OTHERS) if user <= item]
DATA = Interactions.from_pairs(*zip(*(LEFT + RIGHT), strict=True))
MODELS = {
    "slim": {"l2": 1.0},
    "item-knn": {},
    "weighted-nmf": {"n_components": 4},
    "poisson-nmf": {"n_components": 2, "user_l1": 0.5, "item_l1": 0.5},
    "hybrid-nmf": {"n_components": 4},
}


@pytest.fixture(scope="module", params=MODELS)
def bundle(request):
    return Bundle.of(make(request.param, MODELS[request.param]).fit(DATA), DATA)


def items_of(lists, number=0):
    return list(lists.items[lists.indptr[number] : lists.indptr[number + 1]])


def by_popularity(bundle, user, n):
    """All that a user has not taken, the most taken first, ties by number: counted here."""
    counts = {}
    for _, item in LEFT + RIGHT:
        counts[item] = counts.get(item, 0) + 1
    taken = {item for owner, item in LEFT + RIGHT if owner == user}
    order = sorted(counts, key=lambda item: (-counts[item], list(bundle.item_ids).index(item)))
    return [item for item in order if item not in taken][:n]


def test_popular_items_follow_those_with_a_score(bundle):
    lists = bundle.recommend(["l0"], 8)
    n_scored = int(np.count_nonzero(lists.scores))
    assert 0 < n_scored < 8
    assert len(lists.items) == 8
    scored = items_of(lists)[:n_scored]
    expected = [item for item in by_popularity(bundle, "l0", 99) if item not in scored]
    assert items_of(lists)[n_scored:] == expected[: 8 - n_scored]
    assert list(lists.row_sources) == ["model"] * n_scored + ["popularity"] * (8 - n_scored)
    assert lists.sources == ("model",)
    assert not lists.scores[n_scored:].any()
    assert not lists.themes[n_scored:].any()


def test_a_list_whose_items_all_have_a_score_is_the_models(bundle):
    lists = bundle.recommend(["l0"], 1)
    assert lists.fill_sources is None
    assert list(lists.to_frame()["source"]) == ["model"]
    assert "source" not in next(lists.lists())["items"][0]


def test_every_output_says_so(bundle):
    lists = bundle.recommend(["l0", "r0"], 6)
    frame = lists.to_frame()
    assert list(frame["source"]) == list(lists.row_sources)
    record = next(lists.lists())
    told = [item.get("source", record["source"]) for item in record["items"]]
    assert told == list(lists.row_sources[:6])
    json.dumps(record)
    assert list(lists.select(["l0"]).row_sources) == told


def test_new_users_too(bundle):
    lists = bundle.recommend_for(dict.fromkeys(["a0", "a1"], 1.0), 8)
    n_scored = int(np.count_nonzero(lists.scores))
    assert 0 < n_scored < 8
    assert list(lists.row_sources) == ["model"] * n_scored + ["popularity"] * (8 - n_scored)
    assert not {"a0", "a1"} & set(items_of(lists))
    assert len(set(items_of(lists))) == 8


def test_rules_hold_for_what_fills(bundle):
    popular = by_popularity(bundle, "l0", 99)
    left_out = [item for item in popular if item.startswith("b")][:3]
    lists = bundle.recommend(["l0"], 8, rules=Rules(exclude=left_out))
    assert not set(left_out) & set(items_of(lists))
    assert len(lists.items) == 8


def test_a_limit_for_categories_holds_for_the_whole_list(bundle):
    kinds = {item: (item[0],) for item in bundle.item_ids}
    lists = bundle.recommend(["l0"], 8, rules=Rules(categories=kinds, most_per_category=3))
    listed = [item[0] for item in items_of(lists)]
    assert listed.count("b") == 3
    assert "popularity" in lists.row_sources


def test_a_segments_popular_items_fill_its_lists(bundle):
    lists = bundle.recommend(["l0"], 8, segments={"l0": "south", "r8": "south"})
    filled = [source for source in lists.row_sources if source != "model"]
    assert set(filled) == {"segment"}
    first = items_of(lists)[8 - len(filled)]
    assert first in {item for user, item in RIGHT if user == "r8"}


def test_reasons_say_so(bundle):
    lists = bundle.recommend(["l0"], 8, reasons=2)
    for source, reason in zip(lists.row_sources, lists.reasons, strict=True):
        assert source == "model" or "many" in reason.text.lower() or "popular" in reason.text.lower(), reason
        assert source == "model" or not reason.items


def test_models_of_any_sign_are_left_as_they_are():
    data = Interactions.from_pairs(*zip(*(LEFT + RIGHT), strict=True), np.ones(len(LEFT + RIGHT)))
    assert Bundle.of(make("ease").fit(data), data).recommend(["l0"], 8).fill_sources is None


def test_a_list_shorter_than_asked_stays_short(bundle):
    lists = bundle.recommend(["l0"], 99)
    n_taken = sum(owner == "l0" for owner, _ in LEFT)
    assert len(lists.items) == N_OWN + N_OTHERS - n_taken
    assert len(set(items_of(lists))) == len(lists.items)
