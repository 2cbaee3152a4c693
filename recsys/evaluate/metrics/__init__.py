"""Metrics by name; a definition each, one file each."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from recsys.errors import ParameterError
from recsys.evaluate.list_block import ListBlock
from recsys.evaluate.metrics.auc import auc
from recsys.evaluate.metrics.average_precision import average_precision
from recsys.evaluate.metrics.calibration import calibration
from recsys.evaluate.metrics.capped_recall import capped_recall
from recsys.evaluate.metrics.coverage import coverage
from recsys.evaluate.metrics.diversity import diversity
from recsys.evaluate.metrics.f1 import f1
from recsys.evaluate.metrics.gini import gini
from recsys.evaluate.metrics.graded_ndcg import graded_ndcg
from recsys.evaluate.metrics.hit_rate import hit_rate
from recsys.evaluate.metrics.mae import mae
from recsys.evaluate.metrics.ndcg import ndcg
from recsys.evaluate.metrics.novelty import novelty
from recsys.evaluate.metrics.popularity_lift import popularity_lift
from recsys.evaluate.metrics.precision import precision
from recsys.evaluate.metrics.recall import recall
from recsys.evaluate.metrics.reciprocal_rank import reciprocal_rank
from recsys.evaluate.metrics.rmse import rmse
from recsys.evaluate.metrics.serendipity import serendipity
from recsys.typing import Float32Array, Float64Array, Int64Array

PER_USER: Mapping[str, Callable[[ListBlock, int], Float64Array]] = {
    "precision": precision,
    "recall": recall,
    "capped-recall": capped_recall,
    "f1": f1,
    "hit-rate": hit_rate,
    "mrr": reciprocal_rank,
    "map": average_precision,
    "ndcg": ndcg,
    "graded-ndcg": graded_ndcg,
    "novelty": novelty,
    "popularity-lift": popularity_lift,
    "diversity": diversity,
    "serendipity": serendipity,
    "calibration": calibration,
}
"""Metrics of one user's list; reported as the mean over users."""

SCORED: Mapping[str, Callable[[ListBlock], Float64Array]] = {"auc": auc}
"""Metrics of one user's scores, with no cut; reported as the mean over users."""

CATALOGUE: Mapping[str, Callable[[Int64Array], float]] = {"coverage": coverage, "gini": gini}
"""Metrics of all lists together, by how often each item is listed."""

ERRORS: Mapping[str, Callable[[Float32Array, Float32Array], float]] = {"rmse": rmse, "mae": mae}
"""Metrics of predicted values."""

GAP = "-gap"
"""Added to the name of a metric of users: how far apart the means of groups of users lie."""

HISTORY = ("novelty", "popularity-lift", "diversity", "serendipity", "calibration")
"""Metrics that need the training data beside lists and held-out items."""

_LESS = ("gini", "calibration", *ERRORS)
_NEITHER = ("popularity-lift",)


@dataclass(frozen=True)
class Metric:
    """A metric as asked for.

    Attributes
    ----------
    name : str
    k : int or None
        Length of the list that counts; None where nothing is cut: auc, and errors of values.
    """

    name: str
    k: int | None

    def __str__(self) -> str:
        return self.name if self.k is None else f"{self.name}@{self.k}"

    @property
    def base(self) -> Metric:
        """The metric of users whose group means are compared, or this metric itself."""
        return Metric(self.name.removesuffix(GAP), self.k)

    @property
    def is_gap(self) -> bool:
        """Whether group means are compared."""
        return self.name.endswith(GAP)

    @property
    def is_error(self) -> bool:
        """Whether predicted values are compared with actual ones."""
        return self.name in ERRORS


def higher_is_better(name: str) -> bool | None:
    """Return whether more of a metric is better; None where neither direction is.

    Parameters
    ----------
    name : str
        With or without "@k".

    Raises
    ------
    ParameterError
        If there is no such metric.
    """
    base = name.partition("@")[0]
    _check_name(base, name)
    if base in _NEITHER:
        return None
    return not (base in _LESS or base.endswith(GAP))


def parse_metrics(text: str | Iterable[str]) -> tuple[Metric, ...]:
    """Read metrics as written on the command line, e.g. ``"ndcg@20,recall@20,rmse"``.

    Raises
    ------
    ParameterError
        If a metric is unknown, k is missing or below 1, or nothing is asked for.
    """
    parts = text.split(",") if isinstance(text, str) else list(text)
    found = tuple(dict.fromkeys(_metric(part.strip().lower()) for part in parts if part.strip()))
    if not found:
        raise ParameterError("no metric is asked for; give e.g. ndcg@10,recall@10.")
    return found


def _check_name(name: str, text: str) -> None:
    cut, whole = [*PER_USER, *CATALOGUE], [*SCORED, *ERRORS]
    if name in (*cut, *whole) or name.removesuffix(GAP) in (*PER_USER, *SCORED):
        return
    close = difflib.get_close_matches(name, [*cut, *whole], n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise ParameterError(
        f"there is no metric {text!r}; there are {', '.join(f'{m}@k' for m in cut)}, {', '.join(whole[:-1])} "
        f"and {whole[-1]}, and ndcg{GAP}@k and its like for the gap between groups of users.{hint}"
    )


def _metric(text: str) -> Metric:
    name, at, place = text.partition("@")
    _check_name(name, text)
    if name.removesuffix(GAP) in (*SCORED, *ERRORS):
        if at:
            raise ParameterError(f"metric {text!r}: {name} takes no @k.")
        return Metric(name, None)
    if not re.fullmatch(r"[1-9]\d{0,5}", place):
        raise ParameterError(f"metric {text!r}: expected a list length of 1 or more, e.g. {name}@10.")
    return Metric(name, int(place))
