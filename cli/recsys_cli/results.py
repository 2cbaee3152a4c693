"""Results as people read them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from recsys_cli.output import fixed, say, say_table
from recsys_cli.splits import say_split

if TYPE_CHECKING:
    from recsys.evaluation.gap import GroupMean
    from recsys.experiment.comparison import Result
    from recsys.experiment.prepared_split import PreparedSplit


def say_results(results: Sequence[Result], splits: Sequence[PreparedSplit]) -> None:
    """Say what was split how, and set the models side by side."""
    from recsys.evaluation.metrics import parse_metric

    names = next(list(r.measurements.metrics) for r in results if r.measurements is not None)
    say_split(splits[0].split, errors=[name for name in names if parse_metric(name).is_error])
    if len(splits) > 1:
        say(
            f"  {len(splits)} parts like this one: a user's value is the mean over the parts the user is "
            f"held out in, and each user counts once; seconds are means over the parts"
        )
    rows = []
    for result in results:
        measured = result.measurements
        if measured is None:
            rows.append([result.label, *("-" for _ in names), "-", "-", "-", "-"])
            continue
        peak = result.peak_memory_bytes
        rows.append(
            [
                result.label,
                *(fixed(measured.metrics[name]) for name in names),
                f"{measured.n_users:,}",
                f"{result.fit_seconds:.2f}",
                f"{measured.seconds:.2f}",
                "-" if peak is None else f"{peak / 2**20:,.0f}",
            ]
        )
    say_table(["model", *names, "users", "fit s", "score s", "fit MiB"], rows)
    _say_groups(results)
    for result in results:
        if result.error:
            say(f"  {result.label} failed: {result.error}")
    # A remark that all models share is said once.
    remarks = dict.fromkeys(remark for r in results if r.measurements for remark in r.measurements.remarks)
    for remark in remarks:
        say(f"  {remark}")


def _say_groups(results: Sequence[Result]) -> None:
    """Set the means behind each gap side by side, models in columns."""
    from recsys.evaluation.metrics import parse_metric

    measured = {r.label: r.measurements for r in results if r.measurements is not None}
    first = next(iter(measured.values()))
    for metric in [metric for metric in map(parse_metric, first.metrics) if metric.is_gap]:
        gap = str(metric)
        groups = {label: at.groups[gap] for label, at in measured.items() if gap in at.groups}
        if not groups:
            if any(result.parts for result in results):
                say(f"  {gap}: groups differ from part to part; the means of each part stand in --json")
            continue
        rows = [
            [mean.group, f"{mean.n_users:,}", *(_mean_of(mean.group, means) for means in groups.values())]
            for mean in next(iter(groups.values()))
        ]
        say()
        say_table([f"{metric.base} by group", "users", *groups], rows)


def _mean_of(group: str, means: Sequence[GroupMean]) -> str:
    return next((fixed(mean.mean) for mean in means if mean.group == group), "-")
