"""Seconds from a CSV to a sparse matrix with ids: ours beside pandas and polars.

Every way reads text ids, a value and a time from the same file, numbers the ids in sorted order, joins
repeats of a user and an item by the latest value, and ends in a CSR matrix. Each is a process of its own; the
ways take turns, and the best of the rounds counts. The matrices are compared before anything is timed.

    python -m tests.benchmarks.loading_speed --rows 10000000 --rounds 3
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

COLUMNS = ("user", "item", "rating", "timestamp")


def write_log(path: Path, n_rows: int, seed: int = 0) -> None:
    """Write a log with long-tailed items and one pair in twenty repeated."""
    import pyarrow as pa
    from pyarrow import csv

    generator = np.random.default_rng(seed)
    users = generator.integers(0, n_rows // 50, n_rows)
    items = (generator.random(n_rows) ** 3 * (n_rows // 200)).astype(np.int64)
    again = generator.integers(0, n_rows, n_rows // 20)
    users[: len(again)], items[: len(again)] = users[again], items[again]
    table = pa.table(
        {
            "user": pa.array(np.char.add("user-", users.astype(str))),
            "item": pa.array(np.char.add("item-", items.astype(str))),
            "rating": generator.integers(1, 6, n_rows),
            "timestamp": 1_600_000_000 + generator.permutation(n_rows),
        }
    )
    csv.write_csv(table, path, csv.WriteOptions(quoting_style="none"))


def ours(path):
    from recsys.data.interactions import Interactions
    from recsys.data.load import load_log

    return Interactions.from_log(load_log(path)).by_user.to_scipy()


def with_pandas(path):
    import pandas as pd
    from scipy import sparse

    frame = pd.read_csv(path)
    users, user_ids = pd.factorize(frame["user"], sort=True)
    items, item_ids = pd.factorize(frame["item"], sort=True)
    frame = pd.DataFrame({"u": users, "i": items, "v": frame["rating"], "t": frame["timestamp"]})
    frame = frame.sort_values("t", kind="stable").drop_duplicates(["u", "i"], keep="last")
    shape = (len(user_ids), len(item_ids))
    return sparse.csr_array((frame["v"].astype(np.float32), (frame["u"], frame["i"])), shape=shape)


def with_polars(path):
    import polars as pl
    from scipy import sparse

    frame = pl.read_csv(path)
    frame = frame.with_columns(
        (pl.col("user").rank("dense") - 1).alias("u"), (pl.col("item").rank("dense") - 1).alias("i")
    )
    shape = (frame["u"].max() + 1, frame["i"].max() + 1)
    frame = frame.sort("timestamp", maintain_order=True).unique(["u", "i"], keep="last")
    columns = (frame[name].to_numpy() for name in ("u", "i"))
    return sparse.csr_array((frame["rating"].to_numpy().astype(np.float32), tuple(columns)), shape=shape)


WAYS = {"recsys": ours, "pandas": with_pandas, "polars": with_polars}


def timed(way: str, path: Path) -> list[float]:
    """Return the seconds of one way in a process of its own, imports apart: by the clock, of the cores."""
    code = (
        "import sys, time, pandas, polars, scipy.sparse, recsys.data.load, recsys.data.interactions\n"
        "from tests.benchmarks.loading_speed import WAYS\n"
        "began, used = time.perf_counter(), time.process_time(); WAYS[sys.argv[1]](sys.argv[2])\n"
        "print(time.perf_counter() - began, time.process_time() - used)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, way, str(path)], capture_output=True, text=True, check=True
    )
    return [float(part) for part in done.stdout.split()]


def main() -> None:
    """Compare the ways, and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--log", type=Path, help="where the log is kept, to be used again")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        small, path = Path(folder) / "small.csv", options.log or Path(folder) / "log.csv"
        write_log(small, 20_000)
        first, *others = (way(small) for way in WAYS.values())
        assert all((first != other).nnz == 0 and first.shape == other.shape for other in others)
        began = time.perf_counter()
        if not path.exists():
            write_log(path, options.rows)
        sys.stderr.write(f"written in {time.perf_counter() - began:.0f} s\n")
        seconds: dict[str, list[list[float]]] = {way: [] for way in WAYS}
        for _ in range(options.rounds):
            for way in WAYS:
                seconds[way].append(timed(way, path))
                sys.stderr.write(
                    f"{way} {seconds[way][-1][0]:.2f} s, of processors {seconds[way][-1][1]:.2f} s\n"
                )
    best = {way: min(clock for clock, _ in values) for way, values in seconds.items()}
    least = {way: min(used for _, used in values) for way, values in seconds.items()}
    ratios = {way: round(best[way] / best["recsys"], 2) for way in best}
    print(
        json.dumps(
            {
                "rows": options.rows,
                "best_seconds": best,
                "least_processor_seconds": least,
                "times_ours": ratios,
                "all": seconds,
            }
        )
    )


if __name__ == "__main__":
    main()
