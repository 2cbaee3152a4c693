"""One fit that is measured after each iteration: the whole early-stopping curve for the price of one fit."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import numpy as np

from recsys.errors import RecsysError
from recsys.evaluation.evaluator import evaluate
from recsys.evaluation.measurements import Measurements
from recsys.evaluation.metrics import Metric
from recsys.experiment.comparison import precompile
from recsys.experiment.prepared_split import PreparedSplit
from recsys.experiment.result import Result
from recsys.experiment.settings import ModelSpec
from recsys.models.base import Model

PATIENCE = 5
"""Iterations without a better value after which a fit ends."""


class _EndedError(Exception):
    """No further iteration pays."""


class Ladder:
    """A listener that measures the model after each iteration on validation data, and ends a fit early.

    What a fit of n iterations would be worth is what the model is worth after its nth; see
    `Model.shows_iterations`.

    Parameters
    ----------
    prepared : PreparedSplit
    metric : Metric
    gives_up : callable of int and float
        Is given the number of an iteration, from 1, and its value; returns whether the setting is given up.

    Attributes
    ----------
    values : list of float
        After each iteration.
    best_sweep : int
    best : Measurements
        After that.
    config : mapping
        Of a fit with so many iterations.
    is_given_up : bool
    """

    def __init__(
        self, prepared: PreparedSplit, metric: Metric, gives_up: Callable[[int, float], bool]
    ) -> None:
        self._prepared, self._metric, self._gives_up = prepared, metric, gives_up
        self._sign = -1.0 if metric.higher_is_better is False else 1.0
        self._seconds = 0.0
        self.values: list[float] = []
        self.best_sweep = 0
        self.best: Measurements
        self.config: Mapping[str, Any] = {}
        self.is_given_up = False

    @property
    def best_value(self) -> float:
        """The value of the best iteration."""
        return self.values[self.best_sweep - 1]

    def climb(self, spec: ModelSpec) -> None:
        """Fit a model, measured after each iteration, until none pays or the setting is given up.

        Raises
        ------
        RecsysError
            If the model cannot be fitted or measured.
        """
        model = spec.made()
        self._prepared.check(model)
        precompile(spec, [self._metric], folds_in=self._prepared.histories is not None)
        began = time.perf_counter()
        with suppress(_EndedError):
            model.fit(self._prepared.train, progress=self)
        self._seconds = time.perf_counter() - began

    def result(self, spec: ModelSpec, seed: int) -> Result:
        """Return what the best iteration comes to, as a result of its settings."""
        return Result(
            label=spec.title,
            spec=spec,
            seed=seed,
            model=None,
            measurements=self.best,
            fit_seconds=self._seconds,
            load_seconds=self._prepared.load_seconds,
            config=self.config,
        )

    def snapshot(self, model: Model) -> None:
        """Measure the model as it stands."""
        split = self._prepared
        measured = evaluate(
            split.scorer_for(model), split.seen, split.held_out, [self._metric], catalogue=split.catalogue
        )
        value = value_of(measured, self._metric)
        self.values.append(value)
        sweep = len(self.values)
        if self.best_sweep == 0 or self._sign * value > self._sign * self.best_value:
            self.best_sweep, self.best, self.config = sweep, measured, model.config()
        if self._gives_up(sweep, value):
            self.is_given_up = True
            raise _EndedError
        if sweep - self.best_sweep >= PATIENCE:
            raise _EndedError

    def start(self, task: str, total: int | None) -> None:
        """Ignore."""

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Ignore."""

    def finish(self) -> None:
        """Ignore."""


def value_of(measured: Measurements, metric: Metric) -> float:
    """Return the value of a metric, or raise RecsysError if there is none."""
    value = measured.metrics[str(metric)]
    if value is None or not np.isfinite(value):
        raise RecsysError(" ".join(map(str, measured.remarks)) or "there is no value.")
    return value
