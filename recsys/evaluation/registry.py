"""Metrics by name: registered by their files, asked for as text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

from recsys.errors import ParameterError
from recsys.evaluation.definitions import (
    CatalogueMetric,
    ErrorMetric,
    ListMetric,
    MetricDefinition,
    Need,
    ScoreMetric,
)
from recsys.registry import Registry

_D = TypeVar("_D", bound=MetricDefinition)

GAP = "-gap"
"""Added to the name of a metric of users: the difference between the means of groups of users."""

# Order of presentation: by kind, then by name. No metric has to know the others to find its place.
_KINDS: tuple[type[MetricDefinition], ...] = (ListMetric, CatalogueMetric, ScoreMetric, ErrorMetric)
_metrics = Registry[MetricDefinition](
    "metric",
    source=lambda metric: getattr(metric, "function", metric),  # each kind has one
    definition=lambda metric: metric.definition,
    reserved={GAP: "the gap between groups of users"},
    position=lambda metric: _KINDS.index(type(metric)),
)


def register_metric(metric: MetricDefinition) -> None:
    """Make a metric known by its name to evaluation, comparisons, plans and reports.

    Parameters
    ----------
    metric : ListMetric, ScoreMetric, CatalogueMetric or ErrorMetric

    Raises
    ------
    ParameterError
        If the name cannot be written on the command line or is taken.
    """
    if not isinstance(metric, _KINDS):
        kinds = ", ".join(kind.__name__ for kind in _KINDS)
        raise ParameterError(f"a {type(metric).__name__} is no metric to register; expected one of {kinds}.")
    _metrics.add(metric.name, metric)


def unregister_metric(name: str) -> None:
    """Forget a metric, e.g. to register a changed one in its place.

    Raises
    ------
    ParameterError
        If there is no such metric.
    """
    _metrics.remove(name)


def registered(kind: type[_D]) -> dict[str, _D]:
    """Return the metrics of a kind by name, in the order of presentation: by kind, then by name.

    Parameters
    ----------
    kind : type
        E.g. `ListMetric`; `MetricDefinition` for all.
    """
    return {name: metric for name, metric in _metrics.items() if isinstance(metric, kind)}


def find_metric(name: str) -> MetricDefinition:
    """Return a metric by its name, without ``@k`` and without ``-gap``, or raise ParameterError."""
    if name not in _metrics:
        raise _unknown(name)
    return _metrics[name]


@dataclass(frozen=True)
class Metric:
    """A metric as asked for.

    Attributes
    ----------
    name : str
        Of a registered metric.
    k : int or None
        Length of the list that counts; None where nothing is cut: scores of all items, and errors.
    is_gap : bool
        Whether the means of groups of users are compared, in place of the mean over users.
    """

    name: str
    k: int | None
    is_gap: bool = False

    def __str__(self) -> str:
        return self.family if self.k is None else f"{self.family}@{self.k}"

    @property
    def family(self) -> str:
        """The name without a length: "ndcg", "ndcg-gap"."""
        return f"{self.name}{GAP}" if self.is_gap else self.name

    @property
    def base(self) -> Metric:
        """The metric of users whose group means are compared, or this metric itself."""
        return replace(self, is_gap=False)

    @property
    def kind(self) -> MetricDefinition:
        """What the registered metric states of itself."""
        return find_metric(self.name)

    @property
    def is_error(self) -> bool:
        """Whether predicted values are compared with actual ones."""
        return isinstance(self.kind, ErrorMetric)

    @property
    def uses_categories(self) -> bool:
        """Whether categories of items change its value."""
        kind = self.kind
        return isinstance(kind, ListMetric) and (kind.uses_categories or Need.CATEGORIES in kind.needs)

    @property
    def higher_is_better(self) -> bool | None:
        """Whether more is better; None where neither direction is. A gap is the better the smaller."""
        return False if self.is_gap else self.kind.higher_is_better

    @property
    def definition(self) -> str:
        """One line for the readers of a report."""
        if self.is_gap:
            return f"how far groups of users lie apart in {self.name}"
        return self.kind.definition


def parse_metrics(text: str | Iterable[str]) -> tuple[Metric, ...]:
    """Read metrics as written on the command line, e.g. ``"ndcg@20,recall@20,rmse"``.

    Raises
    ------
    ParameterError
        If a metric is unknown, k is missing or below 1, or nothing is asked for.
    """
    parts = text.split(",") if isinstance(text, str) else list(text)
    metrics = tuple(dict.fromkeys(parse_metric(part) for part in parts if part.strip()))
    if not metrics:
        raise ParameterError("no metric is asked for; give e.g. ndcg@10,recall@10.")
    return metrics


def parse_metric(text: str) -> Metric:
    """Read one metric; see `parse_metrics`."""
    text = text.strip().lower()
    name, at_sign, length = text.partition("@")
    metric = _named(name, text)
    if not metric.kind.takes_k:
        if at_sign:
            raise ParameterError(f"metric {text!r}: {name} takes no @k.")
        return metric
    if not re.fullmatch(r"[1-9]\d{0,5}", length):
        raise ParameterError(f"metric {text!r}: expected a list length of 1 to 999,999, e.g. {name}@10.")
    return replace(metric, k=int(length))


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
    return _named(name.partition("@")[0], name).higher_is_better


def definitions(names: Iterable[str]) -> list[tuple[str, str]]:
    """Return what metrics mean, as (name without length, words), each once."""
    return list(dict.fromkeys((metric.family, metric.definition) for metric in map(parse_metric, names)))


def _named(name: str, text: str) -> Metric:
    """Return the metric of a name without length, in the form that has no length."""
    base = name.removesuffix(GAP)
    is_gap = base != name
    if base not in _metrics or (is_gap and not _metrics[base].is_of_users):
        raise _unknown(text)
    return Metric(base, None, is_gap)


def _unknown(text: str) -> ParameterError:
    written = [f"{name}@k" if metric.takes_k else name for name, metric in _metrics.items()]
    gaps = f", and ndcg{GAP}@k and its like for the gap between groups of users"
    return _metrics.unknown(text, written, also=gaps)
