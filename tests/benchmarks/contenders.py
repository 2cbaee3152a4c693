"""Ours and the peers behind one pair of calls: prepare (not timed), then train (timed).

A peer gets the form of data it likes best, single precision where it offers it, and every switch
its documentation names for speed; its predictions are taken from its factors by NumPy where it
has factors. Users and items without training ratings get what the peer itself would say, or, where
it says nothing, the mean of the training values.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import io
import os
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from tests.benchmarks.contender import Contender
from tests.benchmarks.ratings import Predict, Ratings, falling_back, products

RatingContender: TypeAlias = Contender[Ratings, Predict]


# -- ours ---------------------------------------------------------------------------------------


def _prepare_ours(train: Ratings) -> Any:
    from recsys import Interactions

    return Interactions.from_matrix(train.coo())


def _train_ours(data: Any, rank: int, n_iter: int, n_threads: int, **settings: Any) -> Predict:
    from recsys import MaskedNMF, threads

    if "warm_up" in settings:  # a fit of few sweeps has a short one
        settings["warm_up"] = min(settings["warm_up"], n_iter - 1)
    model = MaskedNMF(n_components=rank, max_iter=n_iter, tol=0.0, **settings)
    with threads.use(n_threads):
        # A copy knows no by_item yet: its making is part of our time.
        predict: Predict = model.fit(replace(data)).predict_by_row
    return predict


# -- LibMF --------------------------------------------------------------------------------------


class _Problem(ctypes.Structure):
    """LibMF's mf_problem."""

    _fields_ = (
        ("m", ctypes.c_int),
        ("n", ctypes.c_int),
        ("nnz", ctypes.c_longlong),
        ("R", ctypes.c_void_p),
    )


def _libmf() -> Any:
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")  # the module greets on import, and its code has a warning
        return importlib.import_module("libmf.mf")


def _prepare_libmf(train: Ratings) -> tuple[Any, Ratings]:
    nodes = np.empty(len(train), dtype=[("u", np.int32), ("v", np.int32), ("r", np.float32)])
    nodes["u"], nodes["v"], nodes["r"] = train.users, train.items, train.values
    return nodes, train


def _train_libmf(nonnegative: bool) -> Callable[..., Predict]:
    """Call LibMF's own mf_train: the package's fit would copy the data three times, and keep one."""

    def train(
        prepared: tuple[Any, Ratings], rank: int, n_iter: int, n_threads: int, *, l2: float, eta: float
    ) -> Predict:
        libmf = _libmf()
        nodes, ratings = prepared
        parameters = libmf.MF(
            fun=libmf.P_L2_MFR,
            k=rank,
            nr_threads=n_threads,
            nr_iters=n_iter,
            lambda_p2=l2,
            lambda_q2=l2,
            lambda_p1=0.0,
            lambda_q1=0.0,
            eta=eta,
            do_nmf=nonnegative,
            quiet=True,
            copy_data=True,
        )._options
        libmf.mf.mf_train.restype = ctypes.POINTER(libmf.MFModel)
        libmf.mf.mf_train.argtypes = (ctypes.POINTER(_Problem), libmf.MFParam)
        problem = _Problem(ratings.n_users, ratings.n_items, len(nodes), nodes.ctypes.data)
        model = libmf.mf.mf_train(ctypes.byref(problem), parameters)
        at = model.contents
        user_factors = np.ctypeslib.as_array(at.P, (at.m, at.k)).copy()
        item_factors = np.ctypeslib.as_array(at.Q, (at.n, at.k)).copy()
        libmf.mf.mf_destroy_model(ctypes.byref(model))
        return falling_back(products(user_factors, item_factors), ratings)

    return train


# -- cmfrec -------------------------------------------------------------------------------------


def _prepare_cmfrec(train: Ratings) -> tuple[Any, Ratings]:
    return train.coo(), train


def _train_cmfrec(nonnegative: bool) -> Callable[..., Predict]:
    def train(
        prepared: tuple[Any, Ratings], rank: int, n_iter: int, n_threads: int, *, l2: float, biases: bool
    ) -> Predict:
        from cmfrec import CMF

        matrix, ratings = prepared
        model = CMF(
            k=rank,
            lambda_=l2,
            scale_lam=True,
            nonneg=nonnegative,
            center=not nonnegative,
            user_bias=biases,
            item_bias=biases,
            niter=n_iter,
            nthreads=n_threads,
            use_float=True,
            use_cg=True,
            finalize_chol=False,
            precompute_for_predictions=False,
            produce_dicts=False,
        ).fit(matrix)
        return falling_back(
            products(model.A_, model.B_, model.user_bias_, model.item_bias_, model.glob_mean_), ratings
        )

    return train


# -- Surprise -----------------------------------------------------------------------------------


def _prepare_surprise(train: Ratings) -> Any:
    import pandas as pd
    from surprise import Dataset, Reader

    table = pd.DataFrame({"user": train.users, "item": train.items, "value": train.values})
    return Dataset.load_from_df(table, Reader(rating_scale=(1, 5))).build_full_trainset()


def _train_surprise(algorithm: str, **fixed: Any) -> Callable[..., Predict]:
    def train(trainset: Any, rank: int, n_iter: int, n_threads: int, l2: float, **settings: Any) -> Predict:
        import surprise

        sides = ("reg_pu", "reg_qi") if algorithm == "NMF" else ("reg_all",)
        settings |= dict.fromkeys(sides, l2)
        model = getattr(surprise, algorithm)(
            n_factors=rank, n_epochs=n_iter, random_state=0, **fixed, **settings
        )
        model.fit(trainset)
        return lambda users, items: np.array(
            [model.predict(user, item).est for user, item in zip(users.tolist(), items.tolist(), strict=True)]
        )

    return train


# -- myfm ---------------------------------------------------------------------------------------


def _one_hot(users: Any, items: Any, n_users: int, n_items: int) -> Any:
    from scipy import sparse

    columns = np.column_stack([users, items.astype(np.int64) + n_users]).ravel()
    indptr = np.arange(0, len(columns) + 1, 2)
    return sparse.csr_matrix((np.ones(len(columns)), columns, indptr), shape=(len(users), n_users + n_items))


def _prepare_myfm(train: Ratings) -> tuple[Any, Ratings]:
    return _one_hot(train.users, train.items, train.n_users, train.n_items), train


def _train_myfm(prepared: tuple[Any, Ratings], rank: int, n_iter: int, n_threads: int) -> Predict:
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")  # pkg_resources, and a progress bar
        import myfm

        matrix, ratings = prepared
        model = myfm.MyFMRegressor(rank=rank, random_seed=0).fit(
            matrix, ratings.values, n_iter=n_iter, group_shapes=[ratings.n_users, ratings.n_items]
        )
    return lambda users, items: model.predict(_one_hot(users, items, ratings.n_users, ratings.n_items))


OURS = {"masked-nmf": RatingContender("recsys", _prepare_ours, _train_ours)}
PEERS = {
    "libmf-nmf": RatingContender("libmf", _prepare_libmf, _train_libmf(nonnegative=True)),
    "libmf-mf": RatingContender("libmf", _prepare_libmf, _train_libmf(nonnegative=False)),
    "cmfrec-nonneg": RatingContender("cmfrec", _prepare_cmfrec, _train_cmfrec(nonnegative=True)),
    "cmfrec-als": RatingContender("cmfrec", _prepare_cmfrec, _train_cmfrec(nonnegative=False)),
    "surprise-nmf": RatingContender("scikit-surprise", _prepare_surprise, _train_surprise("NMF")),
    "surprise-biased-nmf": RatingContender(
        "scikit-surprise", _prepare_surprise, _train_surprise("NMF", biased=True)
    ),
    "surprise-svd": RatingContender("scikit-surprise", _prepare_surprise, _train_surprise("SVD")),
    "surprise-svdpp": RatingContender("scikit-surprise", _prepare_surprise, _train_surprise("SVDpp")),
    "myfm": RatingContender("myfm", _prepare_myfm, _train_myfm),
}
CONTENDERS = OURS | PEERS


def missing(name: str) -> str | None:
    """Return why a contender cannot run here, or None."""
    return None if CONTENDERS[name].version else f"{CONTENDERS[name].package} is not installed"


def libmf_vectors() -> str:
    """Return which vector registers the installed LibMF uses, read off its machine code."""
    if missing("libmf-nmf"):
        return "LibMF is not installed"
    import shutil
    import subprocess

    objdump = shutil.which("objdump")
    if objdump is None:
        return "unknown (objdump is not installed)"
    code = subprocess.run(
        [objdump, "-d", os.fspath(_libmf().compiled_src)], capture_output=True, text=True, check=True
    ).stdout
    return "AVX" if "%ymm" in code else "none: reinstall it with -DUSEAVX, see README.md"
