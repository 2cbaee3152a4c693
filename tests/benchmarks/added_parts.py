"""What more could be added to themes and neighbors: NDCG@20 of sums of further parts on Gowalla.

    python -W ignore -m tests.benchmarks.added_parts --data ../shared/data --starts 2

Parts are fitted once on a part of the training file and brought to the same root mean square; every sum of
them is then measured on the entries held out of every third user. The test file is not read.
"""

from __future__ import annotations

import argparse
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from recsys.data.interactions import Interactions
from recsys.data.load import load_log
from recsys.data.rows import CompressedRows
from recsys.evaluation.evaluator import evaluate
from recsys.evaluation.metrics import parse_metrics
from recsys.experiment.prepared_split import PreparedSplit, prepare
from recsys.models.slim import SLIM
from recsys.models.weighted_nmf import WeightedNMF
from recsys.typing import AnyArray, Float32Array
from tests.benchmarks.ranking_search import some_users
from tests.benchmarks.speed_report import table

_CONFIG = Path(__file__).parents[2] / "configs" / "gowalla-hybrid-nmf.toml"
_METRICS = "recall@20,ndcg@20"
_NOT_OF_THEMES = ("name", "n_neighbors", "neighbor_weight", "neighbor_l2")
_LEVEL_USERS = 512

Part = Callable[[AnyArray], Float32Array]
"""Users by row number to scores of all items."""


@dataclass(frozen=True)
class WeightedSum:
    """Parts times weights, added."""

    parts: Mapping[str, tuple[Part, float]]
    weights: Mapping[str, float]
    n_users_: int
    n_items_: int
    name: str = "sum"
    predicts_values: bool = False

    def score_block(self, users: AnyArray) -> Float32Array:
        """Return the sum for a block of users; see `Scorer.score_block`."""
        total = np.zeros((len(users), self.n_items_), dtype=np.float32)
        for name, weight in self.weights.items():
            part, level = self.parts[name]
            total += np.float32(weight / level) * part(users)
        return total

    def predict_by_row(self, users: AnyArray, items: AnyArray) -> Float32Array:
        """Raise: no values are predicted."""
        raise NotImplementedError


def neighbors_of_users(data: Interactions, slim: SLIM) -> Part:
    """Return scores by neighbors among users: users as non-negative sums of the users most alike to them."""
    matrix = data.by_user.to_scipy().tocsr().astype(np.float32)
    weights = slim.fit(Interactions.from_matrix(matrix.T.tocsr(), feedback="implicit")).weights_
    of_user = weights.transposed().to_scipy().tocsr()
    return lambda users: np.asarray((of_user[users] @ matrix).toarray(), dtype=np.float32)


def two_steps(slim: SLIM, histories: CompressedRows) -> Part:
    """Return scores by neighbors of neighbors: a history times the weights, twice."""
    weights, rows = slim.weights_.to_scipy().tocsr(), histories.to_scipy().tocsr()
    return lambda users: np.asarray(((rows[users] @ weights) @ weights).toarray(), dtype=np.float32)


def level(part: Part, n_users: int) -> float:
    """Return the root mean square of a part's scores over some users."""
    users = np.unique(np.linspace(0, n_users - 1, min(n_users, _LEVEL_USERS)).astype(np.int64))
    return float(np.sqrt(np.mean(np.square(part(users), dtype=np.float64))))


def fitted_parts(prepared: PreparedSplit, config: Mapping[str, Any], starts: int) -> dict[str, Part]:
    """Return all parts by name; themes of several starts at half the components of the config."""
    data = prepared.train
    slim = SLIM(n_neighbors=config["n_neighbors"], l2=config["neighbor_l2"]).fit(data)
    params = {name: value for name, value in config.items() if name not in _NOT_OF_THEMES}
    half = params | {"n_components": params["n_components"] // 2}
    several = [WeightedNMF(**half, random_state=seed).fit(data) for seed in range(starts)]

    def mean(models: list[WeightedNMF]) -> Part:
        return lambda users: np.sum([model.score_block(users) for model in models], axis=0, dtype=np.float32)

    return {
        "themes": WeightedNMF(**params).fit(data).score_block,
        "items": slim.score_block,
        "users": neighbors_of_users(data, SLIM(n_neighbors=config["n_neighbors"], l2=config["neighbor_l2"])),
        "two steps": two_steps(slim, slim.histories_),
        "half": several[0].score_block,
        **{f"{n} of half": mean(several[:n]) for n in range(2, starts + 1)},
    }


def sums(starts: int) -> list[dict[str, float]]:
    """Return the weights of each sum that is measured."""
    several = ["half", *(f"{n} of half" for n in range(2, starts + 1))]
    alone = [{name: 1.0} for name in ("themes", "items", "users", "two steps", *several)]
    weighted = [{"themes": 1.0, "items": weight} for weight in (1.0, 2.0, 3.0)]
    further = [
        {"themes": 1.0, "items": 2.0, name: weight}
        for name in ("users", "two steps")
        for weight in (0.25, 0.5, 1.0)
    ]
    begun = [{name: 1.0, "items": weight} for name in several for weight in (2.0, 3.0)]
    return alone + weighted + further + begun


def main() -> None:
    """Fit, measure and print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with gowalla")
    parser.add_argument("--split", default="random-user:0.2")
    parser.add_argument("--starts", type=int, default=2, help="of themes with half the components")
    options = parser.parse_args()
    config = tomllib.loads(_CONFIG.read_text())["model"]
    prepared = prepare(load_log(str(options.data / "gowalla" / "train.parquet")), split=options.split)
    data, held_out = prepared.train, some_users(prepared.held_out)
    parts = fitted_parts(prepared, config, options.starts)
    leveled = {name: (part, level(part, data.n_users)) for name, part in parts.items()}
    rows = []
    for weights in sums(options.starts):
        model = WeightedSum(leveled, weights, data.n_users, data.n_items)
        metrics = evaluate(model, prepared.seen, held_out, parse_metrics(_METRICS)).metrics
        said = " + ".join(f"{weight:g} {name}" for name, weight in weights.items())
        rows.append([said, *(f"{metrics[name]:.4f}" for name in _METRICS.split(","))])
    print(table(["sum", *_METRICS.split(",")], rows))


if __name__ == "__main__":
    main()
