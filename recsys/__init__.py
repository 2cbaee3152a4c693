"""Top-N recommendations by non-negative matrix factorization.

The names below are the public surface; they are imported when first used, so that
``import recsys`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from recsys._version import __version__

if TYPE_CHECKING:
    from recsys.data.held_out import HeldOut as HeldOut
    from recsys.data.interactions import Interactions as Interactions
    from recsys.data.load import load_log as load_log
    from recsys.evaluation.from_lists import evaluate_lists as evaluate_lists
    from recsys.evaluation.metrics import CatalogueMetric as CatalogueMetric
    from recsys.evaluation.metrics import ErrorMetric as ErrorMetric
    from recsys.evaluation.metrics import ListMetric as ListMetric
    from recsys.evaluation.metrics import ScoreMetric as ScoreMetric
    from recsys.evaluation.metrics import parse_metrics as parse_metrics
    from recsys.evaluation.metrics import register_metric as register_metric
    from recsys.evaluation.metrics import unregister_metric as unregister_metric
    from recsys.models.baselines.als import ALS as ALS
    from recsys.models.baselines.bias import Bias as Bias
    from recsys.models.baselines.bpr import BPR as BPR
    from recsys.models.baselines.ease import EASE as EASE
    from recsys.models.baselines.explicit_als import ExplicitALS as ExplicitALS
    from recsys.models.baselines.item_knn import ItemKNN as ItemKNN
    from recsys.models.baselines.popularity import Popularity as Popularity
    from recsys.models.baselines.pure_svd import PureSVD as PureSVD
    from recsys.models.baselines.zero_filled_nmf import ZeroFilledNMF as ZeroFilledNMF
    from recsys.models.bayesian_nmf import BayesianNMF as BayesianNMF
    from recsys.models.bundle import Bundle as Bundle
    from recsys.models.bundle import load_bundle as load_bundle
    from recsys.models.bundle import save_bundle as save_bundle
    from recsys.models.masked_nmf import MaskedNMF as MaskedNMF
    from recsys.models.poisson_nmf import PoissonNMF as PoissonNMF
    from recsys.models.weighted_nmf import WeightedNMF as WeightedNMF
    from recsys.recommend.recommender import Recommender as Recommender
    from recsys.recommend.themes import themes as themes
    from recsys.report.section import register_section as register_section
    from recsys.report.section import unregister_section as unregister_section
    from recsys.splitting.rules import SplitRule as SplitRule
    from recsys.splitting.rules import register_split_rule as register_split_rule
    from recsys.splitting.rules import unregister_split_rule as unregister_split_rule
    from recsys.splitting.specs import parse_split as parse_split
    from recsys.splitting.specs import parse_splits as parse_splits

_HOMES = {
    "ALS": "recsys.models.baselines.als",
    "BPR": "recsys.models.baselines.bpr",
    "BayesianNMF": "recsys.models.bayesian_nmf",
    "Bias": "recsys.models.baselines.bias",
    "Bundle": "recsys.models.bundle",
    "CatalogueMetric": "recsys.evaluation.metrics",
    "EASE": "recsys.models.baselines.ease",
    "ErrorMetric": "recsys.evaluation.metrics",
    "ExplicitALS": "recsys.models.baselines.explicit_als",
    "HeldOut": "recsys.data.held_out",
    "Interactions": "recsys.data.interactions",
    "ItemKNN": "recsys.models.baselines.item_knn",
    "ListMetric": "recsys.evaluation.metrics",
    "MaskedNMF": "recsys.models.masked_nmf",
    "PoissonNMF": "recsys.models.poisson_nmf",
    "Popularity": "recsys.models.baselines.popularity",
    "PureSVD": "recsys.models.baselines.pure_svd",
    "Recommender": "recsys.recommend.recommender",
    "ScoreMetric": "recsys.evaluation.metrics",
    "SplitRule": "recsys.splitting.rules",
    "WeightedNMF": "recsys.models.weighted_nmf",
    "ZeroFilledNMF": "recsys.models.baselines.zero_filled_nmf",
    "evaluate_lists": "recsys.evaluation.from_lists",
    "load_bundle": "recsys.models.bundle",
    "load_log": "recsys.data.load",
    "parse_metrics": "recsys.evaluation.metrics",
    "parse_split": "recsys.splitting.specs",
    "parse_splits": "recsys.splitting.specs",
    "register_metric": "recsys.evaluation.metrics",
    "register_section": "recsys.report.section",
    "register_split_rule": "recsys.splitting.rules",
    "save_bundle": "recsys.models.bundle",
    "themes": "recsys.recommend.themes",
    "unregister_metric": "recsys.evaluation.metrics",
    "unregister_section": "recsys.report.section",
    "unregister_split_rule": "recsys.splitting.rules",
}

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'recsys' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
