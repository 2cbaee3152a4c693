"""Rules: lists equal to a plain filter over a full ranking, for every rule, kind of user and model."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import recsys
from recsys.data.held_out import HeldOut
from recsys.data.interactions import Interactions
from recsys.errors import InputError, ParameterError
from recsys.evaluation.evaluator import evaluate
from recsys.evaluation.metrics import parse_metrics
from recsys.models.registry import MODELS
from recsys.recommend.id_files import categories_of, read_rules, rule_items
from recsys.recommend.rules import Rules
from tests.logs import random_log
from tests.recommend.test_explain import IMPLICIT, fitted_bundle

N_ITEMS = 24
CATEGORIES = {item: (("a",), ("b",), ("a", "c"), ())[item % 4] for item in range(N_ITEMS)}
USERS = [0, 7, "nobody", 13]


@pytest.fixture(scope="module", params=MODELS)
def bundle(request):
    return fitted_bundle(request.param)


@pytest.fixture(scope="module")
def hybrid():
    return fitted_bundle("hybrid-nmf", IMPLICIT)


def plain_list(bundle, user, n, rules):
    """Return a list by looking at one item after the other."""
    known = isinstance(user, int)
    blank = known and bundle.model.is_blank()[user]
    scores = bundle.item_counts if blank or not known else bundle.model.score_block(np.array([user]))[0]
    owned = set(bundle.seen.row(user)[0].tolist()) if known else set()
    listed, counts = [], {}
    # Items of which a model of scores from zero says nothing are in the order of popularity.
    ties = bundle.item_counts if bundle.model.scores_from_zero else np.zeros(N_ITEMS)
    for item in sorted(range(N_ITEMS), key=lambda i: (-scores[i], -ties[i] if scores[i] == 0 else 0, i)):
        bears = set(rules.categories.get(item, ()))
        allowed = [
            item not in rules.exclude,
            rules.only is None or item in rules.only,
            item not in rules.exclude_for.get(user, ()),
            user not in rules.only_for or item in rules.only_for[user],
            not rules.only_categories or bears & set(rules.only_categories),
            not bears & set(rules.never_categories),
            bundle.item_counts[item] >= rules.least_users,
            item in owned if rules.bought_before else (rules.include_seen or item not in owned),
        ]
        if not all(allowed) or len(listed) == n:
            continue
        most = rules.most_per_category
        if most is not None and any(counts.get(category, 0) >= most for category in bears):
            continue
        for category in bears:
            counts[category] = counts.get(category, 0) + 1
        listed.append(item)
    return listed


def assert_as_plain(bundle, rules, n=5, users=USERS):
    lists = bundle.recommend(users, n, rules=rules)
    for number, record in enumerate(lists.lists()):
        listed = [entry["item"] for entry in record["items"]]
        assert listed == plain_list(bundle, users[number], n, rules)
        assert bool(record["why_short"]) == (len(listed) < n)


RULES = [
    Rules(exclude=[0, 3, 5]),
    Rules(only=range(4, 20)),
    Rules(only=[2, 6], exclude=[2]),
    Rules(exclude_for={7: [1, 4], "nobody": [0]}, only_for={13: [2, 3, 5, 6, 8]}),
    Rules(categories=CATEGORIES, only_categories=["a"]),
    Rules(categories=CATEGORIES, never_categories=["a", "b"]),
    Rules(categories=CATEGORIES, most_per_category=1),
    Rules(categories=CATEGORIES, most_per_category=2, exclude=[0, 1]),
    Rules(least_users=15),
    Rules(include_seen=True),
    Rules(include_seen=True, exclude=[1]),
    Rules(bought_before=True),
    Rules(bought_before=True, categories=CATEGORIES, most_per_category=1),
]


@pytest.mark.parametrize("rules", RULES, ids=range(len(RULES)))
def test_lists_are_those_of_a_plain_filter(bundle, rules):
    assert_as_plain(bundle, rules)


items = st.lists(st.integers(0, N_ITEMS - 1), max_size=10)
rules_of_any_kind = st.builds(
    Rules,
    exclude=items,
    only=st.none() | st.lists(st.integers(0, N_ITEMS - 1), min_size=1, max_size=20),
    exclude_for=st.dictionaries(st.sampled_from(USERS), items, max_size=2),
    only_for=st.dictionaries(st.sampled_from(USERS), items, max_size=2),
    categories=st.just(CATEGORIES),
    never_categories=st.lists(st.sampled_from("abc"), max_size=1),
    most_per_category=st.none() | st.integers(1, 3),
    least_users=st.integers(0, 20),
)


@given(rules_of_any_kind, st.integers(1, 30))
def test_rules_hold_together(rules, n):
    bundle = fitted_once()
    allowed = set(range(N_ITEMS) if rules.only is None else rules.only) - set(rules.exclude)
    allowed -= {item for item in allowed if set(CATEGORIES[item]) & set(rules.never_categories)}
    if not any(bundle.item_counts[item] >= rules.least_users for item in allowed):
        with pytest.raises(InputError, match="leave none"):
            bundle.recommend([0], rules=rules)
        return
    assert_as_plain(bundle, rules, n)


def fitted_once(kept=[]):  # noqa: B006 - one model for all examples
    if not kept:
        kept.append(fitted_bundle("weighted-nmf", IMPLICIT))
    return kept[0]


def test_somebody_known_by_a_history_keeps_to_the_rules(hybrid):
    everything = hybrid.recommend_for([0, 3], n=N_ITEMS).items.tolist()
    rules = Rules(exclude=[everything[0]], exclude_for={"history": [everything[1]]})
    assert hybrid.recommend_for([0, 3], n=N_ITEMS, rules=rules).items.tolist() == everything[2:]
    again = hybrid.recommend_for([0, 3], n=5, rules=Rules(bought_before=True))
    assert set(again.items.tolist()) == {0, 3}
    assert again.why_short == ("the rules leave only 2 items of those that the user has",)


def test_the_size_of_a_block_does_not_matter(hybrid):
    rules = Rules(categories=CATEGORIES, most_per_category=1, exclude_for={3: [1, 2]})
    whole = recsys.Recommender(hybrid).recommend(n=4, rules=rules)
    small = recsys.Recommender(hybrid).recommend(n=4, rules=rules, block_bytes=1)
    assert list(whole.lists()) == list(small.lists())


def test_no_rules_change_nothing(hybrid):
    free = list(hybrid.recommend(n=4).lists())
    assert list(hybrid.recommend(n=4, rules=Rules()).lists()) == free
    assert list(hybrid.recommend(n=4, rules=Rules(categories=CATEGORIES)).lists()) == free
    assert list(hybrid.recommend(n=4, rules=Rules(least_users=0, exclude=[])).lists()) == free


@pytest.mark.parametrize(
    ("rules", "why"),
    [
        (Rules(only=[2, 3]), "the rules leave only 2 items"),
        (Rules(include_seen=True, only=[2]), "the rules leave only 1 item"),
        (Rules(categories=CATEGORIES, only_categories=["b"], most_per_category=1), "at most 1 of a category"),
        (Rules(bought_before=True), "of those that the user has"),
    ],
)
def test_a_shorter_list_says_why(hybrid, rules, why):
    lists = hybrid.recommend(["nobody" if not rules.bought_before else 0], 24, rules=rules)
    assert why in lists.why_short[0]


# -- what is noted and refused ------------------------------------------------------------------


def test_ids_that_are_not_known_are_noted_and_pass(hybrid):
    rules = Rules(exclude=[1, 99], categories={0: "a"}, never_categories="a")
    assert hybrid.notes_on(rules) == (
        "23 of 24 items have no category",
        "exclude: 1 of 2 ids are not known to the model (99)",
    )
    assert hybrid.notes_on(Rules(exclude=[1])) == ()


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        (Rules(exclude=[99, 98]), "exclude: none of 2 ids is known to the model"),
        (Rules(only=[1], exclude=[1]), "the rules leave none of the 24 items: 1 in only; 1 in exclude"),
        (Rules(least_users=1000), "the rules leave none of the 24 items: least_users 1000"),
        (Rules(categories=CATEGORIES, only_categories=["z"]), "there is no category 'z'; there are a, b, c"),
        (Rules(categories={99: "a"}, only_categories=["a"]), "no item of the model has a category"),
    ],
)
def test_rules_that_leave_nothing_are_refused(hybrid, rules, message):
    with pytest.raises(InputError, match=message):
        hybrid.recommend([0], rules=rules)


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"most_per_category": 0}, "most_per_category is 0; expected a whole number, 1 or more"),
        ({"least_users": -1}, "least_users is -1; expected a whole number, 0 or more"),
        ({"least_users": True}, "least_users is True"),
        ({"only_categories": ["a"]}, "rules on categories need the categories of items"),
        (
            {"categories": CATEGORIES, "only_categories": ["a"], "never_categories": ["a"]},
            "category 'a' stands in only_categories and in never_categories",
        ),
        ({"include_seen": True, "bought_before": True}, "leave include_seen out"),
    ],
)
def test_rules_that_contradict_each_other_are_refused(entries, message):
    with pytest.raises(ParameterError, match=message):
        Rules(**entries)


# -- files --------------------------------------------------------------------------------------


def test_ids_in_a_line_and_in_files_of_every_form(tmp_path):
    assert rule_items("a, b,c").items == ("a", "b", "c")
    forms = {"lines.txt": "a\nb\n\n", "header.csv": "item_id\na\nb\n", "table.csv": "item,why\na,x\nb,y\n"}
    for name, text in forms.items():
        (tmp_path / name).write_text(text)
        assert rule_items(str(tmp_path / name)).items == ("a", "b")
    (tmp_path / "users.csv").write_text("user_id,item_id\n1,a\n2,b\n1,c\n")
    found = rule_items(str(tmp_path / "users.csv"))
    assert found.items is None
    assert found.by_user == {"1": ("a", "c"), "2": ("b",)}


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("gone.csv", None, "there is no such file"),
        ("empty.txt", "\n", "the file holds no id"),
        ("other.csv", "x,y\n1,2\n", "no column of a usual name for items"),
    ],
)
def test_files_that_cannot_be_read(tmp_path, name, text, message):
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=message):
        rule_items(str(tmp_path / name))


def test_categories_from_a_table(tmp_path):
    (tmp_path / "items.csv").write_text("item_id,genre\n1,a|b\n2,\n3,c\n1,d\n")
    assert categories_of(tmp_path / "items.csv", "genre") == {"1": ("a", "b", "d"), "3": ("c",)}
    with pytest.raises(InputError, match="no column 'kind'"):
        categories_of(tmp_path / "items.csv", "kind")
    rules = read_rules(items=tmp_path / "items.csv", item_category="genre", only_categories=["c"], only="1,3")
    assert rules.only == ("1", "3")
    assert rules.uses_categories


# -- measuring ----------------------------------------------------------------------------------

LOG = random_log(300, n_users=20, n_items=15)
IS_HELD_OUT = np.random.default_rng(1).random(len(LOG)) < 0.3
TRAIN = Interactions.from_log(LOG, np.flatnonzero(~IS_HELD_OUT))
HELD_OUT = HeldOut.from_log(LOG, np.flatnonzero(IS_HELD_OUT), TRAIN)


def test_lists_are_measured_as_they_will_be_used():
    model = recsys.WeightedNMF(3, max_iter=3).fit(TRAIN)
    bundle = recsys.Bundle.of(model, TRAIN)
    rules = Rules(exclude=[TRAIN.item_ids[0], TRAIN.item_ids[4]], least_users=3)
    restriction = rules.restriction(TRAIN.user_ids, TRAIN.item_ids, TRAIN.item_counts)
    metrics = parse_metrics("recall@4,auc")
    measured = evaluate(model, TRAIN.by_user, HELD_OUT, metrics, rules=restriction)
    free = evaluate(model, TRAIN.by_user, HELD_OUT, metrics)
    recalls = []
    for user in measured.users.tolist():
        listed = bundle.recommend(TRAIN.user_ids[user], 4, rules=rules).items.tolist()
        held_out = {TRAIN.item_ids[int(item)] for item in HELD_OUT.by_user.row(user)[0]}
        recalls.append(len(held_out & set(listed)) / HELD_OUT.n_held_out[user])
    np.testing.assert_allclose(measured.per_user["recall@4"], recalls)
    assert measured.metrics["recall@4"] != free.metrics["recall@4"]
    assert measured.metrics["auc"] == free.metrics["auc"]  # of scores, which rules leave alone


def test_evaluate_and_compare_take_rules():
    frame = pd.DataFrame({"user": LOG.users % 9, "item": LOG.items, "rating": 1 + LOG.values % 5})
    free = recsys.evaluate("popularity", frame, metrics="recall@3,coverage@3")
    ruled = recsys.evaluate("popularity", frame, metrics="recall@3,coverage@3", rules=Rules(only=range(3)))
    assert ruled.result.measurements.metrics["coverage@3"] <= 3 / 8
    assert free.result.measurements.metrics != ruled.result.measurements.metrics
    done = recsys.compare(["popularity"], frame, metrics="recall@3", rules=Rules(only=range(3)))
    assert done.results[0].measurements.metrics["recall@3"] == ruled.result.measurements.metrics["recall@3"]
    with pytest.raises(ParameterError, match="cannot be measured"):
        recsys.evaluate("popularity", frame, rules=Rules(include_seen=True))
    with pytest.raises(ParameterError, match=r"expected recsys\.Rules"):
        recsys.evaluate("popularity", frame, rules={"only": [1]})


def test_kept_results_are_not_taken_for_those_of_other_rules(tmp_path):
    frame = pd.DataFrame({"user": LOG.users % 9, "item": LOG.items, "rating": 1 + LOG.values % 5})
    kept = {"metrics": "recall@3", "out": tmp_path / "kept"}
    first = recsys.compare(["popularity"], frame, **kept, rules=Rules(only=range(3)))
    other = recsys.compare(["popularity"], frame, **kept, rules=Rules(only=range(2)))
    again = recsys.compare(["popularity"], frame, **kept, rules=Rules(only=[2, 1, 0]))
    assert not other.results[0].is_reused
    assert again.results[0].is_reused
    assert again.results[0].measurements.metrics == first.results[0].measurements.metrics
