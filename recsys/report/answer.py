"""The answer first: which model, by how much, how sure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from recsys.evaluate.evaluator import Measurements
from recsys.evaluate.uncertainty import bootstrap


def main_metric(measured: Sequence[Measurements]) -> str | None:
    """Return the metric by which models are put in order: ndcg if asked for, else the first per user."""
    names = [name for name in measured[0].metrics if name in measured[0].per_user] if measured else []
    return next((name for name in names if name.startswith("ndcg")), names[0] if names else None)


def sentences(measured: Mapping[str, Measurements], *, seed: int) -> list[str]:
    """Return one plain sentence for the best model and one for its lead on each other.

    Parameters
    ----------
    measured : mapping of label to Measurements
        All of the same users.
    seed : int
        Of the bootstrap.
    """
    metric = main_metric(list(measured.values()))
    if metric is None or len(measured) == 0:
        return []
    ranked = sorted(measured.items(), key=lambda pair: -(pair[1].metrics[metric] or 0.0))
    best, at_best = ranked[0]
    value = bootstrap(at_best.per_user[metric], seed=seed)
    found = [
        f"{best} has the highest {metric}: {value.mean:.4f} "
        f"(95 % interval {value.low:.4f} to {value.high:.4f}, {at_best.n_users:,} users)."
    ]
    for other, at_other in ranked[1:]:
        lead = bootstrap(at_best.per_user[metric] - at_other.per_user[metric], seed=seed)
        verdict = "" if lead.is_clear else ": no clear difference"
        found.append(
            f"It is ahead of {other} by {lead.mean:.4f} ({lead.low:.4f} to {lead.high:.4f}, "
            f"the same users resampled){verdict}."
        )
    return found
