"""Exact lists beside an approximate index at equal recall: ``python -m tests.benchmarks.approximate_index``.

The index (usearch, HNSW by inner product, on one thread) holds the items' factors; a user asks it for ten
items and as many more as the user has, which are then left out. Recall is the share of the exact ten that it
lists. Factors are drawn, from a normal distribution or around a thousand centers, or learned by ALS.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

import recsys
from recsys import threads
from recsys.data.interactions import Interactions
from recsys.factorization.factors import Factors, SideFactors
from recsys.typing import Float32Array, Int64Array
from tests.benchmarks.recommend_speed import N, fixed_factors, generated, ours
from tests.real_logs import real_logs

_CENTERS, _NOISE = 1_000, 0.4


def factors_around_centers(data: Interactions, rank: int) -> Any:
    """Return an ALS model whose users and items lie around common centers."""
    generator = np.random.default_rng(rank)
    centers = generator.standard_normal((_CENTERS, rank), dtype=np.float32)
    model = fixed_factors(data, rank)
    sides = []
    for n in (data.n_users, data.n_items):
        noise = _NOISE * generator.standard_normal((n, rank), dtype=np.float32)
        sides.append(SideFactors.of(centers[generator.integers(0, _CENTERS, n)] + noise))
    model._learned(Factors(0.0, *sides))
    return model


def by_index(index: Any, users: Float32Array, data: Interactions) -> Int64Array:
    """Rank by an index, what users have left out."""
    listed = np.full((len(users), N), -1)
    for row, user in enumerate(users):
        own = data.by_user.row(row)[0]
        keys = index.search(user, N + len(own), threads=1).keys
        unseen = keys[~np.isin(keys, own)][:N]
        listed[row, : len(unseen)] = unseen
    return listed


def main() -> None:
    """Print recall and users a second for each search depth of the index, and of exact lists."""
    from usearch.index import Index

    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--generated", type=int, nargs=2, default=(20_000, 100_000), metavar=("USERS", "ITEMS")
    )
    parser.add_argument("--factors", choices=["normal", "centers", "gowalla"], default="centers")
    parser.add_argument("--rank", type=int, default=64)
    parser.add_argument("--users", type=int, default=500)
    parser.add_argument("--expansion", type=int, nargs="+", default=[64, 256, 1024, 4096])
    parser.add_argument("--log", type=Path, default=None)
    arguments = parser.parse_args()
    if arguments.factors == "gowalla":
        log = arguments.log or real_logs() / "gowalla" / "train.parquet"
        data = Interactions.from_log(recsys.load_log(log))
        model: Any = recsys.ALS(n_components=arguments.rank).fit(data)
    else:
        data = generated(*arguments.generated)
        make = fixed_factors if arguments.factors == "normal" else factors_around_centers
        model = make(data, arguments.rank)
    n_users = min(arguments.users, data.n_users)
    users, items = np.ascontiguousarray(model.user_factors_[:n_users]), model.item_factors_
    with threads.use(1), threadpool_limits(1):
        exact = ours(model, data, n_users)
        began = time.process_time()
        ours(model, data, n_users)
        spent = time.process_time() - began
        sys.stdout.write(f"{data.n_items:,} items, rank {arguments.rank}, {arguments.factors}\n")
        sys.stdout.write(f"exact: recall 1.000, {n_users / spent:,.0f} users a second\n")
        index = Index(ndim=arguments.rank, metric="ip", dtype="f32", connectivity=16, expansion_add=128)
        began = time.process_time()
        index.add(np.arange(data.n_items), np.ascontiguousarray(items), threads=2)
        sys.stdout.write(f"index built in {time.process_time() - began:.1f} s of the processor\n")
        for expansion in arguments.expansion:
            index.expansion_search = expansion
            began = time.process_time()
            listed = by_index(index, users, data)
            spent = time.process_time() - began
            hits = [len(np.intersect1d(*pair)) for pair in zip(listed, exact, strict=True)]
            sys.stdout.write(
                f"expansion {expansion}: recall {np.mean(hits) / N:.3f}, "
                f"{n_users / spent:,.0f} users a second\n"
            )
            sys.stdout.flush()


if __name__ == "__main__":
    main()
