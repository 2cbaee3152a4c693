"""Warming up: afterwards nothing is left to compile, so that seconds are of work."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from recsys.evaluation.metrics import parse_metrics
from recsys.experiment.comparison import precompile
from recsys.experiment.settings import ModelSpec
from recsys.models.registry import MODELS, make
from tests.registered import CATALOGUE, ERRORS, PER_USER, SCORED

EVERY = [f"{name}@2" for name in (*PER_USER, *CATALOGUE)] + [*SCORED, *ERRORS, "ndcg-gap@2"]
PROGRAM = """
import gc
import numpy as np
from numba.core.dispatcher import Dispatcher
from recsys.evaluation import evaluator
from recsys.evaluation.catalogue import Catalogue
from recsys.evaluation.metrics import parse_metrics
from recsys.experiment import comparison
from recsys.experiment.settings import ModelSpec
from tests.experiment.test_precompile import EVERY, trial_of

def compiled():
    kernels = [found for found in gc.get_objects() if isinstance(found, Dispatcher)]
    return {str(kernel.py_func): len(kernel.signatures) for kernel in kernels}

metrics, trial = parse_metrics(EVERY), trial_of(SPLIT)
spec = ModelSpec("masked-nmf", {"n_components": 2, "max_iter": 2, "validation_share": 0.0})
work, before = comparison.evaluate, []

def watched(model, seen, *rest, **told):
    if seen is trial.seen:
        before.append(compiled())
    return work(model, seen, *rest, **told)

comparison.evaluate = watched
comparison.run(spec, trial, metrics)
after = compiled()
late = {name: n for name, n in after.items() if n != before[0].get(name, 0)}
assert not late, late
assert sum(before[0].values()) > 10
"""


def trial_of(split):
    from recsys.data.columns import Columns
    from recsys.data.loaded_log import LoadedLog
    from recsys.experiment.prepared_split import prepare
    from tests.logs import random_log

    log = random_log(150, n_users=15, n_items=12)
    return prepare(
        LoadedLog(log, "a log", Columns("user", "item", None, None), len(log), (), {}), split=split
    )


@pytest.mark.parametrize("split", ["random:0.3", pytest.param("users:0.4:0.5", marks=pytest.mark.slow)])
def test_nothing_is_compiled_while_a_model_is_measured(split):
    folder = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = [{str(folder)!r}]\nSPLIT = {split!r}\n{PROGRAM}"],
        capture_output=True,
        text=True,
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", MODELS)
def test_every_model_can_be_warmed_up_with_every_metric(name):
    precompile(ModelSpec(name), parse_metrics(EVERY), folds_in=make(name, {}).folds_in)


@pytest.mark.parametrize(("name", "key"), [("slim", "half_life"), ("hybrid-nmf", "neighbor_half_life")])
def test_models_that_look_at_ages_are_compiled_too(name, key):
    precompile(ModelSpec(name, {key: 0.5}))
