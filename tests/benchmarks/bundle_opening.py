"""How long a large bundle takes to open, and what memory a second process that serves it adds.

python -m tests.benchmarks.bundle_opening --gib 1
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


def _own_mib() -> float:
    """Return the memory of this process that it shares with no other, in MiB."""
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) / 1024


def opened(folder: Path, *, mapped: bool) -> None:
    """Open a bundle, answer, say so, and wait to be told to measure what is ours alone."""
    began = time.perf_counter()
    bundle = load_bundle(folder, mapped=mapped)
    seconds = time.perf_counter() - began
    bundle.recommend([1, 2, 3], 10)
    sys.stdout.write("open\n")
    sys.stdout.flush()
    sys.stdin.readline()
    sys.stdout.write(json.dumps({"seconds": seconds, "own_mib": _own_mib()}) + "\n")
    sys.stdout.flush()
    sys.stdin.readline()  # what is shared is so while both are there


def main() -> None:
    """Open it in two processes at once, read and mapped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gib", type=float, default=1.0)
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
        for how in ([], ["--mapped"]):
            command = [sys.executable, "-m", "tests.benchmarks.bundle_opening", "--open", str(folder), *how]
            both = []
            for _ in range(2):  # one after the other, and both stay
                process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
                process.stdout.readline()
                both.append(process)
            for number, process in enumerate(both):
                process.stdin.write("\n")
                process.stdin.flush()
                answer = json.loads(process.stdout.readline())
                way, seconds, own = "mapped" if how else "read", answer["seconds"], answer["own_mib"]
                told = f"{way:7} process {number + 1}: open in {seconds:.2f} s, {own:,.0f} MiB of its own"
                sys.stdout.write(f"{told}\n")
            for process in both:
                process.communicate()


if __name__ == "__main__":
    main()
