"""The Spark engine in local mode, stage by stage, beside Spark's own non-negative ALS.

    python -m tests.benchmarks.spark_speed --events 1000000 --events 10000000

Both see the same generated purchases, of which one of each of some users is held out, with the same number of
components and of iterations. Seconds are by the clock; memory is the largest of each kind of process, in MiB
and without what is mapped from files: this one, the JVM (in local mode driver and executor in one) and the
workers of Python together.
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
from scipy import sparse

import recsys
from recsys.progress import task
from recsys.spark import evaluate, recommend, train
from recsys.spark.session import session

PER_USER, N_GROUPS, N_ITEMS, N_MEASURED = 50, 60, 20_000, 20_000
_AT_A_TIME = 100_000  # users, whose events are generated together


def generate(n_events: int, path: Path) -> tuple[np.ndarray, Any]:
    """Write purchases of users who like one or two of some groups of items, some users at a time.

    Returns
    -------
    held_out : int64, (n_measured, 2)
        A pair of each of the first users.
    seen : csr_matrix, (n_measured, n_items)
        What these users have.
    """
    n_users = n_events // PER_USER
    steps = 2 * np.random.default_rng(0).integers(1, N_ITEMS // 2, N_GROUPS) * 5 + 1
    schema = pa.schema([("user", pa.int64()), ("item", pa.int64())])
    with pq.ParquetWriter(path, schema) as writer:
        for first in range(0, n_users, _AT_A_TIME):
            generator = np.random.default_rng([1, first])
            some = min(_AT_A_TIME, n_users - first)
            users = np.repeat(np.arange(some, dtype=np.int64), PER_USER + 1)
            likes = generator.integers(0, N_GROUPS, (some, 2))
            group = likes[users, (generator.random(len(users)) < 0.3).astype(int)]
            # Few items of a group are popular.
            rank = (N_ITEMS * generator.random(len(users)) ** 4).astype(np.int64)
            of_group = (rank * steps[group] + 317 * group) % N_ITEMS
            items = np.where(generator.random(len(users)) < 0.15, rank, of_group)
            is_last = np.r_[users[1:] != users[:-1], True]
            pairs = users[~is_last], items[~is_last]
            writer.write_table(pa.table([pairs[0] + first, pairs[1]], schema=schema))
            if first == 0:
                held_out = np.stack([users[is_last], items[is_last]], axis=1)[:N_MEASURED]
                ones = np.ones(len(held_out) * PER_USER, np.float32)
                shown = [part[: len(ones)] for part in pairs]
                seen = sparse.csr_matrix((ones, shown), shape=(len(held_out), N_ITEMS))
    return held_out, seen


class Stages:
    """Prints what each task of a listener took: seconds, and the largest memory of each kind of process."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._open: list[tuple[str, float]] = []

    def start(self, task: str, total: int | None) -> None:
        self._open.append((task, time.perf_counter()))
        self._memory.begin()

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Count nothing."""

    def finish(self) -> None:
        task, began = self._open.pop()
        took = time.perf_counter() - began
        memory = " | ".join(f"{most:.0f}" for most in self._memory.most_of_stage.values())
        print(f"|   {task} | {took:.1f} | {memory} |", flush=True)


class Memory:
    """The largest resident memory of the processes of a session, in MiB, looked at twice a second."""

    def __init__(self) -> None:
        self.most = {"driver": 0.0, "jvm": 0.0, "workers": 0.0}
        self.most_of_stage = dict(self.most)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Memory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def begin(self) -> None:
        """Begin a stage."""
        self.most_of_stage = dict.fromkeys(self.most, 0.0)

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
            self.most_of_stage = {kind: max(most, now[kind]) for kind, most in self.most_of_stage.items()}


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


def our_row(spark: Any, path: Path, given: argparse.Namespace, held_out: np.ndarray, seen: Any) -> str:
    """Train, write the bundle, recommend everyone and evaluate; return the row of the fit."""
    spec = recsys.ModelSpec("weighted-nmf", {"n_components": given.rank, "max_iter": given.iterations})
    with Memory() as memory:
        stages, began = Stages(memory), time.perf_counter()
        bundle = train(spec, path, partitions=given.partitions, progress=stages)
        seconds, most = time.perf_counter() - began, dict(memory.most)
        columns = np.full(N_ITEMS, -1)
        columns[bundle.item_ids.values] = np.arange(len(bundle.item_ids))

        def ours(users: np.ndarray) -> np.ndarray:
            found = bundle.model.score_block(bundle.user_ids.rows(users.tolist()))
            return np.where(columns >= 0, found[:, columns], -np.inf)

        quality = ndcg(held_out, seen, ours)
        print(f"|   the fit: NDCG@10 {quality:.4f}, {seconds:.0f} s", flush=True)
        if "lists" not in given.without:
            with task(stages, "write the bundle"):
                recsys.save_bundle(bundle, path.parent / "model")
            with task(stages, "all of recommend"):
                recommend(path.parent / "model", path.parent / f"lists-{path.stem}", n=10, progress=stages)
        if "evaluate" not in given.without:
            with task(stages, "all of evaluate: read, split, fit, rank and measure, and popularity"):
                done = evaluate(spec, path, metrics="ndcg@10", partitions=given.partitions, progress=stages)
            print(f"|   evaluate: {done.result.measurements.metrics}", flush=True)
    return f"{seconds:.0f} | {quality:.4f} | {most}"


def als_row(spark: Any, path: Path, given: argparse.Namespace, held_out: np.ndarray, seen: Any) -> str:
    """Fit Spark's own non-negative ALS, for as long as it may take, and return its row of the table."""
    from pyspark.ml.recommendation import ALS

    frame = spark.read.parquet(str(path)).selectExpr(
        "cast(user as int) user", "cast(item as int) item", "cast(1 as float) rating"
    )
    als = ALS(
        rank=given.rank, maxIter=given.iterations, nonnegative=True, implicitPrefs=True,
        alpha=10.0, regParam=0.1, userCol="user", itemCol="item", ratingCol="rating", seed=0,
        numUserBlocks=4, numItemBlocks=4,
    )  # fmt: skip
    began, is_late = time.perf_counter(), threading.Event()

    def give_up() -> None:
        is_late.set()
        spark.sparkContext.cancelAllJobs()

    timer = threading.Timer(given.als_limit, give_up)
    timer.start()
    tables: list[Any] = []
    with Memory() as memory:
        try:
            fitted = als.fit(frame.groupBy("user", "item").sum("rating").toDF("user", "item", "rating"))
            tables = [
                fitted.userFactors.filter(f"id < {N_MEASURED}").toArrow(),
                fitted.itemFactors.toArrow(),
            ]
        except Exception:
            if not is_late.is_set():
                raise
        finally:
            timer.cancel()
    seconds = time.perf_counter() - began
    if is_late.is_set():
        return f"over {seconds:.0f} | - | {memory.most}"
    factors = []
    for table, n_rows in zip(tables, (N_MEASURED, N_ITEMS), strict=True):
        whole = np.zeros((n_rows, given.rank), np.float32)
        values = table.column("features").combine_chunks().flatten().to_numpy()
        whole[table.column("id").to_numpy()] = values.reshape(-1, given.rank)
        factors.append(whole)
    quality = ndcg(held_out, seen, lambda users: factors[0][users] @ factors[1].T)
    return f"{seconds:.0f} | {quality:.4f} | {memory.most}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, action="append")
    parser.add_argument("--rank", type=int, default=32)
    parser.add_argument("--iterations", type=int, default=5)
    parser.add_argument("--partitions", type=int, default=4)
    parser.add_argument("--als-limit", type=float, default=400.0, help="seconds that Spark's ALS may take")
    parser.add_argument(
        "--without", choices=("als", "ours", "lists", "evaluate"), action="append", default=[]
    )
    given = parser.parse_args()
    conf = {"spark.driver.memory": "2g", "spark.executor.memory": "2g", "spark.sql.shuffle.partitions": "4"}
    with tempfile.TemporaryDirectory() as folder, session("local[2]", conf, patience=300) as spark:
        for n_events in given.events or [1_000_000]:
            path = Path(folder) / f"{n_events}.parquet"
            held_out, seen = generate(n_events, path)
            if "ours" not in given.without:
                print(f"| {n_events:,} | recsys | {our_row(spark, path, given, held_out, seen)}", flush=True)
            if "als" not in given.without:
                print(
                    f"| {n_events:,} | Spark ALS | {als_row(spark, path, given, held_out, seen)}", flush=True
                )
    print(
        "largest memory of this process:", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, "MiB"
    )


if __name__ == "__main__":
    main()
