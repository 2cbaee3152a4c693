"""Time and memory of offline evaluation: ours beside its peers, in one run.

    python -m tests.benchmarks.evaluation_speed --gowalla ../shared/data/gowalla \
        --rectools-python .venv-rectools/bin/python --out evaluation.json

Given lists of a million users, a model from scores to metrics, and memory by size of block. See
README.md for the protocol.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import tempfile
import time
from concurrent.futures.process import BrokenProcessPool
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.benchmarks import evaluation_contenders as contenders
from tests.benchmarks import evaluation_models as models
from tests.benchmarks import evaluation_report as report
from tests.benchmarks import machine
from tests.benchmarks.apart import run_apart
from tests.benchmarks.evaluation_lists import CUTS, LENGTH, make

_N_ITEMS = 50_000
_RANK = 128
# Its objects are made of dictionaries in Python, which alone would take minutes at a million users.
_MOST_USERS = {"ranx-objects": 10_000}
_ONE_THREAD = ("rectools", "pandas")
_BLOCKS = tuple(size * 2**20 for size in (1, 16, 64, 256))


def _say(text: str) -> None:
    print(text, flush=True)


def _write(record: dict[str, Any], out: Path | None) -> None:
    if out:
        out.write_text(json.dumps(record, indent=1) + "\n")


def measure_lists(record: dict[str, Any], path: Path, options: argparse.Namespace) -> None:
    """Measure every contender on given lists, smaller sizes for those that need them."""
    asked = [name for name in contenders.NAMES if options.contenders is None or name in options.contenders]
    peers = []
    for name in asked:
        if reason := contenders.missing(name, options.rectools_python):
            _say(f"{name} is skipped: {reason}.\n")
        elif not name.startswith("ours"):
            peers.append(name)
    sizes = {name: min(options.users, _MOST_USERS.get(name, options.users)) for name in peers}
    plan = [
        (name, size)
        for size in sorted({options.users, *sizes.values()})
        for name in ("ours-arrays", "ours-tables", *(peer for peer in peers if sizes[peer] == size))
    ]
    for name, size in plan:
        for n_threads in options.threads[:1] if name in _ONE_THREAD else options.threads:
            began = time.perf_counter()
            try:
                if name == "rectools":
                    python = options.rectools_python
                    found = contenders.measure_rectools(python, path, size, options.cap)
                else:
                    found = run_apart(n_threads, contenders.measure, name, path, size, options.cap)
            except (BrokenProcessPool, subprocess.CalledProcessError) as error:
                _say(f"{name} died at {size:,} users on {n_threads} threads: {error}.\n")
                continue
            record["versions"][name.partition("-")[0].replace("ours", "recsys")] = found["version"]
            run = {"name": name, "n_users": size, "threads": n_threads}
            record["lists"].append(run | found | {"all_seconds": time.perf_counter() - began})
            _write(record, options.out)


def measure_models(record: dict[str, Any], folder: Path, options: argparse.Namespace) -> None:
    """Measure scoring, ranking and measuring, with factors of both kinds."""
    run_apart(options.threads[-1], models.fit, options.gowalla, _RANK, folder)
    for kind in models.KINDS:
        for n_threads in options.threads:
            same = {"kind": kind, "threads": n_threads}
            found = run_apart(n_threads, models.ours, folder, kind, _RANK, options.cap)
            record["n_model_users"] = found["n_users"]
            record["models"].append({"name": "ours"} | same | found)
            if not models.missing():
                found = run_apart(n_threads, models.irspack, folder, kind, _RANK, options.cap, n_threads)
                record["versions"]["irspack"] = found["version"]
                record["models"].append({"name": "irspack"} | same | found)
            _write(record, options.out)


def measure_memory(
    record: dict[str, Any], path: Path, folder: Path | None, options: argparse.Namespace
) -> None:
    """Measure how far memory rises with the size of a block, one call each."""
    n_lists = 8 * options.users * len(contenders.TEN) * len(CUTS)
    for size in _BLOCKS:
        found = run_apart(1, contenders.measure, "ours-arrays", path, options.users, 0.0, size)
        run = {"what": "lists", "block_bytes": size, "kept_bytes": n_lists}
        record["memory"].append(run | found["runs"]["ten"])
    for size in _BLOCKS if folder else ():
        found = run_apart(1, models.ours, folder, "non-negative", _RANK, 0.0, size)
        run = {"what": "model", "block_bytes": size}
        run["kept_bytes"] = 8 * found["n_users"] * len(models.METRICS)
        record["memory"].append(run | found["run"])
    _write(record, options.out)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--users", type=int, default=1_000_000, help="whose lists are measured")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument(
        "--gowalla", type=Path, help="folder of train.parquet and test.parquet, for the model"
    )
    parser.add_argument("--rectools-python", type=Path, help="Python of an environment with RecTools")
    parser.add_argument("--contenders", nargs="+", choices=contenders.NAMES, help="peers (default: all)")
    parser.add_argument("--cap", type=float, default=4.0, help="seconds of repeats of one call (3 at most)")
    parser.add_argument("--out", type=Path, help="JSON file for all that was measured")
    return parser.parse_args()


def main() -> None:
    """Measure, print Markdown, and write JSON."""
    options = _options()
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "lists.npz"
        made = make(options.users, _N_ITEMS)
        made.save(path)
        known = {options.users, *(min(most, options.users) for most in _MOST_USERS.values())}
        record: dict[str, Any] = {
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": machine.processor(),
            "python": platform.python_version(),
            "versions": {},
            "threads": options.threads,
            "n_users": options.users,
            "n_items": _N_ITEMS,
            "n_listed": LENGTH,
            "n_held_out": float(made.n_held_out.mean()),
            "n_known": {str(n): len(made.head(n).catalogue()) for n in known},
            "rank": _RANK,
            "lists": [],
            "models": [],
            "memory": [],
        }
        del made
        measure_lists(record, path, options)
        _say(report.head(record))
        _say(report.lists(record))
        if options.gowalla:
            measure_models(record, folder, options)
            _say(report.models(record))
        measure_memory(record, path, folder if options.gowalla else None, options)
        _say(report.memory(record))
    record["seconds"] = time.perf_counter() - began
    _write(record, options.out)
    _say(f"All of it took {record['seconds']:.0f} s.")


if __name__ == "__main__":
    main()
