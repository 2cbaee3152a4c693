"""``recsys evaluate MODEL NEWLOG --since DATE``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recsys.data.log_format import LogFormat
from recsys_cli import options
from recsys_cli.output import fixed, progress, say, say_json, say_remarks, say_table

if TYPE_CHECKING:
    from recsys.experiment.monitoring import Monitoring

AFTER_TRAINING = "training"


def measure_model(
    sources: Sequence[str],
    read_as: LogFormat,
    since: str,
    by: str,
    metrics: str | None,
    *,
    unused: Mapping[str, Any],
    seed: int | None,
    threads: int | None,
    json: bool,
) -> None:
    """Measure a trained model's lists on what happened since."""
    import recsys
    from recsys.experiment.monitoring import DEFAULT_METRICS

    for name in unused:
        raise recsys.ParameterError(
            f"--since measures a trained model; leave --{name.replace('_', '-')} out."
        )
    if len(sources) < 2:
        raise recsys.ParameterError(
            "--since measures a trained model on a log; give both: recsys evaluate MODEL NEWLOG --since DATE."
        )
    folder, *logs = sources
    with progress(quiet=json) as listener:
        done = recsys.monitor(
            Path(folder),
            recsys.LogPlan(options.source_of(logs), read_as),
            since=None if since == AFTER_TRAINING else since,
            by=by,
            metrics=metrics or DEFAULT_METRICS,
            seed=seed or 0,
            threads=threads,
            progress=listener,
        )
    if json:
        say_json({"model": folder, "by": by, **done.to_json()})
        return
    _say(folder, done, by)


def _say(folder: str, done: Monitoring, by: str) -> None:
    until = done.training.get("log", {}).get("last_time")
    trained = "" if until is None else f", trained on events until {until}"
    whole = done.whole.measurements
    assert whole is not None  # a monitoring without an answer is an error
    say(
        f"Lists of {folder}{trained}, against {done.whole.n_events:,} events of {done.source}: "
        f"{whole.n_users:,} users, {whole.n_pairs:,} pairs that are new to the model"
    )
    rows = []
    for period in done.periods:
        measured = period.measurements
        values = ["-" if measured is None else fixed(measured.metrics[name]) for name in done.metrics]
        n_users = 0 if measured is None else measured.n_users
        rows.append([str(period.begins or "all"), *values, f"{n_users:,}", f"{period.n_unknown_users:,}"])
    values = [fixed(whole.metrics[name]) for name in done.metrics]
    rows.append(["all", *values, f"{whole.n_users:,}", f"{done.whole.n_unknown_users:,}"])
    say_table([f"{by} from", *done.metrics, "users", "unknown"], rows)
    for name in done.metrics:
        span = done.interval(name)
        if span is not None:
            say(f"  {name}: {fixed(span.mean)} (95 % interval {fixed(span.low)} to {fixed(span.high)})")
    if done.whole.n_unknown_users:
        say("  unknown: users whom the model does not know; they got, and count with, the popularity list")
    say_remarks(whole.remarks)
