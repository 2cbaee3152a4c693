"""The commands that are put under strain, each as a process, and what is wrong with how one ended."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAM = [sys.executable, "-m", "recsys_cli"]
SMALL = ["--set", "n_components=2", "--set", "max_iter=3"]

# What each is given; LOG and MODEL are there before, OUT is where it writes.
READING = {
    "data describe": ["data", "describe", "LOG"],
    "recommend": ["recommend", "MODEL", "--user", "u1"],
    "evaluate": ["evaluate", "LOG", "--model", "masked-nmf", *SMALL],
    "compare": ["compare", "LOG", "--model", "masked-nmf", *SMALL],
    "tune": ["tune", "LOG", "--model", "item-knn", "--trials", "2"],
    "explain": ["explain", "MODEL", "--user", "u1"],
    "similar": ["similar", "MODEL", "--item", "i1"],
    "themes": ["themes", "MODEL"],
    "model show": ["model", "show", "MODEL"],
    "model verify": ["model", "verify", "MODEL"],
}
WRITING = {
    "data prepare": ["data", "prepare", "LOG", "--out", "OUT"],
    "train": ["train", "LOG", "--model", "hybrid-nmf", "--set", "n_components=2", "--out", "OUT"],
}
COMMANDS = {**READING, **WRITING}


def make_inputs(folder: Path) -> None:
    """Write a small log and a model of it, for which kernels are compiled if they were not."""
    lines = [
        f"u{user},i{item},{1 + (user * item) % 5},{1_700_000_000 + 5_000 * user + item}\n"
        for user in range(40)
        for item in range(25)
        if (user * 7 + item * 5) % 3
    ]
    (folder / "log.csv").write_text("user,item,rating,time\n" + "".join(lines))
    done = ended(WRITING["train"], folder, folder / "model", seconds=600)
    assert done.returncode == 0, done.stderr


def ended(
    arguments: Sequence[str],
    folder: Path,
    out: Path,
    *,
    within: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
    seconds: float = 300,
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, inside another one if there is one."""
    places = {"LOG": folder / "log.csv", "MODEL": folder / "model", "OUT": out}
    given = [str(places.get(word, word)).replace("OUT.", f"{out}.") for word in arguments]
    return subprocess.run(
        [*within, *PROGRAM, *given],
        env={**(os.environ if environment is None else environment), "PYTHONPATH": f"{ROOT}:{ROOT / 'cli'}"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=seconds,
        cwd="/",
    )


def fault(done: subprocess.CompletedProcess[str], expected: Sequence[int]) -> str | None:
    """Return what is wrong with how a command ended, if anything is: it worked, or said one thing."""
    lines = done.stderr.splitlines()
    if done.returncode not in expected:
        return f"exit code {done.returncode}"
    if "Traceback" in done.stderr or "Exception ignored" in done.stderr:
        return "a traceback"
    if done.returncode == 1 and [line.startswith("recsys: ") for line in lines] != [True]:
        return f"{len(lines)} lines instead of one message"
    return None
