"""Results as people read them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from recsys_cli.output import fixed, say, say_table
from recsys_cli.splits import say_split

if TYPE_CHECKING:
    from recsys.experiment.comparison import Result
    from recsys.experiment.trial import Trial


def say_results(results: Sequence[Result], trials: Sequence[Trial]) -> None:
    """Say what was split how, and set the models side by side."""
    say_split(trials[0].split)
    if len(trials) > 1:
        say(
            f"  {len(trials)} parts like this one: a user's value is the mean over the parts the user is "
            f"held out in, and each user counts once; seconds are means over the parts"
        )
    names = next(list(r.measurements.metrics) for r in results if r.measurements is not None)
    rows = []
    for result in results:
        at = result.measurements
        if at is None:
            rows.append([result.label, *("-" for _ in names), "-", "-", "-", "-"])
            continue
        peak = result.peak_memory_bytes
        rows.append(
            [
                result.label,
                *(fixed(at.metrics[name]) for name in names),
                f"{at.n_users:,}",
                f"{result.fit_seconds:.2f}",
                f"{at.seconds:.2f}",
                "-" if peak is None else f"{peak / 2**20:,.0f}",
            ]
        )
    say_table(["model", *names, "users", "fit s", "score s", "fit MiB"], rows)
    for result in results:
        if result.error:
            say(f"  {result.label} failed: {result.error}")
    # A remark that all models share is said once.
    remarks = dict.fromkeys(remark for r in results if r.measurements for remark in r.measurements.remarks)
    for remark in remarks:
        say(f"  {remark}")
