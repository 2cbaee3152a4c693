"""How many components: the evidence for each number, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from recsys import threads as pool
from recsys.errors import InputError, ModelError, ParameterError
from recsys.evaluation.measurements import Measurements
from recsys.evaluation.metrics import Metric, parse_metric
from recsys.evaluation.quantity import Quantity, quantity_of
from recsys.evaluation.significance import interval
from recsys.evaluation.uncertainty import resampled_sums
from recsys.experiment.comparison import run
from recsys.experiment.given_logs import GivenLog, loaded_of
from recsys.experiment.given_models import GivenModel, spec_of
from recsys.experiment.prepared_split import DEFAULT_SPLIT, PreparedSplit, prepare_all
from recsys.experiment.result import Result
from recsys.experiment.settings import ModelSpec
from recsys.experiment.training import check_duplicates, check_seed
from recsys.experiment.tuning.rank_evidence import RankEvidence, Ranks
from recsys.factorization.stability import stability
from recsys.models.factor_model import FactorModel
from recsys.progress import SILENT, GivenProgress, Progress, listener, task
from recsys.splitting.support import MinSupport

DEFAULT_RANKS = (8, 16, 32, 64, 128)
MOST_RANKS = 100


def ranks(
    model: GivenModel,
    log: GivenLog,
    n_components: Sequence[int] = DEFAULT_RANKS,
    *,
    metric: str | Metric | None = None,
    validation: str | None = None,
    n_starts: int = 3,
    duplicates: str | None = None,
    min_user: int = 0,
    min_item: int = 0,
    seed: int = 0,
    threads: int | None = None,
    progress: GivenProgress = SILENT,
) -> Ranks:
    """Gather the evidence for numbers of components of a model.

    Each number is fitted from several starts to one part of the log and measured on the part held out. For
    ratings the default holds out single entries, which is the speckled hold-out of the literature on
    the rank of a factorization. A test part that is to stay unread must not be in ``log``.

    Parameters
    ----------
    model : name, model or class
        One with a parameter ``n_components``; others are held as given.
    log : str, Path, table or LoadedLog
    n_components : sequence of int
        The numbers to try.
    metric : str, optional
        "ndcg@10" by default, "rmse" for models that only predict ratings.
    validation : str, optional
        What is held out, "random:0.2" by default. Of several parts a value is over all of them.
    n_starts : int
        Fits of each number from different seeds: how much is due to the start, how stable components are.
    duplicates, min_user, min_item
        As for `recsys.split`.
    seed : int
    threads : int, optional
        Results do not depend on it.
    progress : bool, callable or Progress

    Returns
    -------
    Ranks

    Raises
    ------
    ParameterError
        If the model has no ``n_components``, or a number or the metric cannot be used.
    InputError
        If the log cannot be used.
    ModelError
        If a number could not be fitted or measured.
    """
    numbers = _checked(n_components)
    check_seed(seed)
    if isinstance(n_starts, bool) or not 1 <= n_starts <= MOST_RANKS:
        raise ParameterError(f"n_starts is {n_starts!r}; expected a whole number, 1 to {MOST_RANKS}.")
    notified = listener(progress)
    asked = None if metric is None else parse_metric(str(metric))
    spec = spec_of(model)
    spec = replace(spec, name=spec.resolved(() if asked is None else (asked,)).name)
    if "n_components" not in spec.parameter_names:
        raise ParameterError(f"{spec.name} has no n_components; take a model of factors, e.g. weighted-nmf.")
    for number in numbers:
        _with(spec, number, 0).made()
    with pool.use(threads):
        loaded, _ = loaded_of(log, n_threads=threads, progress=notified)
        parts = prepare_all(
            loaded,
            split=validation or DEFAULT_SPLIT,
            seed=seed,
            duplicates=check_duplicates(duplicates),
            support=MinSupport(min_user, min_item),
        )
        untrained = spec.made()
        if asked is None:
            only_predicts = getattr(untrained, "ranks_by_value", False) and loaded.log.feedback == "explicit"
            asked = parse_metric("rmse" if only_predicts else "ndcg@10")
        if asked.higher_is_better is None:
            raise ParameterError(f"{asked} has no better end, so no number of components is best by it.")
        tried = _try_all(spec, numbers, parts, asked, n_starts, seed, notified)
    evidence = _evidence(tried, asked, seed)
    return Ranks(spec.title, str(asked), parts[0].split.name, n_starts, evidence, loaded, tuple(parts), seed)


@dataclass(frozen=True, eq=False)
class _Tried:
    """The fits of one number of components, one a start."""

    n_components: int
    first: Result
    values: tuple[float, ...]
    stability: float | None
    objective: float | None
    stored_per_row: float | None

    @property
    def measured(self) -> Measurements:
        assert self.first.measurements is not None
        return self.first.measurements


def _try_all(
    spec: ModelSpec,
    numbers: Sequence[int],
    parts: Sequence[PreparedSplit],
    metric: Metric,
    n_starts: int,
    seed: int,
    progress: Progress,
) -> list[_Tried]:
    tried = []
    with task(progress, f"ranks of {spec.title}", len(numbers) * n_starts) as running:
        for number in numbers:
            results: list[Result] = []
            for start in range(n_starts):
                result = run(_with(spec, number, seed + start), parts, [metric], seed=seed + start)
                assert result.measurements is not None
                value = result.measurements.metrics[str(metric)]
                if value is None:
                    raise ModelError(" ".join(map(str, result.measurements.remarks)))
                results.append(result)
                running.advance(1, f"{number} components: {metric} {value:.4f}")
            tried.append(_tried(number, results, metric))
    return tried


def _tried(number: int, results: Sequence[Result], metric: Metric) -> _Tried:
    """Return what is kept of a number's fits: of the models only what the evidence needs."""
    models = [result.model for result in results]
    history = None if models[0] is None else models[0].history
    values = [result.measurements.metrics[str(metric)] for result in results if result.measurements]
    return _Tried(
        n_components=number,
        first=replace(results[0], model=None),
        values=tuple(value for value in values if value is not None),
        stability=_stability(models),
        objective=None if history is None else history.objective[-1],
        stored_per_row=None if models[0] is None else models[0].stored_per_row,
    )


def _stability(models: Sequence[Any]) -> float | None:
    """Return how alike components are from one start to another, weighted by what they explain."""
    of_starts = [None if model is None else model.component_model for model in models]
    factors = [model for model in of_starts if isinstance(model, FactorModel)]
    if len(factors) < 2 or len(factors) < len(models):
        return None
    alike = stability([model.item_factors_ for model in factors])
    shares = np.asarray(factors[0].shares_, dtype=np.float64)
    total = float(shares.sum())
    return float(alike @ shares) / total if total > 0 else None


def _with(spec: ModelSpec, n_components: int, seed: int) -> ModelSpec:
    params = {**spec.params, "n_components": n_components}
    if "random_state" in spec.parameter_names:
        params["random_state"] = seed
    return replace(spec, params=params)


def _checked(n_components: Sequence[int]) -> tuple[int, ...]:
    """Return numbers of components in order, each once, or raise ParameterError."""
    numbers: list[Any] = list(n_components)
    for number in numbers:
        if isinstance(number, bool) or not isinstance(number, (int, np.integer)) or number < 1:
            raise ParameterError(f"{number!r} is no number of components; expected e.g. 8, 16, 32.")
    distinct = sorted({int(number) for number in numbers})
    if not 1 <= len(distinct) <= MOST_RANKS:
        raise ParameterError(f"{len(distinct)} numbers of components are given; expected 1 to {MOST_RANKS}.")
    return tuple(distinct)


def _evidence(tried: Sequence[_Tried], metric: Metric, seed: int) -> tuple[RankEvidence, ...]:
    name = str(metric)
    sign = -1.0 if metric.higher_is_better is False else 1.0
    quantities = [quantity_of(rank.measured, name) for rank in tried]
    known = [quantity for quantity in quantities if quantity is not None]
    if len(known) < len(tried):
        raise ParameterError(
            f"{name} is of all lists together, so that it has no standard error; take one of users, as "
            f"ndcg@10."
        )
    values = [rank.values[0] for rank in tried]
    best = max(range(len(tried)), key=lambda index: sign * values[index])
    errors = _errors_of_difference(known, best, seed)
    base = tried[0].objective
    rows = []
    for index, one in enumerate(tried):
        span = interval(one.measured, name, seed=seed)
        assert span is not None
        rows.append(
            RankEvidence(
                n_components=one.n_components,
                value=values[index],
                low=span.low,
                high=span.high,
                behind=abs(values[best] - values[index]),
                behind_error=errors[index],
                spread=max(one.values) - min(one.values),
                objective=None if one.objective is None or base is None else one.objective / base,
                stability=one.stability,
                stored_per_row=one.stored_per_row,
                fit_seconds=one.first.fit_seconds,
            )
        )
    return tuple(rows)


def _errors_of_difference(quantities: Sequence[Quantity], best: int, seed: int) -> list[float]:
    """Return the standard error of each number's difference from the best, from users drawn anew."""
    known = np.logical_and.reduce([quantity.known for quantity in quantities])
    if not known.any():
        raise InputError("no user has a value for every number of components; hold out more.")
    totals = np.column_stack([quantity.totals[known] for quantity in quantities])
    sums = resampled_sums(np.column_stack([totals, quantities[0].sizes[known]]), seed=seed)
    drawn = quantities[0].value(sums[:, :-1], sums[:, -1:])
    errors: list[float] = np.std(drawn - drawn[:, [best]], axis=0, ddof=1).tolist()
    return errors
