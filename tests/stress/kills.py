"""Commands that are killed at random moments, given again, killed again, until one ends.

    python -m tests.stress.kills 200

`compare`, `tune`, lists in a folder and, with `--resume`, `data prepare` go on from what is done. What comes
out is what a command comes to that nobody killed, and nothing else is left.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from recsys_cli.main import run
from tests.stress.checkpoints import LOG, write_log
from tests.stress.saves import forked

CASES = {
    "prepare": ["data", "prepare", "LOG", "--out", "OUT"],
    "prepare on disk": ["data", "prepare", "LOG", "--memory", "1G", "--out", "OUT"],
    "prepare, resumed": ["data", "prepare", "LOG", "--memory", "1G", "--resume", "--out", "OUT"],
    "compare": [
        "compare", "LOG", "--model", "item-knn", "--model", "masked-nmf", "--set", "masked-nmf.max_iter=8",
        "--set", "masked-nmf.n_components=8", "--metrics", "ndcg@5", "--out", "OUT", "--seed", "1",
    ],
    "tune": ["tune", "LOG", "--model", "item-knn", "--trials", "5", "--metric", "ndcg@5", "--out", "OUT"],
    "lists": ["recommend", "MODEL", "--all-users", "--reasons", "1", "--out", "OUT/"],
}  # fmt: skip
_MEASURED = {"seconds", "peak_memory_bytes", "load", "fit", "score", "digest", "parts", "is_reused"}
"""Entries of records that differ from run to run: times, memory, hashes of what holds such, reuse."""


def command(name: str, folder: Path, out: Path) -> Callable[[], None]:
    """Return a command as work to be done."""
    places = {"LOG": str(folder / LOG), "MODEL": str(folder / "model")}
    words = [places.get(word, word).replace("OUT", str(out)) for word in CASES[name]]

    def work() -> None:
        code = run([*words, "--json"])
        assert code == 0, f"{name}: exit code {code}"

    return work


def content(folder: Path) -> dict[str, str]:
    """Return a digest of each file of a folder, without what is measured anew in each run."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(_kept(path)).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _kept(path: Path) -> bytes:
    if path.suffix == ".json":
        return json.dumps(
            _without_measured(json.loads(path.read_text()), path.parent), sort_keys=True
        ).encode()
    if path.suffix == ".sqlite":
        return b""  # a database of trials, which tuning.json has, too
    if path.suffix == ".toml":
        return "\n".join(line for line in path.read_text().splitlines() if "#" not in line).encode()
    if path.suffix == ".parquet":
        return repr(pq.read_table(path).to_pydict()).encode()
    return path.read_bytes()


def _without_measured(value: Any, folder: Path) -> Any:
    if isinstance(value, dict):
        return {key: _without_measured(inner, folder) for key, inner in value.items() if key not in _MEASURED}
    if isinstance(value, list):
        return [_without_measured(inner, folder) for inner in value]
    return value.replace(folder.name, "OUT") if isinstance(value, str) else value


def killed_until_done(work: Callable[[], None], longest: float, rng: random.Random) -> int:
    """Run work and kill it until it ends; return how often it was killed."""
    n_kills = 0
    while True:
        child = forked(work)
        deadline = time.perf_counter() + rng.uniform(0.0, longest)
        while (ended := os.waitpid(child, os.WNOHANG))[0] == 0 and time.perf_counter() < deadline:
            time.sleep(0.001)
        if ended[0] == 0:
            os.kill(child, signal.SIGKILL)
            ended = os.waitpid(child, 0)
        if ended[1] == 0:
            return n_kills
        assert os.WIFSIGNALED(ended[1]), "a command failed after another was killed"
        n_kills += 1
        longest *= 1.15  # a machine that became slower


def kills(n: int, folder: Path, names: list[str], say: Callable[[str], object]) -> dict[str, int]:
    """Kill ``n`` commands or a few more; count what was seen of each kind."""
    write_log(folder / LOG)
    model = [
        "train",
        str(folder / LOG),
        "--model",
        "masked-nmf",
        "--set",
        "max_iter=5",
        "--out",
        str(folder / "model"),
    ]
    assert run([*model, "--json"]) == 0
    rng = random.Random(0)
    seen = {"kills": 0, "ends": 0, "equal": 0, "leftovers": 0}
    expected, seconds = dict[str, dict[str, str]](), dict[str, float]()
    out = folder / "place" / "out"
    out.parent.mkdir()
    while seen["kills"] < n:
        for name in names:
            work = command(name, folder, out)
            if name not in expected:
                for _ in range(2):  # the first time kernels are compiled or loaded, too
                    shutil.rmtree(out, ignore_errors=True)
                    began = time.perf_counter()
                    work()
                    seconds[name] = time.perf_counter() - began
                expected[name] = content(out)
            shutil.rmtree(out)
            seen["kills"] += killed_until_done(work, 0.7 * seconds[name], rng)
            seen["ends"] += 1
            found = content(out)
            seen["equal"] += {key: found.get(key) for key in expected[name]} == expected[name]
            seen["leftovers"] += (
                len(found.keys() - expected[name].keys()) + len(list(out.parent.iterdir())) - 1
            )
            say(f"{name}: {seen}\n")
            for key in sorted(found.keys() | expected[name].keys()):
                if found.get(key) != expected[name].get(key):
                    say(f"  {key} differs\n")
    return seen


def main() -> None:
    """Run them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("n", type=int)
    parser.add_argument("--only", action="append", choices=list(CASES))
    given = parser.parse_args()
    began = time.perf_counter()
    warnings.simplefilter("ignore", DeprecationWarning)  # a fork beside threads, which is meant
    with tempfile.TemporaryDirectory() as place, Path(place, "said").open("w") as out:
        folder = Path(place, "work")
        folder.mkdir()
        with redirect_stdout(out), redirect_stderr(out):
            seen = kills(given.n, folder, given.only or list(CASES), sys.__stderr__.write)
    counted = ", ".join(f"{number} {name}" for name, number in seen.items())
    sys.stdout.write(f"kills: {counted}, {time.perf_counter() - began:.1f} s\n")
    sys.exit(seen["equal"] != seen["ends"] or seen["leftovers"] > 0)


if __name__ == "__main__":
    main()
