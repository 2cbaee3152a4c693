"""Trainings that are killed at random moments, resumed, killed again, until one ends.

python -m tests.stress.checkpoints 200
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import numpy as np

from recsys.recommend.bundle_files import load_bundle
from recsys_cli.main import run
from tests.stress.saves import forked

LOG = "ratings.csv"
FITS = {
    "hybrid-nmf": ["max_iter=12", "n_components=40", "n_neighbors=20"],
    "masked-nmf": ["max_iter=60", "tol=0", "n_components=24", "n_init=2", "validation_share=0.1"],
    "weighted-nmf": ["max_iter=25", "tol=0", "n_components=60"],
    "poisson-nmf": ["max_iter=40", "tol=0", "n_components=16"],
}


def write_log(path: Path, n_users: int = 600, n_items: int = 300, n: int = 20_000) -> None:
    """Write a log of ratings, some users and items far more active than others."""
    rng = np.random.default_rng(0)
    users, items = (rng.zipf(1.3, n) % most for most in (n_users, n_items))
    lines = {(user, item): 1 + (user + item) % 5 for user, item in zip(users, items, strict=True)}
    path.write_text(
        "user,item,rating\n" + "".join(f"u{user},i{item},{value}\n" for (user, item), value in lines.items())
    )


def train(folder: Path, model: str, out: str) -> None:
    """Run the command that trains a model and goes on where another one was killed."""
    settings = [part for setting in FITS[model] for part in ("--set", setting)]
    arguments = ["train", str(folder / LOG), "--model", model, *settings, "--out", str(folder / out)]
    assert run([*arguments, "--checkpoint-every", "1", "--resume", "--json"]) == 0


def arrays(folder: Path) -> dict[str, bytes]:
    """Return all that was learned."""
    return {name: array.tobytes() for name, array in load_bundle(folder).model.to_arrays().items()}


def resumed_until_done(folder: Path, model: str, longest: float, rng: random.Random) -> tuple[int, int]:
    """Train and kill until a training ends; return how often it was killed, and went on from a checkpoint."""
    n_kills = n_resumed = 0
    while True:
        n_resumed += (folder / "model.checkpoint").exists()
        child = forked(lambda: train(folder, model, "model"))
        deadline = time.perf_counter() + rng.uniform(0.0, longest)
        while (ended := os.waitpid(child, os.WNOHANG))[0] == 0 and time.perf_counter() < deadline:
            time.sleep(0.001)
        if ended[0] == 0:
            os.kill(child, signal.SIGKILL)
            ended = os.waitpid(child, 0)
        if ended[1] == 0:
            return n_kills, n_resumed
        assert os.WIFSIGNALED(ended[1]), "a training failed"
        n_kills += 1
        longest *= 1.25  # a machine that became slower, or a fit that is found too late


def kills(n: int, folder: Path, say: Callable[[str], object]) -> dict[str, int]:
    """Kill ``n`` trainings or a few more; count what was seen of each kind."""
    write_log(folder / LOG)
    rng = random.Random(0)
    seen = {"kills": 0, "resumed": 0, "ends": 0, "equal": 0, "leftovers": 0}
    expected, seconds = {}, {}
    while seen["kills"] < n:
        for model in FITS:
            if model not in expected:
                train(folder, model, f"{model}-whole")  # kernels are compiled or loaded, too
                began = time.perf_counter()
                train(folder, model, f"{model}-whole")
                seconds[model] = time.perf_counter() - began
                expected[model] = arrays(folder / f"{model}-whole")
            n_kills, n_resumed = resumed_until_done(folder, model, seconds[model], rng)
            seconds[model] *= 1.1 if n_kills else 0.8
            seen["kills"] += n_kills
            seen["resumed"] += n_resumed
            seen["ends"] += 1
            seen["equal"] += arrays(folder / "model") == expected[model]
            made = {LOG, "model", *(f"{name}-whole" for name in expected)}
            seen["leftovers"] += len({path.name for path in folder.iterdir()} - made)
            say(f"{model}: {seen}\n")
            if seen["kills"] >= n:
                break
    return seen


def main() -> None:
    """Run them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("n", type=int)
    given = parser.parse_args()
    began = time.perf_counter()
    warnings.simplefilter("ignore", DeprecationWarning)  # a fork beside threads, which is meant
    with tempfile.TemporaryDirectory() as folder, Path(folder, "out").open("w") as out:
        Path(folder, "place").mkdir()
        with redirect_stdout(out), redirect_stderr(out):
            seen = kills(given.n, Path(folder, "place"), sys.__stderr__.write)
    counted = ", ".join(f"{number} {name}" for name, number in seen.items())
    sys.stdout.write(f"checkpoints: {counted}, {time.perf_counter() - began:.1f} s\n")


if __name__ == "__main__":
    main()
