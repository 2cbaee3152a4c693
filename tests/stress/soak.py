"""One process for a long time: memory stays flat, and answers stay the same.

python -m tests.stress.soak rounds 200
python -m tests.stress.soak answers 100000
"""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

import recsys
from tests.matrices import random_matrix

MODELS = ("hybrid-nmf", "masked-nmf", "popularity")
N_THREADS = 8
_PAGE_KIB = 4


def resident_mib() -> float:
    """Return the resident memory of this process in MiB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE_KIB / 1024


def table(seed: int) -> recsys.LoadedLog:
    """Return a small log of ratings."""
    import pandas as pd

    matrix = random_matrix(60, 40, seed=seed)
    users, items = np.nonzero(np.isfinite(matrix))
    frame = pd.DataFrame({"user": users, "item": items, "rating": matrix[users, items]})
    return recsys.load_log(frame)


def rounds(n: int) -> dict[str, int]:
    """Train, recommend and evaluate ``n`` times; later rounds of a model say what its first one said."""
    log, first, memory = table(0), {}, []
    for number in range(n):
        name = MODELS[number % len(MODELS)]
        bundle = recsys.train(name, log)
        lists = bundle.recommend(None, 5)
        metrics = recsys.evaluate(name, log, metrics="ndcg@5").result.measurements.metrics
        told = (lists.items.tobytes(), lists.scores.tobytes(), str(dict(metrics)))
        assert first.setdefault(name, told) == told, f"round {number}: {name} says another thing"
        memory.append(resident_mib())
    settled = memory[min(len(memory) // 4, 20)]
    return {"rounds": n, "grown_mib": round(memory[-1] - settled), "resident_mib": round(memory[-1])}


def answers(n: int) -> dict[str, int]:
    """Ask for ``n`` lists of one user from threads at once; each is what the first answer was."""
    bundle = recsys.train("hybrid-nmf", table(0))
    users = list(bundle.user_ids)
    expected = [repr(next(bundle.recommend([user], 5).lists())) for user in users]

    def ask(first: int) -> int:
        wrong = 0
        for number in range(first, n, N_THREADS):
            user = number % len(users)
            wrong += repr(next(bundle.recommend([users[user]], 5).lists())) != expected[user]
        return wrong

    before = resident_mib()
    with ThreadPoolExecutor(N_THREADS) as pool:
        wrong = sum(pool.map(ask, range(N_THREADS)))
    return {"answers": n, "wrong": wrong, "grown_mib": round(resident_mib() - before)}


def main() -> None:
    """Run one of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["rounds", "answers"])
    parser.add_argument("n", type=int)
    given = parser.parse_args()
    began = time.perf_counter()
    seen = {"rounds": rounds, "answers": answers}[given.what](given.n)
    counted = ", ".join(f"{number} {name}" for name, number in seen.items())
    sys.stdout.write(f"{given.what}: {counted}, {time.perf_counter() - began:.1f} s\n")


if __name__ == "__main__":
    main()
