"""Top-N recommendations by non-negative matrix factorization.

The names below are the public surface; they are imported when first used, so that
``import recsys`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from recsys._version import __version__

if TYPE_CHECKING:
    from recsys.checkpoints import Checkpoint as Checkpoint
    from recsys.data.held_out import HeldOut as HeldOut
    from recsys.data.interactions import Interactions as Interactions
    from recsys.data.labels import Labels as Labels
    from recsys.data.labels import UserGroups as UserGroups
    from recsys.data.load import load_log as load_log
    from recsys.data.loaded_log import LoadedLog as LoadedLog
    from recsys.data.log_format import LogFormat as LogFormat
    from recsys.errors import BundleError as BundleError
    from recsys.errors import DependencyError as DependencyError
    from recsys.errors import InputError as InputError
    from recsys.errors import LogError as LogError
    from recsys.errors import ModelError as ModelError
    from recsys.errors import NotFittedError as NotFittedError
    from recsys.errors import OutputError as OutputError
    from recsys.errors import ParameterError as ParameterError
    from recsys.errors import RecsysError as RecsysError
    from recsys.evaluation.from_lists import evaluate_lists as evaluate_lists
    from recsys.evaluation.measurements import Measurements as Measurements
    from recsys.evaluation.metrics import CatalogueMetric as CatalogueMetric
    from recsys.evaluation.metrics import ErrorMetric as ErrorMetric
    from recsys.evaluation.metrics import ListMetric as ListMetric
    from recsys.evaluation.metrics import ScoreMetric as ScoreMetric
    from recsys.evaluation.metrics import parse_metrics as parse_metrics
    from recsys.evaluation.metrics import register_metric as register_metric
    from recsys.evaluation.metrics import unregister_metric as unregister_metric
    from recsys.experiment.answers import Comparison as Comparison
    from recsys.experiment.answers import Evaluation as Evaluation
    from recsys.experiment.calls import compare as compare
    from recsys.experiment.calls import evaluate as evaluate
    from recsys.experiment.calls import split as split
    from recsys.experiment.calls import train as train
    from recsys.experiment.entry_scorer import entry_scorer as entry_scorer
    from recsys.experiment.evaluation_plan import EvaluationPlan as EvaluationPlan
    from recsys.experiment.given_logs import LogPlan as LogPlan
    from recsys.experiment.measured_calls import compare_pairs as compare_pairs
    from recsys.experiment.measured_calls import interval as interval
    from recsys.experiment.measured_calls import write_report as write_report
    from recsys.experiment.model_diff import ModelDiff as ModelDiff
    from recsys.experiment.model_diff import model_diff as model_diff
    from recsys.experiment.monitoring import Monitoring as Monitoring
    from recsys.experiment.monitoring import monitor as monitor
    from recsys.experiment.prepared_split import PreparedSplit as PreparedSplit
    from recsys.experiment.preparing import prepare_log as prepare_log
    from recsys.experiment.promotion import Promotion as Promotion
    from recsys.experiment.promotion import promote as promote
    from recsys.experiment.settings import ModelSpec as ModelSpec
    from recsys.experiment.tuning.answer import Tuning as Tuning
    from recsys.experiment.tuning.call import tune as tune
    from recsys.experiment.tuning.plan import TuningPlan as TuningPlan
    from recsys.experiment.tuning.rank_evidence import Ranks as Ranks
    from recsys.experiment.tuning.ranks import ranks as ranks
    from recsys.experiment.updating import update as update
    from recsys.models.base import Model as Model
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
    from recsys.models.hybrid_nmf import HybridNMF as HybridNMF
    from recsys.models.masked_nmf import MaskedNMF as MaskedNMF
    from recsys.models.observed_entries import EntryKFold as EntryKFold
    from recsys.models.observed_entries import ObservedEntries as ObservedEntries
    from recsys.models.parameters import param as param
    from recsys.models.poisson_nmf import PoissonNMF as PoissonNMF
    from recsys.models.registry import register_model as register_model
    from recsys.models.registry import unregister_model as unregister_model
    from recsys.models.search import Choice as Choice
    from recsys.models.search import Range as Range
    from recsys.models.slim import SLIM as SLIM
    from recsys.models.weighted_nmf import WeightedNMF as WeightedNMF
    from recsys.progress import Iteration as Iteration
    from recsys.progress import IterationCallback as IterationCallback
    from recsys.progress import Progress as Progress
    from recsys.recommend.bundle import Bundle as Bundle
    from recsys.recommend.bundle_files import load_bundle as load_bundle
    from recsys.recommend.bundle_files import save_bundle as save_bundle
    from recsys.recommend.model_store import ModelStore as ModelStore
    from recsys.recommend.recommendations import Recommendations as Recommendations
    from recsys.recommend.recommender import Recommender as Recommender
    from recsys.recommend.rules import Rules as Rules
    from recsys.recommend.signing import sign_bundle as sign_bundle
    from recsys.recommend.themes import themes as themes
    from recsys.recommend.verification import VerifiedBundle as VerifiedBundle
    from recsys.recommend.verification import verify_bundle as verify_bundle
    from recsys.report.section import register_section as register_section
    from recsys.report.section import unregister_section as unregister_section
    from recsys.splitting.rules import SplitRule as SplitRule
    from recsys.splitting.rules import register_split_rule as register_split_rule
    from recsys.splitting.rules import unregister_split_rule as unregister_split_rule
    from recsys.splitting.specs import parse_split as parse_split
    from recsys.splitting.specs import parse_splits as parse_splits
    from recsys.splitting.split import Split as Split
    from recsys.threads import set_threads as set_threads

_HOMES = {
    "ALS": "recsys.models.baselines.als",
    "BPR": "recsys.models.baselines.bpr",
    "BayesianNMF": "recsys.models.bayesian_nmf",
    "Bias": "recsys.models.baselines.bias",
    "Bundle": "recsys.recommend.bundle",
    "BundleError": "recsys.errors",
    "CatalogueMetric": "recsys.evaluation.metrics",
    "Checkpoint": "recsys.checkpoints",
    "Choice": "recsys.models.search",
    "Comparison": "recsys.experiment.answers",
    "DependencyError": "recsys.errors",
    "EASE": "recsys.models.baselines.ease",
    "EntryKFold": "recsys.models.observed_entries",
    "ErrorMetric": "recsys.evaluation.metrics",
    "Evaluation": "recsys.experiment.answers",
    "EvaluationPlan": "recsys.experiment.evaluation_plan",
    "ExplicitALS": "recsys.models.baselines.explicit_als",
    "HeldOut": "recsys.data.held_out",
    "HybridNMF": "recsys.models.hybrid_nmf",
    "InputError": "recsys.errors",
    "Interactions": "recsys.data.interactions",
    "ItemKNN": "recsys.models.baselines.item_knn",
    "Iteration": "recsys.progress",
    "IterationCallback": "recsys.progress",
    "Labels": "recsys.data.labels",
    "ListMetric": "recsys.evaluation.metrics",
    "LoadedLog": "recsys.data.loaded_log",
    "LogError": "recsys.errors",
    "LogFormat": "recsys.data.log_format",
    "LogPlan": "recsys.experiment.given_logs",
    "MaskedNMF": "recsys.models.masked_nmf",
    "Measurements": "recsys.evaluation.measurements",
    "Model": "recsys.models.base",
    "ModelDiff": "recsys.experiment.model_diff",
    "ModelError": "recsys.errors",
    "ModelSpec": "recsys.experiment.settings",
    "ModelStore": "recsys.recommend.model_store",
    "Monitoring": "recsys.experiment.monitoring",
    "NotFittedError": "recsys.errors",
    "ObservedEntries": "recsys.models.observed_entries",
    "OutputError": "recsys.errors",
    "ParameterError": "recsys.errors",
    "PoissonNMF": "recsys.models.poisson_nmf",
    "Popularity": "recsys.models.baselines.popularity",
    "PreparedSplit": "recsys.experiment.prepared_split",
    "Progress": "recsys.progress",
    "Promotion": "recsys.experiment.promotion",
    "PureSVD": "recsys.models.baselines.pure_svd",
    "Range": "recsys.models.search",
    "Ranks": "recsys.experiment.tuning.rank_evidence",
    "Recommendations": "recsys.recommend.recommendations",
    "Recommender": "recsys.recommend.recommender",
    "RecsysError": "recsys.errors",
    "Rules": "recsys.recommend.rules",
    "SLIM": "recsys.models.slim",
    "ScoreMetric": "recsys.evaluation.metrics",
    "Split": "recsys.splitting.split",
    "SplitRule": "recsys.splitting.rules",
    "Tuning": "recsys.experiment.tuning.answer",
    "TuningPlan": "recsys.experiment.tuning.plan",
    "UserGroups": "recsys.data.labels",
    "VerifiedBundle": "recsys.recommend.verification",
    "WeightedNMF": "recsys.models.weighted_nmf",
    "ZeroFilledNMF": "recsys.models.baselines.zero_filled_nmf",
    "compare": "recsys.experiment.calls",
    "compare_pairs": "recsys.experiment.measured_calls",
    "entry_scorer": "recsys.experiment.entry_scorer",
    "evaluate": "recsys.experiment.calls",
    "evaluate_lists": "recsys.evaluation.from_lists",
    "interval": "recsys.experiment.measured_calls",
    "load_bundle": "recsys.recommend.bundle_files",
    "load_log": "recsys.data.load",
    "model_diff": "recsys.experiment.model_diff",
    "monitor": "recsys.experiment.monitoring",
    "param": "recsys.models.parameters",
    "parse_metrics": "recsys.evaluation.metrics",
    "parse_split": "recsys.splitting.specs",
    "parse_splits": "recsys.splitting.specs",
    "promote": "recsys.experiment.promotion",
    "ranks": "recsys.experiment.tuning.ranks",
    "prepare_log": "recsys.experiment.preparing",
    "register_metric": "recsys.evaluation.metrics",
    "register_model": "recsys.models.registry",
    "register_section": "recsys.report.section",
    "register_split_rule": "recsys.splitting.rules",
    "save_bundle": "recsys.recommend.bundle_files",
    "set_threads": "recsys.threads",
    "sign_bundle": "recsys.recommend.signing",
    "split": "recsys.experiment.calls",
    "themes": "recsys.recommend.themes",
    "train": "recsys.experiment.calls",
    "tune": "recsys.experiment.tuning.call",
    "unregister_metric": "recsys.evaluation.metrics",
    "unregister_model": "recsys.models.registry",
    "unregister_section": "recsys.report.section",
    "unregister_split_rule": "recsys.splitting.rules",
    "update": "recsys.experiment.updating",
    "verify_bundle": "recsys.recommend.verification",
    "write_report": "recsys.experiment.measured_calls",
}

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'recsys' has no attribute {name!r}")
    try:
        value = getattr(import_module(_HOMES[name]), name)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == "recsys":
            raise
        from recsys.errors import DependencyError

        package = error.name.partition(".")[0]
        raise DependencyError(
            f"recsys.{name} needs {package}, which is not installed here: pip install {package}."
        ) from error
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
