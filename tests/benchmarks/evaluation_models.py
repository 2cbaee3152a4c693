"""Score, rank and measure a fitted model, end to end: ours beside irspack's evaluator, same factors."""

from __future__ import annotations

from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from recsys.data.interactions import Interactions
from recsys.evaluation.evaluator import evaluate
from recsys.evaluation.metrics import parse_metrics
from recsys.models.weighted_nmf import WeightedNMF
from tests.benchmarks.evaluation_contenders import held_out
from tests.benchmarks.evaluation_lists import clocked

CUT = 20
METRICS = {
    "ndcg": "ndcg",
    "recall": "recall",
    "precision": "precision",
    "hit-rate": "hit",
    "map": "map",
    "gini": "gini_index",
    "coverage": "catalog_coverage",
}
"""Our names and irspack's, which always computes these and an entropy."""

KINDS = {"non-negative": True, "any sign": False}
_BATCH = 128  # users that irspack scores at a time: its default, and no slower than 1,024

_SWEEPS = 3  # enough for factors as dense as they stay; how good the lists are is no matter here


def fit(folder: Path, rank: int, out: Path) -> None:
    """Fit weighted-nmf with and without the bound at zero, and write factors and data."""
    train, test = (pd.read_parquet(folder / f"{part}.parquet") for part in ("train", "test"))
    shape = [max(train[side].max(), test[side].max()) + 1 for side in ("user", "item")]
    matrices = {}
    for name, frame in (("train", train), ("test", test)):
        ones = np.ones(len(frame), dtype=np.float32)
        matrix = sparse.csr_matrix((ones, (frame["user"], frame["item"])), shape=shape)
        matrix.sum_duplicates()
        matrices |= {f"{name}_indptr": matrix.indptr, f"{name}_items": matrix.indices}
    data = Interactions.from_matrix(_matrix(matrices, "train", shape[1]), feedback="implicit")
    for kind, nonnegative in KINDS.items():
        exponents = {"user_exponent": 0.25, "item_exponent": 0.25}
        model = WeightedNMF(rank, nonnegative=nonnegative, max_iter=_SWEEPS, **exponents).fit(data)
        np.savez(out / f"{kind}.npz", **model.to_arrays())
    np.savez(out / "data.npz", n_items=shape[1], **matrices)


def _matrix(arrays: Any, name: str, n_items: int) -> sparse.csr_matrix:
    indptr, items = arrays[f"{name}_indptr"], arrays[f"{name}_items"]
    return sparse.csr_matrix((np.ones(len(items)), items, indptr), shape=(len(indptr) - 1, n_items))


def _load(folder: Path, kind: str, rank: int) -> tuple[Any, Any, WeightedNMF]:
    """Return the training and the held-out matrix, and the model."""
    with np.load(folder / "data.npz") as arrays:
        train, test = (_matrix(arrays, name, int(arrays["n_items"])) for name in ("train", "test"))
    model = WeightedNMF(rank, nonnegative=KINDS[kind])
    with np.load(folder / f"{kind}.npz") as arrays:
        model.restore(dict(arrays))
    return train, test, model


def ours(folder: Path, kind: str, rank: int, cap: float, block_bytes: int | None = None) -> dict[str, Any]:
    """Time `evaluate`."""
    train, test, model = _load(folder, kind, rank)
    seen = Interactions.from_matrix(train, feedback="implicit").by_user
    asked = parse_metrics([f"{name}@{CUT}" for name in METRICS])
    options = {} if block_bytes is None else {"block_bytes": block_bytes}
    few = test.indptr.copy()
    few[200:] = few[200]  # held-out items of 200 users
    evaluate(model, seen, held_out(few, test.indices[: few[-1]], test.shape[1]), asked, **options)
    held = held_out(test.indptr, test.indices, test.shape[1])
    found, run = clocked(lambda: evaluate(model, seen, held, asked, **options), cap)
    # As irspack says it, which divides by all held-out items.
    counts = held.n_held_out[found.users]
    of_all = float(np.mean(found.per_user[f"map@{CUT}"] * np.minimum(CUT, counts) / counts))
    users, items = model.n_factors_stored
    share = (users + items) / (rank * sum(test.shape))
    return {
        "values": dict(found.metrics) | {f"map@{CUT}": of_all},
        "run": run,
        "version": version("recsys"),
        "n_users": found.n_users,
        "share_stored": share,
    }


def irspack(folder: Path, kind: str, rank: int, cap: float, n_threads: int) -> dict[str, Any]:
    """Time irspack's evaluator on a recommender whose scores are the same products, in single precision."""
    from irspack import BaseRecommender, Evaluator

    class Factors(BaseRecommender, register_class=False):  # type: ignore[call-arg]
        def __init__(self, observed: Any, users: np.ndarray, items: np.ndarray) -> None:
            super().__init__(observed)
            self.users, self.by_theme = users, np.ascontiguousarray(items.T)

        def _learn(self) -> None:
            pass

        def get_score(self, user_indices: np.ndarray) -> np.ndarray:
            return self.users[user_indices] @ self.by_theme

        def get_score_block(self, begin: int, end: int) -> np.ndarray:
            return self.users[begin:end] @ self.by_theme

    train, test, model = _load(folder, kind, rank)
    factors = model.user_factors_, model.item_factors_
    options = {"cutoff": CUT, "n_threads": n_threads, "mb_size": _BATCH}
    few = slice(0, 200)
    Evaluator(test[few], **options).get_score(Factors(train[few], factors[0][few], factors[1]))
    evaluator, recommender = Evaluator(test, **options), Factors(train, *factors)
    found, run = clocked(lambda: evaluator.get_score(recommender), cap)
    return {
        "values": {f"{mine}@{CUT}": float(found[theirs]) for mine, theirs in METRICS.items()},
        "run": run,
        "version": version("irspack"),
    }


def missing() -> bool:
    """Return whether irspack is not installed."""
    return find_spec("irspack") is None
