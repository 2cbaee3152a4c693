"""The masked sweep beside the machine's matrix product, on one thread.

    python -m tests.benchmarks.masked_rate --ratings 1m --rank 16 32 64 128 256

Sweeps and products take turns, so that both meet the same machine; seconds are the processor's, and each
figure is the median over the turns. See README.md for what counts as a multiply-add.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np

from recsys import Interactions, threads
from recsys.data.rows import CompressedRows
from recsys.factorization.entries import row_blocks
from recsys.kernels.masked import sweep_masked
from recsys.typing import Float32Array
from tests.benchmarks.apart import run_apart
from tests.benchmarks.planted import SIZES, plant
from tests.benchmarks.speed_report import sweep_work, table

_PRODUCT_ROWS = 1024
_N_INNER, _L2 = 3, 0.055
_SETTLED = 2  # iterations before the clock starts: factors are zero where they will be


def _seconds(call: Callable[[], object]) -> float:
    began = time.process_time()
    call()
    return time.process_time() - began


def _sweep(rows: CompressedRows, own: Float32Array, other: Float32Array) -> None:
    none, no_biases = np.empty(0, dtype=np.float32), np.zeros(rows.n_rows, dtype=np.float32)
    sweep_masked(
        row_blocks(rows.indptr), rows.indptr, rows.columns, rows.values, none, np.float32(1), np.float32(0),
        own, no_biases, other, np.zeros(rows.n_columns, dtype=np.float32), False,
        (_L2 * rows.counts).astype(np.float32), no_biases, np.float32(0), np.float32(0), _N_INNER,
        np.empty(rows.n_rows),
    )  # fmt: skip


def measure(size: str, ranks: list[int], n_turns: int) -> str:
    """Return a table of the rates by rank."""
    ratings = plant(*SIZES[size]).train
    data = Interactions.from_matrix(ratings.coo())
    square = np.full((_PRODUCT_ROWS, _PRODUCT_ROWS), 0.5, dtype=np.float32)
    rows = []
    for rank in ranks:
        generator = np.random.default_rng(0)
        level = np.float32(np.sqrt(4 * np.mean(ratings.values) / rank))  # products begin as large as ratings
        users, items = (
            level * generator.random((n, rank), dtype=np.float32) for n in (ratings.n_users, ratings.n_items)
        )

        def sweep(users: Float32Array = users, items: Float32Array = items) -> None:
            _sweep(data.by_user, users, items)
            _sweep(data.by_item, items, users)

        with threads.use(1), threads.launch():
            for _ in range(_SETTLED):
                sweep()
            turns = [(_seconds(sweep), _seconds(lambda: square @ square)) for _ in range(n_turns)]
        work = sweep_work(len(ratings), ratings.n_users + ratings.n_items, rank, _N_INNER)
        ours = [work / seconds for seconds, _ in turns]
        products = [_PRODUCT_ROWS**3 / seconds for _, seconds in turns]
        share = statistics.median(a / b for a, b in zip(ours, products, strict=True))
        rows.append(
            [
                str(rank),
                f"{statistics.median(seconds for seconds, _ in turns):.3f}",
                f"{statistics.median(ours) / 1e9:.1f}",
                f"{statistics.median(products) / 1e9:.1f}",
                f"{share:.0%}",
            ]
        )
    header = ["rank", "seconds an iteration", "G multiply-adds/s", "the matrix product's", "share"]
    return table(header, rows)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--ratings", default="1m", choices=sorted(SIZES))
    parser.add_argument("--rank", type=int, nargs="+", default=[16, 32, 64, 128, 256])
    parser.add_argument("--turns", type=int, default=9)
    options = parser.parse_args()
    print(run_apart(1, measure, options.ratings, options.rank, options.turns))


if __name__ == "__main__":
    main()
