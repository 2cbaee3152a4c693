"""Whether one model is better than another, or only luckier with these users."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from recsys.errors import InputError
from recsys.evaluation.measurements import Measurements
from recsys.evaluation.metrics import higher_is_better
from recsys.evaluation.quantity import Quantity, quantity_of
from recsys.evaluation.randomisation import exchange_p_values, holm
from recsys.evaluation.uncertainty import Interval, percentiles, resampled_sums
from recsys.typing import BoolArray, Float64Array

LEVEL = 0.05


@dataclass(frozen=True)
class PairTest:
    """One model against another on the same users.

    Attributes
    ----------
    metric : str
    better, other : str
        Labels; the better one by what was measured, significant or not. Of a metric of which neither
        more nor less is better, the one that has more.
    difference : float
        By how much, 0 or more, also where less is better.
    low, high : float
        Its 95 % interval, for this pair alone.
    p_value : float
        Of the paired randomisation test.
    p_adjusted : float
        Holm's, over all pairs of the metric.
    effect_size : float or None
        Mean of the users' differences over their standard deviation (Cohen's d for pairs), above 0
        in favour of the better one; None where all users differ by the same. Of errors, which are
        means over entries, a user's difference is that of the sums over the user's entries.
    n_users : int
        Users for whom both have a value.
    is_significant : bool
        Whether the adjusted p-value is below 0.05 and the interval leaves out zero.
    sentence : str
    """

    metric: str
    better: str
    other: str
    difference: float
    low: float
    high: float
    p_value: float
    p_adjusted: float
    effect_size: float | None
    n_users: int
    is_significant: bool
    sentence: str


def has_users(measured: Measurements, metric: str) -> bool:
    """Return whether a metric is made of values of users, so that it has intervals and tests."""
    return quantity_of(measured, metric) is not None


def interval(measured: Measurements, metric: str, *, seed: int) -> Interval | None:
    """Return a metric with its 95 % interval, from users drawn with replacement.

    Parameters
    ----------
    measured : Measurements
    metric : str
    seed : int

    Returns
    -------
    Interval or None
        None for a metric of all lists together (coverage), or that no user has.
    """
    quantity = quantity_of(measured, metric)
    if quantity is None:
        return None
    known = quantity.known
    totals, sizes = quantity.totals[known], quantity.sizes[known]
    sums = resampled_sums(np.column_stack([totals, sizes]), seed=seed)
    low, high = percentiles(quantity.value(sums[:, 0], sums[:, 1]), len(totals))
    return Interval(float(quantity.value(totals.sum(), sizes.sum())), low, high)


def compare_pairs(measured: Mapping[str, Measurements], metric: str, *, seed: int) -> tuple[PairTest, ...]:
    """Test every pair of models on a metric, the best first.

    Parameters
    ----------
    measured : mapping of label to Measurements
        All of the same users. Users for whom one of a pair has no value (NaN) are left out of that pair.
    metric : str
        One of users, or an error; for another, and for models that have no value, there are no tests.
    seed : int
        Of the resamples and the exchanges.

    Returns
    -------
    tuple of PairTest
        `recsys.evaluation.pair_tests.PairTests` keeps them, for what asks more than once.

    Raises
    ------
    InputError
        If the models were not measured on the same users.

    Notes
    -----
    Intervals are those of `interval`, of the difference on the same resamples; p-values those of
    `exchange_p_values`, adjusted for the number of pairs by `holm`. Errors are means over entries:
    all entries of a user are drawn, and exchanged, as one.
    """
    quantities = {label: quantity_of(measurements, metric) for label, measurements in measured.items()}
    known = {label: quantity for label, quantity in quantities.items() if quantity is not None}
    if len(known) < 2:
        return ()
    (name, quantity), *others = known.items()
    for label, other in others:
        same_users = np.array_equal(measured[name].users, measured[label].users)
        if not (same_users and np.array_equal(quantity.sizes, other.sizes)):
            raise InputError(
                f"{name} and {label} were measured on different users; compare models on the same split."
            )
    return _compare(known, metric, seed)


def _compare(known: Mapping[str, Quantity], metric: str, seed: int) -> tuple[PairTest, ...]:
    """Test all pairs; those that both know the same users share resamples and exchanges."""
    sign = -1.0 if higher_is_better(metric) is False else 1.0
    overall = {label: quantity.overall for label, quantity in known.items()}
    labels = sorted(known, key=lambda label: -sign * overall[label])
    sizes = known[labels[0]].sizes
    shared: dict[bytes, tuple[BoolArray, list[tuple[str, str]]]] = {}
    for first, second in combinations(labels, 2):
        both = known[first].known & known[second].known
        if both.any():
            shared.setdefault(both.tobytes(), (both, []))[1].append((first, second))

    results: dict[tuple[str, str], tuple[Interval, float, float | None, int]] = {}
    for users, pairs in shared.values():
        members = [label for label in labels if any(label in pair for pair in pairs)]
        column_of = {label: column for column, label in enumerate(members)}
        totals = np.column_stack([known[label].totals[users] for label in members])
        value = known[labels[0]].value
        sums = resampled_sums(np.column_stack([totals, sizes[users]]), seed=seed)
        drawn = sign * value(sums[:, :-1], sums[:, -1:])
        observed = sign * value(totals.sum(axis=0), sizes[users].sum())
        columns = np.array([[column_of[first], column_of[second]] for first, second in pairs])
        p_values = exchange_p_values(totals, columns, seed=seed)
        for pair, (first, second), p_value in zip(pairs, columns, p_values.tolist(), strict=True):
            low, high = percentiles(drawn[:, first] - drawn[:, second], len(totals))
            lead = Interval(float(observed[first] - observed[second]), low, high)
            # Divided by the mean size, not by the user's own: their mean is then the difference tested.
            effect = _effect_size(sign * (totals[:, first] - totals[:, second]) / sizes[users].mean())
            results[pair] = lead, p_value, effect, len(totals)

    ordered = [pair for pair in combinations(labels, 2) if pair in results]
    adjusted = holm(np.array([results[pair][1] for pair in ordered]))
    return tuple(
        _test(metric, pair, *results[pair], p_adjusted)
        for pair, p_adjusted in zip(ordered, adjusted.tolist(), strict=True)
    )


def _effect_size(differences: Float64Array) -> float | None:
    spread = float(differences.std(ddof=1)) if len(differences) > 1 else 0.0
    # Equal differences have a spread of rounding errors.
    return None if spread <= 1e-12 * float(np.abs(differences).max()) else float(differences.mean()) / spread


def _test(
    metric: str,
    pair: tuple[str, str],
    lead: Interval,
    p_value: float,
    effect_size: float | None,
    n_users: int,
    p_adjusted: float,
) -> PairTest:
    """Put a pair in order, the better one first."""
    better, other = pair
    if lead.mean < 0:
        better, other = other, better
        lead = Interval(-lead.mean, -lead.high, -lead.low)
        effect_size = None if effect_size is None else -effect_size
    is_significant = p_adjusted < LEVEL and lead.is_clear
    return PairTest(
        metric=metric,
        better=better,
        other=other,
        difference=lead.mean,
        low=lead.low,
        high=lead.high,
        p_value=p_value,
        p_adjusted=p_adjusted,
        effect_size=effect_size,
        n_users=n_users,
        is_significant=is_significant,
        sentence=_sentence(metric, better, other, lead, is_significant),
    )


def _sentence(metric: str, better: str, other: str, lead: Interval, is_significant: bool) -> str:
    digits = digits_for(lead)
    by, low, high = (f"{number:.{digits}f}" for number in (lead.mean, lead.low, lead.high))
    if not is_significant:
        return f"No clear difference between {better} and {other} on {metric}: {by} ({low} to {high})."
    upward = higher_is_better(metric)
    if upward is None:
        return f"{better} has a higher {metric} than {other}, by {by} ({low} to {high})."
    verdict = "is better than" if upward else "is better (lower) than"
    return f"{better} {verdict} {other} on {metric} by {by} ({low} to {high})."


def digits_for(interval: Interval) -> int:
    """Return how many digits after the point show an interval: four, or two of its width if that is more."""
    width = interval.high - interval.low
    if width <= 1e-6 * abs(interval.mean):  # a point, but for rounding
        return 4
    return min(max(1 - math.floor(math.log10(width)), 4), 9)
