"""How long a large bundle takes to open, and what memory a second process that serves it adds.

python -m tests.benchmarks.bundle_opening --gib 1
python -m tests.benchmarks.bundle_opening --gib 5 --only-mapped
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from recsys.data.ids import Ids
from recsys.data.rows import CompressedRows
from recsys.models.registry import make
from recsys.recommend.bundle import Bundle
from recsys.recommend.bundle_files import load_bundle, save_bundle
from recsys.recommend.checked_before import SETTLED_SECONDS

RANK, N_ITEMS = 128, 20_000


def write(folder: Path, gib: float) -> None:
    """Write a bundle whose factors take so much room; what they say does not matter."""
    n_users = int(gib * 2**30 / (4 * RANK))
    rng = np.random.default_rng(0)
    arrays = {
        "user_factors": rng.random((n_users, RANK), dtype=np.float32),
        "item_factors": rng.random((N_ITEMS, RANK), dtype=np.float32),
        "user_bias": np.zeros(n_users, np.float32),
        "item_bias": np.zeros(N_ITEMS, np.float32),
        "mean": np.zeros(1),
        "shares": np.full(RANK, 1 / RANK),
        "values": np.array([1.0, 5.0, 3.0]),
    }
    model = make("masked-nmf", {"n_components": RANK, "l2": 1.0})
    model.load(arrays)
    columns = (np.arange(n_users) % N_ITEMS).astype(np.int32)
    seen = CompressedRows(np.arange(n_users + 1), columns, np.ones(n_users, np.float32), N_ITEMS)
    counts = np.bincount(columns, minlength=N_ITEMS)
    training = {"feedback": "explicit", "n_users": n_users, "n_items": N_ITEMS, "n_entries": n_users}
    save_bundle(
        Bundle(model, Ids(np.arange(n_users)), Ids(np.arange(N_ITEMS)), seen, counts, {}, training), folder
    )


def _mib(*names: str) -> float:
    """Return how much memory of some kinds this process takes, in MiB, as the operating system counts it."""
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith(names)) / 1024


def opened(folder: Path, *, mapped: bool) -> None:
    """Open a bundle, answer, say so, and wait to be told to measure memory."""
    with tempfile.TemporaryDirectory() as place:  # what any bundle makes a process import is no part of it
        write(Path(place) / "small", 0.001)
        load_bundle(Path(place) / "small", mapped=mapped).recommend([1])
    began = time.perf_counter()
    bundle = load_bundle(folder, mapped=mapped)
    seconds = time.perf_counter() - began
    began = time.perf_counter()
    bundle.recommend([1, 2, 3], 10)
    first_answer = time.perf_counter() - began
    began = time.perf_counter()
    bundle.recommend([4, 5, 6], 10)
    answer = time.perf_counter() - began
    sys.stdout.write("open\n")
    sys.stdout.flush()
    sys.stdin.readline()
    own, share = _mib("Anonymous:"), _mib("Pss:")
    sys.stdout.write(json.dumps([seconds, first_answer, answer, own, share]) + "\n")
    sys.stdout.flush()
    sys.stdin.readline()  # what is shared is so while both are there


def both(folder: Path, way: str) -> None:
    """Open a bundle in two processes, one after the other, and print what each took while both stay."""
    command = [sys.executable, "-m", "tests.benchmarks.bundle_opening", "--open", str(folder)]
    processes = []
    for _ in range(2):
        process = subprocess.Popen(
            [*command, *(["--mapped"] if way == "mapped" else [])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        process.stdout.readline()
        processes.append(process)
    for number, process in enumerate(processes, 1):
        process.stdin.write("\n")
        process.stdin.flush()
        seconds, first, answer, own, share = json.loads(process.stdout.readline())
        sys.stdout.write(
            f"{way:6} process {number}: open in {seconds:7.3f} s, first lists {first:6.3f} s, "
            f"next {answer:6.3f} s; {own:6,.0f} MiB of its own, {share:6,.0f} MiB with its share of files\n"
        )
    for process in processes:
        process.communicate("\n")


def main() -> None:
    """Open it in two processes at once, read and mapped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gib", type=float, default=1.0)
    parser.add_argument("--only-mapped", action="store_true", help="for bundles that do not fit twice")
    parser.add_argument("--open", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--mapped", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.open:
        opened(given.open, mapped=given.mapped)
        return
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "model"
        write(folder, given.gib)
        size = sum(path.stat().st_size for path in folder.iterdir())
        sys.stdout.write(f"{size / 2**30:.2f} GiB\n")
        time.sleep(SETTLED_SECONDS)  # of files that were just written a check is not remembered
        for way in ("mapped",) if given.only_mapped else ("read", "mapped"):
            both(folder, way)


if __name__ == "__main__":
    main()
