"""RecTools measures made-up lists. Its pins do not go with ours, so it has an environment of its own.

    VENV/bin/python -m tests.benchmarks.evaluation_rectools LISTS.npz N_USERS CAP

prints one JSON object; `evaluation_speed` starts it.
"""

from __future__ import annotations

import json
import sys
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rectools import metrics as rectools

from tests.benchmarks.evaluation_lists import CUTS, WARM_USERS, MadeLists, clocked

_COMMON = {
    "precision": rectools.Precision,
    "recall": rectools.Recall,
    "capped-recall": lambda k: rectools.Precision(k, r_precision=True),
    "f1": rectools.F1Beta,
    "hit-rate": rectools.HitRate,
    "mrr": rectools.MRR,
    "map": rectools.MAP,
    "ndcg": lambda k: rectools.NDCG(k, divide_by_achievable=True),
    "coverage": lambda k: rectools.CatalogCoverage(k, normalize=True),
}
_OWN = {"accuracy": rectools.Accuracy}  # the tenth: ours has no such metric


def run(made: MadeLists, cap: float) -> dict[str, Any]:
    """Time the ten metrics and those in common; see `evaluation_contenders`."""
    warm = made.head(WARM_USERS)
    runs: dict[str, Any] = {}
    values: dict[str, float] = {}
    for name, makers in (("ten", _COMMON | _OWN), ("common", _COMMON)):
        asked = {f"{metric}@{k}": maker(k) for metric, maker in makers.items() for k in CUTS}
        for lists in (warm, made):
            reco, held = lists.tables()
            names = {"user": "user_id", "item": "item_id"}
            reco, held = reco.rename(columns=names), held.rename(columns=names)
            call = partial(rectools.calc_metrics, asked, reco, interactions=held, catalog=lists.catalogue())
            values, runs[name] = clocked(call, cap)
    return {
        "values": {name: float(value) for name, value in values.items()},
        "runs": runs,
        "version": version("rectools"),
        "make_seconds": 0.0,
    }


def main() -> None:
    """Measure and print."""
    path, n_users, cap = sys.argv[1:]
    print(json.dumps(run(MadeLists.load(Path(path)).head(int(n_users)), float(cap))))


if __name__ == "__main__":
    main()
