"""Time and memory to the same held-out error: ours beside its peers.

    python -m tests.benchmarks.masked_speed --ratings 1m --rank 32 --threads 1 2 --out speed_1m.json

Every contender trains with more and more iterations, each time afresh, and only the training call
is timed. See README.md for the protocol.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import platform
import tempfile
import time
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

from recsys.models.parameters import parse_assignments
from tests.benchmarks import machine, speed_report, tuning
from tests.benchmarks.apart import PeakMemory, run_apart
from tests.benchmarks.contenders import CONTENDERS, OURS, libmf_vectors, missing
from tests.benchmarks.planted import SIZES, Planted, plant
from tests.benchmarks.ratings import Ratings, errors
from tests.benchmarks.tuning import Settings

Curve: TypeAlias = dict[str, Any]
"""``points`` (n_iter, seconds, rmse of each fit), ``extra_bytes`` of memory, ``settings``."""

_STEPS = (1, 2, 3, 4, 5, 6, 7, 8, 10, 13, 17, 22, 28, 36, 47, 60)
# An epoch of stochastic descent does less than a sweep.
_STEPS_OF = {
    "cmfrec-nonneg": (3, 6, 10, 15),
    "libmf-nmf": (10, 20, 30, 40, 60, 80, 100, 130),
    "surprise-nmf": (10, 20, 40, 80),
}
_LEAST_GAIN = 2e-4  # of the rmse; two steps in a row that gain less end a curve
_SETTLED = 20  # iterations before which no curve ends that way: some rise before they fall
_SPEED_CONTENDERS = (
    "masked-nmf",
    "libmf-nmf",
    "cmfrec-nonneg",
    "cmfrec-als",
    "surprise-nmf",
)
_SLOW = {"surprise-nmf": 1_000_000}  # most ratings a contender is asked to train on
_CLOCKS = {"wall": time.perf_counter, "processor": time.process_time}
_CHOSEN, _GRIDS = "speed_settings.toml", "speed_grids.toml"


def curve(
    name: str,
    train: Ratings,
    test: Ratings,
    rank: int,
    n_threads: int,
    settings: Settings,
    cap: float,
    clock: Callable[[], float] = time.perf_counter,
) -> Curve:
    """Return held-out error by seconds of training.

    Parameters
    ----------
    cap : float
        Seconds of training in all; a step that would go beyond it is not begun.
    clock : callable
        Wall time, or the processor's.
    """
    contender = CONTENDERS[name]
    few = train.where(train.users < max(train.n_users // 100, 20))
    contender.train(contender.prepare(few), rank, 2, n_threads, **settings)  # compiles, loads, warms up
    prepared = contender.prepare(train)
    points: list[dict[str, float]] = []
    best, idle, spent, extra = float("inf"), 0, 0.0, 0
    for n_iter in _STEPS_OF.get(name, _STEPS):
        if points and spent + points[-1]["seconds"] * n_iter / points[-1]["n_iter"] > cap:
            break
        with PeakMemory() as peak:
            began = clock()
            predict = contender.train(prepared, rank, n_iter, n_threads, **settings)
            seconds = clock() - began
        extra = extra or peak.extra  # of the first: later ones find memory that was given back
        rmse, _ = errors(predict, test)
        points.append({"n_iter": n_iter, "seconds": seconds, "rmse": rmse})
        spent += seconds
        idle = 0 if rmse < best - _LEAST_GAIN else idle + 1
        best = min(best, rmse)
        if idle >= 2 and n_iter >= _SETTLED:
            break
    return {"points": points, "extra_bytes": extra, "settings": settings}


def _measure(
    name: str, path: Path, rank: int, n_threads: int, settings: Settings, cap: float, clock: str
) -> Curve:
    data = Planted.load(path)
    return curve(name, data.train, data.test, rank, n_threads, settings, cap, _CLOCKS[clock])


def _tune(name: str, path: Path, rank: int, grid: list[Settings], cap: float) -> list[Curve]:
    inner, validation = Planted.load(path).train.split(0.1, "speed")
    # The processor's time of one thread: a choice should not hang on what else the machine does.
    return [curve(name, inner, validation, rank, 1, settings, cap, time.process_time) for settings in grid]


def choose(curves: list[Curve]) -> Curve:
    """Return the curve that comes soonest within half a percent of the lowest error of all."""
    lowest = min(point["rmse"] for at in curves for point in at["points"])
    return min(curves, key=lambda at: speed_report.seconds_to(at, lowest * speed_report.NEAR) or float("inf"))


def tune(path: Path, size: str, names: list[str], rank: int, cap: float) -> None:
    """Choose settings on a tenth of the training ratings and write them to the settings file."""
    grids, chosen = tuning.load(_GRIDS), tuning.load(_CHOSEN)
    for name in names:
        grid = tuning.combinations(grids[name])
        best = choose(run_apart(1, _tune, name, path, rank, grid, cap))
        chosen.setdefault(size, {})[name] = best["settings"]
        lowest = min(point["rmse"] for point in best["points"])
        print(f"{name}: {best['settings']}, validation rmse {lowest:.4f}", flush=True)
        tables = {f"{s}.{n}": settings for s, at in chosen.items() for n, settings in at.items()}
        tuning.save(_CHOSEN, f"Written by `masked_speed --tune`; the grids are in {_GRIDS}.", tables)


def measure(path: Path, size: str, names: list[str], options: argparse.Namespace) -> None:
    """Measure each rank and number of threads; print and write what is known after each."""
    chosen = tuning.load(_CHOSEN).get(size, {})
    train = Planted.load(path).train
    speeds = {n: run_apart(n, machine.measure, n) for n in options.threads}
    record: dict[str, Any] = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine.processor(),
        "python": platform.python_version(),
        "clock": options.clock,
        "versions": {CONTENDERS[name].package: CONTENDERS[name].version for name in names},
        "libmf_vector_code": libmf_vectors(),
        "ratings": {"name": options.ratings, "n_users": train.n_users, "n_items": train.n_items}
        | {"n_train": len(train)},
        "speeds": {str(n): dataclasses.asdict(at) for n, at in speeds.items()},
        "runs": [],
    }
    print(speed_report.head(record), flush=True)
    for rank in options.rank:
        for n_threads in options.threads:
            curves = {}
            for name in names:
                settings = dict(chosen.get(name, {}))
                if name == "masked-nmf":
                    settings |= parse_assignments(options.set)
                arguments = (name, path, rank, n_threads, settings, options.cap, options.clock)
                try:
                    curves[name] = run_apart(n_threads, _measure, *arguments)
                except BrokenProcessPool:
                    print(f"{name} died at rank {rank} on {n_threads} threads.\n", flush=True)
            run = {"rank": rank, "threads": n_threads, "curves": curves}
            record["runs"].append(run)
            print(speed_report.run(run, record), flush=True)
            if options.out:
                options.out.write_text(json.dumps(record, indent=1) + "\n")
    print(speed_report.scaling(record["runs"]), flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--ratings", default="1m", help=f"{', '.join(SIZES)} or a file of planted.py")
    parser.add_argument("--rank", type=int, nargs="+", default=[32])
    parser.add_argument("--threads", type=int, nargs="+", default=[1])
    parser.add_argument("--contenders", nargs="+", choices=_SPEED_CONTENDERS, default=_SPEED_CONTENDERS)
    parser.add_argument("--settings", help="size whose tuned settings to use (default: that of --ratings)")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="for masked-nmf")
    parser.add_argument("--cap", type=float, default=1200.0, help="seconds of training per contender")
    parser.add_argument(
        "--clock",
        choices=sorted(_CLOCKS),
        default="wall",
        help="processor: seconds of all threads, where others use the machine, too",
    )
    parser.add_argument("--tune", action="store_true", help=f"choose settings and write {_CHOSEN}")
    parser.add_argument("--out", type=Path, help="JSON file for all that was measured")
    return parser.parse_args()


def main() -> None:
    """Measure, print Markdown, and write JSON."""
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(options.ratings)
        if options.ratings in SIZES:
            path = Path(folder) / "planted.npz"
            plant(*SIZES[options.ratings]).save(path)
        size = options.settings or options.ratings
        n_ratings = SIZES.get(options.ratings, (0, 0, 0))[2]
        names = []
        for name in options.contenders:
            reason = missing(name)
            if n_ratings > _SLOW.get(name, n_ratings):
                reason = f"too slow for more than {_SLOW[name]:,} ratings"
            if not (reason or options.tune or name in OURS or name in tuning.load(_CHOSEN).get(size, {})):
                reason = f"{_CHOSEN} has no [{size}.{name}]; run --tune first, or name another --settings"
            if reason:
                print(f"{name} is skipped: {reason}.\n")
            else:
                names.append(name)
        if options.tune:
            tune(path, size, names, options.rank[0], options.cap)
            return
        measure(path, size, names, options)


if __name__ == "__main__":
    main()
