"""Poisson factorization, or probabilistic latent semantic analysis: for counts, absent ones being zero."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

import numpy as np

from recsys.data.interactions import Interactions
from recsys.data.rows import CompressedRows
from recsys.factorization.entries import Entries
from recsys.factorization.kl import KLObjective
from recsys.factorization.penalty import Penalty
from recsys.models.given_factors import finite_array
from recsys.models.nmf import NMF
from recsys.models.parameters import param
from recsys.models.registry import register_model
from recsys.models.search import Range
from recsys.models.training_data import Training
from recsys.models.values import preferences, whole_matrix_entries
from recsys.typing import Float32Array, Float64Array


@register_model
@dataclass(eq=False)
class PoissonNMF(NMF):
    """Counts as sums of what non-negative themes expect; an absent cell is a count of zero.

    Minimises the generalized Kullback-Leibler divergence over the whole matrix,

        sum_observed (x_ui log(x_ui / w_u . h_i) - x_ui) + sum_all w_u . h_i
        + l2/2 (sum_u n_u^nu |w_u|^2 + sum_i n_i^nu |h_i|^2) + user_l1 sum W + item_l1 sum H,   W, H >= 0

    of which absent cells cost only the sums of the factors (Lee & Seung 2001; Gopalan, Hofman & Blei
    2015), by row-wise coordinate descent (Hsieh & Dhillon 2011). ``x`` is what ``value_transform`` makes
    of the amount, times the entry's weight; an amount or a weight of 0 says what an absent cell says.

    Read as probabilities, this is pLSA (Hofmann 1999): every theme is a distribution over the items
    (`distributions_`), and a user a mixture of themes, which is what `transform` and `fit_transform`
    return: rows sum to one, and a user without entries has the mixture of all training users together.
    `inverse_transform` makes of mixtures the distributions over the items. Scores are expected
    amounts, the user's total times that distribution.

    How a fit ends: see `NMF`. What is measured on entries held out (``validation_share``, ``n_init``)
    is 1 minus the NDCG of lists of 100; see `recsys.factorization.held_out_errors.ranking_loss`.

    Attributes
    ----------
    components_, user_factors_, item_factors_, shares_, history_, stability_
        See `NMF`; of no scale of their own, only products are in the unit of the amounts.

    Examples
    --------
    >>> from recsys import Interactions, PoissonNMF
    >>> users, items = ["ann", "ann", "bob", "bob", "eve"], ["tea", "milk", "tea", "jam", "jam"]
    >>> data = Interactions.from_pairs(users, items)
    >>> mixtures = PoissonNMF(n_components=2).fit_transform(data)
    >>> mixtures.sum(axis=1).round(4).tolist()  # each user is a mixture of themes
    [1.0, 1.0, 1.0]
    """

    name: ClassVar[str] = "poisson-nmf"
    fixed_by_fit: ClassVar[tuple[str, ...]] = ("n_components", "value_transform")

    _: KW_ONLY
    value_transform: str = param(
        "binary",
        "what an entry counts: 1, ln(1 + amount) or its amount",
        choices=("binary", "log", "raw"),
        former_name="amounts",
    )
    l2: float = param(0.0, "squared penalty on factors", minimum=0, search=Range(0.001, 10.0, log=True))
    l2_exponent: float = param(
        0.0, "power nu of a row's number of entries that scales l2", minimum=0, maximum=2
    )
    max_iter: int = param(50, "most sweeps over users and items", minimum=1, search=Range(5, 100, log=True))

    @property
    def takes_negative(self) -> bool:
        """Whether ratings may be below 0: if whatever is not 0 counts the same."""
        return self.value_transform == "binary"

    @property
    def distributions_(self) -> Float32Array:
        """Themes as distributions over the items, (n_components, n_items); zeros for an empty theme."""
        sums = self._sums[:, None]
        return np.divide(self.components_, sums, out=np.zeros(self.components_.shape), where=sums > 0).astype(
            np.float32
        )

    @property
    def _sums(self) -> Float64Array:
        self._check_fitted()
        return np.asarray(self.item_factors_.sum(axis=0, dtype=np.float64))

    def _representation(self, factors: Float32Array) -> Float32Array:
        """Return each user's expected amounts by theme as shares, (n_users, n_components)."""
        sums, rank = self._sums, len(self.shares_)
        parts = factors * sums
        everyone = self.user_factors_.sum(axis=0, dtype=np.float64) * sums
        usual = everyone / everyone.sum() if everyone.sum() > 0 else np.full(rank, 1 / rank)
        totals = parts.sum(axis=1, keepdims=True)
        shares = np.tile(usual, (len(parts), 1))
        np.divide(parts, totals, out=shares, where=totals > 0)
        return np.asarray(shares, dtype=np.float32)

    # -- what is minimised ----------------------------------------------------------------------
    def objective(self, entries: Entries | None, *, fresh: bool = False) -> KLObjective:
        """Return what is minimised; see `NMF.objective`."""
        penalty = Penalty(self.l2, self.l2_exponent, self.user_l1, self.item_l1)
        return KLObjective(penalty, all_cells=True, n_inner=self.n_inner)

    def _entries(self, training: Training) -> Entries:
        return whole_matrix_entries(training, self._values)

    def _values(self, rows: CompressedRows) -> CompressedRows:
        return preferences(rows, self.value_transform)

    def fit_bytes(self, data: Interactions) -> int:
        """Return about how many bytes a fit takes: factors and entries are copied in double precision."""
        return 4 * 5 * self.n_components * (data.n_users + data.n_items) + 45 * data.nnz

    # -- answers --------------------------------------------------------------------------------
    def inverse_transform(self, W: Any) -> Float32Array:
        """Return the distributions over the items of mixtures of themes, (n_users, n_items)."""
        self._check_fitted()
        mixtures = finite_array(W, "W", (None, len(self.shares_)))
        distributions: Float32Array = mixtures @ self.distributions_
        return distributions
