"""What each chart shows, in words and numbers; how it looks is not decided here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from recsys.evaluation.list_profile import ListProfile
from recsys.evaluation.measurements import Measurements
from recsys.evaluation.metrics import parse_metric
from recsys.evaluation.significance import interval
from recsys.report.groups import Groups
from recsys.report.tables import Column, Figure, Value
from recsys.typing import Float64Array, Int64Array

_MODEL = Column("model", "model")
_FEW = 5
HELD_OUT = "what was held out"


def curves(profiles: Mapping[str, ListProfile]) -> list[Figure]:
    """Return each metric of the lists by list length, the main one first."""
    families = next(iter(profiles.values())).curves
    return [_curve(profiles, family, first=n == 0) for n, family in enumerate(families)]


def _curve(profiles: Mapping[str, ListProfile], family: str, *, first: bool) -> Figure:
    return Figure(
        name="curve" if first else f"curve-{family}",
        title="Short lists and long ones" if first else f"{family} by length",
        caption=f"{family} of the first k items, for each length k.",
        columns=(_MODEL, Column("k", "k", "count"), Column("value", f"{family}@k", "score")),
        rows=tuple(
            (label, k, value)
            for label, profile in profiles.items()
            for k, value in profile.curves[family].items()
        ),
        notes={"metric": f"{family}@k"},
        chart="curve",
        across="k",
    )


def trade_offs(
    profiles: Mapping[str, ListProfile], metric: str, values: Mapping[str, float], k: int
) -> tuple[Figure, Figure]:
    """Return the metric against how much of the catalogue is shown, and against how popular that is."""
    shown = f"somebody's first {k}"
    return (
        Figure(
            name="coverage",
            title="Accuracy against variety",
            caption=f"Upward: better {metric}. To the right: more of the catalogue is in {shown}.",
            columns=(_MODEL, Column("across", f"coverage@{k}", "share"), Column("value", metric, "score")),
            rows=tuple((label, profile.coverage, values[label]) for label, profile in profiles.items()),
            notes={"metric": metric, "across": f"coverage@{k}"},
            chart="trade-off",
        ),
        Figure(
            name="crowd",
            title="Accuracy against popularity",
            caption=f"Upward: better {metric}. To the left: lists are less popular; popularity is the share "
            f"of users who already have a listed item, on average over the first {k}.",
            columns=(
                _MODEL,
                Column("across", "popularity", "share"),
                Column("value", metric, "score"),
            ),
            rows=tuple((label, profile.popularity, values[label]) for label, profile in profiles.items()),
            notes={"metric": metric, "across": f"popularity of the first {k}"},
            chart="trade-off",
        ),
    )


def by_activity(
    measured: Mapping[str, Measurements], metric: str, users: Int64Array, groups: Groups, *, seed: int
) -> Figure | None:
    """Return the metric by group of users, with its interval.

    Parameters
    ----------
    measured : mapping of label to Measurements
    metric : str
        One of users, or an error of predicted values.
    users : int64, (n_users,)
        Row numbers of those who are grouped.
    groups : Groups
        Of ``users``, in their order.
    seed : int
    """
    rows: list[tuple[Value, ...]] = []
    for label, measurements in measured.items():
        for group, name in enumerate(groups.names):
            inside = users[groups.of == group]
            spread = interval(_only(measurements, metric, inside), metric, seed=seed)
            if spread is not None:
                rows.append((label, name, len(inside), spread.low, spread.high, spread.mean))
    if len(groups) < 2 or not rows:
        return None
    return Figure(
        name="activity",
        title="For whom: by how much users do",
        caption="Users in groups of about equal size, by the number of items they have in training"
        + ("; bars are 95 % intervals." if len(measured) <= _FEW else "."),
        columns=(
            _MODEL,
            Column("group", "items in training"),
            Column("n_users", "users", "count"),
            Column("low", "from", "score"),
            Column("high", "to", "score"),
            Column("value", metric, "score"),
        ),
        rows=tuple(rows),
        notes={"metric": metric, "groups": groups.names, "title": "items in training"},
        chart="by-group",
        across="group",
    )


def _only(measured: Measurements, metric: str, users: Int64Array) -> Measurements:
    """Return what was measured of some users."""
    is_wanted = np.isin(measured.users, users)
    per_user = {metric: measured.per_user[metric][is_wanted]} if metric in measured.per_user else {}
    errors = measured.entry_errors
    if errors is not None:
        known = np.isin(errors.users, users)
        errors = errors.only(known) if known.any() else None
    return replace(measured, per_user=per_user, users=measured.users[is_wanted], entry_errors=errors)


def gaps(measured: Mapping[str, Measurements]) -> list[Figure]:
    """Return the means of the groups behind each gap between groups of users that was asked for."""
    by_gap: dict[str, list[tuple[Value, ...]]] = {}
    for label, measurements in measured.items():
        for gap, groups in measurements.groups.items():
            by_gap.setdefault(gap, []).extend((label, g.group, g.n_users, g.mean) for g in groups)
    figures = []
    for gap, rows in by_gap.items():
        metric, names = str(parse_metric(gap).base), tuple(dict.fromkeys(str(row[1]) for row in rows))
        figures.append(
            Figure(
                name=re.sub(r"[^a-z0-9]+", "-", gap),
                title=f"{metric} by group of users",
                caption=f"What {gap} is made of: it is the highest mean less the lowest.",
                columns=(
                    _MODEL,
                    Column("group", "group"),
                    Column("n_users", "users", "count"),
                    Column("value", metric, "score"),
                ),
                rows=tuple(rows),
                notes={"metric": metric, "groups": names, "title": "group of users"},
                chart="by-group",
                across="group",
            )
        )
    return figures


def by_popularity(profiles: Mapping[str, ListProfile], groups: Groups, k: int) -> Figure | None:
    """Return which part of the held-out pairs is found, by group of items."""
    rows = [
        (label, name, float(profile.group_recall[group]))
        for label, profile in profiles.items()
        for group, name in enumerate(groups.names)
        if np.isfinite(profile.group_recall[group])
    ]
    if len(groups) < 2 or not rows:
        return None
    return Figure(
        name="popularity",
        title="For what: by how popular items are",
        caption=f"Share of the held-out pairs that stand in the first {k}. The groups of items, the most "
        f"popular first, hold about as many training pairs each.",
        columns=(_MODEL, Column("group", "items"), Column("value", "found", "share")),
        rows=tuple(rows),
        notes={
            "metric": f"held-out pairs found in the first {k}",
            "groups": groups.names,
            "title": "items, the most popular first",
            "is_share": True,
        },
        chart="by-group",
        across="group",
    )


def positions(
    profiles: Mapping[str, ListProfile], held_out: Float64Array, groups: Groups, k: int
) -> Figure | None:
    """Return what the lists are made of, beside what users did take."""
    if len(groups) < 2:
        return None
    shares = {HELD_OUT: held_out, **{label: profile.group_shares for label, profile in profiles.items()}}
    return Figure(
        name="places",
        title="What the lists are made of",
        caption=f"How the first {k} places are shared out among the same groups of items, beside what users "
        f"did take.",
        columns=(Column("model", "lists of"), Column("group", "items"), Column("value", "share", "share")),
        rows=tuple(
            (label, name, float(share[group]))
            for label, share in shares.items()
            for group, name in enumerate(groups.names)
        ),
        notes={"groups": groups.names},
        across="group",
    )
