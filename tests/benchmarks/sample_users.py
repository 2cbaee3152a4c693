"""What is lost where a sample of the users is fitted and all are folded in: ``--sample-users``.

    python -m tests.benchmarks.sample_users --data FOLDER

FOLDER has ``gowalla/train.parquet`` and ``test.parquet``. The fold-in is `transform` of this process, which
gives the bits of the cluster's (see tests/spark). All shares are measured on the same held-out pairs.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd

import recsys
from recsys.data.interactions import Interactions
from recsys.recommend.ranking import ranked_blocks
from recsys.spark.sampling import sampled_users
from tests.benchmarks.generated_logs import PURCHASES

SHARES = (1.0, 0.5, 0.25, 0.1, 0.05)


class Folded:
    """All users of a model, by the factors they were folded in with."""

    def __init__(self, model: recsys.WeightedNMF, users: np.ndarray) -> None:
        self.model, self.users = model, users
        self.n_users_, self.n_items_ = len(users), model.n_items_

    def score_block(self, users: np.ndarray) -> np.ndarray:
        return self.model.inverse_transform(self.users[users])


def measure(
    name: str, train: pd.DataFrame, test: pd.DataFrame, rank: int, n_measured: int, k: int = 20
) -> None:
    data = Interactions.from_pairs(train["user"], train["item"], feedback="implicit", duplicates="max")
    users, items = (
        ids.rows(test[side].tolist()) for ids, side in ((data.user_ids, "user"), (data.item_ids, "item"))
    )
    is_known = (users >= 0) & (items >= 0)
    held_out = (
        pd.DataFrame({"user": users[is_known], "item": items[is_known]}).groupby("user")["item"].apply(set)
    )
    held_out = held_out.iloc[np.sort(np.random.default_rng(0).permutation(len(held_out))[:n_measured])]
    rows = held_out.index.to_numpy()
    histories = data.by_user.select(rows)
    for share in SHARES:
        chosen = sampled_users(data.n_users, share, seed=0)
        sample = Interactions(
            data.by_user.select(chosen), data.user_ids.select(chosen), data.item_ids, "implicit"
        )
        began = time.process_time()
        model = recsys.WeightedNMF(n_components=rank).fit(sample)
        fitted = time.process_time() - began
        began = time.process_time()
        factors = model.transform(histories.to_scipy())
        folded = time.process_time() - began
        hits, ideal = [], 1 / np.log2(np.arange(k) + 2)
        scorer = Folded(model, factors)
        for block in ranked_blocks(scorer, np.arange(len(rows)), k, histories):
            for number, user in enumerate(block.users):
                wanted = held_out.iloc[int(user)]
                listed = block.items[number]
                gains = np.array([item in wanted for item in listed.tolist()])
                hits.append((ideal[: len(gains)] * gains).sum() / ideal[: min(k, len(wanted))].sum())
        print(f"| {name} | {share:.0%} | {np.mean(hits):.4f} | {fitted:.0f} | {folded:.1f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--rank", type=int, default=128)
    parser.add_argument("--users", type=int, default=5000)
    given = parser.parse_args()
    frame = PURCHASES["sparse"].frame()
    is_test = np.random.default_rng(0).random(len(frame)) < 0.2
    measure("generated, sparse", frame[~is_test], frame[is_test], given.rank, given.users)
    train, test = (pd.read_parquet(given.data / "gowalla" / f"{part}.parquet") for part in ("train", "test"))
    train.columns, test.columns = (["user", "item", *table.columns[2:]] for table in (train, test))
    measure("Gowalla", train, test, given.rank, given.users)


if __name__ == "__main__":
    main()
