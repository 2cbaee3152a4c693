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
    """Return a plain sentence on who is best, or who share the lead, and one for each other model.

    A difference is clear if the 95 % interval of its paired bootstrap leaves out zero.

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
    leads = {
        other: bootstrap(at_best.per_user[metric] - at_other.per_user[metric], seed=seed)
        for other, at_other in ranked[1:]
    }
    level = [other for other, lead in leads.items() if not lead.is_clear]
    value = bootstrap(at_best.per_user[metric], seed=seed)
    spread = f"{value.mean:.4f} (95 % interval {value.low:.4f} to {value.high:.4f})"
    users = f"{at_best.n_users:,} users"
    if level:
        found = [f"{_joined([best, *level])} are level on {metric}; {best} has {spread}, {users}."]
    else:
        found = [f"{best} is best on {metric}: {spread}, {users}."]
    for other, lead in leads.items():
        verdict = "no clear difference" if other in level else "a clear difference"
        found.append(
            f"{best} less {other}: {lead.mean:+.4f} ({lead.low:+.4f} to {lead.high:+.4f}), {verdict}."
        )
    return found


def _joined(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"
