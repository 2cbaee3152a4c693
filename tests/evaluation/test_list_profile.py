"""Profiles of lists agree with the evaluator, and with plain loops over users and items."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recsys.data.columns import Columns
from recsys.data.loaded_log import LoadedLog
from recsys.evaluation.evaluator import evaluate
from recsys.evaluation.list_profile import held_out_shares, profile_lists
from recsys.evaluation.metrics import parse_metrics
from recsys.experiment.prepared_split import prepare
from recsys.models.registry import make
from recsys.report.groups import by_popularity
from tests.logs import random_log


def test_a_list_profile_agrees_with_the_evaluator_and_with_plain_loops():
    log = random_log(400, n_users=20, n_items=30)
    loaded = LoadedLog(log, "test", Columns("user", "item", None, None), len(log), (), {})
    prepared = prepare(loaded, split="random:0.3")
    model = make("popularity", {}).fit(prepared.train)
    items = by_popularity(prepared.train.item_counts)
    found = profile_lists(
        model,
        prepared.seen,
        prepared.held_out,
        metrics=["ndcg", "recall"],
        k=5,
        catalogue=prepared.catalogue,
        item_groups=items.of,
    )
    asked = parse_metrics(["ndcg@1", "ndcg@5", "ndcg@20", "coverage@5", "recall@5"])
    measured = evaluate(model, prepared.seen, prepared.held_out, asked)
    assert found.curves["ndcg"][1] == measured.metrics["ndcg@1"]
    assert found.curves["ndcg"][5] == measured.metrics["ndcg@5"]
    assert found.curves["ndcg"][20] == measured.metrics["ndcg@20"]
    assert found.coverage == pytest.approx(measured.metrics["coverage@5"])

    places, hits, held = np.zeros(len(items)), np.zeros(len(items)), np.zeros(len(items))
    taken = []
    for user in range(prepared.train.n_users):
        later = prepared.held_out.by_user.row(user)[0].tolist()
        for item in later:
            held[items.of[item]] += 1
        if not prepared.held_out.n_held_out[user]:
            continue
        scores = model.score_block(np.array([user]))[0]
        scores[prepared.seen.row(user)[0]] = -np.inf
        for item in [at for at in np.argsort(-scores, kind="stable") if np.isfinite(scores[at])][:5]:
            places[items.of[item]] += 1
            hits[items.of[item]] += item in later
            taken.append(prepared.train.item_counts[item] / prepared.train.n_users)
    np.testing.assert_allclose(found.group_shares, places / places.sum())
    np.testing.assert_allclose(found.group_recall, hits / held)
    assert found.popularity == pytest.approx(np.mean(taken))
    np.testing.assert_allclose(held_out_shares(prepared.held_out, items.of), held / held.sum())


def test_what_has_no_value_is_left_out_of_a_curve():
    log = random_log(60, n_users=6, n_items=8)
    loaded = LoadedLog(log, "test", Columns("user", "item", None, None), len(log), (), {})
    prepared = prepare(loaded, split="random:0.3")
    model = make("popularity", {}).fit(prepared.train)
    nobody = replace(prepared.held_out, n_held_out=np.zeros_like(prepared.held_out.n_held_out))
    found = profile_lists(
        model, prepared.seen, nobody, metrics=["ndcg"], k=3, catalogue=prepared.catalogue,
        item_groups=by_popularity(prepared.train.item_counts).of,
    )  # fmt: skip
    assert found.curves == {"ndcg": {}}
