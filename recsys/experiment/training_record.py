"""What a bundle records of its training: when, from what, with what, and how good it was found to be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from recsys.data.columns import IGNORE, Columns
from recsys.data.ledger import Dropped
from recsys.data.loaded_log import LoadedLog
from recsys.data.log import TimeKind
from recsys.data.log_format import EVENTS, LogFormat
from recsys.evaluation.significance import interval
from recsys.experiment.answers import Evaluation
from recsys.experiment.provenance import versions
from recsys.experiment.source_files import files_record
from recsys.typing import Int64Array


def training_record(loaded: LoadedLog, rows: Int64Array | None = None) -> dict[str, Any]:
    """Return when a model is trained, with which versions, and from which log, ready for JSON.

    Parameters
    ----------
    loaded : LoadedLog
    rows : int64, optional
        The events that are learned from; all by default.
    """
    log = loaded.log
    return {
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "packages": versions(),
        "log": log_record(
            loaded.source,
            loaded.columns,
            loaded.read_as,
            n_read=loaded.n_read,
            dropped=loaded.dropped,
            n_events=len(log) if rows is None else len(rows),
            time_kind=log.time_kind,
            span=log.span(rows),
            files=loaded.files,
        ),
    }


def log_record(
    source: str,
    columns: Columns,
    read_as: LogFormat,
    *,
    n_read: int,
    dropped: Sequence[Dropped],
    n_events: int,
    time_kind: TimeKind | None,
    span: tuple[str | int, str | int] | None,
    files: Iterable[Path] = (),
) -> dict[str, Any]:
    """Return what a bundle records of a log, ready for JSON; ``span`` is as of `Log.span`."""
    first, last = span or (None, None)
    path = Path(source).expanduser()
    return {
        "source": source,
        "n_bytes": path.stat().st_size if path.is_file() else None,
        "files": files_record(files),
        "columns": asdict(columns),
        "read_as": {
            part.name: value
            for part in fields(LogFormat)
            if (value := getattr(read_as, part.name)) is not None
        },
        "n_read": n_read,
        "dropped": [{"reason": drop.reason, "n_rows": drop.n_rows} for drop in dropped],
        "n_events": n_events,
        "time_kind": time_kind,
        "first_time": first,
        "last_time": last,
    }


def quality_record(evaluation: Evaluation) -> dict[str, Any]:
    """Return what was measured of a model before it was trained on everything, ready for JSON."""
    measured, split = evaluation.result.measurements, evaluation.splits[0].split
    assert measured is not None  # an evaluation without an answer is an error
    spans = {name: interval(measured, name, seed=evaluation.seed) for name in measured.metrics}
    floor = next((beside.measurements for beside in evaluation.beside if beside.measurements), None)
    return {
        "split": split.name,
        "split_digest": split.digest,
        "seed": evaluation.seed,
        "n_users": measured.n_users,
        "n_pairs": measured.n_pairs,
        "metrics": dict(measured.metrics),
        "intervals": {name: [span.low, span.high] for name, span in spans.items() if span is not None},
        "popularity": {} if floor is None else dict(floor.metrics),
    }


_KEPT = (
    *("layout", "item_separator", "time_format", "time_unit", "id_rule"),
    *("returns", "min_value", "clip", "transform"),
)
"""What the next log has in common with the one trained on; its rows and the form of its file are its own."""


def log_format_of(training: Mapping[str, Any]) -> LogFormat:
    """Return the columns and options by which the log of a bundle was read; empty for an older bundle."""
    log = training.get("log")
    if log is None:
        return LogFormat()
    read_as = {
        name: tuple(value) if isinstance(value, list) else value
        for name in _KEPT
        if (value := log["read_as"].get(name)) is not None
    }
    columns = log["columns"]
    named: dict[str, Any] = {}
    if read_as.get("layout") in (None, EVENTS):
        named = {role: name for role in ("user", "item", "time") if (name := columns[role]) is not None}
        named["value"] = columns["value"] or IGNORE
    return LogFormat.of(**named, **read_as, feedback=training.get("feedback"))
