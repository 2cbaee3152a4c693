"""Bayesian masked factorization: draws from the posterior instead of one best point.

Legend: W (n_users, rank) and H (n_items, rank) are the factors, b and a the biases, tau the
precision of the noise, lambda_f that of the prior of a theme.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recsys import rng, threads
from recsys.data.rows import CompressedRows
from recsys.errors import ModelError
from recsys.factorization.descent import History
from recsys.factorization.factors import nonzero_share
from recsys.factorization.masked import random_start, unit_of
from recsys.factorization.sharing import row_blocks
from recsys.kernels.gibbs import sweep_gibbs
from recsys.progress import SILENT, Progress, task
from recsys.typing import Float32Array, Float64Array

# Gamma priors of all precisions have this shape and rate: weak, one observation's worth.
_SHAPE, _RATE = 1.0, 1.0
# The chain starts with products that overshoot the spread of the values fourfold. From small
# products themes grow slowly and many of them not at all (chosen on inner splits of MovieLens 100K).
_START_LEVEL = 4.0


@dataclass
class Draws:
    """What is kept of the chain.

    Attributes
    ----------
    mean : float
        The constant part of a prediction.
    user_factors, item_factors : float32, (n_kept, n_users, rank), (n_kept, n_items, rank)
        Evenly spaced draws.
    user_bias, item_bias : float32, (n_kept, n_users), (n_kept, n_items)
    noise : float64, (n_kept,)
        Variance of the noise, 1 / tau.
    """

    mean: float
    user_factors: Float32Array
    item_factors: Float32Array
    user_bias: Float32Array
    item_bias: Float32Array
    noise: Float64Array


def sample(
    by_user: CompressedRows,
    by_item: CompressedRows,
    *,
    rank: int,
    n_burn_in: int,
    n_draws: int,
    n_kept: int,
    seed: int,
    chain: int = 0,
    name: str = "bayesian-nmf",
    progress: Progress = SILENT,
) -> tuple[Draws, History]:
    """Run one Gibbs chain.

    The model: ``x_ui ~ Normal(mean + b_u + a_i + w_u . h_i, 1 / tau)`` with ``w_uf, h_if`` from
    normals of mean 0 and precision ``lambda_f``, cut at 0; ``b_u``, ``a_i`` from normals of mean 0;
    all precisions from gammas. Both sides share ``lambda_f``, for the product of a theme's factors
    fixes only the product of their scales.

    Parameters
    ----------
    by_user, by_item : CompressedRows
    rank : int
    n_burn_in : int
        Sweeps before the first draw counts.
    n_draws : int
        Sweeps after that.
    n_kept : int
        How many of these, evenly spaced, are kept.
    seed : int
        Same seed, same bits, for any number of threads.
    chain : int
        Number of the chain: each has a start and draws of its own.
    name : str
    progress : Progress

    Returns
    -------
    draws : Draws
        In the units of the data.
    history : History
        The objective is half the squared error of each sweep's state; it falls and then wanders.

    Raises
    ------
    ModelError
        If the chain leaves the numbers.
    """
    unit = unit_of(by_user.values)
    scaled = np.float32(unit)
    users, items = (rows.with_values(rows.values / scaled) for rows in (by_user, by_item))
    start = random_start(users, rank, biases=True, seed=seed, level=_START_LEVEL, chain=chain)
    w, h, b, a = start.user_factors, start.item_factors, start.user_bias, start.item_bias
    mean = np.float32(start.mean)
    chance = rng.stream(seed, "bayesian-nmf", "precisions", chain)
    keys = (
        rng.stream(seed, "bayesian-nmf", "sweeps", chain)
        .integers(2**63, size=(n_burn_in + n_draws, 2))
        .astype(np.uint64)
    )
    user_error, item_error = np.zeros(users.n_rows), np.zeros(items.n_rows)
    user_blocks, item_blocks = row_blocks(users.indptr), row_blocks(items.indptr)
    tau, precisions, user_precision, item_precision = 1.0, np.ones(rank), 1.0, 1.0
    keep_after = np.unique(np.linspace(n_burn_in, n_burn_in + n_draws, n_kept + 1)[1:].astype(int)) - 1
    kept: list[tuple[Float32Array, ...]] = []
    noise: list[float] = []
    history = History()
    began = time.perf_counter()
    with task(progress, name, n_burn_in + n_draws) as running:
        for sweep in range(n_burn_in + n_draws):
            with threads.launch():
                sweep_gibbs(
                    user_blocks, users.indptr, users.columns, users.values, mean, w, b, h, a,
                    tau, precisions, user_precision, keys[sweep, 0], user_error,
                )  # fmt: skip
                sweep_gibbs(
                    item_blocks, items.indptr, items.columns, items.values, mean, h, a, w, b,
                    tau, precisions, item_precision, keys[sweep, 1], item_error,
                )  # fmt: skip
            error = float(np.sum(item_error))
            if not np.isfinite(error):
                raise ModelError(f"{name}: the squared error became {error} after {sweep + 1} sweeps.")
            tau = _precision(chance, users.nnz, error)
            squares = np.sum(w.astype(np.float64) ** 2, axis=0) + np.sum(h.astype(np.float64) ** 2, axis=0)
            precisions = np.array([_precision(chance, len(w) + len(h), square) for square in squares])
            user_precision = _precision(chance, len(b), float(np.sum(b.astype(np.float64) ** 2)))
            item_precision = _precision(chance, len(a), float(np.sum(a.astype(np.float64) ** 2)))
            history.objective.append(0.5 * error * unit**2)
            history.seconds.append(time.perf_counter() - began)
            history.nonzero_share.append(nonzero_share(w, h))
            running.advance(1, f"noise {unit / np.sqrt(tau):.4g}")
            if sweep in keep_after:
                kept.append((w.copy(), h.copy(), b.copy(), a.copy()))
                noise.append(unit**2 / tau)
    root = np.sqrt(scaled)
    stacked = [np.stack(arrays) for arrays in zip(*kept, strict=True)]
    draws = Draws(
        mean=float(mean) * unit,
        user_factors=stacked[0] * root,
        item_factors=stacked[1] * root,
        user_bias=stacked[2] * scaled,
        item_bias=stacked[3] * scaled,
        noise=np.array(noise),
    )
    return draws, history


def _precision(chance: np.random.Generator, n: int, squares: float) -> float:
    """Draw a precision given ``n`` normal numbers of mean 0 and the sum of their squares."""
    return float(chance.gamma(_SHAPE + n / 2, 1.0 / (_RATE + squares / 2)))


def joined(chains: Sequence[Draws]) -> Draws:
    """Return the draws of several chains of the same model as one, chain after chain."""
    return Draws(
        mean=chains[0].mean,
        user_factors=np.concatenate([chain.user_factors for chain in chains]),
        item_factors=np.concatenate([chain.item_factors for chain in chains]),
        user_bias=np.concatenate([chain.user_bias for chain in chains]),
        item_bias=np.concatenate([chain.item_bias for chain in chains]),
        noise=np.concatenate([chain.noise for chain in chains]),
    )
