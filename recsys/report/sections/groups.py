"""For whom the models work, and for what: groups of users by activity, of items by popularity."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from recsys.evaluation.list_profile import held_out_shares
from recsys.evaluation.measurements import Measurements
from recsys.report import figures
from recsys.report.blocks import Figures
from recsys.report.context import ReportContext
from recsys.report.groups import by_activity, by_popularity
from recsys.report.section import Content, Section, register_section
from recsys.report.tables import Figure
from recsys.typing import Int64Array


def build(context: ReportContext) -> Content | None:
    """Return the figures of groups that have something to show."""
    shown: list[Figure | None] = []
    measured, k = context.measured, context.list_length
    if context.main_metric is not None:
        users = _users(measured)
        groups = by_activity(context.seen.counts[users])
        shown.append(figures.by_activity(measured, context.main_metric, users, groups, seed=context.seed))
    if context.list_profiles:
        items = by_popularity(context.train.item_counts)
        shares = held_out_shares(context.held_out, items.of)
        shown.append(figures.by_popularity(context.list_profiles, items, k))
        shown.append(figures.positions(context.list_profiles, shares, items, k))
    present = [figure for figure in shown if figure is not None] + figures.gaps(measured)
    return Content((Figures(tuple(present)),), record={}) if present else None


def _users(measured: Mapping[str, Measurements]) -> Int64Array:
    """Return the users of whom there is a value, of lists or of errors."""
    for measurements in measured.values():
        if len(measurements.users):
            return measurements.users
        if measurements.entry_errors is not None:
            return measurements.entry_errors.users[measurements.entry_errors.users >= 0]
    return np.zeros(0, dtype=np.int64)


register_section(
    Section("groups", "For whom, and for what", order=30, build=build, label="For whom and what")
)
