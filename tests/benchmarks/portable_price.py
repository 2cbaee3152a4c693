"""What the same bits on every x86-64 cost: processor seconds of fits with and without RECSYS_PORTABLE.

python -m tests.benchmarks.portable_price
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time

import numpy as np

from recsys.data.interactions import Interactions
from recsys.models.registry import make

MODELS = {
    "masked-nmf": {"n_components": 32, "max_iter": 10},
    "weighted-nmf": {"n_components": 64, "max_iter": 6},
    "hybrid-nmf": {"n_components": 64},
    "poisson-nmf": {"n_components": 16, "max_iter": 5},
    "bayesian-nmf": {"n_components": 8, "n_burn_in": 5, "n_draws": 10, "n_kept": 5},
    "slim": {},
    "als": {"n_components": 64, "max_iter": 5},
    "explicit-als": {"n_components": 32, "max_iter": 5},
    "ease": {},
}


def log() -> Interactions:
    """Return 200,000 ratings in which some users and items are far more active than others."""
    rng = np.random.default_rng(0)
    users, items = (rng.random(200_000) ** power * size for power, size in ((1.5, 6_000), (2.0, 2_000)))
    return Interactions.from_pairs(
        users.astype(np.int64), items.astype(np.int64), rng.integers(1, 6, 200_000)
    )


def seconds() -> dict[str, float]:
    """Return the processor seconds of each fit, the lesser of two."""
    data, taken = log(), {}
    for name, params in MODELS.items():
        times = []
        for _ in range(2):
            began = time.process_time()
            make(name, params).fit(data)
            times.append(time.process_time() - began)
        taken[name] = min(times)
    return taken


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    if parser.parse_args().one:
        sys.stdout.write(json.dumps(seconds()))
        return
    both = []
    for way in ([], ["-m", "recsys.portable"]):
        command = [sys.executable, *way, "-m", "tests.benchmarks.portable_price", "--one"]
        both.append(json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout))
    sys.stdout.write("model           processor seconds   portable   ratio\n")
    for name, usual in both[0].items():
        portable = both[1][name]
        sys.stdout.write(f"{name:16} {usual:16.2f} {portable:10.2f} {portable / usual:7.2f}\n")


if __name__ == "__main__":
    main()
