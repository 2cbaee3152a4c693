"""Metrics by name; a definition each, one file each."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from recsys.errors import ParameterError
from recsys.evaluate.metrics.average_precision import average_precision
from recsys.evaluate.metrics.hit_rate import hit_rate
from recsys.evaluate.metrics.mae import mae
from recsys.evaluate.metrics.ndcg import ndcg
from recsys.evaluate.metrics.precision import precision
from recsys.evaluate.metrics.recall import recall
from recsys.evaluate.metrics.reciprocal_rank import reciprocal_rank
from recsys.evaluate.metrics.rmse import rmse
from recsys.typing import BoolArray, Float32Array, Float64Array, Int64Array

PER_USER: Mapping[str, Callable[[BoolArray, Int64Array, int], Float64Array]] = {
    "precision": precision,
    "recall": recall,
    "ndcg": ndcg,
    "map": average_precision,
    "mrr": reciprocal_rank,
    "hit-rate": hit_rate,
}
"""Metrics of one user's list; reported as the mean over users."""

CATALOGUE = ("coverage",)
"""Metrics of all lists together."""

ERRORS: Mapping[str, Callable[[Float32Array, Float32Array], float]] = {"rmse": rmse, "mae": mae}
"""Metrics of predicted values."""


@dataclass(frozen=True)
class Metric:
    """A metric as asked for.

    Attributes
    ----------
    name : str
    k : int or None
        Length of the list that counts; None for errors of predicted values.
    """

    name: str
    k: int | None

    def __str__(self) -> str:
        return self.name if self.k is None else f"{self.name}@{self.k}"


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


def _metric(text: str) -> Metric:
    name, at, place = text.partition("@")
    ranked = [*PER_USER, *CATALOGUE]
    if name not in ranked and name not in ERRORS:
        close = difflib.get_close_matches(name, [*ranked, *ERRORS], n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise ParameterError(
            f"there is no metric {text!r}; there are {', '.join(f'{m}@k' for m in ranked)}, "
            f"{' and '.join(ERRORS)}.{hint}"
        )
    if name in ERRORS:
        if at:
            raise ParameterError(f"metric {text!r}: {name} takes no @k.")
        return Metric(name, None)
    if not re.fullmatch(r"[1-9]\d{0,5}", place):
        raise ParameterError(f"metric {text!r}: expected a list length of 1 or more, e.g. {name}@10.")
    return Metric(name, int(place))
