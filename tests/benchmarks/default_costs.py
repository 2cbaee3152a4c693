"""What defaults cost: NDCG, seconds and memory of ours, of `als` with its defaults, and of `als` tuned.

    python -W ignore -m tests.benchmarks.default_costs --data ../shared/data

One row for each log, on the validation parts of `default_rules`. Each fit has a process of its own on one
thread, which trains on some users first; seconds are the processor's, MiB the peak of resident memory above
what was there before the fit. `als` is tuned on the part that it is measured on, which flatters it a little.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recsys.evaluation.evaluator import evaluate
from recsys.evaluation.metrics import parse_metrics
from recsys.models.registry import make
from tests.benchmarks.apart import PeakMemory, run_apart
from tests.benchmarks.default_rules import lists
from tests.benchmarks.speed_report import table
from tests.benchmarks.weighted_speed import few_users

_GRID = tuple(
    {"n_components": 256, "weight": weight, "l2": weight * ratio}
    for weight in (5.0, 20.0)
    for ratio in (2.5, 6.0, 15.0)
)
"""What is tried for logs whose best settings are not known from longer searches."""
_KNOWN: Mapping[str, tuple[int, dict[str, Any]]] = {
    "ml-100k": (36, {"n_components": 256, "weight": 5.0, "l2": 20.0}),
    "lastfm-2k": (24, {"n_components": 256, "weight": 20.0, "l2": 120.0}),
    "movietweetings": (33, {"n_components": 256, "weight": 80.0, "l2": 720.0}),
    "online-retail": (8, {"n_components": 128, "weight": 2.0, "l2": 20.0}),
    "few-items": (38, {"n_components": 256, "weight": 20.0, "l2": 120.0}),
    "dense": (8, {"n_components": 128, "weight": 5.0, "l2": 120.0}),
    "sparse": (8, {"n_components": 128, "weight": 20.0, "l2": 120.0}),
    "completejourney": (57, {"n_components": 96, "weight": 1.25, "l2": 20.0}),
    "tiny": (5, {"n_components": 256, "weight": 40.0, "l2": 100.0}),
    "wide": (3, {"n_components": 256, "weight": 20.0, "l2": 120.0}),
    "gowalla": (9, {"n_components": 256, "weight": 40.0, "l2": 25.0}),
}
"""Tries, and the best setting among them; see README.md."""
_MODELS = {"hybrid-nmf": {"ratings": "no"}, "als": {}}
_LOGS = (*_KNOWN, "clicks")


def measure(log: str, data: Path, name: str, params: dict[str, Any]) -> tuple[float, float, float]:
    """Return the NDCG of a model, the seconds of its fit, and how many MiB that took."""
    prepared = lists(log, data)
    make(name, params).fit(few_users(prepared.train))  # compiles and imports
    model, metric = make(name, params), "ndcg@20" if log == "gowalla" else "ndcg@10"
    with PeakMemory() as peak:
        began = time.process_time()
        model.fit(prepared.train)
        seconds = time.process_time() - began
    metrics = evaluate(model, prepared.seen, prepared.held_out, parse_metrics(metric)).metrics
    return float(metrics[metric] or 0.0), seconds, peak.extra / 2**20


def row(log: str, data: Path) -> list[str]:
    """Return the cells of a log: ours, `als`, `als` tuned, its settings and how many were tried."""
    cells = [_cell(run_apart(1, measure, log, data, name, params)) for name, params in _MODELS.items()]
    n_tries, settings = _KNOWN.get(log, (len(_GRID), None))
    tried = _GRID if settings is None else (settings,)
    outcomes = [run_apart(1, measure, log, data, "als", params) for params in tried]
    best = max(range(len(tried)), key=lambda number: outcomes[number][0])
    said = ", ".join(f"{value:g}" for value in tried[best].values())
    return [log, *cells, _cell(outcomes[best]), said, str(n_tries)]


def _cell(outcome: tuple[float, float, float]) -> str:
    ndcg, seconds, mib = outcome
    return f"{ndcg:.4f}, {seconds:.1f} s, {mib:.0f} MiB"


def main() -> None:
    """Measure and print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with gowalla, lastfm-2k ...")
    parser.add_argument("--logs", nargs="+", choices=_LOGS, default=_LOGS)
    options = parser.parse_args()
    rows = []
    for log in options.logs:
        rows.append(row(log, options.data))
        print(*rows[-1], sep=" | ", flush=True)
    print(table(["log", *_MODELS, "als, tuned", "factors, weight, l2", "tries"], rows), flush=True)


if __name__ == "__main__":
    main()
