"""What was measured in several splits, as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from recsys.data.ids import Ids
from recsys.evaluation.entry_errors import EntryErrors
from recsys.evaluation.gap import GroupMean, gap
from recsys.evaluation.measurements import Measurements
from recsys.typing import Float64Array, Int64Array


def pooled(measured: Sequence[Measurements], user_ids: Sequence[Ids]) -> Measurements:
    """Pool measurements of a model by user, so that each user counts once.

    A user's value is the mean over the splits the user is in, a metric the mean over users. Errors of
    predicted values are taken over the held-out entries of all splits; what is measured of all lists together
    (coverage) is the mean over the splits. So is the mean of a group of users, and a gap is between
    these means.

    Parameters
    ----------
    measured : sequence of Measurements
        One a split.
    user_ids : sequence of Ids
        Those behind the row numbers of each split.

    Returns
    -------
    Measurements
        Users have the row numbers of the first split; those who are not in it come after. Means of
        groups are pooled where all splits have the same groups, which quarters by activity need not
        be; elsewhere there are none, and a gap is the mean over the splits.
    """
    if len(measured) == 1:
        return measured[0]
    rows = _common_rows(user_ids)
    first = measured[0]
    users = np.unique(np.concatenate([row[part.users] for part, row in zip(measured, rows, strict=True)]))
    positions = [np.searchsorted(users, row[part.users]) for part, row in zip(measured, rows, strict=True)]
    per_user = {
        name: _means([part.per_user[name] for part in measured], positions, len(users))
        for name in first.per_user
    }
    errors = _pooled_errors(measured, rows)
    groups = _pooled_groups(measured)
    metrics: dict[str, float | None] = {}
    for name in first.metrics:
        values = [part.metrics[name] for part in measured]
        known = [value for value in values if value is not None]
        if name in per_user and not np.isnan(per_user[name]).all():
            metrics[name] = float(np.nanmean(per_user[name]))
        elif errors is not None and name in errors.sums and len(known) == len(values):
            metrics[name] = errors.value(name)
        elif name in groups and len(groups[name]) > 1:
            metrics[name] = gap(groups[name])
        else:
            metrics[name] = float(np.mean(known)) if len(known) == len(values) else None
    texts = dict.fromkeys(remark for part in measured for remark in part.remarks)
    return replace(
        first,
        metrics=metrics,
        per_user=per_user,
        users=users,
        n_users=len(users) if len(users) else max(part.n_users for part in measured),
        n_pairs=sum(part.n_pairs for part in measured),
        seconds=float(np.mean([part.seconds for part in measured])),
        remarks=tuple(texts),
        groups=groups,
        entry_errors=errors,
    )


def _pooled_groups(measured: Sequence[Measurements]) -> dict[str, tuple[GroupMean, ...]]:
    """Return the mean over the splits of each group's mean, with the most users it has in one."""
    pooled_means = {}
    for name, groups in measured[0].groups.items():
        names = [group.group for group in groups]
        parts = [part.groups.get(name, ()) for part in measured]
        if all([group.group for group in part] == names for part in parts):
            pooled_means[name] = tuple(
                GroupMean(
                    same[0].group,
                    max(group.n_users for group in same),
                    float(np.mean([group.mean for group in same])),
                )
                for same in zip(*parts, strict=True)
            )
    return pooled_means


def _common_rows(user_ids: Sequence[Ids]) -> list[Int64Array]:
    """Return the common row number of each split's users."""
    together = user_ids[0]
    rows = []
    for ids in user_ids:
        together, of_these = together.union(ids)
        rows.append(of_these)
    return rows


def _means(values: Sequence[Float64Array], positions: Sequence[Int64Array], n_users: int) -> Float64Array:
    """Return the mean of each user's values, NaN for those who have none."""
    of_all, users = np.concatenate(values), np.concatenate(positions)
    known = ~np.isnan(of_all)
    counts = np.bincount(users[known], minlength=n_users)
    sums = np.bincount(users[known], weights=of_all[known], minlength=n_users)
    means: Float64Array = np.divide(sums, counts, out=np.full(n_users, np.nan), where=counts > 0)
    return means


def _pooled_errors(measured: Sequence[Measurements], rows: Sequence[Int64Array]) -> EntryErrors | None:
    parts = [part.entry_errors for part in measured]
    if any(errors is None for errors in parts):
        return None
    return EntryErrors.added(
        [
            replace(errors, users=np.where(errors.users >= 0, row[errors.users], -1))
            for errors, row in zip(parts, rows, strict=True)
            if errors is not None
        ]
    )
