"""Metrics by name. Each file of this folder defines one and ends in its registration.

Importing this package imports all of its files, so that a new metric is one new file. They are
presented by kind and then by name, whatever the order of the imports.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from recsys.evaluation.definitions import (
    CatalogueMetric,
    ErrorMetric,
    ListMetric,
    MetricDefinition,
    Need,
    ScoreMetric,
)
from recsys.evaluation.registry import (
    Metric,
    definitions,
    find_metric,
    higher_is_better,
    parse_metric,
    parse_metrics,
    register_metric,
    registered,
    unregister_metric,
)

__all__ = [
    "CatalogueMetric",
    "ErrorMetric",
    "ListMetric",
    "Metric",
    "MetricDefinition",
    "Need",
    "ScoreMetric",
    "definitions",
    "find_metric",
    "higher_is_better",
    "parse_metric",
    "parse_metrics",
    "register_metric",
    "registered",
    "unregister_metric",
]

for _module in sorted(module.name for module in iter_modules(__path__)):
    import_module(f"{__name__}.{_module}")
