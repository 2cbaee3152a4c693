"""Fairness between groups of users: how far apart the means of a metric lie."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recsys.data.labels import UserGroups
from recsys.typing import Float64Array, Int64Array


@dataclass(frozen=True)
class GroupMean:
    """The mean of a metric over a group of users.

    Attributes
    ----------
    group : str
    n_users : int
        For whom the metric is defined.
    mean : float
    """

    group: str
    n_users: int
    mean: float


def group_means(values: Float64Array, users: Int64Array, groups: UserGroups) -> tuple[GroupMean, ...]:
    """Return the mean of each group with a user for whom the metric is defined.

    Parameters
    ----------
    values : float64, (n_users,)
        NaN where not defined.
    users : int64, (n_users,)
        Row numbers of the training data.
    groups : UserGroups
        Users in none are left out.
    """
    means = []
    of_user = np.where(np.isnan(values), -1, groups.of_user[users])
    for number, name in enumerate(groups.names):
        inside = of_user == number
        if inside.any():
            means.append(GroupMean(name, int(inside.sum()), float(np.mean(values[inside]))))
    return tuple(means)


def gap(means: tuple[GroupMean, ...]) -> float:
    """Return the highest group's mean less the lowest one's; 0 is equal, and less is fairer.

    NaN with fewer than two groups. Written ``ndcg-gap@10`` for ``ndcg@10``, and so for every
    metric of a user. Groups are quarters by activity in training unless others are given. Source:
    Ekstrand et al. (2018), who compare group means; the difference of extremes as one number.
    """
    values = [group.mean for group in means]
    return max(values) - min(values) if len(values) > 1 else float("nan")
