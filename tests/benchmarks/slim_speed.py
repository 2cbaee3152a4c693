"""Sparse linear item models: ours beside fastslim, which is exact and written in Rust.

    python -m tests.benchmarks.slim_speed --data ../shared/data

Each fit is timed in a process of its own after a fit of a few users (compilation is over then), and measured
on a tenth of each user's entries held out. fastslim takes every item as a candidate and binary entries; its
penalties are chosen on that tenth from a grid, ours are the defaults, and once those of the paper (no weights
by activity or popularity, the same penalties as fastslim's best), which is the parity row.
"""

from __future__ import annotations

import argparse
import importlib.util
import time
from pathlib import Path
from typing import Any

import numpy as np

from recsys.data.load import load_log
from recsys.data.rows import CompressedRows, positives
from recsys.evaluation.evaluator import evaluate
from recsys.evaluation.metrics import parse_metrics
from recsys.experiment.prepared_split import PreparedSplit, prepare
from recsys.models.slim import SLIM
from recsys.typing import AnyArray, Float32Array
from tests.benchmarks.apart import PeakMemory, run_apart
from tests.benchmarks.speed_report import table

_LOGS = {
    "ml-100k": "ml-100k/ratings.parquet",
    "lastfm-2k": "lastfm-2k/plays.parquet",
    "gowalla": "gowalla/train.parquet",
}
_PENALTIES = [(l1, l2) for l1 in (0.0, 1.0, 5.0) for l2 in (1.0, 10.0, 50.0)]


class _FastSlim:
    """The scores of fastslim's weights."""

    name, predicts_values = "fastslim", False

    def __init__(self, rows: CompressedRows, l1: float, l2: float, n_threads: int) -> None:
        import fastslim

        matrix = rows.to_scipy().astype(np.float32)
        self._histories = matrix
        solver = fastslim.SLIM(lambd=l1, beta=l2, n_threads=n_threads)
        self._weights = solver.fit(matrix.tocsr()).weights
        self.n_weights = self._weights.nnz
        self.n_users_, self.n_items_ = matrix.shape

    def score_block(self, users: AnyArray) -> Float32Array:
        scores: Float32Array = np.asarray((self._histories[users] @ self._weights).todense(), np.float32)
        return scores

    def predict_by_row(self, users: AnyArray, items: AnyArray) -> Float32Array:
        raise NotImplementedError("fastslim ranks; nothing here asks it for ratings")


def _prepared(path: str) -> PreparedSplit:
    return prepare(load_log(path, feedback="implicit"), split="random-user:0.1")


def _binary(prepared: PreparedSplit) -> CompressedRows:
    rows = positives(prepared.train.by_user)
    return rows.with_values(np.ones(rows.nnz, dtype=np.float32))


def _measured(
    prepared: PreparedSplit, model: Any, seconds: float, peak: int, n_weights: int
) -> dict[str, float]:
    metrics = evaluate(model, prepared.seen, prepared.held_out, parse_metrics("ndcg@10")).metrics
    return {
        "ndcg": float(metrics["ndcg@10"] or 0),
        "seconds": seconds,
        "mib": peak / 2**20,
        "weights": n_weights,
    }


def _peer(path: str, l1: float, l2: float, n_threads: int) -> dict[str, float]:
    prepared = _prepared(path)
    rows = _binary(prepared)
    with PeakMemory() as peak:
        began = time.perf_counter()
        model = _FastSlim(rows, l1, l2, n_threads)
        seconds = time.perf_counter() - began
    return _measured(prepared, model, seconds, peak.extra, model.n_weights)


def _ours(path: str, params: dict[str, float]) -> dict[str, float]:
    prepared = _prepared(path)
    few = prepared.train.by_user.select(np.arange(5))
    SLIM(**params).fit(few.to_scipy())  # type: ignore[arg-type]
    with PeakMemory() as peak:
        began = time.perf_counter()
        model = SLIM(**params).fit(prepared.train)  # type: ignore[arg-type]
        seconds = time.perf_counter() - began
    return _measured(prepared, model, seconds, peak.extra, model.weights_.nnz)


def main() -> None:
    """Measure and print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with ml-100k, lastfm-2k ...")
    parser.add_argument("--log", nargs="+", choices=_LOGS, default=list(_LOGS))
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    has_peer = importlib.util.find_spec("fastslim") is not None
    rows = []
    for name in options.log:
        path = str(options.data / _LOGS[name])
        found = {"slim, defaults": run_apart(options.threads, _ours, path, {})}
        if has_peer:
            tried = {
                (l1, l2): run_apart(options.threads, _peer, path, l1, l2, options.threads)
                for l1, l2 in _PENALTIES
            }
            (l1, l2), best = max(tried.items(), key=lambda item: item[1]["ndcg"])
            plain = {"user_exponent": 0.0, "item_exponent": 0.0, "target_exponent": 0.0}
            found[f"fastslim, l1 {l1:g}, l2 {l2:g}"] = best
            found["slim, the same problem"] = run_apart(
                options.threads, _ours, path, {"l1": l1, "l2": l2, **plain}
            )
        for title, at in found.items():
            rows.append(
                [
                    name,
                    title,
                    f"{at['ndcg']:.4f}",
                    f"{at['seconds']:.2f}",
                    f"{at['mib']:.0f}",
                    f"{at['weights']:,.0f}",
                ]
            )
            print(rows[-1], flush=True)
    print(table(["log", "model", "ndcg@10", "seconds", "peak MiB", "weights"], rows))


if __name__ == "__main__":
    main()
