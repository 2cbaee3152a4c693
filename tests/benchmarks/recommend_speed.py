"""Users per second of top-10 lists, what users have left out: ``python -m tests.benchmarks.recommend_speed``.

Every contender ranks all items for the same users by the same factors, and returns row numbers and scores:

- ``recsys``: `ranked_blocks`, the way of one user, a batch and everybody;
- ``recsys, lists``: `Recommender.recommend`, with ids, names and the strongest component of each score;
- ``implicit``: `MatrixFactorizationBase.recommend` over all users in one call;
- ``irspack``: `get_score_remove_seen` and the partition and sort below, in blocks;
- ``numpy``: a matrix product, seen items at -inf, `argpartition` and a sort, in blocks;
- ``numpy, product alone``: the matrix product, and no ranking.

Dense factors are drawn from a normal distribution, sparse ones are learned by `WeightedNMF`; with
``--generated USERS ITEMS`` they are drawn, too, a tenth of them above zero, and each user has up to twenty
items by a power law. Contenders that are not installed are left out. A contender's lists are checked against
a full sort of some users first. Seconds are of the clock and of the processor: on a machine with other work
the second is the one to read.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

import recsys
from recsys import threads
from recsys.data.interactions import Interactions
from recsys.data.rows import CompressedRows
from recsys.factorization.factors import Factors, SideFactors
from recsys.factorization.sparse_factors import SparseFactors
from recsys.recommend.ranking import ranked_blocks
from recsys.typing import Float32Array, Int64Array
from tests.real_logs import real_logs

N, _BLOCK, _CHECKED = 10, 400, 50
_GENERATED_ENTRIES, _GENERATED_FULL = 20, 0.1


def fixed_factors(data: Interactions, rank: int) -> Any:
    """Return an ALS model with factors drawn at random."""
    generator = np.random.default_rng(rank)
    model = recsys.ALS(n_components=rank)
    users, items = (
        SideFactors.of(generator.standard_normal((n, rank), dtype=np.float32))
        for n in (data.n_users, data.n_items)
    )
    model._learned(Factors(0.0, users, items))
    model.n_users_, model.n_items_, model.fitted_params_ = data.n_users, data.n_items, model.get_params()
    return model


def fixed_sparse_factors(data: Interactions, rank: int) -> Any:
    """Return a weighted model with non-negative factors drawn at random, most of them zero."""
    generator = np.random.default_rng(rank)
    model = recsys.WeightedNMF(n_components=rank)
    sides = []
    for n in (data.n_users, data.n_items):
        factors = generator.standard_exponential((n, rank), dtype=np.float32)
        factors[generator.random((n, rank), dtype=np.float32) >= _GENERATED_FULL] = 0
        sides.append(SideFactors.of(SparseFactors.of(factors)))
    model._learned(Factors(0.0, *sides))
    model.n_users_, model.n_items_, model.fitted_params_ = data.n_users, data.n_items, model.get_params()
    return model


def generated(n_users: int, n_items: int) -> Interactions:
    """Return users with up to twenty items each, items' popularity following a power law."""
    generator = np.random.default_rng(0)
    popularity = 1.0 / np.arange(1, n_items + 1)
    bounds = np.cumsum(popularity / popularity.sum())
    items = np.searchsorted(bounds, generator.random((n_users, _GENERATED_ENTRIES))).clip(max=n_items - 1)
    items.sort(axis=1)
    is_first = np.ones(items.shape, dtype=bool)
    is_first[:, 1:] = items[:, 1:] != items[:, :-1]
    indptr = np.r_[0, np.cumsum(is_first.sum(axis=1))]
    rows = CompressedRows(indptr, items[is_first], np.ones(indptr[-1]), n_items)
    return Interactions.from_matrix(rows.to_scipy(), feedback="implicit")


def ours(model: Any, data: Interactions, n_users: int) -> Int64Array:
    """Rank by the package's own path."""
    users = np.arange(n_users)
    return np.concatenate([block.items for block in ranked_blocks(model, users, N, data.by_user)])


def our_lists(model: Any, data: Interactions, n_users: int) -> Int64Array:
    """Make whole lists, and return their items."""
    return recsys.Bundle.of(model, data).recommend(data.user_ids.values[:n_users], n=N).items.reshape(-1, N)


def by_numpy(model: Any, data: Interactions, n_users: int) -> Int64Array:
    """Rank by a matrix product and a partition."""
    users, items = model.user_factors_, model.item_factors_
    seen, listed = data.by_user.to_scipy(), []
    for start in range(0, n_users, _BLOCK):
        stop = min(start + _BLOCK, n_users)
        scores = users[start:stop] @ items.T
        part = seen[start:stop].tocoo()
        scores[part.row, part.col] = -np.inf
        listed.append(_best(scores))
    return np.concatenate(listed)


def _best(scores: Float32Array) -> Int64Array:
    rows = np.arange(len(scores))[:, None]
    best = np.argpartition(-scores, N - 1, axis=1)[:, :N]
    return np.asarray(best[rows, np.argsort(-scores[rows, best], axis=1, kind="stable")])


def product_alone(model: Any, data: Interactions, n_users: int) -> None:
    """Multiply, and rank nothing."""
    users, items = model.user_factors_, model.item_factors_.T
    for start in range(0, n_users, _BLOCK):
        users[start : min(start + _BLOCK, n_users)] @ items


def by_implicit(model: Any, data: Interactions, n_users: int) -> Int64Array:
    """Rank by implicit's batch call."""
    from implicit.cpu.matrix_factorization_base import MatrixFactorizationBase

    class Fixed(MatrixFactorizationBase):  # type: ignore[misc]
        def fit(self, *_: Any, **__: Any) -> None: ...

        def save(self, *_: Any, **__: Any) -> None: ...

    peer = Fixed(num_threads=threads.current())
    peer.user_factors, peer.item_factors = model.user_factors_, model.item_factors_
    seen = data.by_user.to_scipy()
    from scipy.sparse import csr_matrix

    return np.asarray(peer.recommend(np.arange(n_users), csr_matrix(seen)[:n_users], N=N)[0])


def by_irspack(model: Any, data: Interactions, n_users: int) -> Int64Array:
    """Rank by irspack's scores without what was seen."""
    from irspack.recommenders.base import BaseRecommender
    from scipy.sparse import csr_matrix

    class Fixed(BaseRecommender, register_class=False):  # type: ignore[misc,call-arg]
        def _learn(self) -> None: ...

        def get_score(self, users: Any) -> Any:
            return model.user_factors_[users] @ model.item_factors_.T

        def get_score_block(self, begin: int, end: int) -> Any:
            return users_factors[begin:end] @ items

    users_factors, items = model.user_factors_, model.item_factors_.T
    peer = Fixed(csr_matrix(data.by_user.to_scipy()))
    return np.concatenate(
        [
            _best(np.asarray(peer.get_score_remove_seen_block(start, min(start + _BLOCK, n_users))))
            for start in range(0, n_users, _BLOCK)
        ]
    )


CONTENDERS: dict[str, tuple[str, Callable[[Any, Interactions, int], Any]]] = {
    "recsys": ("recsys", ours),
    "recsys, lists": ("recsys", our_lists),
    "implicit": ("implicit", by_implicit),
    "irspack": ("irspack", by_irspack),
    "numpy": ("numpy", by_numpy),
    "numpy, product alone": ("numpy", product_alone),
}


def check(listed: Int64Array, model: Any, data: Interactions) -> None:
    """Raise AssertionError unless some users' lists have the scores of a full sort."""
    for user in np.linspace(0, len(listed) - 1, _CHECKED).astype(int).tolist():
        scores = model.score_block([user])[0].astype(np.float64)
        scores[data.by_user.row(user)[0]] = -np.inf
        expected = np.sort(scores)[::-1][:N]
        np.testing.assert_allclose(scores[listed[user].astype(int)], expected, rtol=1e-4, atol=1e-4)


def measured(data: Interactions, model: Any, rounds: int, n_users: int) -> Iterator[tuple[str, float, float]]:
    """Yield the name, and the least seconds of the clock and of the processor, of each contender."""
    for name, (package, rank) in CONTENDERS.items():
        if find_spec(package) is None:
            continue
        clock, processor = [], []
        for turn in range(rounds + 1):
            began = time.perf_counter(), time.process_time()
            listed = rank(model, data, n_users)
            ended = time.perf_counter(), time.process_time()
            if turn == 0 and listed is not None:
                check(listed, model, data)
            elif turn > 0:
                clock.append(ended[0] - began[0])
                processor.append(ended[1] - began[1])
        yield name, min(clock), min(processor)


def main() -> None:
    """Print a line for each contender, rank, kind of factors and number of threads."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--ranks", type=int, nargs="+", default=[64, 128])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--kinds", nargs="+", default=["dense", "sparse"], choices=["dense", "sparse"])
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--users", type=int, default=None, help="the first so many; all by default")
    parser.add_argument("--log", type=Path, default=None)
    parser.add_argument("--generated", type=int, nargs=2, default=None, metavar=("USERS", "ITEMS"))
    arguments = parser.parse_args()
    if arguments.generated:
        data = generated(*arguments.generated)
    else:
        log = arguments.log or real_logs() / "gowalla" / "train.parquet"
        data = Interactions.from_log(recsys.load_log(log))
    n_users = min(arguments.users or data.n_users, data.n_users)
    sys.stdout.write(f"{n_users:,} users, {data.n_items:,} items; users a second, clock / processor\n")
    for rank in arguments.ranks:
        for kind in arguments.kinds:
            if kind == "dense":
                model = fixed_factors(data, rank)
            elif arguments.generated:
                model = fixed_sparse_factors(data, rank)
            else:
                model = recsys.WeightedNMF(n_components=rank, max_iter=4).fit(data)
            share = model.stored_per_row / rank
            for n_threads in arguments.threads:
                with threads.use(n_threads), threadpool_limits(n_threads):
                    for name, clock, processor in measured(data, model, arguments.rounds, n_users):
                        sys.stdout.write(
                            f"{kind} ({100 * share:.0f} % full) rank {rank}, {n_threads} threads, {name:22} "
                            f"{n_users / clock:9,.0f} / {n_users / processor:9,.0f}\n"
                        )
                        sys.stdout.flush()


if __name__ == "__main__":
    main()
