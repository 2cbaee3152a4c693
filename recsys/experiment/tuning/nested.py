"""Nested cross-validation: what the whole way of tuning is worth, on data that no part of it has seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from recsys.evaluation.metrics import Metric
from recsys.experiment.answers import Comparison
from recsys.experiment.comparison import compare
from recsys.experiment.pooling import pooled
from recsys.experiment.prepared_split import PreparedSplit
from recsys.experiment.result import Result
from recsys.experiment.settings import ModelSpec
from recsys.experiment.tuning.trial import Trial
from recsys.progress import Progress


@dataclass(frozen=True, eq=False)
class OuterFold:
    """The winners of a tuning inside one outer fold's training part.

    Attributes
    ----------
    part : int
        From 1.
    winners : mapping of label to Trial
    """

    part: int
    winners: dict[str, Trial]


@dataclass(frozen=True, eq=False)
class Nested:
    """What tuned models are worth, and the same without tuning, pooled over outer folds.

    In each fold the models are tuned anew on validation data inside its training part, and the winners
    measured once on the fold: the estimate is of the way of tuning, not of one setting (Cawley & Talbot
    2010).

    Attributes
    ----------
    folds : tuple of OuterFold
    comparison : Comparison
    """

    folds: tuple[OuterFold, ...]
    comparison: Comparison

    def to_json(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        return {
            "folds": [
                {
                    "part": fold.part,
                    "winners": {label: trial.to_json() for label, trial in fold.winners.items()},
                }
                for fold in self.folds
            ],
            "comparison": self.comparison.record,
        }


def measured_fold(
    winners: Sequence[tuple[str, ModelSpec, ModelSpec]],
    prepared: PreparedSplit,
    metrics: Sequence[Metric],
    *,
    seed: int,
    progress: Progress,
) -> list[Result]:
    """Measure the winners of a fold, and the same models without tuning, on the fold.

    Parameters
    ----------
    winners : sequence of (label, tuned, untuned)
    prepared : PreparedSplit
    metrics : sequence of Metric
    seed : int
    progress : Progress
    """
    specs = []
    for label, tuned, untuned in winners:
        specs += [replace(tuned, label=f"{label}, tuned"), replace(untuned, label=label)]
    return compare(specs, prepared, metrics, seed=seed, progress=progress)


def pooled_results(
    by_fold: Sequence[Sequence[Result]], splits: Sequence[PreparedSplit]
) -> tuple[Result, ...]:
    """Return each model's results over the folds as one; of a model that failed in a fold, the failure."""
    users = [prepared.user_ids for prepared in splits]
    results = []
    for parts in zip(*by_fold, strict=True):
        failed = next((part for part in parts if part.measurements is None), None)
        if failed is not None:
            results.append(failed)
            continue
        measured = [part.measurements for part in parts if part.measurements is not None]
        results.append(
            replace(
                parts[0],
                measurements=pooled(measured, users),
                fit_seconds=sum(part.fit_seconds for part in parts) / len(parts),
                load_seconds=sum(prepared.load_seconds for prepared in splits),
                config=None,  # of each fold another
                parts=tuple(replace(part, model=None) for part in parts),
            )
        )
    return tuple(results)
