"""Freeze what this version writes, once a release: ``python -m tests.golden.freeze``.

Makes ``tests/golden/<version>/``: a tiny bundle of every model with its answers (``expected.json``), the
parameters of every model with values each accepts (``parameters.json``), and the configs that travel with the
package. A version that stands there already is not written again.
"""

import json
import shutil
from pathlib import Path

import numpy as np

from recsys import __version__, threads
from recsys.data.interactions import Interactions
from recsys.models import parameters
from recsys.models.registry import MODELS, make
from recsys.recommend.bundle import Bundle
from recsys.recommend.bundle_files import load_bundle, save_bundle
from tests.golden.answers import LIST_LENGTH, USER_ROWS, answers_of

HERE = Path(__file__).parent
CONFIGS = Path(__file__).parents[2] / "configs"
N_USERS, N_ITEMS = 30, 20
SMALL = {"n_components": 3, "n_factors": 3, "max_iter": 8, "n_burn_in": 3, "n_draws": 4, "random_state": 0}
WEAK = {"l2": 0.1, "absent_weight": 0.1, "user_l1": 0.0, "item_l1": 0.0}  # so that few data show tastes
CASES = {
    "masked-nmf": {},
    "masked-nmf-without-biases": {"biases": False},
    "masked-nmf-kl": {"loss": "kl", "biases": False},
    "masked-nmf-restarts": {"n_init": 2},
    "bayesian-nmf": {},
    "weighted-nmf-sparse": {**WEAK, "n_components": 40, "user_l1": 0.1, "item_l1": 0.1},
    "weighted-nmf-dense": {**WEAK, "init": "random"},
    "weighted-nmf-any-sign": {**WEAK, "init": "random", "nonnegative": False},
    "poisson-nmf": {},
    "poisson-nmf-ratings": {},
    "als": {},
    "explicit-als": {},
    "item-knn": {},
    "ease": {},
    "bpr": {},
    "pure-svd": {},
    "zero-filled-nmf": {},
    "bias": {},
    "popularity": {},
}
"""Folder -> parameters; a folder's name begins with that of its model."""
OF_RATINGS = ("masked-nmf", "bayesian-nmf", "explicit-als", "bias", "poisson-nmf-ratings")


def model_of(case):
    """Return the name of the model that a folder holds."""
    return max((name for name in MODELS if case.startswith(name)), key=len)


def log_of(case):
    """Return a small log: ratings with text ids, or amounts with numbers as ids."""
    generator = np.random.default_rng(20)
    tastes = generator.gamma(0.6, size=(N_USERS, 4)) @ generator.gamma(0.6, size=(4, N_ITEMS))
    observed = generator.random((N_USERS, N_ITEMS)) < np.clip(0.25 + tastes / tastes.max(), 0, 0.85)
    users, items = np.nonzero(observed)
    strength = np.log1p(tastes[users, items]) + 0.3 * generator.standard_normal(len(users))
    if case.startswith(OF_RATINGS):
        ratings = np.clip(np.round(1 + 4 * (strength - strength.min()) / np.ptp(strength)), 1, 5)
        return Interactions.from_pairs(
            [f"user {user:02}" for user in users],
            [f"i{item:02}" for item in items],
            ratings,
            feedback="explicit",
        )
    amounts = 1 + generator.poisson(np.exp(strength))
    return Interactions.from_pairs((users + 100).tolist(), (items * 3 + 7).tolist(), amounts)


def bundle_of(case):
    """Return a fitted bundle with item names."""
    train, name = log_of(case), model_of(case)
    known = {entry["name"] for entry in parameters.describe(MODELS[name])}
    model = make(name, {key: value for key, value in (SMALL | CASES[case]).items() if key in known})
    names = {item: f"Item {item}" for item in train.item_ids}
    return Bundle.of(model.fit(train), train, item_names=names, training={"source": "a generated log"})


def check_gaps(bundle):
    """Raise if scores of one user nearly tie: rounding might then change a list."""
    scores = np.sort(bundle.model.score_block(np.array(USER_ROWS)).astype(np.float64), axis=1)
    gaps = np.diff(scores, axis=1) / np.abs(scores).max()
    if ((gaps > 0) & (gaps < 1e-5)).any():
        raise SystemExit(
            f"{bundle.model.name}: two of {LIST_LENGTH} scores nearly tie; change the log's seed."
        )


def accepted_values(entry):
    """Return values that a parameter accepts: its default, its choices, its bounds."""
    values = [entry["default"], *(entry["choices"] or ()), entry["minimum"], entry["maximum"]]
    if isinstance(entry["default"], bool):
        values = [True, False]
    if entry["above"] is not None:
        values.append(entry["above"] + 1)
    whole = isinstance(entry["default"], int)
    kept = [entry["default"]]
    for value in values:
        if value is not None and value not in kept:
            kept.append(int(value) if whole and not isinstance(value, bool) else value)
    return kept


def main():
    """Write the folder of this version."""
    folder = HERE / __version__
    if folder.exists():
        raise SystemExit(f"{folder} is there already: what a version wrote stays as it is.")
    folder.mkdir()
    with threads.use(1):
        for case in CASES:
            save_bundle(bundle_of(case), folder / case)
            bundle = load_bundle(folder / case)
            check_gaps(bundle)
            (folder / case / "expected.json").write_text(json.dumps(answers_of(bundle)) + "\n")
    described = {name: parameters.describe(cls) for name, cls in MODELS.items()}
    accepted = {
        name: {entry["name"]: accepted_values(entry) for entry in entries}
        for name, entries in described.items()
    }
    (folder / "parameters.json").write_text(json.dumps(accepted, indent=1) + "\n")
    shutil.copytree(CONFIGS, folder / "configs")


if __name__ == "__main__":
    main()
