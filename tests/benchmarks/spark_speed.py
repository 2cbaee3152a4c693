"""The Spark engine in local mode, stage by stage, beside Spark's own non-negative ALS.

    python -m tests.benchmarks.spark_speed --events 1000000 --events 10000000

Both see the same generated purchases, of which one of each of some users is held out, with the same number of
components and of iterations. Seconds are by the clock and of the cores; memory is the largest of each kind of
process: this one, the JVM (in local mode driver and executor in one) and the workers of Python.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import recsys
from recsys.spark.session import session
from recsys.spark.training import train

PER_USER, N_GROUPS, N_ITEMS, N_MEASURED = 50, 60, 20_000, 20_000


def generate(n_events: int, path: Path) -> np.ndarray:
    """Write purchases of users who like one or two of some groups of items; return the pairs held out."""
    generator = np.random.default_rng(0)
    n_users = n_events // PER_USER
    users = np.repeat(np.arange(n_users, dtype=np.int64), PER_USER + 1)
    likes = generator.integers(0, N_GROUPS, (n_users, 2))
    group = likes[users, (generator.random(len(users)) < 0.3).astype(int)]
    rank = (N_ITEMS * generator.random(len(users)) ** 4).astype(np.int64)  # few items of a group are popular
    steps = 2 * generator.integers(1, N_ITEMS // 2, N_GROUPS) * 5 + 1
    items = np.where(generator.random(len(users)) < 0.15, rank, (rank * steps[group] + 317 * group) % N_ITEMS)
    is_last = np.r_[users[1:] != users[:-1], True]
    pq.write_table(pa.table({"user": users[~is_last], "item": items[~is_last]}), path)
    return np.stack([users[is_last], items[is_last]], axis=1)[:N_MEASURED]


class Stages:
    """Notes what each task of a listener took."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, float]] = []
        self._open: list[tuple[str, float]] = []

    def start(self, task: str, total: int | None) -> None:
        self._open.append((task, time.perf_counter()))

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Count nothing."""

    def finish(self) -> None:
        task, began = self._open.pop()
        self.rows.append((task, time.perf_counter() - began))


class Memory:
    """The largest resident memory of the processes of a session, in MiB, looked at twice a second."""

    def __init__(self) -> None:
        self.most = {"driver": 0.0, "jvm": 0.0, "workers": 0.0}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Memory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(0.5):
            now = dict.fromkeys(self.most, 0.0)
            for process in _family(os.getpid()):
                try:
                    status = Path(f"/proc/{process}/status").read_text()
                    command = Path(f"/proc/{process}/cmdline").read_bytes()
                except OSError:
                    continue
                resident = next((line for line in status.splitlines() if line.startswith("RssAnon")), "x 0")
                kind = "driver" if process == os.getpid() else "jvm" if b"java" in command else "workers"
                now[kind] += int(resident.split()[1]) / 1024
            self.most = {kind: max(most, now[kind]) for kind, most in self.most.items()}


def _family(root: int) -> list[int]:
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    family, grown = {root}, True
    while grown:
        more = {child for child, parent in parents.items() if parent in family} - family
        grown = bool(more)
        family |= more
    return sorted(family)


def ndcg(held_out: np.ndarray, seen: Any, scores: Callable[[np.ndarray], np.ndarray], k: int = 10) -> float:
    """Return the mean NDCG@k of users with one item held out; one they had before is left out."""
    total, n = 0.0, 0
    for first in range(0, len(held_out), 500):
        users, items = held_out[first : first + 500].T
        block = scores(users)
        own = block[np.arange(len(users)), items].copy()
        rows = seen[users]
        was_seen = np.asarray(rows[np.arange(len(users)), items]).ravel() > 0
        block[rows.nonzero()] = -np.inf
        position = (block > own[:, None]).sum(axis=1)
        gains = np.where(position < k, 1 / np.log2(position + 2), 0.0)[~was_seen]
        total, n = total + float(gains.sum()), n + len(gains)
    return total / n


def _cores() -> float:
    """Return the processor seconds of this process and of all below it that still run."""
    ticks = os.sysconf("SC_CLK_TCK")
    total = 0.0
    for process in _family(os.getpid()):
        try:
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += sum(int(fields[number]) for number in (11, 12, 13, 14)) / ticks
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, action="append")
    parser.add_argument("--rank", type=int, default=32)
    parser.add_argument("--iterations", type=int, default=5)
    parser.add_argument("--without", choices=("als", "ours"), action="append", default=[])
    given = parser.parse_args()
    conf = {"spark.driver.memory": "2g", "spark.executor.memory": "2g", "spark.sql.shuffle.partitions": "4"}
    with tempfile.TemporaryDirectory() as folder, session("local[2]", conf, patience=300) as spark:
        for n_events in given.events or [1_000_000]:
            path = Path(folder) / f"{n_events}.parquet"
            held_out = generate(n_events, path)
            pairs = pq.read_table(path).to_pandas()
            from scipy import sparse

            seen = sparse.csr_matrix((np.ones(len(pairs), np.float32), (pairs["user"], pairs["item"])))
            seen.resize(seen.shape[0], N_ITEMS)
            del pairs
            if "ours" not in given.without:
                stages, began, cores = Stages(), time.perf_counter(), _cores()
                with Memory() as memory:
                    spec = recsys.ModelSpec(
                        "weighted-nmf", {"n_components": given.rank, "max_iter": given.iterations}
                    )
                    bundle = train(spec, path, partitions=4, progress=stages)
                seconds, used = time.perf_counter() - began, _cores() - cores
                columns = np.full(N_ITEMS, -1)
                columns[bundle.item_ids.values] = np.arange(len(bundle.item_ids))

                def ours(users: np.ndarray, bundle: Any = bundle, columns: Any = columns) -> np.ndarray:
                    found = bundle.model.score_block(bundle.user_ids.rows(users.tolist()))
                    return np.where(columns >= 0, found[:, columns], -np.inf)

                quality = ndcg(held_out, seen, ours)
                print(f"| {n_events:,} | recsys | {seconds:.0f} | {used:.0f} | {quality:.4f} |", memory.most)
                print("   ", ", ".join(f"{task} {took:.1f} s" for task, took in stages.rows), flush=True)
            if "als" not in given.without:
                from pyspark.ml.recommendation import ALS

                began, cores = time.perf_counter(), _cores()
                with Memory() as memory:
                    frame = spark.read.parquet(str(path)).selectExpr(
                        "cast(user as int) user", "cast(item as int) item", "cast(1 as float) rating"
                    )
                    als = ALS(
                        rank=given.rank, maxIter=given.iterations, nonnegative=True, implicitPrefs=True,
                        alpha=10.0, regParam=0.1, userCol="user", itemCol="item", ratingCol="rating", seed=0,
                        numUserBlocks=4, numItemBlocks=4,
                    )  # fmt: skip
                    fitted = als.fit(
                        frame.groupBy("user", "item").sum("rating").toDF("user", "item", "rating")
                    )
                    tables = [side.toArrow() for side in (fitted.userFactors, fitted.itemFactors)]
                seconds, used = time.perf_counter() - began, _cores() - cores
                shapes = (seen.shape[0], N_ITEMS)
                factors = []
                for table, n_rows in zip(tables, shapes, strict=True):
                    whole = np.zeros((n_rows, given.rank), np.float32)
                    values = table.column("features").combine_chunks().flatten().to_numpy()
                    whole[table.column("id").to_numpy()] = values.reshape(-1, given.rank)
                    factors.append(whole)
                quality = ndcg(held_out, seen, lambda users, both=factors: both[0][users] @ both[1].T)
                print(
                    f"| {n_events:,} | Spark ALS | {seconds:.0f} | {used:.0f} | {quality:.4f} |",
                    memory.most, flush=True,
                )  # fmt: skip
    print(
        "largest memory of this process:", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, "MiB"
    )


if __name__ == "__main__":
    main()
