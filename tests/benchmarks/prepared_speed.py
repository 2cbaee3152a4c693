"""Seconds to open a prepared log of ten million events: ``python -m tests.benchmarks.prepared_speed``."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from recsys.data.load import load_log
from recsys.data.prepared import save_log

N_USERS, N_ITEMS = 200_000, 50_000


def seconds_to_open(frame: pd.DataFrame, folder: Path, rounds: int) -> float:
    """Return the least seconds of several rounds, the files in the page cache."""
    save_log(load_log(frame), folder)
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        load_log(folder)
        taken.append(time.perf_counter() - began)
    return min(taken)


def main() -> None:
    """Print a line for each kind of ids."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    generator = np.random.default_rng(0)
    users = generator.integers(0, N_USERS, arguments.events)
    items = generator.integers(0, N_ITEMS, arguments.events)
    names = np.array([f"user-{number}" for number in range(N_USERS)], dtype=object)
    kinds = {
        "integers": pd.DataFrame({"user": users, "item": items}),
        "text": pd.DataFrame({"user": names[users], "item": items}),
    }
    for kind, frame in kinds.items():
        with tempfile.TemporaryDirectory() as folder:
            seconds = seconds_to_open(frame, Path(folder) / "prepared", arguments.rounds)
        sys.stdout.write(f"{arguments.events:,} events, ids {kind}: {1000 * seconds:.0f} ms\n")


if __name__ == "__main__":
    main()
