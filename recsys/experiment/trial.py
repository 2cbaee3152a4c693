"""One log, one split, any number of models: everyone gets the same data."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from recsys.data.held_out import HeldOut
from recsys.data.interactions import Duplicates, Interactions
from recsys.data.load import LoadedLog
from recsys.data.log import Feedback
from recsys.errors import ParameterError, RecsysError
from recsys.evaluate.evaluator import Measurements, evaluate
from recsys.evaluate.metrics import Metric
from recsys.experiment.settings import ModelSpec, labelled
from recsys.models.base import Model
from recsys.models.catalogue import make
from recsys.progress import SILENT, Progress
from recsys.recommend.ranking import ranked_blocks
from recsys.split.rules import parse_split

DEFAULT_SPLIT = "random:0.2"
STOPPED = "interrupted"
# What makes a fit short; the rest decides which kernels it uses.
_SMALL = {
    "max_iter": 2, "n_init": 1, "validation_share": 0.0,
    "n_chains": 2, "n_burn_in": 2, "n_draws": 2, "n_kept": 2,
}  # fmt: skip


def default_metrics(feedback: Feedback) -> str:
    """Return the metrics to show when none are asked for."""
    return "precision@10,recall@10,ndcg@10,coverage@10" + (",rmse,mae" if feedback == "explicit" else "")


@dataclass(frozen=True, eq=False)
class Trial:
    """Training data and held-out pairs, ready for any model.

    Attributes
    ----------
    train : Interactions
    held_out : HeldOut
    split : dict
        Name, seed, digest and audit of the split.
    load_seconds : float
        Reading, splitting and joining.
    """

    train: Interactions
    held_out: HeldOut
    split: Mapping[str, Any]
    load_seconds: float


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


def prepare(
    loaded: LoadedLog,
    *,
    test: LoadedLog | None = None,
    split: str | None = None,
    seed: int = 0,
    duplicates: Duplicates | None = None,
    load_seconds: float = 0.0,
) -> Trial:
    """Split a log, or take a second log as the held-out part, and join repeats in each part.

    Parameters
    ----------
    loaded : LoadedLog
    test : LoadedLog, optional
        The held-out events; the whole of ``loaded`` then trains.
    split : str, optional
        See `recsys.split.rules.parse_split`; "random:0.2" by default.
    seed : int
    duplicates : str, optional
        See `Interactions.from_log`.
    load_seconds : float
        Time already spent on reading.

    Raises
    ------
    ParameterError
        If both a test log and a split are given.
    """
    began = time.perf_counter()
    if test is not None and split is not None:
        raise ParameterError("both a test file and a split are given; choose one.")
    if test is not None:
        train = Interactions.from_log(loaded.log, duplicates=duplicates)
        held_out = HeldOut.from_log(test.log, None, train, duplicates=duplicates)
        record: dict[str, Any] = {"name": f"file:{test.source}", "seed": None, "digest": None}
        n_train, n_held_out = len(loaded.log), len(test.log)
    else:
        parts = parse_split(split or DEFAULT_SPLIT, loaded.log, seed=seed)
        train = Interactions.from_log(loaded.log, parts.train, duplicates=duplicates)
        held_out = HeldOut.from_log(loaded.log, parts.held_out, train, duplicates=duplicates)
        record = {"name": parts.name, "seed": parts.seed, "digest": parts.digest}
        n_train, n_held_out = len(parts.train), len(parts.held_out)
    record |= {
        "n_train_events": n_train,
        "n_held_out_events": n_held_out,
        "n_train_pairs": train.nnz,
        "n_held_out_pairs": held_out.n_pairs,
        "n_repeated_pairs": held_out.n_repeated,
        "n_cold_users": held_out.n_cold_users,
        "n_cold_items": held_out.n_cold_items,
        "n_users": train.n_users,
        "n_items": train.n_items,
    }
    return Trial(train, held_out, record, load_seconds + time.perf_counter() - began)


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
