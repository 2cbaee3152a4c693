"""The answer first: which model, by how much, how sure, and what the other metrics say."""

from __future__ import annotations

from collections.abc import Sequence

from recsys.evaluation.measurements import Measurements
from recsys.evaluation.metrics import higher_is_better
from recsys.evaluation.pair_tests import PairTests
from recsys.evaluation.significance import digits_for, has_users, interval
from recsys.report.numbers import in_words

_MOST_NAMES = 4


def main_metric(measured: Sequence[Measurements]) -> str | None:
    """Return the metric by which models are put in order.

    The first metric asked for that users have values of and whose direction (higher or lower is
    better) is known.
    """
    return next(
        (
            name
            for name in (measured[0].metrics if measured else ())
            if higher_is_better(name) is not None
            and any(has_users(measurements, name) for measurements in measured)
        ),
        None,
    )


def sentences(tests: PairTests) -> list[str]:
    """Return the answer in plain sentences.

    First who is best, or who shares the lead; then the value and how sure it is, the other metrics in
    one sentence, and a sentence for each other model. A lead is one if `compare_pairs` finds it
    significant.

    Parameters
    ----------
    tests : PairTests
        Of the models to speak of.
    """
    measured, seed = tests.measured, tests.seed
    metric = main_metric(list(measured.values()))
    if metric is None:
        return []
    leaders = _leaders(tests, metric)
    best = leaders[0]
    value = interval(measured[best], metric, seed=seed)
    assert value is not None
    digits = digits_for(value)
    spread = f"{value.mean:.{digits}f} (95 % interval {value.low:.{digits}f} to {value.high:.{digits}f})"
    users = f"{measured[best].n_users:,} users"
    pairs = tests.on(metric)
    if not pairs:
        return [f"{best} has {metric} {spread}.", f"{users}; there is no other model to compare it with."]
    first = (
        f"{best} is best on {metric}."
        if len(leaders) == 1
        else f"There is no clear difference between {in_words(leaders)} on {metric}."
    )
    others = _others(tests, metric)
    own = [pair.sentence for pair in pairs if best in (pair.better, pair.other)]
    return [first, f"{best} has {spread}, {users}.", *([others] if others else []), *own]


def _leaders(tests: PairTests, metric: str) -> list[str]:
    """Return the best model on a metric, and after it those that are not clearly worse."""
    pairs = tests.on(metric)
    if not pairs:
        return [label for label, values in tests.measured.items() if has_users(values, metric)][:1]
    # The best stands first in the first of all pairs, and in all of its own.
    best = pairs[0].better
    own = [pair for pair in pairs if best in (pair.better, pair.other)]
    return [best, *(p.other if p.better == best else p.better for p in own if not p.is_significant)]


def _others(tests: PairTests, main: str) -> str:
    """Return one sentence on the metrics beside the main one; those with the same answer together."""
    said: dict[frozenset[str], tuple[str, list[str]]] = {}
    for metric in next(iter(tests.measured.values())).metrics:
        known = {label: measured.metrics[metric] for label, measured in tests.measured.items()}
        values = {label: value for label, value in known.items() if value is not None}
        more = higher_is_better(metric)
        if metric == main or more is None or not values:
            continue
        leaders = _leaders(tests, metric)
        if len(values) == 1:
            ((label, value),) = values.items()
            words, name = f"only {label} has {{}}", f"{metric} ({value:.4f})"
        elif leaders:
            words, name = _verdict(leaders), metric
        else:  # of all lists together: nothing to test
            best = max(values, key=lambda label: values[label] if more else -values[label])
            words, name = f"{best} has the best {{}} (not tested)", metric
        # Models that share a lead are named once, whichever of them is slightly ahead.
        kind = "only" if len(values) == 1 else "tested" if leaders else "not tested"
        key = frozenset([kind, *(leaders or [words])])
        said.setdefault(key, (words, []))[1].append(name)
    text = "; ".join(words.replace("{}", in_words(names)) for words, names in said.values())
    return text[:1].upper() + text[1:] + "." if text else ""


def _verdict(leaders: Sequence[str]) -> str:
    if len(leaders) == 1:
        return f"on {{}} {leaders[0]} is best"
    return f"on {{}} there is no clear difference between {in_words(leaders, _MOST_NAMES)}"
