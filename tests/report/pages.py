"""Pages for tests: every part present, all words hostile."""

from __future__ import annotations

import numpy as np

from recsys.evaluate.measurements import Measurements
from recsys.evaluate.significance import compare_pairs
from recsys.factorization.history import History
from recsys.recommend.themes import Theme
from recsys.report import cost_figures, figures, log_figures
from recsys.report.closeup import Closeup
from recsys.report.groups import Groups
from recsys.report.page import Page, Story, ThemeSet
from recsys.report.table import intervals, table_rows

HOSTILE = "</script></noscript><script>alert('x')</script> & \"co\" | `*_[a](b)"
METRICS = ["ndcg@10", "rmse"]


def measured(values, rmse=None):
    values = np.asarray(values, dtype=float)
    found = {"ndcg@10": float(np.nanmean(values)), "rmse": rmse}
    return Measurements(found, {"ndcg@10": values}, np.arange(len(values)), len(values), 0, 0.0, ())


def record(label, model="als", seconds=(1.25, 0.5), **metrics):
    return {
        "label": label, "model": model, "metrics": metrics, "peak_memory_bytes": 2**20,
        "seconds": {"fit": seconds[0], "score": seconds[1]},
    }  # fmt: skip


def closeup(scale):
    return Closeup(
        {"ndcg": {1: 0.3 * scale, 10: 0.2 * scale}, "recall": {1: 0.1, 10: 0.5 * scale}},
        0.1 * scale,
        0.05,
        np.array([0.75, 0.25]),
        np.array([0.2, np.nan]),
    )


def page(labels=(HOSTILE, "weighted-nmf", "popularity"), **changes):
    draw = np.random.default_rng(0)
    models = {label: measured(draw.random(40) + 0.2 * n) for n, label in enumerate(labels)}
    records = [
        record(label, "popularity" if label == "popularity" else "als", **at.metrics)
        for label, at in models.items()
    ]
    pairs = [pair for metric in METRICS for pair in compare_pairs(models, metric, seed=0)]
    rows = table_rows(records, METRICS, intervals(models, METRICS, seed=0), pairs)
    closeups = {label: closeup(1 + n) for n, label in enumerate(labels)}
    groups = Groups((f"top 1 items {HOSTILE}", "last 2 items"), np.array([0, 1, 1]))
    of_users = Groups(("1 item", "2 to 9 items"), np.arange(40) % 2)
    history = History([9.0, 4.0, 2.0, 1.0], [0.1, 0.2, 0.3, 0.4], [1.0] * 4)
    days = 86_400_000_000 * np.arange(30, dtype=np.int64)
    present = {
        "quality": [
            *figures.curves(closeups),
            *figures.trade_offs(closeups, "ndcg@10", {row.label: row.cells[0].value for row in rows}, 10),
        ],
        "groups": [
            figures.by_activity(models, "ndcg@10", np.arange(40), of_users, seed=0),
            figures.by_popularity(closeups, groups, 10),
            figures.places(closeups, np.array([0.5, 0.5]), groups, 10),
        ],
        "cost": [
            cost_figures.cost(rows),
            cost_figures.memory(rows),
            cost_figures.convergence({labels[0]: history}),
        ],
        "log": [
            log_figures.long_tail(np.array([5, 3, 1]), np.array([4, 4, 1])),
            log_figures.over_time(days, "timestamp", ["1970-01-20T00:00:00", "1970-01-30T00:00:00"]),
        ],
    }
    content = {
        "title": HOSTILE,
        "subtitle": HOSTILE,
        "answer": [HOSTILE],
        "remarks": [HOSTILE],
        "main_metric": "ndcg@10",
        "metrics": METRICS,
        "rows": rows,
        "pairs": pairs,
        "figures": present,
        "themes": [ThemeSet(HOSTILE, (Theme(1, 0.5, 10, 20, 0.9, 0.8, ((1, HOSTILE, 1.0),)),), 4)],
        "stories": [
            Story(
                HOSTILE, ((HOSTILE, 3.0),), 1, ((1, HOSTILE, 0.5, 1, 0.25),), {1: (HOSTILE,)},
                frozenset({1}), 7,
            )
        ],
        "facts": [(HOSTILE, HOSTILE)],
        "audit": [(HOSTILE, HOSTILE)],
        "configs": [(HOSTILE, {HOSTILE: HOSTILE})],
        "told_by": HOSTILE,
        "versions": {HOSTILE: HOSTILE},
        "plan": {HOSTILE: HOSTILE},
        "provenance": [(HOSTILE, HOSTILE)],
        "command": HOSTILE,
        "source": {"n_users": 40, "nothing": float("nan")},
    }  # fmt: skip
    return Page(**{**content, **changes})
