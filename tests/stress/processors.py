"""The same bits on other processors: fits with RECSYS_PORTABLE=1 here and under an emulator.

    python -m tests.stress.processors --under "qemu-x86_64 -cpu Nehalem" --under "qemu-x86_64 -cpu Haswell"

An emulator takes minutes; kernels are compiled by the first run, which is here.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shlex
import subprocess
import sys

import numpy as np
from scipy import sparse

from recsys import portable
from recsys.data.interactions import Interactions
from recsys.models.registry import make

MODELS = {
    "masked-nmf": {"n_components": 8},
    "weighted-nmf": {"n_components": 8},
    "hybrid-nmf": {"n_components": 8, "ratings": "no"},
    "poisson-nmf": {"n_components": 8},
    "bayesian-nmf": {"n_components": 4, "n_burn_in": 5, "n_draws": 10, "n_kept": 4},
    "explicit-als": {"n_components": 8},
    "als": {"n_components": 8},
    "pure-svd": {"n_components": 8},
    "slim": {},
    "ease": {},
}


def digests(names: list[str]) -> dict[str, str]:
    """Return a digest of what each model learned and of some of its scores."""
    matrix = sparse.random(100, 60, 0.1, random_state=0, format="csr", dtype=np.float32)
    matrix.data = np.ceil(matrix.data * 5)
    data, made = Interactions.from_matrix(matrix), {}
    for name in names:
        model = make(name, MODELS[name]).fit(data)
        state = hashlib.sha256(model.score_block(np.arange(5)).tobytes())
        for key, array in sorted(model.to_arrays().items()):
            state.update(key.encode() + np.ascontiguousarray(array).tobytes())
        made[name] = state.hexdigest()
    return made


def run(under: list[str], names: list[str]) -> dict[str, str]:
    """Return the digests of a process of its own, started with the variables it would start itself with."""
    environment = {**os.environ, **portable.settings(), portable.VARIABLE: "1", "NUMBA_NUM_THREADS": "1"}
    command = [*under, sys.executable, "-m", "tests.stress.processors", "--one", *names]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    answer: dict[str, str] = json.loads(done.stdout)
    return answer


def main() -> int:
    """Compare, and return 1 if a bit differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", default=list(MODELS))
    parser.add_argument("--under", action="append", default=[], metavar="EMULATOR")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        sys.stdout.write(json.dumps(digests(given.models)))
        return 0
    here, differs = run([], given.models), False
    for emulator in given.under:
        there = run(shlex.split(emulator), given.models)
        for name in given.models:
            is_same = here[name] == there[name]
            differs |= not is_same
            sys.stdout.write(f"{emulator}: {name}: {'the same bits' if is_same else 'OTHER BITS'}\n")
    return int(differs)


if __name__ == "__main__":
    sys.exit(main())
