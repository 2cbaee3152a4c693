"""Any number of models on one trial: everyone gets the same data."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from recsys.data.interactions import Interactions
from recsys.errors import RecsysError
from recsys.evaluate.evaluator import Measurements, evaluate
from recsys.evaluate.metrics import Metric
from recsys.experiment.settings import ModelSpec, labelled
from recsys.experiment.trial import Trial
from recsys.models.base import Model
from recsys.models.catalogue import make
from recsys.progress import SILENT, Progress
from recsys.recommend.ranking import ranked_blocks

STOPPED = "interrupted"
# What makes a fit short; the rest decides which kernels it uses.
_SMALL = {
    "max_iter": 2, "n_init": 1, "validation_share": 0.0,
    "n_chains": 2, "n_burn_in": 2, "n_draws": 2, "n_kept": 2,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Result:
    """What came of one model.

    Attributes
    ----------
    label : str
    spec : ModelSpec
    seed : int
    model : Model or None
        Fitted; None after an error.
    measurements : Measurements or None
    fit_seconds : float
        Compilation of the kernels is done before and not counted.
    load_seconds : float
    error : str or None
    """

    label: str
    spec: ModelSpec
    seed: int
    model: Model | None
    measurements: Measurements | None
    fit_seconds: float
    load_seconds: float
    error: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the record that ``evaluate --json`` prints."""
        record: dict[str, Any] = {
            "model": self.spec.name,
            "label": self.label,
            "config": dict(self.spec.params) if self.model is None else self.model.config(),
            "seed": self.seed,
        }
        if self.measurements is None:
            return {**record, "metrics": {}, "n_users": 0, "error": self.error}
        return {
            **record,
            "metrics": dict(self.measurements.metrics),
            "n_users": self.measurements.n_users,
            "n_pairs": self.measurements.n_pairs,
            "seconds": {
                "load": self.load_seconds,
                "fit": self.fit_seconds,
                "score": self.measurements.seconds,
            },
            "remarks": list(self.measurements.remarks),
        }


def warm_up(spec: ModelSpec) -> None:
    """Compile what a model needs on a toy matrix, so that timings hold work and no compilation."""
    toy = Interactions.from_matrix(np.array([[1.0, 2.0, np.nan], [np.nan, 1.0, 3.0], [2.0, np.nan, 1.0]]))
    model = make(spec.name, spec.params)
    parameters = model.get_params()
    model.set_params(**{key: value for key, value in _SMALL.items() if key in parameters}).fit(toy)
    for _ in ranked_blocks(model, np.arange(3), 1, toy.by_user):
        pass
    if model.predicts_values:
        model.predict(np.arange(3), np.arange(3))


def run(
    spec: ModelSpec, trial: Trial, metrics: Sequence[Metric], *, seed: int = 0, progress: Progress = SILENT
) -> Result:
    """Fit a model on the training part and measure it on the held-out part.

    Raises
    ------
    RecsysError
        Whatever the model or the evaluation raises.
    """
    spec = spec.resolved(trial.train.feedback).seeded(seed)
    model = make(spec.name, spec.params)
    warm_up(spec)
    began = time.perf_counter()
    model.fit(trial.train, progress=progress)
    fit_seconds = time.perf_counter() - began
    measured = evaluate(model, trial.train.by_user, trial.held_out, metrics, progress=progress)
    return Result(spec.title, spec, seed, model, measured, fit_seconds, trial.load_seconds)


def compare(
    specs: Sequence[ModelSpec],
    trial: Trial,
    metrics: Sequence[Metric],
    *,
    seed: int = 0,
    progress: Progress = SILENT,
) -> list[Result]:
    """Run several models on the same trial.

    One that fails does not lose the others' results, nor does an interrupt: the last result then
    has the error `STOPPED`.
    """
    chosen = labelled([spec.resolved(trial.train.feedback) for spec in specs])
    for spec in chosen:
        make(spec.name, spec.params)  # a wrong parameter is told before anything is trained
    results = []
    for spec in chosen:
        try:
            results.append(run(spec, trial, metrics, seed=seed, progress=progress))
        except RecsysError as error:
            results.append(Result(spec.title, spec, seed, None, None, 0.0, trial.load_seconds, str(error)))
        except KeyboardInterrupt:
            results.append(Result(spec.title, spec, seed, None, None, 0.0, trial.load_seconds, STOPPED))
            break
    return results
