"""What was measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from recsys.evaluation.entry_errors import EntryErrors
from recsys.evaluation.gap import GroupMean
from recsys.remarks import Remark
from recsys.typing import Float64Array, Int64Array


@dataclass(frozen=True, eq=False)
class Measurements:
    """What was measured of one model, or of given lists, on one split.

    Attributes
    ----------
    metrics : mapping of str to float or None
        In the order asked for; None where there is no answer (see ``remarks``).
    per_user : mapping of str to float64, (n_users,)
        Values of the metrics of users; NaN where one is not defined for a user, who is then left
        out of its mean.
    users : int64, (n_users,)
        Row numbers of the users measured: those with training and held-out items.
    n_users : int
        How many were averaged; without ranking metrics, how many have held-out entries, users
        unknown to training among them.
    n_pairs : int
        Held-out entries behind errors of predicted values.
    seconds : float
        Time of scoring, ranking and measuring.
    remarks : tuple of Remark
    groups : mapping of str to tuple of GroupMean
        The group means behind each gap, by the gap's name.
    entry_errors : EntryErrors or None
        What errors of predicted values are made of, where one was asked for.

    Examples
    --------
    >>> import pandas as pd
    >>> import recsys
    >>> frame = pd.DataFrame(
    ...     {"user": [1, 1, 2, 2, 3, 3, 4, 4], "item": list("abacbcab"), "rating": [5, 3, 4, 1, 2, 5, 4, 2]}
    ... )
    >>> measured = recsys.evaluate("bias", frame, split="random:0.3", metrics="rmse").measurements
    >>> measured.metrics["rmse"] > 0
    True
    """

    metrics: Mapping[str, float | None]
    per_user: Mapping[str, Float64Array]
    users: Int64Array
    n_users: int
    n_pairs: int
    seconds: float
    remarks: tuple[Remark, ...]
    groups: Mapping[str, tuple[GroupMean, ...]] = field(default_factory=dict)
    entry_errors: EntryErrors | None = None
