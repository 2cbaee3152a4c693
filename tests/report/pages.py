"""Reports for tests: every section present, all words hostile."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from recsys.data.held_out import HeldOut
from recsys.data.interactions import Interactions
from recsys.evaluation.gap import GroupMean
from recsys.evaluation.list_profile import ListProfile
from recsys.evaluation.measurements import Measurements
from recsys.evaluation.significance import compare_pairs
from recsys.factorization.history import History
from recsys.recommend.examples import ListedItem, UserExample
from recsys.recommend.families import Family
from recsys.recommend.reasons import Reason
from recsys.recommend.theme_map import Mixture, ThemeMap
from recsys.recommend.theme_set import ThemeSet
from recsys.recommend.themes import Theme
from recsys.report.context import ReportContext
from recsys.report.page import build_page
from recsys.report.table import intervals, table_rows
from tests.logs import log_of

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


def profile(scale):
    return ListProfile(
        {"ndcg": {1: 0.3 * scale, 10: 0.2 * scale}, "recall": {1: 0.1, 10: 0.5 * scale}},
        0.1 * scale,
        0.05,
        np.array([0.75, 0.25]),
        np.array([0.2, np.nan]),
    )


def log():
    """Return events of 40 users and 3 items, a day apart."""
    events = [(f"user {n % 40}", f"item {n * n % 3}", 1.0, 86_400_000_000 * n) for n in range(120)]
    return log_of(events, time_kind="timestamp")


def theme_map():
    families = tuple(Family(n, 0.5, (n,), (HOSTILE,), ((1, HOSTILE, 1.0),), 0.7) for n in (1, 2))
    shares = ((1, 0.75), (2, 0.25))
    mixtures = (Mixture("user", HOSTILE, HOSTILE, 3, shares), Mixture("item", HOSTILE, HOSTILE, 1, ()))
    return ThemeMap(families, ((1.0, 0.25), (0.25, 1.0)), mixtures)


def context(labels=(HOSTILE, "weighted-nmf", "popularity"), **changes):
    draw = np.random.default_rng(0)
    models = {label: measured(draw.random(40) + 0.2 * n) for n, label in enumerate(labels)}
    means = (GroupMean(HOSTILE, 20, 0.25), GroupMean("others", 20, 0.5))
    models = {label: replace(values, groups={"ndcg-gap@10": means}) for label, values in models.items()}
    records = [
        record(label, "popularity" if label == "popularity" else "als", **values.metrics)
        for label, values in models.items()
    ]
    pairs = [pair for metric in METRICS for pair in compare_pairs(models, metric, seed=0)]
    events = log()
    train = Interactions.from_log(events, np.arange(80))
    history = History([9.0, 4.0, 2.0, 1.0], [0.1, 0.2, 0.3, 0.4], [1.0] * 4)
    content = {
        "title": HOSTILE,
        "subtitle": HOSTILE,
        "command": HOSTILE,
        "seed": 0,
        "answer": [HOSTILE],
        "remarks": [HOSTILE],
        "main_metric": "ndcg@10",
        "metrics": METRICS,
        "rows": table_rows(records, METRICS, intervals(models, METRICS, seed=0), pairs),
        "pairs": pairs,
        "measured": models,
        "log": events,
        "train": train,
        "seen": train.by_user,
        "held_out": HeldOut.from_log(events, np.arange(80, 120), train),
        "window": ["1970-03-22T00:00:00", "1970-04-30T00:00:00"],
        "list_profiles": {label: profile(1 + n) for n, label in enumerate(labels)},
        "list_length": 10,
        "histories": {labels[0]: history},
        "theme_sets": [
            ThemeSet(HOSTILE, (Theme(1, 0.5, 10, 20, 0.9, 0.8, ((1, HOSTILE, 1.0),)),), 4, theme_map())
        ],
        "examples": [
            UserExample(
                HOSTILE, ((HOSTILE, 3.0),), 1, (ListedItem(1, HOSTILE, 0.5, Reason("past", HOSTILE)),),
                frozenset({1}), 7,
            )
        ],
        "examples_intro": HOSTILE,
        "log_facts": [(HOSTILE, HOSTILE)],
        "split_facts": [(HOSTILE, HOSTILE)],
        "configs": [(HOSTILE, {HOSTILE: HOSTILE})],
        "provenance": [(HOSTILE, HOSTILE)],
        "versions": {HOSTILE: HOSTILE},
        "plan": {HOSTILE: HOSTILE},
        "record": {"n_users": 40, "nothing": float("nan")},
    }  # fmt: skip
    return ReportContext(**{**content, **changes})


def page(*labels, **changes):
    return build_page(context(*labels, **changes))
