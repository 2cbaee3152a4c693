"""``recsys.monitor``: a model's lists against what happened after it was trained, period by period."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from recsys import threads as pool
from recsys.data.log import Log
from recsys.errors import InputError, ParameterError
from recsys.evaluation.measurements import Measurements
from recsys.evaluation.significance import interval
from recsys.evaluation.uncertainty import Interval
from recsys.experiment.bundle_quality import ServedLists, list_metrics, rows_since
from recsys.experiment.evaluation_plan import GivenMetrics, metrics_of
from recsys.experiment.given_logs import GivenLog, loaded_of
from recsys.experiment.training import check_seed
from recsys.experiment.updating import read_like
from recsys.progress import SILENT, GivenProgress, listener, task
from recsys.recommend.bundle import Bundle
from recsys.recommend.bundle_files import load_bundle
from recsys.typing import Int64Array

DEFAULT_METRICS = "precision@10,recall@10,ndcg@10,coverage@10"
_DAY = 86_400_000_000
PERIODS = {"day": _DAY, "week": 7 * _DAY, "month": 30 * _DAY}


@dataclass(frozen=True, eq=False)
class Period:
    """What was measured in one stretch of time.

    Attributes
    ----------
    begins : str or int or None
        Its first moment; None where the log has no times.
    n_events : int
    n_unknown_users : int
        Users whom the model does not know, who got the popularity list.
    measurements : Measurements or None
        None where all its pairs are known to the model.
    """

    begins: str | int | None
    n_events: int
    n_unknown_users: int
    measurements: Measurements | None

    def to_json(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        measured = self.measurements
        return {
            "begins": self.begins,
            "n_events": self.n_events,
            "n_users": 0 if measured is None else measured.n_users,
            "n_pairs": 0 if measured is None else measured.n_pairs,
            "n_unknown_users": self.n_unknown_users,
            "metrics": {} if measured is None else dict(measured.metrics),
        }


@dataclass(frozen=True, eq=False)
class Monitoring:
    """A model's lists against what happened.

    Attributes
    ----------
    whole : Period
        All of the time together.
    periods : tuple of Period
        In order; one that has no events is not there.
    metrics : tuple of str
    source : str
        The log.
    training : mapping
        What the bundle records of its training.
    seed : int
        Of intervals.

    Examples
    --------
    >>> import pandas as pd
    >>> import recsys
    >>> days = ["2024-01-01"] * 5 + ["2024-01-09", "2024-01-16"]
    >>> log = pd.DataFrame({"user": [1, 1, 2, 2, 3, 3, 1], "item": list("abacabc"), "time": days})
    >>> done = recsys.monitor(recsys.train("popularity", log[:5]), log, metrics="recall@2")
    >>> [period.begins for period in done.periods]
    ['2024-01-09', '2024-01-16']
    """

    whole: Period
    periods: tuple[Period, ...]
    metrics: tuple[str, ...]
    source: str
    training: Mapping[str, Any]
    seed: int = 0

    def interval(self, metric: str) -> Interval | None:
        """Return a metric over all of the time with its 95 % interval, from users drawn with replacement."""
        measured = self.whole.measurements
        return None if measured is None else interval(measured, metric, seed=self.seed)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a period."""
        rows = []
        for period in self.periods:
            record = period.to_json()
            rows.append({**{k: v for k, v in record.items() if k != "metrics"}, **record["metrics"]})
        return pd.DataFrame(rows).set_index("begins")

    def to_json(self) -> dict[str, Any]:
        """Return all of it, ready for JSON."""
        spans = {name: self.interval(name) for name in self.metrics}
        return {
            "source": self.source,
            "trained": self.training.get("made"),
            "trained_until": self.training.get("log", {}).get("last_time"),
            **self.whole.to_json(),
            "intervals": {name: [span.low, span.high] for name, span in spans.items() if span is not None},
            "periods": [period.to_json() for period in self.periods],
        }

    def __repr__(self) -> str:
        return f"{self.source}\n{self.to_frame()[list(self.metrics)].to_string(float_format='%.4f')}"


def monitor(
    model: str | Path | Bundle,
    log: GivenLog,
    *,
    since: str | None = None,
    by: str = "week",
    metrics: GivenMetrics = DEFAULT_METRICS,
    seed: int = 0,
    threads: int | None = None,
    progress: GivenProgress = SILENT,
) -> Monitoring:
    """Measure a trained model on what happened after it was trained; nothing is trained.

    Each user's list is the one that `Bundle.recommend` gives: without what the user had in training, the
    popularity list for users whom the model does not know. What they took that they did not have in
    training is what lists are measured by; items that the model does not know count as missed.

    Parameters
    ----------
    model : str, Path or Bundle
    log : str, Path, table or LoadedLog
        Events after training; older ones may be in it. A file is read by the columns of the training.
    since : str, optional
        The first moment that counts, e.g. "2011-11-01"; by default just after the last of training.
    by : {"day", "week", "month"}
        Length of a period, a month being 30 days; counted from ``since``.
    metrics : str or iterable
        Of lists.
    seed : int
        Of intervals.
    threads : int, optional
        Results do not depend on it.
    progress : bool, callable or Progress

    Returns
    -------
    Monitoring

    Raises
    ------
    ParameterError
        If ``since``, ``by`` or a metric cannot be used.
    InputError
        If the log cannot be used, has no times, or has nothing new since then.

    Examples
    --------
    >>> import pandas as pd
    >>> import recsys
    >>> days = ["2024-01-01"] * 5 + ["2024-01-09", "2024-01-16"]
    >>> log = pd.DataFrame({"user": [1, 1, 2, 2, 3, 3, 1], "item": list("abacabc"), "time": days})
    >>> bundle = recsys.train("popularity", log[:5])
    >>> recsys.monitor(bundle, log, metrics="recall@2").whole.measurements.metrics
    {'recall@2': 1.0}
    """
    bundle = model if isinstance(model, Bundle) else load_bundle(model)
    check_seed(seed)
    if by not in PERIODS:
        raise ParameterError(f"periods are by {by!r:.80}; expected one of {', '.join(PERIODS)}.")
    asked = list_metrics(metrics_of(metrics))
    progress = listener(progress)
    with pool.use(threads):
        loaded, _ = loaded_of(read_like(bundle, log), n_threads=threads, progress=progress)
        rows = _new_rows(loaded.log, since, bundle, loaded.source)
        n = max(metric.k or 1 for metric in asked)
        served = ServedLists.of(bundle, loaded.log, rows, n, progress=progress)
        groups = _periods(loaded.log, rows, since, PERIODS[by])
        with task(progress, "measure", len(groups) + 1) as running:
            whole = _measured(served, rows, asked, _first(loaded.log, rows))
            if whole.measurements is None:
                raise InputError(
                    "all pairs of these events are known to the model; there is nothing to measure."
                )
            running.advance()
            periods = []
            for begins, of_period in groups:
                periods.append(_measured(served, of_period, asked, begins))
                running.advance()
    names = tuple(map(str, asked))
    return Monitoring(whole, tuple(periods), names, loaded.source, bundle.training, seed)


def _new_rows(log: Log, since: str | None, bundle: Bundle, source: str) -> Int64Array:
    """Return the events since a moment, or after the last of training."""
    if since is not None:
        return rows_since(log, since, source=source)
    last = bundle.training.get("log", {}).get("last_time")
    if last is None:
        raise ParameterError("it is not known until when the model was trained; give --since DATE.")
    rows = rows_since(log, str(last), source=source)
    assert log.times is not None  # else there would be none
    # The record is down to the second, so that the last second of training is left out as a whole.
    step = 1 if log.time_kind == "number" else 1_000_000
    first = int(last) if log.time_kind == "number" else int(np.datetime64(last, "us").astype(np.int64))
    later = rows[log.times[rows] >= first + step]
    if len(later) == 0:
        raise InputError(f"{source} has no event after {last}, the last that the model was trained on.")
    return later


def _periods(
    log: Log, rows: Int64Array, since: str | None, length: int
) -> list[tuple[str | int | None, Int64Array]]:
    """Return the events of each period; all as one where times are the log's own numbers."""
    if log.times is None or log.time_kind != "timestamp":
        return [(_first(log, rows), rows)]
    begin = int(log.times[rows].min())
    if since is not None:
        begin = int(np.datetime64(since.strip(), "us").astype(np.int64))
    else:
        begin -= begin % _DAY
    numbers = (log.times[rows] - begin) // length
    periods: list[tuple[str | int | None, Int64Array]] = []
    for number in np.unique(numbers):
        moment = np.datetime64(begin + int(number) * length, "us").astype("datetime64[s]")
        text = str(moment).removesuffix("T00:00:00")
        periods.append((text, rows[numbers == number]))
    return periods


def _first(log: Log, rows: Int64Array) -> str | int | None:
    span = log.span(rows)
    return None if span is None else span[0]


def _measured(served: ServedLists, rows: Int64Array, metrics: Any, begins: str | int | None) -> Period:
    users = np.unique(
        served.known.user_ids.rows(served.log.user_ids.values[np.unique(served.log.users[rows])])
    )
    n_unknown = int(np.count_nonzero(~served.is_known[users]))
    return Period(begins, len(rows), n_unknown, served.measure(rows, metrics))
