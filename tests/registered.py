"""The metrics of the package by kind, each by its name."""

from recsys.evaluation.metrics import CatalogueMetric, ErrorMetric, ListMetric, ScoreMetric, registered

PER_USER = registered(ListMetric)
CATALOGUE = registered(CatalogueMetric)
SCORED = registered(ScoreMetric)
ERRORS = registered(ErrorMetric)
