"""What models cost, and how their training converged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from recsys.factorization.history import History
from recsys.report.context import Row
from recsys.report.tables import Column, Figure, Value

_MODEL = Column("model", "model")
_MOST_SWEEPS = 200
LEAST_GAIN = 1e-6  # what is less is not drawn


def cost(rows: Sequence[Row]) -> Figure | None:
    """Return seconds."""
    timed = tuple(
        (row.label, row.fit_seconds, row.score_seconds, row.fit_seconds + row.score_seconds)
        for row in rows
        if row.fit_seconds is not None and row.score_seconds is not None
    )
    if not timed:
        return None
    return Figure(
        name="cost",
        title="Time",
        caption="Seconds to fit, and to score, rank and measure; compilation is not counted.",
        columns=(
            _MODEL,
            Column("fit", "time to fit", "seconds"),
            Column("score", "time to score", "seconds"),
            Column("seconds", "together", "seconds"),
        ),
        rows=timed,
    )


def memory(rows: Sequence[Row]) -> Figure | None:
    """Return the most memory that each fit took."""
    measured = tuple((row.label, row.peak_bytes) for row in rows if row.peak_bytes is not None)
    if not measured:
        return None
    return Figure(
        name="memory",
        title="Memory",
        caption="The most that a fit took beyond what the process held before; scoring is not in it. "
        "Figures of a few MiB say little: room freed before is used again.",
        columns=(_MODEL, Column("peak", "peak memory of the fit", "bytes")),
        rows=measured,
    )


def convergence(histories: Mapping[str, History]) -> Figure | None:
    """Return what each sweep gained, as a share of the objective's fall so far."""
    rows: list[tuple[Value, ...]] = []
    stopped = {}
    for label, history in histories.items():
        objective = np.asarray(history.objective)
        fall = objective[:1] - objective[1:] if len(objective) else objective
        # Before anything has fallen there is no share; the first sweep's would be all of it.
        known = np.flatnonzero(fall[1:] > 0) + 1 if len(fall) > 1 else np.zeros(0, dtype=int)
        gains = (objective[known] - objective[known + 1]) / fall[known] if len(known) else known
        if len(known) == 0 or gains.max() < LEAST_GAIN:
            continue
        stopped[label] = history.stopped.replace("_", " ")
        shown = np.unique(np.linspace(0, len(known) - 1, min(len(known), _MOST_SWEEPS)).round().astype(int))
        for n in shown.tolist():
            sweep = int(known[n]) + 1
            gain = max(0.0, float(gains[n]))
            rows.append((label, sweep + 1, history.seconds[sweep], float(objective[sweep]), gain))
    if not rows:
        return None
    return Figure(
        name="convergence",
        title="How training settled",
        caption="What each sweep gained, as a share of the objective's fall up to it, from the third sweep "
        "on. Beside the name: the rule that ended the fit (tol: too little gained; validation: the held-out "
        "error rose; max iter: no sweeps were left).",
        columns=(
            _MODEL,
            Column("sweep", "sweep", "count"),
            Column("seconds", "after", "seconds"),
            Column("objective", "objective", "number"),
            Column("gain", "gain", "share"),
        ),
        rows=tuple(rows),
        notes={"stopped": stopped},
    )
