"""The public calls on what was measured: intervals, tests between models, reports."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

from recsys.errors import InputError, ParameterError
from recsys.evaluation import significance
from recsys.evaluation.measurements import Measurements
from recsys.evaluation.metrics import Metric, parse_metric
from recsys.evaluation.significance import PairTest
from recsys.evaluation.uncertainty import Interval
from recsys.experiment.answers import Comparison, Evaluation
from recsys.experiment.result import Result
from recsys.progress import SILENT, GivenProgress, listener

Measured: TypeAlias = Measurements | Result | Evaluation


def interval(measured: Measured, metric: str | Metric, *, seed: int = 0) -> Interval | None:
    """Return a metric with its 95 % interval, from users drawn with replacement.

    Parameters
    ----------
    measured : Measurements, Result or Evaluation
    metric : str
        One of those that were measured.
    seed : int

    Returns
    -------
    Interval or None
        None for a metric of all lists together (coverage), or that no user has.

    Raises
    ------
    ParameterError
        If the metric was not measured.
    """
    measurements = _measurements(measured)
    return significance.interval(measurements, _measured_metric(metric, measurements), seed=seed)


def compare_pairs(
    measured: Comparison | Mapping[str, Measured], metric: str | Metric, *, seed: int = 0
) -> tuple[PairTest, ...]:
    """Test every pair of models on a metric, the best first.

    Parameters
    ----------
    measured : Comparison, or mapping of label to Measurements, Result or Evaluation
        All of the same users.
    metric : str
        One of users, or an error.
    seed : int

    Returns
    -------
    tuple of PairTest

    Raises
    ------
    InputError
        If the models were not measured on the same users.
    ParameterError
        If the metric was not measured.
    """
    if isinstance(measured, Comparison):
        models: Mapping[str, Measured] = measured.measured
    elif isinstance(measured, Mapping):
        models = measured
    else:
        raise InputError(
            f"{type(measured).__name__} holds no models to compare; expected what recsys.compare returns, or "
            f"a mapping of label to measurements."
        )
    by_label = {label: _measurements(answer) for label, answer in models.items()}
    name = str(parse_metric(str(metric)))
    for measurements in by_label.values():
        name = _measured_metric(metric, measurements)
    return significance.compare_pairs(by_label, name, seed=seed)


def write_report(
    measured: Comparison | Evaluation, path: str | Path, *, progress: GivenProgress = SILENT
) -> Path:
    """Write the report of a comparison or an evaluation; see `Comparison.report`."""
    if not isinstance(measured, (Comparison, Evaluation)):
        raise InputError(
            f"{type(measured).__name__} cannot be reported; expected what recsys.compare or "
            f"recsys.evaluate returns."
        )
    return measured.report(path, progress=listener(progress))


def _measurements(measured: object) -> Measurements:
    if isinstance(measured, Measurements):
        return measured
    if isinstance(measured, (Result, Evaluation)) and measured.measurements is not None:
        return measured.measurements
    why = f": {measured.error}" if isinstance(measured, Result) else ""
    raise InputError(
        f"{type(measured).__name__} holds no measurements{why}; expected what recsys.evaluate returns, "
        f"or one result of recsys.compare."
    )


def _measured_metric(metric: str | Metric, measurements: Measurements) -> str:
    name = str(parse_metric(str(metric)))
    if name not in measurements.metrics:
        raise ParameterError(f"{name} was not measured; there are {', '.join(measurements.metrics)}.")
    return name
