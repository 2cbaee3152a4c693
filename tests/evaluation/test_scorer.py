"""An object of one's own that scores blocks of users is ranked and measured like a model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recsys.data.held_out import HeldOut
from recsys.data.interactions import Interactions
from recsys.evaluation.evaluator import evaluate
from recsys.evaluation.metrics import parse_metrics
from recsys.models.registry import make
from recsys.models.scorer import Scorer
from tests.logs import random_log


@dataclass
class Counts:
    """Items by how many users have them."""

    counts: np.ndarray
    n_users_: int
    name: str = "my own"
    predicts_values: bool = False

    @property
    def n_items_(self):
        return len(self.counts)

    def score_block(self, users):
        return np.tile(self.counts.astype(np.float32), (len(users), 1))

    def predict_by_row(self, users, items):
        raise NotImplementedError


def test_it_measures_as_the_model_that_it_equals():
    log = random_log(300, n_users=20, n_items=15)
    is_held = np.arange(300) % 4 == 0
    train = Interactions.from_log(log, np.flatnonzero(~is_held))
    held_out = HeldOut.from_log(log, np.flatnonzero(is_held), train)
    own: Scorer = Counts(train.item_counts, train.n_users)
    metrics = parse_metrics("ndcg@5,recall@3,coverage@5,rmse")
    found = evaluate(own, train.by_user, held_out, metrics)
    expected = evaluate(make("popularity", {}).fit(train), train.by_user, held_out, metrics)
    assert found.metrics == expected.metrics
    assert found.remarks[-1].subject == "my own"
