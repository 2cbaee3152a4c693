"""Any number of models on the same splits: everyone gets the same data."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from recsys.data.held_out import HeldOut
from recsys.data.interactions import Interactions
from recsys.data.labels import Labels
from recsys.data.rows import CompressedRows
from recsys.errors import RecsysError
from recsys.evaluation.catalogue import Catalogue
from recsys.evaluation.evaluator import evaluate
from recsys.evaluation.metrics import Metric
from recsys.experiment.floor import FLOOR, judged_by_floor, with_floor
from recsys.experiment.memory import watched
from recsys.experiment.pooling import pooled
from recsys.experiment.prepared_split import PreparedSplit
from recsys.experiment.result import Result
from recsys.experiment.result_store import ResultStore
from recsys.experiment.settings import ModelSpec, labelled
from recsys.factorization.scoring import compile_kernels
from recsys.files import clear_parts
from recsys.models.new_users import NewUsers
from recsys.models.scorer import Scorer
from recsys.progress import SILENT, Progress
from recsys.recommend.ranking import ranked_blocks

Measuring: TypeAlias = Callable[[PreparedSplit], Mapping[str, Any]]

STOPPED = "interrupted"
__all__ = ["FLOOR", "STOPPED", "Result", "compare", "precompile", "run", "run_beside_floor", "with_floor"]
# What makes a fit short; the rest decides which kernels it uses.
_SMALL = {
    "max_iter": 2, "n_init": 1, "validation_share": 0.0,
    "n_chains": 2, "n_burn_in": 2, "n_draws": 2, "n_kept": 2,
}  # fmt: skip


def precompile(spec: ModelSpec, metrics: Sequence[Metric] = (), *, folds_in: bool = False) -> None:
    """Compile what a model and metrics need on a toy matrix, so that timings hold work and no compilation.

    Parameters
    ----------
    spec : ModelSpec
    metrics : sequence of Metric
    folds_in : bool
        Whether the model will answer for users it was not trained on.
    """
    if spec.template is not None:
        return  # somebody's own class, which may not fit what is as small as this
    toy = Interactions.from_matrix(np.array([[1.0, 2.0, np.nan], [np.nan, 1.0, 3.0], [2.0, np.nan, 1.0]]))
    toy = replace(toy, time=np.arange(toy.nnz))  # some models look at ages
    model = spec.made()
    parameters = model.get_params()
    model.set_params(**{key: value for key, value in _SMALL.items() if key in parameters}).fit(toy)
    compile_kernels()
    for _ in ranked_blocks(model, np.arange(3), 1, toy.by_user):
        pass
    if model.predicts_values:
        model.predict_by_row(np.arange(3), np.arange(3))
    if metrics:
        scorer: Scorer = NewUsers(model, toy.by_user) if folds_in else model
        catalogue = Catalogue(toy.by_user, Labels.from_pairs(np.arange(3), np.array(["a", "b", "a"]), 3))
        evaluate(scorer, toy.by_user, _one_pair(), metrics, catalogue=catalogue)


def _one_pair() -> HeldOut:
    """Return the one pair of the toy matrix's first user that the toy does not hold."""
    value = np.ones(1, dtype=np.float32)
    rows = CompressedRows(np.array([0, 1, 1, 1]), np.array([2], dtype=np.int32), value, 3)
    return HeldOut(np.array([0]), np.array([2]), value, rows, np.array([1, 0, 0]), 0, 0, 0)


def run(
    spec: ModelSpec,
    splits: PreparedSplit | Sequence[PreparedSplit],
    metrics: Sequence[Metric],
    *,
    seed: int = 0,
    measuring: Measuring | None = None,
    progress: Progress = SILENT,
) -> Result:
    """Fit a model on the training part and measure it on the held-out part; see `compare`.

    Raises
    ------
    RecsysError
        Whatever the model or the evaluation raises.
    """
    every = _listed(splits)
    parts: list[Result] = []
    for prepared in every:
        side_data = {} if measuring is None else measuring(prepared)
        part = _run_one(spec, prepared, metrics, seed, side_data, progress)
        parts.append(part if not parts else replace(part, model=None))
    return _pooled_result(parts, every)


def _listed(splits: PreparedSplit | Sequence[PreparedSplit]) -> list[PreparedSplit]:
    return [splits] if isinstance(splits, PreparedSplit) else list(splits)


def _run_one(
    spec: ModelSpec,
    prepared: PreparedSplit,
    metrics: Sequence[Metric],
    seed: int,
    side_data: Mapping[str, Any],
    progress: Progress,
) -> Result:
    spec = spec.resolved(metrics).seeded(seed)
    model = spec.made()
    prepared.check(model)
    precompile(spec, metrics, folds_in=prepared.histories is not None)
    with watched() as peak:
        began = time.perf_counter()
        model.fit(prepared.train, progress=progress)
        fit_seconds = time.perf_counter() - began
    arguments = {"catalogue": prepared.catalogue, **side_data}
    measured = evaluate(
        prepared.scorer_for(model), prepared.seen, prepared.held_out, metrics, progress=progress, **arguments
    )
    return Result(
        label=spec.title,
        spec=spec,
        seed=seed,
        model=model,
        measurements=measured,
        fit_seconds=fit_seconds,
        load_seconds=prepared.load_seconds,
        config=model.config(),
        peak_memory_bytes=peak.n_bytes,
    )


def compare(
    specs: Sequence[ModelSpec],
    splits: PreparedSplit | Sequence[PreparedSplit],
    metrics: Sequence[Metric],
    *,
    seed: int = 0,
    measuring: Measuring | None = None,
    store: ResultStore | None = None,
    progress: Progress = SILENT,
) -> list[Result]:
    """Run several models on the same splits; popularity, the floor, is added if it is not among them.

    One that fails does not lose the others' results, nor does an interrupt: the last result then
    has the error `STOPPED`.

    Parameters
    ----------
    specs : sequence of ModelSpec
    splits : PreparedSplit or sequence of PreparedSplit
        Results of several are pooled by `recsys.experiment.pooling.pooled`.
    metrics : sequence of Metric
    seed : int
    measuring : function of a PreparedSplit, optional
        Returns further arguments of `evaluate`, by name: ``catalogue``, ``groups``,
        ``block_bytes``. What results depend on must then stand in the context of ``store``, too.
    store : ResultStore, optional
        Where each result is saved as soon as it is there, and where earlier ones are loaded from.
    progress : Progress

    Raises
    ------
    ParameterError
        If a model or a parameter is not known; before anything is trained.
    """
    every = _listed(splits)
    chosen = labelled(with_floor([spec.resolved(metrics) for spec in specs]))
    for spec in chosen:
        spec.made()
    side_data = [{} if measuring is None else measuring(prepared) for prepared in every]
    if store is not None:
        clear_parts(store.folder)
    results = []
    for spec in chosen:
        parts: list[Result] = []
        error = None
        for prepared, known in zip(every, side_data, strict=True):
            part = _loaded_or_run(spec, prepared, metrics, seed, known, store, progress)
            if isinstance(part, str):
                of_several = len(every) > 1 and part != STOPPED
                error = f"trial {len(parts) + 1} of {len(every)}: {part}" if of_several else part
                break
            # One model is enough to be shown; those of all splits at once would fill the memory.
            parts.append(part if not parts else replace(part, model=None))
        if error is None:
            results.append(_pooled_result(parts, every))
        else:
            results.append(Result(spec.title, spec, seed, None, None, 0.0, every[0].load_seconds, error))
        if error == STOPPED:
            break
    return judged_by_floor(results, seed=seed)


def run_beside_floor(
    spec: ModelSpec,
    splits: PreparedSplit | Sequence[PreparedSplit],
    metrics: Sequence[Metric],
    *,
    seed: int = 0,
    measuring: Measuring | None = None,
    progress: Progress = SILENT,
) -> list[Result]:
    """Run a model, and popularity beside it where lists are measured; see `run`.

    Returns
    -------
    list of Result
        The model's, with a remark if it is clearly below popularity, and popularity's.
    """
    model = spec.resolved(metrics)
    beside = with_floor([model])[1:] if any(not metric.is_error for metric in metrics) else []
    results = [
        run(each, splits, metrics, seed=seed, measuring=measuring, progress=progress)
        for each in (model, *beside)
    ]
    return judged_by_floor(results, seed=seed)


def _loaded_or_run(
    spec: ModelSpec,
    prepared: PreparedSplit,
    metrics: Sequence[Metric],
    seed: int,
    side_data: Mapping[str, Any],
    store: ResultStore | None,
    progress: Progress,
) -> Result | str:
    """Load a result or run the model, or return what went wrong."""
    if spec.template is not None:
        store = None  # a key cannot tell today's code of somebody's own class from yesterday's
    try:
        loaded = None if store is None else store.load(spec, prepared, metrics, seed=seed)
        if loaded is not None:
            return loaded
        try:
            result = _run_one(spec, prepared, metrics, seed, side_data, progress)
        except RecsysError as failure:
            return str(failure)
        except Exception as failure:
            # A foreign library may raise anything, a model may ask for more memory than there is.
            return f"{type(failure).__name__}: {failure}".removesuffix(": ")
        if store is not None:
            try:
                store.save(result, prepared, metrics)
            except OSError as failure:  # what was measured is worth more than where it is kept
                result = replace(result, not_stored=str(failure))
    except KeyboardInterrupt:
        return STOPPED
    return result


def _pooled_result(parts: Sequence[Result], splits: Sequence[PreparedSplit]) -> Result:
    """Return the one result, or several pooled."""
    first = parts[0]
    if len(parts) == 1:
        return first
    measured = [part.measurements for part in parts if part.measurements is not None]
    peaks = [part.peak_memory_bytes for part in parts if part.peak_memory_bytes is not None]
    return replace(
        first,
        measurements=pooled(measured, [prepared.user_ids for prepared in splits]),
        fit_seconds=sum(part.fit_seconds for part in parts) / len(parts),
        load_seconds=sum(prepared.load_seconds for prepared in splits),
        peak_memory_bytes=max(peaks, default=None),
        is_reused=all(part.is_reused for part in parts),
        not_stored=next((part.not_stored for part in parts if part.not_stored), None),
        parts=tuple(parts),
    )
