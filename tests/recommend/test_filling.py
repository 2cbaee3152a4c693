"""Places for which a model has no score: what is popular fills them, and every output says so."""

from __future__ import annotations

import json

import numpy as np
import pytest

from recsys.data.interactions import Interactions
from recsys.evaluation.evaluator import evaluate
from recsys.evaluation.metrics import parse_metrics
from recsys.models.new_users import NewUsers
from recsys.models.registry import make
from recsys.recommend.bundle import Bundle
from recsys.recommend.filling import shown_blocks
from recsys.recommend.lists import restriction_of
from recsys.recommend.rules import Rules
from tests.held_out import held_out_of

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


def recall_of(lists, held_out):
    return [
        len(set(items_of(lists, number)) & held) / len(held) for number, held in enumerate(held_out.values())
    ]


def held_out_in(bundle):
    """Three items of each user that are not in training: ids by user, and what evaluation takes."""
    generator = np.random.default_rng(0)
    chosen = []
    for user in range(len(bundle.user_ids)):
        left = np.setdiff1d(np.arange(len(bundle.item_ids)), bundle.seen.row(user)[0])
        chosen.append(set(generator.permutation(left)[:3].tolist()))
    ids = {
        user: {bundle.item_ids[i] for i in held} for user, held in zip(bundle.user_ids, chosen, strict=True)
    }
    return ids, held_out_of(chosen, len(bundle.item_ids))


@pytest.mark.parametrize("rules", [None, Rules(exclude=["b11", "a0"]), Rules(diversity=0.3)], ids=str)
def test_what_is_measured_is_what_is_shown(bundle, rules):
    restriction = None if rules is None else restriction_of(bundle, rules)
    blocks = shown_blocks(bundle.model, np.arange(15), 8, bundle.seen, bundle.item_counts, rules=restriction)
    shown = bundle.recommend(None, 8, rules=rules)
    start = 0
    for block in blocks:
        for row, length in enumerate(block.n_listed.tolist()):
            listed = [bundle.item_ids[item] for item in block.items[row, :length].tolist()]
            assert listed == items_of(shown, start + row)
        start += len(block.users)
    assert start == 15


def test_a_metric_of_a_known_user_is_that_of_the_list(bundle):
    by_user, held_out = held_out_in(bundle)
    measured = evaluate(bundle.model, bundle.seen, held_out, parse_metrics(["recall@8"]))
    np.testing.assert_allclose(measured.per_user["recall@8"], recall_of(bundle.recommend(None, 8), by_user))


def test_and_of_a_new_user(bundle):
    by_user, held_out = held_out_in(bundle)
    model = NewUsers(bundle.model, bundle.seen)
    measured = evaluate(model, bundle.seen, held_out, parse_metrics(["recall@8"]))
    histories = {
        user: [bundle.item_ids[int(i)] for i in bundle.seen.row(row)[0]] for row, user in enumerate(by_user)
    }
    shown = bundle.recommend_for_each(histories, 8)
    np.testing.assert_allclose(measured.per_user["recall@8"], recall_of(shown, by_user))


def test_a_user_of_whom_the_model_knows_nothing_is_measured_by_the_popular_list(monkeypatch):
    bundle = Bundle.of(make("weighted-nmf", MODELS["weighted-nmf"]).fit(DATA), DATA)
    monkeypatch.setattr(type(bundle.model), "is_blank", lambda model, users=None: np.asarray(users) % 2 == 0)
    by_user, held_out = held_out_in(bundle)
    measured = evaluate(bundle.model, bundle.seen, held_out, parse_metrics(["recall@8"]))
    shown = bundle.recommend(None, 8)
    assert shown.sources[:2] == ("popularity", "model")
    np.testing.assert_allclose(measured.per_user["recall@8"], recall_of(shown, by_user))


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
