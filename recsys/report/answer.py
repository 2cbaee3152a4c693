"""The answer first: which model, by how much, how sure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from recsys.evaluate.measurements import Measurements
from recsys.evaluate.metrics import higher_is_better
from recsys.evaluate.significance import compare_pairs, digits_for, has_users, interval


def main_metric(measured: Sequence[Measurements]) -> str | None:
    """Return the metric by which models are put in order.

    ndcg if asked for, else the first that users have values of and that tells better from worse.
    """
    names = [
        name
        for name in (measured[0].metrics if measured else ())
        if higher_is_better(name) is not None and any(has_users(at, name) for at in measured)
    ]
    return next((name for name in names if name.startswith("ndcg@")), names[0] if names else None)


def sentences(measured: Mapping[str, Measurements], *, seed: int) -> list[str]:
    """Return a plain sentence on who is best, or who share the lead, and one for each other model.

    A lead is one if `compare_pairs` finds it significant.

    Parameters
    ----------
    measured : mapping of label to Measurements
        All of the same users.
    seed : int
        Of intervals and tests.
    """
    metric = main_metric(list(measured.values()))
    if metric is None:
        return []
    tests = compare_pairs(measured, metric, seed=seed)
    # The best stands first in the first of all pairs, and in all of its own.
    best = (
        tests[0].better if tests else next(label for label in measured if has_users(measured[label], metric))
    )
    own = [test for test in tests if best in (test.better, test.other)]
    level = [test.other if test.better == best else test.better for test in own if not test.is_significant]
    value = interval(measured[best], metric, seed=seed)
    assert value is not None
    digits = digits_for(value)
    spread = f"{value.mean:.{digits}f} (95 % interval {value.low:.{digits}f} to {value.high:.{digits}f})"
    users = f"{measured[best].n_users:,} users"
    if not tests:
        return [f"{best} has {metric} {spread}, {users}; there is no other model to compare it with."]
    if level:
        first = f"{_joined([best, *level])} are level on {metric}; {best} has {spread}, {users}."
    else:
        first = f"{best} is best on {metric}: {spread}, {users}."
    return [first, *(test.sentence for test in own)]


def _joined(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"
