"""The kinds of metrics: what a metric states of itself, and what it is computed from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar

from recsys.evaluation.list_block import ListBlock
from recsys.typing import Float32Array, Float64Array, Int64Array


class Need(Enum):
    """What a metric is computed from beside lists and held-out items."""

    HISTORY = "the training data"
    """`ListBlock.seen`: the users' training items. Without it the metric has no value."""
    CATEGORIES = "the category of each item; give a table of items and its category column"
    """`Catalogue.categories`. Without it the metric has no value."""
    SORTED_VALUES = "the values of the held-out items"
    """`ListBlock.largest`: the users' held-out values in descending order. Always available."""


@dataclass(frozen=True, kw_only=True)
class MetricDefinition:
    """What every metric states.

    Attributes
    ----------
    name : str
        As it is asked for, without ``@k``: lower-case letters, digits and hyphens.
    definition : str
        One line for the readers of a report. The function's docstring has all of it.
    higher_is_better : bool or None
        None where neither direction is better.
    takes_k : bool
        Of the kind: whether it is asked for with a length of the list, ``@k``.
    is_of_users : bool
        Of the kind: whether it is a mean over values of users, which intervals, tests and gaps need.
    """

    takes_k: ClassVar[bool] = False
    is_of_users: ClassVar[bool] = False

    name: str
    definition: str
    higher_is_better: bool | None = True


@dataclass(frozen=True, kw_only=True)
class ListMetric(MetricDefinition):
    """A value for each user, from the first k items of the user's list; reported as the mean over users.

    Attributes
    ----------
    function : function of (ListBlock, int)
        Returns float64, (n_block,), NaN where the metric is not defined for a user. A user's value
        must not depend on the other users of the block.
    needs : frozenset of Need
    uses_categories : bool
        Whether categories of items change its value, where there are any; implied by needing them.

    Examples
    --------
    >>> import numpy as np
    >>> from recsys import ListMetric, register_metric, unregister_metric
    >>> def first_hit(block, k):
    ...     return block.hits[:, 0].astype(float)
    >>> metric = ListMetric(name="first-hit", function=first_hit, definition="whether the first is a hit")
    >>> register_metric(metric)
    >>> unregister_metric("first-hit")
    """

    takes_k: ClassVar[bool] = True
    is_of_users: ClassVar[bool] = True

    function: Callable[[ListBlock, int], Float64Array]
    needs: frozenset[Need] = frozenset()
    uses_categories: bool = False


@dataclass(frozen=True, kw_only=True)
class ScoreMetric(MetricDefinition):
    """A value for each user, from the scores of all unseen items; reported as the mean over users.

    Attributes
    ----------
    function : function of ListBlock
        As that of a `ListMetric`, without k; `ListBlock.scores` is there.

    Examples
    --------
    >>> from recsys import ScoreMetric
    >>> spread = ScoreMetric(name="spread", definition="of scores", function=lambda b: b.scores.std(axis=1))
    >>> spread.takes_k
    False
    """

    is_of_users: ClassVar[bool] = True

    function: Callable[[ListBlock], Float64Array]


@dataclass(frozen=True, kw_only=True)
class CatalogueMetric(MetricDefinition):
    """One value of all lists together, from how often each item is listed.

    Attributes
    ----------
    function : function of int64, (n_items,)
        Takes in how many users' first k each item is listed; returns a number, NaN where it is not
        defined.

    Examples
    --------
    >>> from recsys import CatalogueMetric
    >>> most = CatalogueMetric(name="most-listed", definition="lists of one item", function=lambda n: n.max())
    >>> most.takes_k
    True
    """

    takes_k: ClassVar[bool] = True

    function: Callable[[Int64Array], float]


def _mean(mean: Any) -> Any:
    return mean


@dataclass(frozen=True, kw_only=True)
class ErrorMetric(MetricDefinition):
    """A mean, over held-out entries, of an error of predicted values.

    Attributes
    ----------
    function : function of (float32, float32), each (n_pairs,)
        Takes predicted and actual values in the units of the log; returns the error of each entry,
        float64, (n_pairs,).
    of_mean : function of float64, any shape
        Turns mean errors into values of the metric, element by element, e.g. `numpy.sqrt`; it must
        rise with the mean. By default the mean is the value.

    Examples
    --------
    >>> from recsys import ErrorMetric
    >>> bias = ErrorMetric(name="signed", definition="predicted less actual", function=lambda p, a: p - a)
    >>> bias.higher_is_better
    False
    """

    function: Callable[[Float32Array, Float32Array], Float64Array]
    of_mean: Callable[[Any], Any] = _mean
    higher_is_better: bool | None = False
