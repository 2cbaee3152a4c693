"""What giving settings up early saves when a model is tuned: by the median, by Hyperband, or not at all.

    python -m tests.benchmarks.pruning ratings.parquet [--trials 20] [--seeds 0 1]

`recsys tune --model masked-nmf --metric rmse` with Optuna's pruners in turn. Processor seconds, those of
measuring each sweep among them. Needs optuna.
"""

from __future__ import annotations

import argparse
import time
from unittest import mock

import optuna

import recsys
from tests.benchmarks.speed_report import table

SEARCH = {"n_components": "8..64"}
MOST_SWEEPS = 100


def main() -> None:
    """Measure and print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("log")
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1])
    options = parser.parse_args()
    loaded = recsys.load_log(options.log)
    pruners = {
        "median": optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=2),  # as it is
        "Hyperband": optuna.pruners.HyperbandPruner(2, MOST_SWEEPS, 3),
        "none": optuna.pruners.NopPruner(),
    }
    recsys.tune("masked-nmf", loaded, SEARCH, metric="rmse", trials=2)  # compiled from here on
    rows = []
    for seed in options.seeds:
        for name, pruner in pruners.items():
            # What the study makes of its own is left out: the pruner in question takes its place.
            with mock.patch("optuna.pruners.MedianPruner", return_value=pruner):
                began = time.process_time()
                tuned = recsys.tune(
                    "masked-nmf", loaded, SEARCH, metric="rmse", trials=options.trials, seed=seed
                ).winner
                seconds = time.process_time() - began
            n_sweeps = sum(len(trial.curve) for trial in tuned.trials)
            row = [str(seed), name, f"{tuned.best.value:.4f}", str(tuned.best.number)]
            rows.append([*row, str(tuned.count("pruned")), str(n_sweeps), f"{seconds:.1f}"])
    heads = ["seed", "given up by", "best rmse", "trial", "given up", "sweeps", "processor s"]
    print(table(heads, rows))


if __name__ == "__main__":
    main()
