"""Lists made elsewhere: the same numbers as for the model that made them, and what may be odd about them."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest

import recsys
from recsys import threads
from recsys.data.held_out import HeldOut
from recsys.data.interactions import Interactions
from recsys.data.labels import Labels
from recsys.data.rows import CompressedRows
from recsys.errors import InputError, ParameterError
from recsys.evaluation.catalogue import Catalogue
from recsys.evaluation.evaluator import evaluate
from recsys.evaluation.from_lists import evaluate_lists, measure_lists
from recsys.evaluation.given_lists import GivenLists
from recsys.evaluation.metrics import parse_metrics
from recsys.models.registry import make
from recsys.recommend.bundle import Bundle
from recsys.recommend.recommender import Recommender
from tests.logs import random_log
from tests.registered import CATALOGUE, PER_USER

METRICS = [f"{name}@{k}" for name in (*PER_USER, *CATALOGUE) for k in (1, 3, 10)] + ["ndcg-gap@3"]
PLAIN = [f"{name}@{k}" for name in ("precision", "ndcg", "graded-ndcg", "recall", "map") for k in (1, 3, 10)]


def said(measured):
    """Return the remarks as text."""
    return tuple(map(str, measured.remarks))


def lists_of(*rows, by="rank"):
    return pd.DataFrame(rows, columns=["user", "item", by])


def held_of(*rows):
    return pd.DataFrame(rows, columns=["user", "item"])


@pytest.fixture(scope="module")
def train():
    return Interactions.from_log(random_log(150, n_users=25, n_items=18))


@pytest.fixture(scope="module")
def held_out():
    """Some users, items and pairs are those of training, some are not; the last value of a pair counts."""
    log = random_log(120, n_users=30, n_items=22, seed=1)
    table = pd.DataFrame(
        {
            "user": log.user_ids.values[log.users],
            "item": log.item_ids.values[log.items],
            "value": log.values,
            "time": log.times,
        }
    )
    return table.sort_values("time", ignore_index=True).drop(columns="time")


@pytest.fixture(scope="module")
def model(train):
    return make("masked-nmf", {"n_components": 3, "max_iter": 5}).fit(train)


@pytest.fixture(scope="module")
def categories(train):
    rows = np.arange(train.n_items)
    return Labels.from_pairs(rows, [f"c{row % 4}" for row in rows], train.n_items)


@pytest.fixture(scope="module")
def lists(model, train):
    """The model's own lists, as it hands them out."""
    return Recommender(Bundle.of(model, train)).recommend(list(train.user_ids), 10).to_frame()


@pytest.fixture(scope="module")
def expected(model, train, categories):
    held = HeldOut.from_log(random_log(120, n_users=30, n_items=22, seed=1), None, train)
    catalogue = Catalogue(train.by_user, categories)
    return evaluate(model, train.by_user, held, parse_metrics(METRICS), catalogue=catalogue)


def same(found, expected, names):
    for name in names:
        assert found.metrics[name] == pytest.approx(expected.metrics[name], abs=1e-12), name
        if name in expected.per_user:
            np.testing.assert_allclose(found.per_user[name], expected.per_user[name], atol=1e-12)
    return True


def test_lists_of_a_model_measure_as_the_model_does(lists, held_out, train, expected, categories):
    found = evaluate_lists(lists, held_out, ",".join(METRICS), train=train, categories=categories)
    assert same(found, expected, METRICS)
    assert np.array_equal(found.users, expected.users)
    assert (found.n_users, found.n_pairs) == (expected.n_users, expected.n_pairs)
    assert [(g.group, g.mean) for g in found.groups["ndcg-gap@3"]] == [
        (g.group, pytest.approx(g.mean)) for g in expected.groups["ndcg-gap@3"]
    ]


def test_without_training_data_hits_are_the_same_where_the_same_pairs_are_asked(
    lists, held_out, train, expected
):
    seen = set(zip(train.by_user.row_numbers.tolist(), train.by_user.columns.tolist(), strict=True))
    known = set(train.user_ids)
    users, items = (
        train.user_ids.rows(held_out.user.to_numpy()),
        train.item_ids.rows(held_out.item.to_numpy()),
    )
    stays = [
        pair not in seen and user in known
        for pair, user in zip(zip(users.tolist(), items.tolist(), strict=True), held_out.user, strict=True)
    ]
    found = evaluate_lists(lists, held_out[stays], PLAIN_METRICS)
    for name in PLAIN:
        assert found.metrics[name] == pytest.approx(expected.metrics[name], abs=1e-12)
    odd = evaluate_lists(lists, held_out[stays], "novelty@3,coverage@3,rmse")
    assert odd.metrics["novelty@3"] is odd.metrics["rmse"] is None
    assert 0 < odd.metrics["coverage@3"] <= 1
    assert "rmse needs predicted values, and lists hold none." in said(odd)


PLAIN_METRICS = parse_metrics(PLAIN)


@pytest.mark.parametrize("by", ["rank", "score"])
def test_the_order_of_rows_does_not_matter(lists, held_out, train, expected, categories, by):
    shuffled = lists.sample(frac=1, random_state=0)[["user", "item", by]]
    found = evaluate_lists(shuffled, held_out, ",".join(METRICS), train=train, categories=categories)
    assert same(found, expected, METRICS)
    assert any("were not in order; they were sorted" in remark for remark in said(found))


@pytest.mark.parametrize("block_bytes", [1, 1000, 10_000])
@pytest.mark.parametrize("n_threads", [1, 2])
def test_blocks_and_threads_do_not_matter(lists, held_out, train, categories, block_bytes, n_threads):
    with threads.use(n_threads):
        one, other = (
            evaluate_lists(
                lists, held_out, ",".join(METRICS), train=train, categories=categories, block_bytes=size
            )
            for size in (block_bytes, 2**20)
        )
    assert one.metrics == other.metrics
    assert all(np.array_equal(one.per_user[n], other.per_user[n], equal_nan=True) for n in one.per_user)


@pytest.mark.parametrize("rows", [("abz", "zab"), ("zba", "bza"), ("baz", "azb")])
def test_equal_scores_fall_to_the_lower_item_not_to_what_is_held_out(rows):
    for order in rows:
        tied = lists_of(*(("u", item, 1.0) for item in order), by="score")
        found = evaluate_lists(tied, held_of(("u", "z")), "mrr@3")
        assert found.metrics["mrr@3"] == pytest.approx(1 / 3)


def test_the_order_of_equal_scores_is_told_apart_from_rows_out_of_order():
    tied = lists_of(("u", "b", 1.0), ("u", "a", 1.0), by="score")
    mixed = lists_of(("u", "b", 1.0), ("u", "a", 2.0), by="score")
    held_out = held_of(("u", "a"), ("u", "b"))
    assert "equal scores were put in the order" in said(evaluate_lists(tied, held_out, "mrr@2"))[0]
    assert "were not in order" in said(evaluate_lists(mixed, held_out, "mrr@2"))[0]


def test_an_amount_of_zero_was_not_taken_where_training_is_a_log_of_amounts():
    held_out = pd.DataFrame({"user": ["u", "u"], "item": ["a", "b"], "value": [0, 1]})
    lists = lists_of(("u", "a", 1), ("u", "b", 2))
    for feedback, precision in (("implicit", 0.5), ("explicit", 1.0)):
        train = Interactions.from_pairs(["u", "v", "v"], ["c", "a", "b"], [1, 1, 1], feedback=feedback)
        found = evaluate_lists(lists, held_out, "precision@2", train=train)
        assert found.metrics["precision@2"] == precision


def test_a_repeat_takes_a_place_and_hits_nothing():
    twice = lists_of(("u", "a", 1), ("u", "a", 2), ("u", "b", 3))
    found = evaluate_lists(twice, held_of(("u", "a"), ("u", "b")), "precision@3,map@3")
    assert found.metrics["precision@3"] == pytest.approx(2 / 3)
    assert found.metrics["map@3"] == pytest.approx((1 + 2 / 3) / 2)
    assert said(found) == (
        "1 place repeats an item of the same list; the first one counts, a repeat hits nothing.",
    )


def test_users_and_items_that_are_not_known_are_told_of(train):
    user, item = train.user_ids[0], train.item_ids[0]
    new = next(i for i in train.item_ids if i not in train.item_ids.values[train.by_user.row(0)[0]])
    odd = lists_of((user, 999, 1), (user, new, 2), (998, item, 1))
    found = evaluate_lists(odd, held_of((user, new), (997, item)), "precision@2", train=train)
    assert found.metrics["precision@2"] == 0.5
    assert set(said(found)) == {
        "1 row of the lists is of a user who is not measured.",
        "1 listed item is not known; it takes up a place and hits nothing.",
        "1 user has held-out items, but neither training items nor a list.",
    }


def test_seen_items_hit_nothing(train):
    user = train.user_ids[0]
    seen = train.item_ids[int(train.by_user.row(0)[0][0])]
    new = next(i for i in train.item_ids if i not in train.item_ids.values[train.by_user.row(0)[0]])
    found = evaluate_lists(
        lists_of((user, seen, 1), (user, new, 2)), held_of((user, seen), (user, new)), "mrr@2", train=train
    )
    assert found.metrics["mrr@2"] == 0.5
    assert found.n_pairs == 1
    assert "1 place holds an item that the user has in training, which is no hit." in said(found)


def test_users_without_a_list_count_as_missed_and_idle_lists_are_told_of():
    found = evaluate_lists(
        lists_of(("u", "a", 1), ("v", "a", 1)), held_of(("u", "a"), ("w", "a"), ("x", "a")), "recall@1"
    )
    assert found.metrics["recall@1"] == pytest.approx(1 / 3)
    assert said(found) == (
        "1 row of the lists is of a user who is not measured.",
        "2 users have held-out items and no list; they count as missed.",
    )


def test_no_lists_at_all_find_nothing():
    found = evaluate_lists(lists_of(), held_of(("u", "a")), "recall@5,ndcg@5")
    assert found.metrics == {"recall@5": 0, "ndcg@5": 0}


def test_lists_shorter_than_asked_are_told_of():
    found = evaluate_lists(lists_of(("u", "a", 1)), held_of(("u", "a")), "precision@5")
    assert found.metrics["precision@5"] == 0.2
    assert said(found) == ("no list has more than 1 place, so that those from there to 5 are empty.",)


@pytest.mark.parametrize("kind", ["float64", "Int64", "Float64", "category", "string", "int32"])
@pytest.mark.parametrize("with_train", [True, False])
def test_ids_of_any_kind_that_spell_the_same_match(lists, held_out, train, kind, with_train):
    told = {"train": train} if with_train else {}
    wanted = evaluate_lists(lists, held_out, PLAIN_METRICS, **told).metrics
    assert wanted["recall@10"] > 0
    for change in (("user",), ("item",), ("user", "item")):
        other = lists.astype(dict.fromkeys(change, kind))
        found = evaluate_lists(other, held_out, PLAIN_METRICS, **told)
        assert found.metrics == pytest.approx(wanted)  # text sorts users otherwise
        other = held_out.astype(dict.fromkeys(change, kind))
        assert evaluate_lists(lists, other, PLAIN_METRICS, **told).metrics == pytest.approx(wanted)


RIGHT = [("u", "a", 1.0), ("u", "b", 2.0)]


@pytest.mark.parametrize(
    ("rows", "by", "message"),
    [
        ([(1.5, "a", 1)], "rank", "lists, column 'user': ids are numbers with fractions"),
        ([("u", 1.5, 1)], "rank", "lists, column 'item': ids are numbers with fractions"),
        ([("u", None, 1), ("u", "b", 2)], "rank", "the lists have no item in row 0"),
        ([("u", "a", 1), (np.nan, "b", 2)], "rank", "the lists have no user in row 1"),
        ([(1, 1, 1), (np.nan, 2, 2)], "rank", "the lists have no user in row 1"),
        (
            [("u", "a", np.nan)],
            "score",
            "the score of user 'u' and item 'a' is nan; expected a finite number",
        ),
        ([("u", "a", np.inf)], "score", "is inf"),
        ([("u", "a", "first")], "rank", "column 'rank' holds no numbers"),
        ([("u", "a", 2), ("u", "b", 2)], "rank", "two items of user 'u' have the same rank"),
        ([("x", "a", 1)], "rank", "no user of the lists, e.g. 'x', is known to the data, which has e.g. 'u'"),
        ([("u", "a", 1)], "place", "expected 'user', 'item' and 'rank' or 'score'"),
    ],
)
def test_lists_that_cannot_be_used_are_refused(rows, by, message):
    with pytest.raises(InputError, match=message):
        evaluate_lists(lists_of(*rows, by=by), held_of(("u", "a"), ("u", "b")), "ndcg@5")


def test_numbers_are_named_as_people_write_them():
    with pytest.raises(InputError, match="the score of user 1 and item 2 is nan"):
        evaluate_lists(lists_of((1, 2, np.nan), by="score"), held_of((1, 2)), "ndcg@5")


def test_lists_without_an_item_that_is_known_are_refused(train):
    user, item = train.user_ids[0], train.item_ids[0]
    with pytest.raises(InputError, match=r"no item of the lists, e\.g\. 999, is known"):
        evaluate_lists(lists_of((user, 999, 1)), held_of((user, item)), "ndcg@5", train=train)


@pytest.mark.parametrize(
    ("held_out", "message"),
    [
        (held_of(), "nothing is held out"),
        (held_of(("u", None)), "what is held out has no item in row 0"),
        (held_of((1.5, "a")), "what is held out, column 'user': ids are numbers with fractions"),
        (held_of(("u", "a")).drop(columns="item"), "what is held out has no column 'item'"),
        (held_of(("u", "a")).assign(value="five"), "column 'value' holds no numbers"),
        (held_of(("u", "a")).assign(value=np.inf), "missing or not finite"),
    ],
)
def test_held_out_pairs_that_cannot_be_used_are_refused(held_out, message):
    with pytest.raises(InputError, match=message):
        evaluate_lists(lists_of(*RIGHT), held_out, "ndcg@5")


def test_a_bound_of_no_bytes_and_lists_of_others_are_refused(train):
    held = HeldOut.from_log(random_log(120, n_users=30, n_items=22, seed=1), None, train)
    few = GivenLists(np.zeros(3, dtype=np.int64), np.zeros(0, dtype=np.int32))
    with pytest.raises(InputError, match="lists of 2 users; expected 25"):
        measure_lists(few, held, "ndcg@5")
    with pytest.raises(ParameterError, match="block_bytes is 0"):
        evaluate_lists(lists_of(*RIGHT), held_of(("u", "a")), "ndcg@5", block_bytes=0)


def test_memory_is_bounded_by_the_block_however_long_histories_are():
    """3,000 users with 1,000 items each would be 24 MB of gathered histories; a block is a quarter MB."""
    n_users, n_items, n_seen = 3000, 4000, 1000
    generator = np.random.default_rng(0)
    one = np.arange(0, 2 * n_seen, 2, dtype=np.int32)
    seen = CompressedRows(
        np.arange(n_users + 1) * n_seen, np.tile(one, n_users), np.ones(n_users * n_seen, np.float32), n_items
    )
    held_items = np.tile(np.arange(1, 2 * n_seen, 2, dtype=np.int64), n_users)
    users = np.repeat(np.arange(n_users), n_seen)
    values = generator.integers(1, 6, len(users)).astype(np.float32)
    rows = CompressedRows(seen.indptr, held_items.astype(np.int32), values, n_items)
    held = HeldOut(users, held_items, values, rows, np.full(n_users, n_seen), 0, 0, 0)
    lists = GivenLists(
        np.arange(n_users + 1) * 20,
        np.concatenate([generator.permutation(n_items)[:20] for _ in range(n_users)]).astype(np.int32),
    )
    catalogue = Catalogue(seen)
    asked = "popularity-lift@10,popularity-lift@20,ndcg@20,coverage@20,novelty@20,serendipity@20"
    measure_lists(lists, held, asked, seen=seen, catalogue=catalogue)
    block = 2**18
    for more in ("", ",graded-ndcg@10,graded-ndcg@20"):
        peaks = []
        for size in (block, 2**30):
            tracemalloc.start()
            measure_lists(lists, held, asked + more, seen=seen, catalogue=catalogue, block_bytes=size)
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
        # Beside the block: results, and of graded-ndcg the held-out values in falling order.
        outside = 8 * n_users * 20 + (80 * len(users) if more else 0)
        assert peaks[0] < block + outside
        assert peaks[0] < peaks[1] or more


def test_it_is_part_of_the_public_surface():
    assert recsys.evaluate_lists is evaluate_lists
