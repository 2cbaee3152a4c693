"""Whom the lists miss: the share of users for whom a model's list holds nothing that they took later."""

from __future__ import annotations

import numpy as np

from recsys.evaluation.metrics import higher_is_better
from recsys.report.blocks import Text
from recsys.report.context import ReportContext
from recsys.report.section import Content, Section, register_section
from recsys.report.tables import Column, Table

COLUMNS = (
    Column("model", "model"),
    Column("n_users", "users without a hit", "count"),
    Column("share", "share of users", "share"),
)


def build(context: ReportContext) -> Content | None:
    """Return a sentence and a table; nothing where the main metric is not one of hits."""
    metric = context.main_metric
    if metric is None or not higher_is_better(metric):
        return None
    rows = []
    for label, measured in context.measured.items():
        values = measured.per_user.get(metric, np.zeros(0))
        values = values[~np.isnan(values)]
        if len(values):
            rows.append((label, int(np.sum(values == 0)), float(np.mean(values == 0))))
    if not rows:
        return None
    fewest = min(rows, key=lambda row: row[1])
    sentence = Text(f"{fewest[0]} leaves the fewest users without a hit: {fewest[1]:,}, by {metric}.")
    return Content((sentence, Table("Users without a hit", COLUMNS, tuple(rows), has_bars=True)))


register_section(Section("missed", "Whom the lists miss", order=35, build=build, label="Missed users"))
