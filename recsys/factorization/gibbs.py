"""Bayesian masked factorization: draws from the posterior instead of one best point.

Legend: W (n_users, rank) and H (n_items, rank) are the factors, b and a the biases, lambda_f the
precision of a component's prior. A factor is the positive part of a latent number whose prior mean is
learned; see `recsys.kernels.gibbs` and `recsys.kernels.prior_means`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np

from recsys import rng
from recsys.checkpoints import KEEPS_NOTHING, FitState, Keeper
from recsys.data.rows import CompressedRows
from recsys.errors import ModelError
from recsys.factorization.draws import Draws
from recsys.factorization.entries import Entries, row_blocks, unit_of
from recsys.factorization.factors import DenseFactors, nonzero_share
from recsys.factorization.history import History
from recsys.factorization.squared import SquaredObjective
from recsys.factorization.starts import random_start
from recsys.kernels.gibbs import sweep_gibbs
from recsys.kernels.prior_means import sweep_prior_means
from recsys.progress import SILENT, Progress, task
from recsys.typing import AnyArray, Float32Array, Float64Array

# Gamma priors of precisions have this shape and rate: weak, one observation's worth.
_SHAPE, _RATE = 1.0, 1.0
# That a user's noise is like everyone's counts as much as this many ratings.
_NOISE_WEIGHT = 4.0
# The chain starts with products of this mean, in standard deviations of the values. From small
# products themes grow slowly and many of them not at all (chosen, as the number above, on inner
# splits of MovieLens 100K).
_START_SPREAD = 4.0
_N_KEPT = 5  # arrays of each draw that is kept


_OF_ROWS = ("latent", "bias", "tau")
_OF_PRIOR = ("levels", "weights", "prior_means", "weight_precisions")


class _Side:
    """One side of the chain: its entries, the state of its rows and of their prior."""

    def __init__(self, rows: CompressedRows, columns: CompressedRows, latent: Float32Array) -> None:
        rank = latent.shape[1]
        self.rows, self.latent = rows, latent
        self.bias: Float32Array = np.zeros(rows.n_rows, dtype=np.float32)
        self.tau: Float32Array = np.ones(rows.n_rows, dtype=np.float32)
        self.squared_error: Float64Array = np.zeros(rows.n_rows)
        self._columns, self._blocks = columns, row_blocks(rows.indptr)
        self._scale = np.maximum(rows.counts, 1) ** -0.5
        squares = np.bincount(
            rows.columns, weights=self._scale[rows.row_numbers] ** 2, minlength=rows.n_columns
        )
        self._squares = squares.astype(np.float64)  # without entries they come as whole numbers
        self._levels, self._weights = np.zeros(rank), np.zeros((rank, rows.n_columns))
        self._prior_means = np.zeros((rank, rows.n_rows))
        self._weight_precisions, self._bias_precision = np.ones(rank), 1.0

    @property
    def factors(self) -> Float32Array:
        """The factors, (n_rows, rank)."""
        return np.maximum(self.latent, np.float32(0))

    def sweep(self, mean: np.float32, other: _Side, precisions: Float64Array, key: np.uint64) -> None:
        """Draw biases and factors, the other side held."""
        sweep_gibbs(
            self._blocks,
            self.rows.indptr,
            self.rows.columns,
            self.rows.values,
            mean,
            self.latent,
            self.bias,
            self.tau,
            other.latent,
            other.bias,
            other.tau,
            self._prior_means,
            precisions,
            self._bias_precision,
            key,
            self.squared_error,
        )

    def to_arrays(self, prefix: str) -> dict[str, AnyArray]:
        """Return all that the next sweep goes by as named arrays."""
        arrays = {f"{prefix}{name}": getattr(self, f"_{name}") for name in _OF_PRIOR}
        arrays |= {f"{prefix}{name}": getattr(self, name) for name in _OF_ROWS}
        return {**arrays, f"{prefix}bias_precision": np.array([self._bias_precision])}

    def resume(self, arrays: Mapping[str, AnyArray], prefix: str) -> None:
        """Take back what `to_arrays` gave."""
        for name in _OF_PRIOR:
            setattr(self, f"_{name}", arrays[f"{prefix}{name}"].copy())
        for name in _OF_ROWS:
            setattr(self, name, arrays[f"{prefix}{name}"].copy())
        self._bias_precision = float(arrays[f"{prefix}bias_precision"][0])

    def draw_prior(self, precisions: Float64Array, generator: np.random.Generator) -> Float64Array:
        """Draw all that the prior rests on but ``precisions``; return the squares these are drawn from."""
        normals = generator.standard_normal((len(precisions), self.rows.n_columns + 1))
        sweep_prior_means(
            self._columns.indptr,
            self._columns.columns,
            self._scale,
            self._squares,
            self.latent,
            precisions,
            self._weight_precisions,
            normals,
            self._levels,
            self._weights,
            self._prior_means,
        )
        self._weight_precisions = _precisions(generator, self.rows.n_columns, _squares(self._weights.T))
        self._bias_precision = float(_precisions(generator, self.rows.n_rows, _squares(self.bias)))
        return _squares(self.latent - self._prior_means.T)


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
    keeper: Keeper = KEEPS_NOTHING,
    progress: Progress = SILENT,
) -> tuple[Draws, History]:
    """Run one Gibbs chain.

    The model: ``x_ui ~ Normal(mean + b_u + a_i + w_u . h_i, 1 / tau_u)`` with ``w_uf = max(0, g_uf)``,
    ``g_uf ~ Normal(level_f + n_u^-1/2 sum_j y_jf, 1 / lambda_f)`` over the ``n_u`` items j that the
    user rated at all, weights ``y_jf`` of any sign from normals of mean 0, and the same for items over
    the users who rated them; biases from normals of mean 0; all precisions from gammas, those of a
    user's noise around a common one. Both sides share ``lambda_f``, for the product of a component's
    factors fixes only the product of their scales; each side has levels of its own, from standard
    normals. ``mean`` is that of the values. The gammas are of shape and rate 1 in the unit of
    `unit_of`, but for a user's own noise, of shape and rate 2.

    Parameters
    ----------
    by_user, by_item : CompressedRows
    rank : int
    n_burn_in : int
        Sweeps before the first draw counts.
    n_draws : int
        Sweeps after that.
    n_kept : int
        How many of these, evenly spaced, are kept; at most ``n_draws``.
    seed : int
        Same seed, same bits, for any number of threads.
    chain : int
        Number of the chain: each has a start and draws of its own.
    name : str
    keeper : Keeper
        Keeps where the chain stands, and what it came to.
    progress : Progress

    Returns
    -------
    draws : Draws
        In the units of the data; after an interrupt (KeyboardInterrupt) those kept so far.
    history : History
        The objective is half the squared error of each sweep's state; it falls and then wanders.

    Raises
    ------
    ModelError
        If the chain leaves the numbers.
    KeyboardInterrupt
        If interrupted before a draw was kept.
    """
    part = f"chain {chain}"
    before = keeper.state_of(part)
    if before is not None and before.is_final:
        return Draws.from_arrays(before.arrays), History.from_json(before.record)
    unit = unit_of(by_user.values)
    scaled = np.float32(unit)
    user_rows, item_rows = (rows.with_values(rows.values / scaled) for rows in (by_user, by_item))
    objective = SquaredObjective(biases=True, start_spread=_START_SPREAD)
    start = random_start(objective, Entries(user_rows, item_rows), rank, seed=seed, number=chain).factors
    users = _Side(user_rows, item_rows, start.user_factors)
    items = _Side(item_rows, user_rows, start.item_factors)
    mean = np.float32(np.mean(user_rows.values, dtype=np.float64))
    generator = rng.stream(seed, "bayesian-nmf", "precisions", chain)
    keys = (
        rng.stream(seed, "bayesian-nmf", "sweeps", chain)
        .integers(2**63, size=(n_burn_in + n_draws, 2))
        .astype(np.uint64)
    )
    tau = 1.0
    own_tau: Float64Array = np.ones(users.rows.n_rows)
    precisions: Float64Array = np.ones(rank)
    keep_after = n_burn_in + np.arange(1, n_kept + 1) * n_draws // n_kept - 1
    kept: list[tuple[AnyArray, ...]] = []
    history = History()
    n_done = 0
    if before is not None:
        n_done, tau, history = before.record["n_done"], before.record["tau"], History.from_json(before.record)
        generator.bit_generator.state = before.record["generator"]
        own_tau = before.arrays["own_tau"].astype(np.float64)
        precisions = before.arrays["precisions"].astype(np.float64)
        kept = [
            tuple(before.arrays[f"kept {n}"][k] for n in range(_N_KEPT))
            for k in range(before.record["n_kept"])
        ]
        users.resume(before.arrays, "users ")
        items.resume(before.arrays, "items ")

    def state(n_done: int) -> FitState:
        fields = [np.stack(arrays) for arrays in zip(*kept, strict=True)]
        return FitState(
            {
                **history.to_json(),
                "n_done": n_done,
                "n_kept": len(kept),
                "tau": tau,
                "generator": generator.bit_generator.state,
            },
            {
                "own_tau": own_tau,
                "precisions": precisions,
                **{f"kept {number}": arrays for number, arrays in enumerate(fields)},
                **users.to_arrays("users "),
                **items.to_arrays("items "),
            },
        )

    began = time.perf_counter() - (history.seconds[-1] if history.seconds else 0.0)
    with task(progress, name, n_burn_in + n_draws) as running, _kept_at_interrupt(kept, history):
        if n_done:
            running.advance(n_done, "from a checkpoint")
        for sweep in range(n_done, n_burn_in + n_draws):
            users.sweep(mean, items, precisions, keys[sweep, 0])
            tau = float(_precisions(generator, users.rows.nnz, np.sum(own_tau * users.squared_error)))
            own_tau = _precisions(
                generator, users.rows.counts, tau * users.squared_error, _NOISE_WEIGHT / 2, _NOISE_WEIGHT / 2
            )
            users.tau = (tau * own_tau).astype(np.float32)
            items.sweep(mean, users, precisions, keys[sweep, 1])
            error = float(np.sum(items.squared_error))
            if not np.isfinite(error):
                raise ModelError(f"{name}: the squared error became {error} after {sweep + 1} sweeps.")
            squares = users.draw_prior(precisions, generator) + items.draw_prior(precisions, generator)
            precisions = _precisions(generator, users.rows.n_rows + items.rows.n_rows, squares)
            history.objective.append(0.5 * error * unit**2)
            history.seconds.append(time.perf_counter() - began)
            history.nonzero_share.append(
                nonzero_share(DenseFactors(users.factors), DenseFactors(items.factors))
            )
            running.iterate(f"noise {unit / np.sqrt(tau):.4g}", objective=history.objective[-1])
            if sweep in keep_after:
                # The mean of 1 / own_tau given the rest, not the draw of it: for users of few values
                # the draws spread without bound.
                mass = (_NOISE_WEIGHT + users.rows.counts) / 2 - 1
                noise = unit**2 / tau * (_NOISE_WEIGHT + tau * users.squared_error) / 2 / mass
                kept.append((*_balanced(users, items), users.bias.copy(), items.bias.copy(), noise))
            keeper.keep(part, partial(state, sweep + 1))
    root = np.sqrt(scaled)
    stacked = [np.stack(arrays) for arrays in zip(*kept, strict=True)]
    total = np.zeros(users.rows.n_rows)
    for noise in stacked[4]:
        total += noise
    with np.errstate(over="ignore"):  # it is looked for below
        draws = Draws(
            mean=float(mean) * unit,
            user_factors=stacked[0] * root,
            item_factors=stacked[1] * root,
            user_bias=stacked[2] * scaled,
            item_bias=stacked[3] * scaled,
            noise=total / len(kept),
        )
    if not draws.largest_score < float(np.finfo(np.float32).max):
        raise ModelError(
            f"{name}: scores would be beyond single precision (3.4e38); give the values in larger units."
        )
    if history.stopped != "interrupted":
        keeper.finish(part, lambda: FitState(history.to_json(), draws.to_arrays(), is_final=True))
    return draws, history


@contextmanager
def _kept_at_interrupt(kept: Sequence[object], history: History) -> Iterator[None]:
    """Let an interrupt end a chain early once a draw was kept, with the history of whole sweeps."""
    try:
        yield
    except KeyboardInterrupt:
        if not kept:
            raise
        history.stopped = "interrupted"
        lists = (history.objective, history.seconds, history.nonzero_share)
        n_whole = min(map(len, lists))
        for numbers in lists:
            del numbers[n_whole:]


def _balanced(users: _Side, items: _Side) -> tuple[Float32Array, Float32Array]:
    """Return the factors of both sides, components scaled to equal norms; products stay as they are."""
    w, h = users.factors, items.factors
    norms = np.sqrt(_squares(w)), np.sqrt(_squares(h))
    both = (norms[0] > 0) & (norms[1] > 0)
    ratio = np.divide(norms[1], norms[0], where=both, out=np.ones(len(both)))
    factor: Float32Array = np.sqrt(ratio).astype(np.float32)
    return w * factor, h / factor


def _squares(numbers: Float32Array | Float64Array) -> Float64Array:
    """Return the sum of squares of each column."""
    squares: Float64Array = np.sum(numbers.astype(np.float64) ** 2, axis=0)
    return squares


def _precisions(
    generator: np.random.Generator, n: Any, squares: Any, shape: float = _SHAPE, rate: float = _RATE
) -> Any:
    """Draw precisions, each given ``n`` normal numbers of mean 0 and the sum of their squares."""
    return generator.gamma(shape + np.asarray(n) / 2, 1.0 / (rate + np.asarray(squares) / 2))
