"""Bayesian non-negative matrix factorization: for ratings, with honest intervals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from statistics import NormalDist
from typing import Any, ClassVar

import numpy as np

from recsys.checkpoints import KEEPS_NOTHING, Keeper
from recsys.data.interactions import Interactions
from recsys.data.log import Feedback
from recsys.errors import ModelError, ParameterError
from recsys.factorization.draws import Draws, concatenate
from recsys.factorization.factors import Factors, SideFactors
from recsys.factorization.gibbs import sample
from recsys.factorization.history import History
from recsys.kernels.scoring import score_pairs
from recsys.models.factor_model import FactorModel
from recsys.models.parameters import param
from recsys.models.registry import register_model
from recsys.models.search import Range
from recsys.models.stored_arrays import numbers_were_checked, require
from recsys.progress import Progress
from recsys.typing import AnyArray, Float32Array, Float64Array

_ARRAYS = ("user_factors", "item_factors", "user_bias", "item_bias")


@register_model
@dataclass(eq=False)
class BayesianNMF(FactorModel):
    """Ratings as sums of non-negative themes, averaged over draws from the posterior.

    The model of `MaskedNMF` with priors in the place of penalties, so that no penalty is to be tuned;
    what is to be chosen is the number of themes and how long the chains are (where ratings are few,
    more sweeps than the defaults pay: see whether ``history_.objective`` still falls). The priors
    learn from who rated what at all: a user's factors are expected near what the items they rated
    say, an item's near what its raters say, whatever the ratings were. Each user has a noise of
    their own.

    Predictions are means over the draws of several chains, since one stays near where it started;
    factors for ranking and explanations are posterior means of the first chain (themes of different
    chains have nothing in common), non-negative as every draw is. A score is therefore near the
    predicted value, but not that value; and a factor that is zero in most draws is small here, seldom
    exactly zero.

    Sources: Schmidt, Winther & Hansen (2009); Salakhutdinov & Mnih (2008); Koren (2008) for what was
    rated at all; Simm et al. (2017) for its place in the prior; Rendle, Zhang & Koren (2019), "On the
    difficulty of evaluating baselines", for what it brings.

    Attributes
    ----------
    draws_ : Draws
        ``n_chains x n_kept`` draws, chain after chain, in the units of the log.
    user_factors_, item_factors_, user_bias_, item_bias_, mean_, shares_
        Posterior means over the draws of the first chain; see `FactorModel`.
    history_ : History
        Of the first chain.
    value_range_ : tuple of float
        Least and largest value seen; predictions stay inside.

    Examples
    --------
    >>> from recsys import BayesianNMF, Interactions
    >>> users, items = ["ann", "ann", "bob", "bob"], ["tea", "milk", "tea", "jam"]
    >>> data = Interactions.from_pairs(users, items, [5, 4, 3, 1])
    >>> model = BayesianNMF(n_components=2, n_burn_in=5, n_draws=20).fit(data)
    >>> model.predict_by_row([0], [2]).shape
    (1,)
    """

    name: ClassVar[str] = "bayesian-nmf"
    predicts_values: ClassVar[bool] = True
    ranks_by_value: ClassVar[bool] = True
    is_sampled: ClassVar[bool] = True
    keeps_checkpoints: ClassVar[bool] = True
    feedback: ClassVar[Feedback] = "explicit"

    n_components: int = param(16, "number of themes", minimum=1, search=Range(8, 64, log=True))
    _: KW_ONLY
    n_chains: int = param(4, "chains, each from a start of its own", minimum=1)
    n_burn_in: int = param(100, "sweeps of a chain before the first draw counts", minimum=0)
    n_draws: int = param(400, "sweeps of a chain after that", minimum=1)
    n_kept: int = param(20, "draws kept of a chain, evenly spaced; memory and files grow with it", minimum=1)
    random_state: int = param(0, "seed of the starts and of the draws", minimum=0)

    @property
    def takes_negative(self) -> bool:
        """Whether ratings may be below 0: they stand on a mean and biases."""
        return True

    def _fit(self, data: Interactions, progress: Progress, keeper: Keeper = KEEPS_NOTHING) -> None:
        chains: list[Draws] = []
        first_history: History | None = None
        for chain in range(self.n_chains):
            try:
                draws, history = self._sampled(data, chain, progress, keeper)
            except KeyboardInterrupt:
                if first_history is None:
                    raise
                first_history.stopped = "interrupted"
                break
            first_history = first_history or history
            if history.stopped != "interrupted" or not chains:
                chains.append(
                    draws
                )  # all chains count alike: of a later one that was cut off nothing is kept
            if history.stopped == "interrupted":
                first_history.stopped = "interrupted"
                break
        first = chains[0]
        self._n_sampled = {"n_chains": len(chains), "n_kept": len(first.user_factors)}
        means = Factors.unbiased(*(side.mean(axis=0) for side in (first.user_factors, first.item_factors)))
        _, shares, order = means.by_share(data.by_user)
        first.user_factors = np.ascontiguousarray(first.user_factors[:, :, order])
        first.item_factors = np.ascontiguousarray(first.item_factors[:, :, order])
        values = data.by_user.values
        self._keep_draws(concatenate(chains), (float(values.min()), float(values.max())), len(chains))
        self.shares_, self.history_ = shares, first_history

    def fit_bytes(self, data: Interactions) -> int:
        """Return about how many bytes a fit takes: draws of all chains, twice while they are joined."""
        n_draws = self.n_chains * min(self.n_kept, self.n_draws)
        return super().fit_bytes(data) + 4 * 2 * n_draws * (self.n_components + 1) * (
            data.n_users + data.n_items
        )

    less_memory: ClassVar[str] = "take fewer components, chains or draws kept (n_kept)"

    def _sampled(
        self, data: Interactions, chain: int, progress: Progress, keeper: Keeper
    ) -> tuple[Draws, History]:
        return sample(
            data.by_user,
            data.by_item,
            rank=self.n_components,
            n_burn_in=self.n_burn_in,
            n_draws=self.n_draws,
            n_kept=min(self.n_kept, self.n_draws),
            seed=int(self.random_state),
            chain=chain,
            name=self.name,
            keeper=keeper,
            progress=progress,
        )

    def _resolved_params(self, data: Interactions) -> dict[str, Any]:
        """Return the chains and draws that there are: fewer where the fit was interrupted."""
        resolved = super()._resolved_params(data)
        is_cut = self.history_ is not None and self.history_.stopped == "interrupted"
        return {**resolved, **self._n_sampled} if is_cut else resolved

    def _keep_draws(self, draws: Draws, value_range: tuple[float, float], n_chains: int) -> None:
        """Take over draws of some chains, and the means of the first one's."""
        n_first = len(draws.user_factors) // n_chains
        means = {name: getattr(draws, name)[:n_first].mean(axis=0, dtype=np.float64) for name in _ARRAYS}
        user_factors, item_factors, user_bias, item_bias = (
            means[name].astype(np.float32) for name in _ARRAYS
        )
        users, items = SideFactors.of(user_factors, user_bias), SideFactors.of(item_factors, item_bias)
        self._learned(Factors(draws.mean, users, items))
        self.draws_, self.value_range_ = draws, value_range

    def _moments(self, users: AnyArray, items: AnyArray) -> tuple[Float64Array, Float64Array]:
        """Return mean and variance of a new value of each pair."""
        user_rows, item_rows = self._check_pairs(users, items)
        averages = bool(np.any(user_rows < 0) or np.any(item_rows < 0))
        user_rows = np.where(user_rows < 0, self.n_users_, user_rows)
        item_rows = np.where(item_rows < 0, self.n_items_, item_rows)
        total, squares = np.zeros(len(user_rows)), np.zeros(len(user_rows))
        score = np.empty(len(user_rows), dtype=np.float32)
        draws = self.draws_
        for draw in zip(
            draws.user_factors, draws.item_factors, draws.user_bias, draws.item_bias, strict=True
        ):
            w, h, b, a = (_with_average(side) for side in draw) if averages else draw
            score_pairs(user_rows, item_rows, w, h, b, a, score)
            total += score
            squares += score.astype(np.float64) ** 2
        n = len(draws.user_factors)
        mean = total / n
        noise = np.append(draws.noise, draws.noise.mean())[user_rows]
        return mean + draws.mean, np.maximum(squares / n - mean**2, 0.0) + noise

    def predict_by_row(self, users: AnyArray, items: AnyArray) -> Float32Array:
        """Return posterior means of pairs, inside the range seen; see `Model.predict_by_row`.

        What is unknown (-1) counts as the average user or item.
        """
        mean, _ = self._moments(users, items)
        return np.clip(mean, *self.value_range_).astype(np.float32)

    def predict_interval(
        self, users: AnyArray, items: AnyArray, level: float = 0.9
    ) -> tuple[Float32Array, Float32Array]:
        """Return the bounds between which a new rating lies with probability ``level``.

        Parameters
        ----------
        users, items : int, shape (n_pairs,)
            Row numbers of the training data; -1 for what training does not know: it counts as the
            average user or item, and its own part of the uncertainty is missing.
        level : float
            Between 0 and 1.

        Returns
        -------
        low, high : float32, (n_pairs,)
            Of the normal with the mean and variance of the draws and of the noise, inside the range
            seen.

        Raises
        ------
        ParameterError
            If ``level`` is not between 0 and 1.
        """
        if not 0 < level < 1:
            raise ParameterError(f"{self.name}: level is {level!r}; expected a number between 0 and 1.")
        mean, variance = self._moments(users, items)
        half = NormalDist().inv_cdf(0.5 + level / 2) * np.sqrt(variance)
        low, high = (np.clip(mean + sign * half, *self.value_range_).astype(np.float32) for sign in (-1, 1))
        return low, high

    def to_arrays(self) -> dict[str, AnyArray]:
        """Return all that was learned as named arrays."""
        self._check_fitted()
        draws = {f"draws_{name}": getattr(self.draws_, name) for name in _ARRAYS}
        return {
            "mean": np.array([self.mean_]),
            "shares": self.shares_,
            "value_range": np.array(self.value_range_),
            "user_noise": self.draws_.noise,
            **draws,
        }

    @property
    def n_factors_stored(self) -> tuple[int, int]:
        """How many numbers are stored of the users' and of the items' factors, all draws together."""
        return self.draws_.user_factors.size, self.draws_.item_factors.size

    def restore(self, arrays: Mapping[str, AnyArray]) -> None:
        """Take back what `to_arrays` gave; see `Model.restore`."""
        w = require(arrays, "draws_user_factors", np.float32, 3)
        h = require(arrays, "draws_item_factors", np.float32, 3)
        b = require(arrays, "draws_user_bias", np.float32, 2)
        a = require(arrays, "draws_item_bias", np.float32, 2)
        noise = require(arrays, "user_noise", np.float64, 1)
        mean = require(arrays, "mean", np.float64, 1)
        shares = require(arrays, "shares", np.float64, 1)
        value_range = require(arrays, "value_range", np.float64, 1)
        n, n_users, rank = w.shape
        n_items = h.shape[1]
        shapes = (h.shape, b.shape, a.shape, noise.shape, mean.shape, shares.shape, value_range.shape)
        expected = ((n, n_items, rank), (n, n_users), (n, n_items), (n_users,), (1,), (rank,), (2,))
        if shapes != expected:
            raise ModelError(f"the arrays have shapes {shapes}; expected {expected}.")
        n_wanted = self.n_chains * min(self.n_kept, self.n_draws)
        if n != n_wanted:
            raise ModelError(f"the arrays hold {n} draws; the parameters say {n_wanted}.")
        if rank != self.n_components:
            raise ModelError(f"the factors have {rank} components; n_components is {self.n_components}.")
        nonnegative = () if numbers_were_checked(arrays) else (w, h, noise, shares)
        if any(array.size and array.min() < 0 for array in nonnegative):
            raise ModelError("a factor, a variance or a share is negative; expected numbers of 0 or more.")
        if value_range[0] > value_range[1]:
            raise ModelError(f"the range of values runs from {value_range[0]:g} to {value_range[1]:g}.")
        self._keep_draws(
            Draws(float(mean[0]), w, h, b, a, noise),
            (float(value_range[0]), float(value_range[1])),
            self.n_chains,
        )
        self.shares_ = shares
        self.n_users_, self.n_items_ = n_users, n_items


def _with_average(rows: Float32Array) -> Float32Array:
    """Return rows and their mean as one more: the average user or item."""
    return np.concatenate([rows, rows.mean(axis=0, keepdims=True, dtype=np.float64).astype(np.float32)])
