"""Settings of a model of lists by a search whose winner never stands at an edge of what was tried.

    python -W ignore -m tests.benchmarks.ranking_search --data ../shared/data/gowalla --out tries.jsonl

Every contender gets the same number of tries at each of its ranks, by NDCG@20 on a tenth of each user's
entries of the training file; see README.md for the protocol. Tries are kept in a file of lines, and a second
run goes on.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from recsys.data.held_out import HeldOut
from recsys.evaluation.evaluator import evaluate
from recsys.evaluation.metrics import parse_metrics
from tests.benchmarks import tuning
from tests.benchmarks.apart import run_apart
from tests.benchmarks.ranking_contenders import CONTENDERS
from tests.benchmarks.speed_report import table
from tests.benchmarks.weighted_speed import METRIC, N_ITER, held_out

Point: TypeAlias = tuple[int, ...]
"""A step on each axis; the start is all zeros."""

_EVERY = 3  # of the users are looked at


@dataclass(frozen=True)
class Axis:
    """One direction of a search.

    Attributes
    ----------
    start, factor : float
        Step k stands for ``start x factor^k``: there is no end.
    scales : tuple of str
        The parameters that are multiplied, so that two that go together move together.
    """

    start: float
    factor: float
    scales: tuple[str, ...]

    def value(self, step: int) -> float:
        """Return what a step stands for, to three digits."""
        return float(f"{self.start * self.factor**step:.3g}")


def settings_of(axes: Sequence[Axis], point: Point) -> dict[str, float]:
    """Return the parameters at a point: for each, the product of the axes that scale it."""
    settings: dict[str, float] = {}
    for axis, step in zip(axes, point, strict=True):
        for name in axis.scales:
            settings[name] = settings.get(name, 1.0) * axis.value(step)
    return {name: float(f"{value:.3g}") for name, value in settings.items()}


@dataclass(frozen=True)
class Outcome:
    """What a search came to.

    Attributes
    ----------
    best : tuple of int
    tried : dict
        What was measured at each point, in order.
    is_interior : bool
        Whether both neighbors of the best on every axis were tried.
    """

    best: Point
    tried: Mapping[Point, float]
    is_interior: bool


def search(measure: Callable[[Point], float], n_axes: int, budget: int) -> Outcome:
    """Go to the best neighbor until there is none, or until ``budget`` points were measured.

    Neighbors differ by one step on one axis. All of the best point's are tried before it is left, in an order
    that begins with the axis and direction that brought the last gain.
    """
    best: Point = (0,) * n_axes
    tried = {best: measure(best)}
    moves = [(axis, way) for axis in range(n_axes) for way in (1, -1)]
    while len(tried) < budget:
        missing = [(move, _moved(best, *move)) for move in moves if _moved(best, *move) not in tried]
        if not missing:
            break
        move, point = missing[0]
        tried[point] = measure(point)
        if tried[point] > tried[best]:
            best = point
            moves.remove(move)
            moves.insert(0, move)
    return Outcome(best, tried, all(_moved(best, *move) in tried for move in moves))


def _moved(point: Point, axis: int, way: int) -> Point:
    return tuple(step + way * (number == axis) for number, step in enumerate(point))


AXES: Mapping[str, tuple[Axis, ...]] = {
    # The penalty is a multiple of the weight, since the best of both go together.
    "implicit-als": (Axis(40.0, 2.0, ("alpha", "l2")), Axis(2.5, 2.0, ("l2",))),
    "irspack-ials": (
        Axis(0.03, 2.0, ("absent",)),
        Axis(0.0006, 2.0, ("l2",)),
        Axis(1.0, 0.75, ("nu",)),
    ),
    "hybrid-nmf": (
        Axis(30.0, 2.0, ("neighbor_l2",)),
        Axis(2.0, 1.5, ("neighbor_weight",)),
        Axis(0.2, 1.25, ("neighbor_item_exponent", "neighbor_user_exponent")),
        Axis(4.5, 1.5, ("l2",)),
        Axis(0.1, 1.5, ("neighbor_target_exponent",)),
    ),
}
_RANKS = {"implicit-als": (64, 128, 256), "irspack-ials": (128, 256), "hybrid-nmf": (1024,)}


def some_users(held: HeldOut) -> HeldOut:
    """Keep the held-out pairs of every third user."""
    rows = held.by_user
    keeps = np.arange(rows.n_rows) % _EVERY == 0
    kept = rows.to_scipy().multiply(keeps[:, None]).tocsr()
    kept.eliminate_zeros()
    return replace(
        held,
        by_user=type(rows)(
            kept.indptr.astype(np.int64), kept.indices.astype(np.int32), kept.data, rows.n_columns
        ),
        n_held_out=np.where(keeps, held.n_held_out, 0),
    )


def run(name: str, rank: int, folder: Path, budget: int, kept: Sequence[dict[str, Any]], out: Path) -> None:
    """Search for one contender at one rank and write each try to a line."""
    prepared, contender, axes = held_out(folder), CONTENDERS[name], AXES[name]
    data, held, metrics = (
        contender.prepare(prepared.train),
        some_users(prepared.held_out),
        parse_metrics(METRIC),
    )
    known = {tuple(line["point"]): float(line[METRIC]) for line in kept}

    def measure(point: Point) -> float:
        if point not in known:
            began = time.process_time()
            settings = settings_of(axes, point)
            model = contender.train(data, rank, N_ITER[name], 1, **settings)
            seconds = time.process_time() - began
            known[point] = evaluate(model, prepared.seen, held, metrics).metrics[METRIC]
            line = {"name": name, "rank": rank, "point": point, METRIC: known[point], "seconds": seconds}
            with out.open("a") as file:
                file.write(json.dumps({**line, "settings": settings}) + "\n")
        return known[point]

    search(measure, len(axes), budget)


def report(lines: Sequence[dict[str, Any]], budget: int) -> str:
    """Return the best of each contender and rank as Markdown."""
    rows = []
    for name, rank in dict.fromkeys((line["name"], line["rank"]) for line in lines):
        tried = {tuple(t["point"]): t for t in lines if (t["name"], t["rank"]) == (name, rank)}
        outcome = search(
            lambda point, tried=tried: tried[point][METRIC], len(AXES[name]), min(budget, len(tried))
        )  # type: ignore[misc]
        best = tried[outcome.best]
        settings = ", ".join(f"{key} {value:g}" for key, value in best["settings"].items())
        interior = "yes" if outcome.is_interior else "no, cut off"
        rows.append([name, str(rank), settings, f"{best[METRIC]:.4f}", str(len(outcome.tried)), interior])
    return table(["model", "rank", "settings", METRIC, "tries", "neighbors on every axis tried"], rows)


def main() -> None:
    """Search, keep the tries, write the settings, and print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with train.parquet")
    parser.add_argument("--out", type=Path, required=True, help="file of lines for the tries")
    parser.add_argument("--models", nargs="+", choices=AXES, default=list(AXES))
    parser.add_argument("--rank", type=int, nargs="+", help="some of the ranks, in this order")
    parser.add_argument("--budget", type=int, default=12, help="tries of a model at each rank")
    options = parser.parse_args()
    for name in options.models:
        for rank in options.rank or _RANKS[name]:
            lines = tuning.read_lines(options.out)
            kept = [line for line in lines if (line["name"], line["rank"]) == (name, rank)]
            run_apart(1, run, name, rank, options.data, options.budget, kept, options.out)
            print(report(tuning.read_lines(options.out), options.budget), flush=True)


if __name__ == "__main__":
    main()
