"""Whether a fit of many components gains by beginning with a fit of half as many.

    python -m tests.benchmarks.warm_ranks --data ../shared/data

Ranks are fitted in ascending order, each twice: from nothing, and from the components of the warm fit of
the rank before beside as many fresh ones, drawn at the level of the old ones times ``--fresh``. Each sweep
of each fit is measured on validation data. For each rank: the best value from nothing, and after how many
sweeps and processor seconds (of the fit alone) each of the two first reaches it, but for a thousandth.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from recsys import rng, threads
from recsys.data.load import load_log
from recsys.evaluation.evaluator import evaluate
from recsys.evaluation.metrics import Metric, parse_metric
from recsys.experiment.prepared_split import PreparedSplit, prepare
from recsys.models.base import Model
from recsys.models.masked_nmf import MaskedNMF
from recsys.models.weighted_nmf import WeightedNMF
from recsys.typing import Float32Array
from tests.benchmarks.speed_report import table

_TOLERANCE = 0.001


@dataclass
class _Curve:
    """The value after each sweep and the processor seconds up to it, those of measuring left out."""

    split: PreparedSplit
    metric: Metric
    values: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    last: Any = None

    def begin(self) -> None:
        self._measuring, self._began = 0.0, time.process_time()

    def snapshot(self, model: Model) -> None:
        began = time.process_time()
        self.seconds.append(began - self._began - self._measuring)
        measured = evaluate(model, self.split.seen, self.split.held_out, [self.metric])
        value = measured.metrics[str(self.metric)]
        assert value is not None
        self.values.append(value)
        self.last = model
        self._measuring += time.process_time() - began

    def start(self, task: str, total: int | None) -> None:
        """Ignore."""

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Ignore."""

    def finish(self) -> None:
        """Ignore."""

    @property
    def sign(self) -> float:
        return -1.0 if self.metric.higher_is_better is False else 1.0

    @property
    def best(self) -> float:
        return self.sign * max(self.sign * value for value in self.values)

    def reaches(self, value: float) -> str:
        """Return after how many sweeps and seconds a value is reached, or the best that was."""
        least = self.sign * value - _TOLERANCE * abs(value)
        for sweep, (own, seconds) in enumerate(zip(self.values, self.seconds, strict=True), 1):
            if self.sign * own >= least:
                return f"{sweep} ({seconds:.2f} s)"
        return f"never: {self.best:.4f}"


def _wider(factors: Float32Array, n_more: int, share: float, name: str) -> Float32Array:
    """Return factors with as many fresh columns, drawn around a share of the mean of the old ones."""
    drawn = rng.stream(0, "warm ranks", name, n_more).random((len(factors), n_more), dtype=np.float32)
    fresh = (drawn + np.float32(0.5)) * np.float32(share * factors.mean())
    return np.hstack([factors, fresh])


def _climbed(model: Any, split: PreparedSplit, metric: Metric, **start: Any) -> _Curve:
    curve = _Curve(split, metric)
    curve.begin()
    model.fit(split.train, progress=curve, **start)
    return curve


def compared(
    make: Any, split: PreparedSplit, metric: Metric, ranks: Sequence[int], share: float
) -> list[list[str]]:
    """Return a row for each rank but the first."""
    before: Any = _climbed(make(ranks[0]), split, metric).last
    rows = []
    for rank in ranks[1:]:
        cold = _climbed(make(rank), split, metric)
        n_more = rank - before.n_components
        start = {
            "W": _wider(np.asarray(before.user_factors_), n_more, share, "users"),
            "H": _wider(np.asarray(before.item_factors_), n_more, share, "items").T,
        }
        warm = _climbed(make(rank).set_params(init="custom"), split, metric, **start)
        rows.append(
            [
                str(rank),
                f"{cold.best:.4f}",
                cold.reaches(cold.best),
                warm.reaches(cold.best),
                f"{warm.best:.4f}",
            ]
        )
        before = warm.last
    return rows


def main() -> None:
    """Measure and print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with ml-100k, lastfm-2k ...")
    parser.add_argument("--fresh", type=float, default=0.3)
    options = parser.parse_args()
    ratings, plays = options.data / "ml-100k/ratings.parquet", options.data / "lastfm-2k/plays.parquet"
    tweets = options.data / "movietweetings-100k/ratings.parquet"
    cases = (
        ("ml-100k", ratings, "explicit", "rmse", MaskedNMF, (16, 32, 64, 128), 60),
        ("ml-100k", ratings, "implicit", "ndcg@10", WeightedNMF, (32, 64, 128, 256), 20),
        ("lastfm-2k", plays, "implicit", "ndcg@10", WeightedNMF, (64, 128, 256, 512), 20),
        ("movietweetings", tweets, "implicit", "ndcg@10", WeightedNMF, (32, 64, 128, 256), 20),
    )
    rows = []
    with threads.use(1):
        for log, path, feedback, metric, kind, ranks, n_sweeps in cases:
            split = prepare(load_log(str(path), feedback=feedback), split="random-user:0.2")

            def make(rank: int, kind: Any = kind, n_sweeps: int = n_sweeps) -> Any:
                return kind(rank, max_iter=n_sweeps, tol=0.0)

            for row in compared(make, split, parse_metric(metric), ranks, options.fresh):
                rows.append([log, kind.name, metric, *row])
                print(*rows[-1], sep=" | ", flush=True)
    heads = ["log", "model", "metric", "components", "best from nothing", "from nothing", "warm", "best warm"]
    print(table(heads, rows))


if __name__ == "__main__":
    main()
