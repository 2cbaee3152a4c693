"""A log larger than the memory it is given: prepared and fitted under a limit, beside a fit in memory.

The limit is one of the kernel's (``RLIMIT_DATA``): on all that a process allocates for itself, and not on
files that it maps. Each step is a process of its own:

- prepare: ``recsys.prepare_log`` of a generated Parquet file, within the limit;
- mapped: `MaskedNMF` fitted to the mapped entries, within the limit;
- memory: the same fit of the same entries held in memory, without a limit;
- plain: the log loaded and fitted in the usual way within the limit, which is to fail.

What the two fits learned is compared bit by bit.

    python -m tests.benchmarks.larger_than_memory --events 200000000 --limit 4GiB
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from recsys.data.interactions import Interactions
from recsys.data.load import load_log
from recsys.data.rows import CompressedRows
from recsys.experiment.preparing import memory_of, prepare_log
from recsys.models.masked_nmf import MaskedNMF

EVENTS_OF_USER, EVENTS_OF_ITEM = 100, 2_000
N_COMPONENTS = 16


def write_log(path: Path, n_events: int) -> None:
    """Write ratings of a planted pattern, long-tailed items, some pairs repeated; the same for each call."""
    n_users, n_items = n_events // EVENTS_OF_USER, n_events // EVENTS_OF_ITEM
    share = "(hash(i * 7919 + 1) % 1000003) / 1000003.0"
    with duckdb.connect() as connection:
        connection.execute(
            f"""COPY (SELECT user_id, item_id,
                      1 + ((user_id % 7) * (item_id % 7) + hash(i) % 4) // 9 AS rating
                FROM (SELECT i, CAST(hash(i) % {n_users} AS INTEGER) AS user_id,
                      CAST({share} * {share} * {n_items} AS INTEGER) AS item_id
                      FROM range({n_events}) AS events(i))) TO '{path}' (FORMAT parquet)"""
        )


def fitted(data: Interactions, sweeps: int) -> dict[str, Any]:
    """Return the seconds of a fit, and a digest of what was learned."""
    model = MaskedNMF(n_components=N_COMPONENTS, max_iter=sweeps, warm_up=0, tol=0.0)
    began = time.perf_counter()
    model.fit(data)
    seconds = time.perf_counter() - began
    learned = hashlib.sha256()
    for name, array in sorted(model.to_arrays().items()):
        learned.update(name.encode() + np.ascontiguousarray(array).tobytes())
    return {"fit": seconds, "entries": data.nnz, "learned": learned.hexdigest()}


def in_memory(data: Interactions) -> Interactions:
    """Return the same entries in arrays of their own."""
    by_user, by_item = (
        CompressedRows(np.array(side.indptr), np.array(side.columns), np.array(side.values), side.n_columns)
        for side in (data.by_user, data.by_item)
    )
    copy = Interactions(by_user, data.user_ids, data.item_ids, data.feedback)
    copy.__dict__["by_item"] = by_item
    return copy


def step(name: str, log: Path, folder: Path, limit: int, sweeps: int) -> dict[str, Any]:
    """Do one step in this process."""
    if name != "memory":
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    began = time.perf_counter()
    if name == "prepare":
        loaded = prepare_log(log, folder, memory=limit // 2)
        return {"events": len(loaded.log), "prepare": time.perf_counter() - began}
    data = Interactions.from_log(load_log(log if name == "plain" else folder))
    if name == "memory":
        data = in_memory(data)
    return {"load": time.perf_counter() - began, **fitted(data, sweeps)}


def in_process(name: str, log: Path, folder: Path, limit: int, sweeps: int) -> dict[str, Any]:
    """Do one step in a process of its own; what it ran out of is said."""
    command = [sys.executable, "-m", "tests.benchmarks.larger_than_memory", "--step", name]
    command += ["--limit", str(limit), "--log", str(log), "--folder", str(folder)]
    command += ["--sweeps", str(sweeps)]
    # The C library reserves more for each thread's own arena than is used of it.
    environment = os.environ | {"MALLOC_ARENA_MAX": "2"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        return {"failed": (done.stderr.strip().splitlines() or ["killed"])[-1]}
    return dict(json.loads(done.stdout))


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=200_000_000)
    parser.add_argument("--limit", default="4GiB")
    parser.add_argument("--sweeps", type=int, default=3)
    parser.add_argument("--step")
    parser.add_argument("--log", type=Path)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    limit = memory_of(options.limit)
    assert limit is not None
    if options.step:
        print(json.dumps(step(options.step, options.log, options.folder, limit, options.sweeps)))
        return
    with tempfile.TemporaryDirectory() as place:
        log, folder = Path(place) / "log.parquet", Path(place) / "prepared"
        began = time.perf_counter()
        write_log(log, options.events)
        sys.stderr.write(
            f"written: {log.stat().st_size / 1e6:,.0f} MB, {time.perf_counter() - began:.0f} s\n"
        )
        results = {}
        for name in ("prepare", "mapped", "memory", "plain"):
            results[name] = in_process(name, log, folder, limit, options.sweeps)
            sys.stderr.write(f"{name}: {results[name]}\n")
        arrays = sum(path.stat().st_size for path in folder.glob("*"))
    same = results["mapped"].get("learned") == results["memory"].get("learned") is not None
    print(
        json.dumps(
            {"limit": limit, "sweeps": options.sweeps, "bytes_on_disk": arrays, "same_bits": same, **results},
            indent=1,
        )
    )


if __name__ == "__main__":
    main()
