"""Ours and the peers that measure given lists, each timed on ten metrics and on those in common.

Each returns ``values`` (by our names), ``runs`` (see `clocked`; "ten": its own ten metrics, "common":
those that it and ours both have), ``version`` and ``make_seconds``, what it takes to bring the tables
into the library's own form.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Mapping
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from recsys.data.held_out import HeldOut
from recsys.data.rows import CompressedRows
from tests.benchmarks import evaluation_pandas
from tests.benchmarks.evaluation_lists import CUTS, WARM_USERS, MadeLists, clocked

TEN = (
    "precision",
    "recall",
    "capped-recall",
    "f1",
    "hit-rate",
    "mrr",
    "map",
    "ndcg",
    "graded-ndcg",
    "coverage",
)
_RANX_COMMON = {
    "precision": "precision",
    "recall": "recall",
    "f1": "f1",
    "hit-rate": "hit_rate",
    "mrr": "mrr",
    "map": "map",
    "ndcg": "ndcg",
    "graded-ndcg": "ndcg_burges",  # the same as long as held-out values are 1
}
_RANX_OWN = {"hits": "hits", "dcg": "dcg"}  # ours has neither

COMMON: Mapping[str, tuple[str, ...]] = {
    "ranx": tuple(_RANX_COMMON),
    "ranx-objects": tuple(_RANX_COMMON),
    "rectools": tuple(name for name in TEN if name != "graded-ndcg"),
    "pandas": TEN,
}
"""The metrics that a peer shares with ours."""

TAKES = {"ranx": "arrays", "ranx-objects": "arrays", "rectools": "tables", "pandas": "tables"}
"""What a peer is handed when the clock starts; its ratio is to ours from the same."""

ALL_HELD_OUT = {"map": ("ranx", "ranx-objects", "rectools")}
"""Who divides by all held-out items where ours divides by min(k, held-out)."""


def named(metrics: tuple[str, ...]) -> list[str]:
    """Return metrics at each cut."""
    return [f"{name}@{k}" for name in metrics for k in CUTS]


def held_out(indptr: np.ndarray, items: np.ndarray, n_items: int) -> HeldOut:
    """Return held-out items, ascending inside a user, in our own form; all values are 1."""
    values = np.ones(len(items), dtype=np.float32)
    return HeldOut(
        users=np.repeat(np.arange(len(indptr) - 1), np.diff(indptr)),
        items=items.astype(np.int64),
        values=values,
        by_user=CompressedRows(indptr, items, values, n_items),
        n_held_out=np.diff(indptr).astype(np.int64),
        n_cold_users=0,
        n_cold_items=0,
        n_repeated=0,
    )


def _ours(made: MadeLists, cap: float, block_bytes: int | None, call: Callable[..., Any]) -> dict[str, Any]:
    sets = {"ten": TEN, "ranx": COMMON["ranx"], "rectools": COMMON["rectools"]}
    options = {} if block_bytes is None else {"block_bytes": block_bytes}
    runs, values = {}, {}
    for name, metrics in sets.items():
        if block_bytes is not None and name != "ten":
            continue
        asked = ",".join(named(metrics))
        call(made.head(WARM_USERS))(asked, **options)
        found, runs[name] = clocked(partial(call(made), asked, **options), cap)
        if name == "ten":
            values = dict(found.metrics)
            for k in CUTS:  # as those say it who divide by all held-out items
                shares = np.minimum(k, made.n_held_out) / made.n_held_out
                values[f"map-of-all@{k}"] = float(np.mean(found.per_user[f"map@{k}"] * shares))
    return {"values": values, "runs": runs, "version": version("recsys"), "make_seconds": 0.0}


def ours_from_arrays(made: MadeLists, cap: float, block_bytes: int | None = None) -> dict[str, Any]:
    """`measure_lists`, given row numbers."""
    from recsys.evaluation.from_lists import measure_lists
    from recsys.evaluation.given_lists import GivenLists

    def call(lists: MadeLists) -> Callable[..., Any]:
        n_users, n = lists.listed.shape
        given = GivenLists(np.arange(n_users + 1) * n, lists.listed.ravel())
        held = held_out(lists.held_indptr, lists.held_items, lists.n_items)
        return lambda asked, **options: measure_lists(given, held, asked, **options)

    return _ours(made, cap, block_bytes, call)


def ours_from_tables(made: MadeLists, cap: float, block_bytes: int | None = None) -> dict[str, Any]:
    """`evaluate_lists`, given DataFrames."""
    from recsys.evaluation.from_lists import evaluate_lists

    def call(made: MadeLists) -> Callable[..., Any]:
        lists, held_out = made.tables()
        return lambda asked, **options: evaluate_lists(lists, held_out, asked, **options)

    return _ours(made, cap, block_bytes, call)


def by_hand(made: MadeLists, cap: float) -> dict[str, Any]:
    """pandas and NumPy, given DataFrames."""
    evaluation_pandas.measure(*made.head(WARM_USERS).tables(), CUTS)
    tables = made.tables()
    values, run = clocked(lambda: evaluation_pandas.measure(*tables, CUTS), cap)
    runs = {"ten": run, "common": run}
    return {"values": values, "runs": runs, "version": version("pandas"), "make_seconds": 0.0}


def _ranx(made: MadeLists, cap: float, form: Callable[[MadeLists], tuple[Any, Any]]) -> dict[str, Any]:
    from ranx import evaluate

    runs: dict[str, Any] = {}
    values: dict[str, float] = {}
    seconds = 0.0
    for lists in (made.head(WARM_USERS), made):
        began = time.perf_counter()
        qrels, run = form(lists)
        seconds = time.perf_counter() - began
        for name, metrics in (("ten", _RANX_COMMON | _RANX_OWN), ("common", _RANX_COMMON)):
            asked = {f"{theirs}@{k}": f"{mine}@{k}" for mine, theirs in metrics.items() for k in CUTS}
            # It can also store each user's scores in the run, which is slow and is not asked for.
            found, runs[name] = clocked(
                partial(evaluate, qrels, run, list(asked), save_results_in_run=False), cap
            )
            values = {asked[theirs]: float(value) for theirs, value in found.items()}
    return {"values": values, "runs": runs, "version": version("ranx"), "make_seconds": seconds}


def ranx(made: MadeLists, cap: float) -> dict[str, Any]:
    """ranx, given its quickest form: arrays of (item, value), users x places x 2.

    Shorter rows of held-out items are filled with an item that is never listed, of value 0.
    """

    def form(lists: MadeLists) -> tuple[np.ndarray, np.ndarray]:
        n_users, n = lists.listed.shape
        run = np.empty((n_users, n, 2))
        run[:, :, 0], run[:, :, 1] = lists.listed, np.arange(n, 0, -1)
        width = int(lists.n_held_out.max())
        inside = np.arange(width) < lists.n_held_out[:, None]
        qrels = np.zeros((n_users, width, 2))
        qrels[:, :, 0] = -1
        qrels[inside, 0], qrels[inside, 1] = lists.held_items, 1
        return qrels, run

    return _ranx(made, cap, form)


def ranx_objects(made: MadeLists, cap: float) -> dict[str, Any]:
    """ranx, given its Qrels and Run, made from dictionaries of text ids."""
    from ranx import Qrels, Run

    def form(lists: MadeLists) -> tuple[Qrels, Run]:
        scores = [float(score) for score in range(lists.listed.shape[1], 0, -1)]
        run = {
            f"u{user}": dict(zip(map(str, row), scores, strict=True))
            for user, row in enumerate(lists.listed.tolist())
        }
        ends = lists.held_indptr.tolist()
        held = [str(item) for item in lists.held_items.tolist()]
        qrels = {f"u{user}": dict.fromkeys(held[ends[user] : ends[user + 1]], 1) for user in range(len(run))}
        return Qrels(qrels), Run(run)

    return _ranx(made, cap, form)


_HERE: Mapping[str, Callable[..., dict[str, Any]]] = {
    "ours-arrays": ours_from_arrays,
    "ours-tables": ours_from_tables,
    "ranx": ranx,
    "ranx-objects": ranx_objects,
    "pandas": by_hand,
}
NAMES = (*_HERE, "rectools")


def missing(name: str, rectools_python: Path | None) -> str | None:
    """Return why a contender cannot run, or None."""
    if name == "rectools":
        return None if rectools_python else "no --rectools-python is given"
    package = name.partition("-")[0]
    return f"{package} is not installed" if package == "ranx" and find_spec(package) is None else None


def measure(
    name: str, path: Path, n_users: int, cap: float, block_bytes: int | None = None
) -> dict[str, Any]:
    """Time one contender on the first users; for a process of its own."""
    options = {} if block_bytes is None else {"block_bytes": block_bytes}
    return _HERE[name](MadeLists.load(path).head(n_users), cap, **options)


def measure_rectools(python: Path, path: Path, n_users: int, cap: float) -> dict[str, Any]:
    """Time RecTools by the Python of its own environment."""
    command = [str(python), "-W", "ignore", "-m", "tests.benchmarks.evaluation_rectools"]
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    done = subprocess.run(
        [*command, str(path), str(n_users), str(cap)],
        check=True,
        capture_output=True,
        text=True,
        env=os.environ | threads,
    )
    return dict(json.loads(done.stdout))
