"""What models say that a fit takes, beside the peak of a process that fits them, one for each model.

python -m tests.benchmarks.memory_estimates [MODEL ...]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys

import numpy as np

from recsys.data.interactions import Interactions
from recsys.experiment.memory import watched
from recsys.models import parameters
from recsys.models.registry import MODELS, make

LOGS = {
    "ratings": (20_000, 3_000, 1_000_000, "explicit"),
    "purchases": (80_000, 12_000, 600_000, "implicit"),
}
FEW = {"max_iter": 2, "n_burn_in": 1, "n_draws": 20}
"""Sweeps take no more memory the more there are."""
LEFT_OUT = {"bayesian-nmf": ("purchases",), "ease": ("purchases",), "zero-filled-nmf": ("purchases",)}


def generated(name: str) -> Interactions:
    """Return a log in which some users and items are far more active than others."""
    n_users, n_items, n, feedback = LOGS[name]
    rng = np.random.default_rng(0)
    users, items = (rng.random(n) ** power * size for power, size in ((1.5, n_users), (2.0, n_items)))
    values = rng.integers(1, 6, n) if feedback == "explicit" else None
    return Interactions.from_pairs(users.astype(np.int64), items.astype(np.int64), values)


def measured(model: str, log: str) -> dict[str, float]:
    """Return the estimate and the peak of one fit, in MiB."""
    known = {entry["name"] for entry in parameters.describe(MODELS[model])}
    params = {key: value for key, value in FEW.items() if key in known}
    make(model, params).fit(Interactions.from_matrix(np.random.default_rng(0).integers(1, 6, (60, 40))))
    data = generated(log)
    fitted = make(model, params)
    estimate = fitted.fit_bytes(data)
    with watched() as peak:
        fitted.fit(data)
    assert peak.n_bytes is not None
    return {"estimate": estimate / 2**20, "peak": peak.n_bytes / 2**20}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", default=list(MODELS))
    parser.add_argument("--one", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        sys.stdout.write(json.dumps(measured(given.models[0], given.one)))
        return
    sys.stdout.write("model            log         estimate      peak   estimate / peak\n")
    for model in given.models:
        for log in LOGS:
            if log in LEFT_OUT.get(model, ()):
                continue
            command = [sys.executable, "-m", "tests.benchmarks.memory_estimates", model, "--one", log]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                sys.stdout.write(f"{model:16} {log:10} {done.stderr.strip().splitlines()[-1][:90]}\n")
                continue
            row = json.loads(done.stdout)
            ratio = row["estimate"] / max(row["peak"], 1e-9)
            sys.stdout.write(
                f"{model:16} {log:10} {row['estimate']:8,.0f} MiB {row['peak']:6,.0f} MiB  {ratio:8.2f}\n"
            )
            sys.stdout.flush()


if __name__ == "__main__":
    main()
