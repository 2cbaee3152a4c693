"""Ours and the peers on a log of purchases, clicks or check-ins: train, then a model that ranks.

A peer gets its matrix as it likes it, single precision where it offers it, and one process of its own.
What it returns are its factors; everybody's lists come from the same code.
"""

from __future__ import annotations

import contextlib
import io
from dataclasses import replace
from typing import Any, ClassVar, TypeAlias

import numpy as np
from scipy import sparse

from recsys import Interactions, threads
from recsys.factorization.factors import Factors
from recsys.models.base import Model
from recsys.models.factor_model import FactorModel
from recsys.models.hybrid_nmf import HybridNMF
from recsys.models.weighted_nmf import WeightedNMF
from recsys.progress import Progress
from tests.benchmarks.contender import Contender


class Given(FactorModel):
    """Factors that a peer learned."""

    name: ClassVar[str] = "given"

    def __init__(self, users: Any, items: Any) -> None:
        self._learned(Factors.unbiased(np.asarray(users, np.float32), np.asarray(items, np.float32)))
        self.n_users_, self.n_items_ = len(users), len(items)

    def _fit(self, data: Interactions, progress: Progress) -> None:
        raise TypeError("these factors were learned elsewhere")


RankingContender: TypeAlias = Contender[Interactions, Model]


def _train_ours(data: Interactions, rank: int, n_iter: int, n_threads: int, **settings: Any) -> Model:
    with threads.use(n_threads):
        # A copy knows no by_item yet: its making is part of our time.
        return WeightedNMF(n_components=rank, max_iter=n_iter, tol=0.0, **settings).fit(replace(data))


def _train_hybrid(data: Interactions, rank: int, n_iter: int, n_threads: int, **settings: Any) -> Model:
    with threads.use(n_threads):
        return HybridNMF(n_components=rank, max_iter=n_iter, ratings="no", **settings).fit(replace(data))


def _ones(data: Interactions) -> sparse.csr_matrix:
    rows = data.by_user
    shape = (rows.n_rows, rows.n_columns)
    return sparse.csr_matrix((np.ones(rows.nnz, np.float32), rows.columns, rows.indptr), shape=shape)


def _train_implicit(matrix: Any, rank: int, n_iter: int, n_threads: int, *, alpha: float, l2: float) -> Model:
    from implicit.cpu.als import AlternatingLeastSquares
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, "blas"):
        model = AlternatingLeastSquares(
            factors=rank,
            alpha=alpha,
            regularization=l2,
            iterations=n_iter,
            num_threads=n_threads,
            random_state=0,
        )
        model.fit(matrix, show_progress=False)
    return Given(model.user_factors, model.item_factors)


def _train_irspack(
    matrix: Any, rank: int, n_iter: int, n_threads: int, *, absent: float, l2: float, nu: float
) -> Model:
    from irspack.recommenders import IALSRecommender

    with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
        model = IALSRecommender(
            matrix,
            n_components=rank,
            alpha0=absent,
            reg=l2,
            nu=nu,
            train_epochs=n_iter,
            n_threads=n_threads,
            random_seed=0,
        ).learn()
    return Given(model.get_user_embedding(), model.get_item_embedding())


def _train_cmfrec(matrix: Any, rank: int, n_iter: int, n_threads: int, *, alpha: float, l2: float) -> Model:
    from cmfrec import CMF_implicit

    model = CMF_implicit(
        k=rank,
        alpha=alpha,
        lambda_=l2,
        niter=n_iter,
        nonneg=True,
        nthreads=n_threads,
        use_float=True,
        random_state=0,
        precompute_for_predictions=False,
        produce_dicts=False,
    ).fit(matrix)
    return Given(model.A_, model.B_)


OURS = "weighted-nmf"
CONTENDERS = {
    OURS: RankingContender("recsys", lambda data: data, _train_ours),
    "hybrid-nmf": RankingContender("recsys", lambda data: data, _train_hybrid),
    "implicit-als": RankingContender("implicit", _ones, _train_implicit),
    "irspack-ials": RankingContender("irspack", _ones, _train_irspack),
    "cmfrec-nonneg": RankingContender("cmfrec", lambda data: _ones(data).tocoo(), _train_cmfrec),
}


def stored_per_row(model: Model) -> float:
    """Return how many factors a model stores per user or item."""
    assert isinstance(model, FactorModel)
    return sum(model.n_factors_stored) / (model.n_users_ + model.n_items_)
