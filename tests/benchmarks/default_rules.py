"""Defaults that follow the log, on validation parts of real logs and on generated ones.

    python -m tests.benchmarks.default_rules --data ../shared/data

Two tables: NDCG and the seconds of the fit of models that rank; errors of models that predict ratings.
Real logs are split in their training part, so that no test part is looked at; see README.md.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from recsys import threads
from recsys.data.load import load_log
from recsys.evaluation.evaluator import evaluate
from recsys.evaluation.metrics import parse_metrics
from recsys.experiment.prepared_split import PreparedSplit, prepare
from recsys.models.base import Model
from recsys.models.baselines.als import ALS
from recsys.models.baselines.bias import Bias
from recsys.models.baselines.explicit_als import ExplicitALS
from recsys.models.hybrid_nmf import HybridNMF
from recsys.models.masked_nmf import MaskedNMF
from recsys.models.slim import SLIM
from tests.benchmarks.generated_logs import PURCHASES, RATINGS
from tests.benchmarks.speed_report import table

_GOODS = "Quantity > 0 AND CustomerID IS NOT NULL AND regexp_matches(StockCode, '^[0-9]{5}')"
_TIMED: Mapping[str, tuple[str, str, str | None]] = {
    "online-retail": ("online-retail/online_retail.csv.gz", "time:2011-10-14..2011-11-11", _GOODS),
    "completejourney": ("completejourney", "time:2017-11-06..2017-12-04", None),
}
"""Path, the weeks before those that are held out elsewhere, and a condition."""
_INNER = {
    "ml-100k": "ml-100k/ratings.parquet",
    "lastfm-2k": "lastfm-2k/plays.parquet",
    "movietweetings": "movietweetings-100k/ratings.parquet",
}
_OUTER, _VALIDATION = "random-user:0.2", "random-user:0.1"


def _inner(frame_or_path: Any, feedback: str, validation: str = _VALIDATION) -> PreparedSplit:
    """Split the training part of a log once more."""
    train = prepare(load_log(frame_or_path, feedback=feedback), split=_OUTER).train
    rows = train.by_user.to_scipy().tocoo()
    columns = {"user": train.user_ids.values[rows.row], "item": train.item_ids.values[rows.col]}
    frame = pd.DataFrame({**columns, "value": rows.data})
    return prepare(load_log(frame, feedback=feedback), split=validation)


def lists(name: str, data: Path) -> PreparedSplit:
    """Return the validation part of a log of purchases, real or generated."""
    if name in PURCHASES:
        return _inner(PURCHASES[name].frame(), "implicit")
    if name in _INNER:
        return _inner(str(data / _INNER[name]), "implicit")
    if name == "gowalla":
        return prepare(load_log(str(data / "gowalla" / "train.parquet")), split=_VALIDATION)
    path, split, where = _TIMED[name]
    return prepare(load_log(path if where is None else str(data / path), where=where), split=split)


def ratings(name: str, data: Path) -> PreparedSplit:
    """Return the validation part of a log of ratings, real or generated."""
    if name in RATINGS:
        return prepare(load_log(RATINGS[name].frame(), feedback="explicit"), split="random:0.1")
    return _inner(str(data / _INNER[name]), "explicit", "random:0.1")


def _measured(prepared: PreparedSplit, model: Model, metric: str) -> str:
    began = time.process_time()
    model.fit(prepared.train)
    seconds = time.process_time() - began
    metrics = evaluate(model, prepared.seen, prepared.held_out, parse_metrics(metric)).metrics
    return f"{metrics[metric]:.4f} ({seconds:.1f} s)"


def main() -> None:
    """Measure and print Markdown."""
    ranked = [*_INNER, "online-retail", "completejourney", "gowalla", *PURCHASES]
    rated = ["ml-100k", "movietweetings", *RATINGS]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with gowalla, lastfm-2k ...")
    parser.add_argument("--lists", nargs="*", choices=ranked, default=ranked)
    parser.add_argument("--ratings", nargs="*", choices=rated, default=rated)
    options = parser.parse_args()
    ranking = {
        "hybrid-nmf": lambda: HybridNMF(ratings="no"),
        "slim": SLIM,
        "als": ALS,
        "als, 64 factors, weight 5, l2 0.01": lambda: ALS(64, weight=5.0, l2=0.01),
    }
    predicting = {
        "bias": Bias,
        "masked-nmf": MaskedNMF,
        "masked-nmf, l2 0.08": lambda: MaskedNMF(l2=0.08),
        "explicit-als": ExplicitALS,
        "explicit-als, l2 0.12": lambda: ExplicitALS(l2=0.12),
    }
    with threads.use(1):
        for model in (HybridNMF(4, max_iter=3, ratings="yes"), ALS(4), ExplicitALS(4)):
            model.fit(ratings("ml-100k", options.data).train)  # compiled from here on
        rows = []
        for name in options.lists:
            metric = "ndcg@20" if name == "gowalla" else "ndcg@10"
            prepared = lists(name, options.data)
            rows.append([name, *(_measured(prepared, make(), metric) for make in ranking.values())])
            print(*rows[-1], sep=" | ", flush=True)
        print(table(["log", *ranking], rows), flush=True)
        rows = []
        for name in options.ratings:
            prepared = ratings(name, options.data)
            rows.append([name, *(_measured(prepared, make(), "rmse") for make in predicting.values())])
        print(table(["log", *predicting], rows), flush=True)


if __name__ == "__main__":
    main()
