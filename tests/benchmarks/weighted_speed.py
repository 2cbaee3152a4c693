"""Time to a peer's final ranking quality on Gowalla: weighted NMF beside its peers.

    python -m tests.benchmarks.weighted_speed --data ../shared/data/gowalla --out weighted_speed.json

The test file is not touched: quality is NDCG@20 on a tenth of each user's training entries, held
out. See README.md for the protocol.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections.abc import Sequence
from concurrent.futures.process import BrokenProcessPool
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from recsys import Interactions
from recsys.data.load import load_log
from recsys.evaluation.evaluator import evaluate
from recsys.evaluation.metrics import parse_metrics
from recsys.experiment.prepared_split import PreparedSplit, prepare
from tests.benchmarks import machine, tuning
from tests.benchmarks.apart import PeakMemory, run_apart
from tests.benchmarks.ranking_contenders import CONTENDERS, OURS, stored_per_row
from tests.benchmarks.speed_report import table
from tests.benchmarks.tuning import Settings

Point: TypeAlias = dict[str, Any]
"""``n_iter``, ``seconds``, ``ndcg`` and ``stored_per_row`` of a fit."""

METRIC = "ndcg@20"
_SPLIT, _SEED = "random-user:0.1", 0
CHOSEN, _GRIDS = "ranking_settings.toml", "ranking_grids.toml"
N_ITER = {"implicit-als": 15, "irspack-ials": 16, "cmfrec-nonneg": 10, "hybrid-nmf": 3}
"""A model's own default number of iterations: where it is final."""
_STEPS = (1, 2, 3, 4, 5, 6, 8, 11)
_TUNING_RANK = 128


def held_out(folder: Path) -> PreparedSplit:
    """Return the training file of a folder, split."""
    return prepare(load_log(str(folder / "train.parquet")), split=_SPLIT, seed=_SEED)


def few_users(data: Interactions, n: int = 300) -> Interactions:
    """Return the entries of the first users."""
    rows = data.by_user.select(np.arange(min(n, data.n_users)))
    return Interactions.from_matrix(rows.to_scipy(), feedback="implicit")


def fits(
    name: str,
    folder: Path,
    rank: int,
    n_threads: int,
    settings: Settings,
    steps: Sequence[int],
) -> dict[str, Any]:
    """Fit with each number of iterations, each time afresh.

    Returns
    -------
    dict
        ``points``, and ``extra_bytes``: memory of the last fit above what was there before.
    """
    prepared, contender = held_out(folder), CONTENDERS[name]
    few = contender.prepare(few_users(prepared.train))
    contender.train(few, min(rank, 16), 3, n_threads, **settings)  # compiles and imports
    prepared = contender.prepare(prepared.train)
    metrics = parse_metrics(METRIC)
    points: list[Point] = []
    extra = 0
    for n_iter in steps:
        with PeakMemory() as peak:
            began = time.perf_counter()
            model = contender.train(prepared, rank, n_iter, n_threads, **settings)
            seconds = time.perf_counter() - began
        extra = peak.extra
        ndcg = evaluate(model, prepared.seen, prepared.held_out, metrics).metrics[METRIC]
        points.append({"n_iter": n_iter, "seconds": seconds, "ndcg": ndcg, "stored": stored_per_row(model)})
    return {"points": points, "extra_bytes": extra}


def tune(folder: Path, names: Sequence[str]) -> None:
    """Choose each peer's settings by NDCG@20 at one rank and write them to the settings file."""
    grids, chosen = tuning.load(_GRIDS), tuning.load(CHOSEN)
    for name in names:
        tried = []
        for settings in tuning.combinations(grids[name]):
            steps = (N_ITER[name],)
            at = run_apart(2, fits, name, folder, _TUNING_RANK, 2, settings, steps)
            tried.append((at["points"][-1]["ndcg"], settings))
            print(f"{name}: {settings}, {METRIC} {tried[-1][0]:.4f}", flush=True)
        chosen[name] = max(tried, key=lambda one: one[0])[1]
        head = f"The peers: from `weighted_speed --tune` at rank {_TUNING_RANK}; the grids are in {_GRIDS}."
        tuning.save(CHOSEN, head, chosen)


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Follow ours from sweep to sweep, let each peer come to its end, and print what is known."""
    chosen = tuning.load(CHOSEN)
    names = [name for name in options.peers if CONTENDERS[name].version]
    record: dict[str, Any] = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine.processor(),
        "python": platform.python_version(),
        "versions": {c.package: c.version for c in map(CONTENDERS.__getitem__, (OURS, *names))},
        "settings": chosen,
        "runs": [],
    }
    wanted = [(OURS, rank, tuple(options.sweeps)) for rank in options.own_rank]
    wanted += [(name, rank, (N_ITER[name],)) for name in names for rank in options.rank]
    for n_threads in options.threads:
        for name, rank, steps in wanted:
            if name == "cmfrec-nonneg" and rank > options.largest_cmfrec:
                continue
            try:
                settings = tuning.at_rank(chosen[name], rank)
                at = run_apart(n_threads, fits, name, options.data, rank, n_threads, settings, steps)
            except BrokenProcessPool:
                print(f"{name} died at rank {rank} on {n_threads} threads.", flush=True)
                continue
            record["runs"].append({"name": name, "rank": rank, "threads": n_threads, **at})
            print(json.dumps(record["runs"][-1]), file=sys.stderr, flush=True)
            if options.out:
                options.out.write_text(json.dumps(record, indent=1) + "\n")
    return record


def _soonest(runs: Sequence[dict[str, Any]], target: float) -> tuple[dict[str, Any], Point] | None:
    """Return our run and its point that reached a quality in the least time."""
    reached = [(run, point) for run in runs for point in run["points"] if point["ndcg"] >= target]
    return min(reached, key=lambda at: float(at[1]["seconds"]), default=None)


def report(record: dict[str, Any]) -> str:
    """Return the tables as Markdown."""
    versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    lines = [f"{record['date']}, Python {record['python']}, {versions}; {record['machine']}.\n"]
    own = [run for run in record["runs"] if run["name"] == OURS]
    rows = []
    for run in record["runs"]:
        if run["name"] == OURS:
            continue
        end = run["points"][-1]
        row = [run["name"], run["rank"], run["threads"], f"{end['ndcg']:.4f}", f"{end['seconds']:.1f}"]
        row.append(f"{run['extra_bytes'] / 2**20:.0f}")
        found = _soonest([at for at in own if at["threads"] == run["threads"]], end["ndcg"])
        if found is None:
            row += ["not reached", *["-"] * 5]
        else:
            at, point = found
            row += [at["rank"], f"{point['stored']:.0f}", point["n_iter"], f"{point['seconds']:.1f}"]
            row += [f"{at['extra_bytes'] / 2**20:.0f}", f"{end['seconds'] / point['seconds']:.1f}"]
        rows.append([str(cell) for cell in row])
    header = ["peer", "rank", "threads", f"its {METRIC}", "its seconds", "its MiB", "our rank"]
    header += ["stored a row", "sweeps", "our seconds", "our MiB", "times shorter"]
    lines += [table(header, rows), _curves(own)]
    return "\n".join(lines)


def _curves(own: Sequence[dict[str, Any]]) -> str:
    """Return how ours goes on from sweep to sweep, and how much two threads help."""
    one = {run["rank"]: run["points"][-1]["seconds"] for run in own if run["threads"] == 1}
    rows = []
    for run in own:
        curve = ", ".join(
            f"{at['n_iter']}: {at['ndcg']:.4f} in {at['seconds']:.1f} s" for at in run["points"]
        )
        last = run["points"][-1]["seconds"]
        quicker = f"{one[run['rank']] / last:.2f}" if run["rank"] in one and run["threads"] > 1 else "-"
        rows.append([str(run["rank"]), str(run["threads"]), curve, quicker])
    return table(
        ["our rank", "threads", f"{METRIC} by sweeps", "longest fit, times quicker than on one"], rows
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    peers = [name for name in CONTENDERS if CONTENDERS[name].package != "recsys"]
    parser.add_argument("--data", type=Path, required=True, help="folder with train.parquet")
    parser.add_argument("--rank", type=int, nargs="+", default=[64, 128, 256, 512], help="of the peers")
    parser.add_argument("--own-rank", type=int, nargs="+", default=[512, 1024], help="ranks of ours to try")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument(
        "--sweeps", type=int, nargs="+", default=_STEPS, help="of ours, each a fit of its own"
    )
    parser.add_argument("--peers", nargs="*", choices=peers, default=peers)
    parser.add_argument(
        "--largest-cmfrec", type=int, default=128, help="largest rank for cmfrec, which is slow"
    )
    parser.add_argument("--tune", action="store_true", help=f"choose the peers' settings, write {CHOSEN}")
    parser.add_argument("--out", type=Path, help="JSON file for all that was measured")
    return parser.parse_args()


def main() -> None:
    """Measure, print Markdown, and write JSON."""
    options = _options()
    if options.tune:
        tune(options.data, [name for name in options.peers if CONTENDERS[name].version])
        return
    print(report(measure(options)), flush=True)


if __name__ == "__main__":
    main()
