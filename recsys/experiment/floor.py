"""The floor under every model: popularity, and what is said of a model that is below it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from recsys.evaluation.measurements import Measurements
from recsys.evaluation.metrics import parse_metric
from recsys.evaluation.uncertainty import bootstrap
from recsys.experiment.result import Result
from recsys.experiment.settings import ModelSpec
from recsys.remarks import Remark, RemarkCode

FLOOR = "popularity"


def with_floor(specs: Sequence[ModelSpec]) -> list[ModelSpec]:
    """Return the specs with popularity among them: a model that does not beat it need not be shipped."""
    has_floor = any(spec.name == FLOOR for spec in specs)
    return list(specs) if has_floor else [*specs, ModelSpec(FLOOR)]


def below_floor(measured: Measurements, floor: Measurements, *, seed: int) -> Remark | None:
    """Return what to say of lists that are clearly worse than popularity's; None where they are not.

    Judged by the first metric of lists that is higher for better ones: whether the 95 % interval of the
    paired difference over users lies below zero.

    Parameters
    ----------
    measured, floor : Measurements
        Of the same users.
    seed : int
        Of the resamples.
    """
    for name, values in measured.per_user.items():
        if parse_metric(name).higher_is_better and name in floor.per_user:
            difference = bootstrap(values - floor.per_user[name], seed=seed)
            if difference.high >= 0:
                return None
            return Remark(
                RemarkCode.BELOW_POPULARITY,
                f"is clearly below popularity on {name}: {measured.metrics[name]:.4f} against "
                f"{floor.metrics[name]:.4f}; lists of what most people take would serve users better.",
            )
    return None


def judged_by_floor(results: Sequence[Result], *, seed: int) -> list[Result]:
    """Return the results, those clearly below popularity with a remark that says so."""
    floor = next((result.measurements for result in results if result.spec.name == FLOOR), None)
    return [result if floor is None else _judged(result, floor, seed) for result in results]


def _judged(result: Result, floor: Measurements, seed: int) -> Result:
    measured = result.measurements
    if measured is None or measured is floor:
        return result
    remark = below_floor(measured, floor, seed=seed)
    if remark is None:
        return result
    remarks = (*measured.remarks, replace(remark, subject=result.label))
    return replace(result, measurements=replace(measured, remarks=remarks))
