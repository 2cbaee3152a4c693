"""Non-negative matrix factorization of the whole matrix: for purchases, clicks and plays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import Any, ClassVar

import numpy as np

from recsys.data.interactions import Interactions
from recsys.data.rows import CompressedRows
from recsys.errors import ModelError, ParameterError
from recsys.factorization.entries import Entries
from recsys.factorization.left_out import fold_in_without
from recsys.factorization.objective import Objective
from recsys.factorization.penalty import Penalty
from recsys.factorization.sparse_factors import LARGEST_RANK
from recsys.factorization.weighted import WeightedObjective, WeightedScale
from recsys.models.nmf import NMF
from recsys.models.parameters import param
from recsys.models.registry import register_model
from recsys.models.search import Range
from recsys.models.stored_arrays import require
from recsys.models.training_data import Training
from recsys.models.values import CONFIDENCES, confidences, whole_matrix_entries
from recsys.models.whole_matrix_penalty import whole_matrix_l2
from recsys.typing import AnyArray, Float64Array, Int64Array

# The rule for l2 and unobserved_weight where they are not given, read off validation parts of logs from 5
# entries a user (ratings as implicit) to 303 (groceries); see tests/benchmarks.
_L2, _L2_FACTOR = 4.5, 0.45
_L2_BASE, _L2_GROWTH = 3.0, 0.04
_UNOBSERVED_GROWTH, _UNOBSERVED_MOST = 0.005, 1.0
_L1 = 0.03
_COMPONENTS = 1024
_STORED = 200  # factors of a row that are not zero, at most, on logs that were measured
_MOST_CELLS = 2**24  # of the item factors of a history that are looked at together, dense
_RULED = ("l2", "unobserved_weight", "user_l1", "item_l1")


@register_model
@dataclass(eq=False)
class WeightedNMF(NMF):
    """Preferences as sums of non-negative themes; absent cells count a little.

    Minimises

        1/2 sum_observed c_ui (p_ui - w_u . h_i)^2 + unobserved_weight/2 sum_all s_u s_i (w_u . h_i)^2
        + l2/2 (sum_u n_u^nu |w_u|^2 + sum_i n_i^nu |h_i|^2) + user_l1 sum W + item_l1 sum H,   W, H >= 0

    with the target ``p_ui = (n_u / mean n)^-user_exponent (n_i / mean n)^-item_exponent``, which
    keeps the most popular items from filling every theme; scores are multiplied back. The absent
    cells cost one rank x rank matrix a side (Hu, Koren & Volinsky 2008; He et al. 2016; Rendle et
    al. 2021), the sweep is that of the masked model. ``c`` is what ``confidence`` makes of the amount,
    times the entry's weight; an amount or a weight of 0 says what an absent cell says.

    Where ``l2`` and ``unobserved_weight`` are not given they follow the mean numbers of entries of a user, n,
    and of an item, m: l2 is the largest of 4.5, 3 + 0.04 n and 0.45 (sqrt(n) + sqrt(m)), but never so large
    that a log is fitted by zeros (see `recsys.models.whole_matrix_penalty.whole_matrix_l2`);
    unobserved_weight is 0.005 n and at most 1.

    Where ``n_components`` is not given there are 1,024, or as many as users or items where one of them is
    fewer: a matrix is a sum of no more components than that.

    Many themes with few users and items each rank better than few broad ones, and with the bound at
    zero they cost little: sweeps, storage and scores go by the factors that are not zero, some tens a
    row. ``init="profiles"`` begins with such themes, each what one user took; see
    `recsys.factorization.profile_start`.

    ``nonnegative=False`` leaves out the bound at zero and nothing else: implicit-feedback ALS with
    coordinate steps (iALS). Such factors are no parts of a sum: there are then no themes to show.

    How a fit ends: see `NMF`. What is measured on entries held out (``validation_share``, ``n_init``)
    is 1 minus the NDCG of lists of 100; see `recsys.factorization.held_out_errors.ranking_loss`.

    Attributes
    ----------
    components_, user_factors_, item_factors_, shares_, history_, stability_
        See `NMF`; in units of preference, about 0 to 1.
    scale_ : WeightedScale or None
        The entries of a typical user and item, and of each item, that targets are relative to; None for
        bundles of versions that did not store it, which cannot fold in new users.

    Examples
    --------
    >>> from recsys import Interactions, WeightedNMF
    >>> users, items = ["ann", "ann", "bob", "bob", "eve"], ["tea", "milk", "tea", "jam", "jam"]
    >>> data = Interactions.from_pairs(users, items)
    >>> model = WeightedNMF(n_components=2).fit(data)
    >>> model.components_.shape, bool((model.components_ >= 0).all())
    ((2, 3), True)
    """

    name: ClassVar[str] = "weighted-nmf"
    fixed_by_fit: ClassVar[tuple[str, ...]] = (
        "n_components",
        "nonnegative",
        "user_exponent",
        "item_exponent",
    )

    n_components: int | None = param(  # type: ignore[assignment]
        None,
        "number of themes; none: 1,024, or as many as users or items where they are fewer",
        minimum=1,
        maximum=LARGEST_RANK,
        kind=int,
        search=Range(32, 2048, log=True),
    )
    _: KW_ONLY
    init: str = param(
        "profiles",
        "where a fit starts",
        choices=("profiles", "random", "nndsvd", "custom"),
        former_choices={"baskets": "profiles"},
    )
    unobserved_weight: float | None = param(
        None,
        "weight of a cell without an entry; none: more for active users",
        above=0,
        kind=float,
        former_name="absent_weight",
        search=Range(0.01, 1.0, log=True),
    )
    confidence: str = param("constant", "weight of an observed entry by its amount", choices=CONFIDENCES)
    alpha: float = param(1.0, "how fast confidence grows with the amount", minimum=0)
    user_exponent: float = param(
        0.1, "how far targets shrink for active users", minimum=0, maximum=1, search=Range(0.0, 0.4)
    )
    item_exponent: float = param(
        0.15, "how far targets shrink for popular items", minimum=0, maximum=1, search=Range(0.0, 0.6)
    )
    user_unobserved_exponent: float = param(
        0.0,
        "how unobserved weights grow with a user's activity",
        minimum=0,
        maximum=1,
        former_name="user_absent_exponent",
    )
    item_unobserved_exponent: float = param(
        0.0,
        "how unobserved weights grow with an item's popularity",
        minimum=0,
        maximum=1,
        former_name="item_absent_exponent",
    )
    l2: float | None = param(
        None,
        "squared penalty on factors (lambda); none: 4.5 and up, more where users and items have more",
        minimum=0,
        kind=float,
        search=Range(1.0, 100.0, log=True),
    )
    l2_exponent: float = param(
        0.0, "power nu of a row's number of entries that scales l2; 1 is ALS-WR", minimum=0, maximum=2
    )
    user_l1: float | None = param(  # type: ignore[assignment]
        None, "penalty on the sum of user factors; none: 0.03, or 0 for any sign", minimum=0, kind=float
    )
    item_l1: float | None = param(  # type: ignore[assignment]
        None, "penalty on the sum of item factors; none: 0.03, or 0 for any sign", minimum=0, kind=float
    )
    nonnegative: bool = param(True, "whether factors are 0 or more, so that there are themes")
    max_iter: int = param(11, "most sweeps over users and items", minimum=1)

    scale_: WeightedScale | None = field(init=False, repr=False)

    @property
    def has_themes(self) -> bool:  # type: ignore[override]
        """Whether factors are non-negative, so that contributions are parts of a sum."""
        return bool(getattr(self, "fitted_params_", {}).get("nonnegative", self.nonnegative))

    @property
    def takes_negative(self) -> bool:
        """Whether ratings may be below 0: if whatever is not 0 counts the same."""
        return self.confidence == "constant"

    # -- what is minimised ----------------------------------------------------------------------
    def objective(self, entries: Entries | None, *, fresh: bool = False) -> WeightedObjective:
        """Return what is minimised; see `NMF.objective`."""
        assert entries is not None  # by their number l2 and unobserved_weight go
        return self._objective(self._ruled(entries.by_user))

    def objective_of_fit(self, entries: Entries | None = None) -> WeightedObjective:
        """Return what the last fit minimised, relative to the typical user and item it saw."""
        fitted = self.scale_
        if entries is not None:
            scale: WeightedScale | None = WeightedScale.of(entries)
            if scale is not None and fitted is not None:
                scale = replace(scale, user_level=fitted.user_level, item_level=fitted.item_level)
        elif fitted is None:
            raise ModelError(
                f"{self.name}: the model was stored by a version that did not note how many entries items "
                f"had, without which new users cannot be fitted; train it again."
            )
        else:
            scale = fitted
        return self._objective(self._ruled(None), scale)

    def _objective_of_update(self, entries: Entries) -> WeightedObjective:
        return self._objective(self._ruled(None))

    def _ruled(self, rows: CompressedRows | None) -> dict[str, float]:
        """Return what was not given by a rule: by the size of a log, or as of the fit."""
        rule: Mapping[str, Any] = self.fitted_params_ if rows is None else self._rule(rows)
        return {key: float(rule[key] if getattr(self, key) is None else getattr(self, key)) for key in _RULED}

    def _rule(self, rows: CompressedRows) -> dict[str, float]:
        of_users = rows.nnz / rows.n_rows
        l1 = _L1 if self.nonnegative else 0.0
        return {
            "l2": whole_matrix_l2(rows, least=max(_L2, _L2_BASE + _L2_GROWTH * of_users), factor=_L2_FACTOR),
            "unobserved_weight": min(_UNOBSERVED_GROWTH * of_users, _UNOBSERVED_MOST),
            "user_l1": l1,
            "item_l1": l1,
        }

    def _objective(self, ruled: Mapping[str, float], scale: WeightedScale | None = None) -> WeightedObjective:
        return WeightedObjective(
            Penalty(ruled["l2"], self.l2_exponent, ruled["user_l1"], ruled["item_l1"]),
            unobserved_weight=ruled["unobserved_weight"],
            user_unobserved_exponent=self.user_unobserved_exponent,
            item_unobserved_exponent=self.item_unobserved_exponent,
            user_exponent=self.user_exponent,
            item_exponent=self.item_exponent,
            nonnegative=self.nonnegative,
            n_inner=self.n_inner,
            scale=scale,
        )

    def _number_of_components(self, entries: Entries) -> int:
        rows = entries.by_user
        return self.n_components or min(_COMPONENTS, rows.n_rows, rows.n_columns)

    def _entries(self, training: Training) -> Entries:
        return whole_matrix_entries(training, self._values)

    def _values(self, rows: CompressedRows) -> CompressedRows:
        return confidences(rows, self.confidence, self.alpha)

    def _check_together(self) -> None:
        if max(self.user_l1 or 0, self.item_l1 or 0) > 0 and not self.nonnegative:
            raise ParameterError(
                f"{self.name}: user_l1 is {self.user_l1} and item_l1 {self.item_l1}, but an l1 penalty "
                f"needs non-negative factors; set neither or nonnegative=True."
            )

    def _note_fit(self, entries: Entries, objective: Objective) -> None:
        assert isinstance(objective, WeightedObjective)
        self._used = {
            "l2": objective.penalty.l2,
            "unobserved_weight": objective.unobserved_weight,
            "user_l1": objective.penalty.user_l1,
            "item_l1": objective.penalty.item_l1,
        }
        self.scale_ = replace(WeightedScale.of(entries), user_counts=None)

    def _note_update(self, new: Training, entries: Entries) -> None:
        now = WeightedScale.of(entries)
        self.scale_ = replace(self.scale_ or now, item_counts=now.item_counts, user_counts=None)

    def fit_bytes(self, data: Interactions) -> int:
        """Return about how many bytes a fit takes; of non-negative factors, those that are not zero.

        At the start a user has a factor for each theme whose first user has an item in common with them, and
        factors stand there three times while they are sorted.
        """
        rank, n_rows = (
            self.n_components or min(_COMPONENTS, data.n_users, data.n_items),
            data.n_users + data.n_items,
        )
        if not self.nonnegative:
            return 4 * 3 * rank * n_rows + 28 * data.nnz
        users_of_items = np.bincount(data.by_user.columns).astype(np.float64)
        themes_met = min(rank, rank * float(np.sum(users_of_items**2)) / data.n_users**2)
        stored = max(min(rank, _STORED) * n_rows, themes_met * data.n_users)
        return 21 * int(stored) + 28 * data.nnz

    def _resolved_params(self, data: Interactions) -> dict[str, Any]:
        return {**super()._resolved_params(data), **self._used, "n_components": len(self.shares_)}

    # -- answers --------------------------------------------------------------------------------
    def scores_without(self, history: CompressedRows, removed: Int64Array, items: AnyArray) -> Float64Array:
        """Return scores for a history, and without each of some entries; see `Model.scores_without`."""
        if not self.nonnegative or history.nnz * len(self.shares_) > _MOST_CELLS:
            return super().scores_without(history, removed, items)
        self._check_histories(history)
        model, columns = self.as_fitted(), np.asarray(items, dtype=np.int64)
        objective, counts = model.objective_of_fit(), history.values != 0
        changes = counts[removed]  # what is 0 changes nothing when it goes
        entries = (np.cumsum(counts) - 1)[removed]
        factors = fold_in_without(
            objective, model._values(history), entries[changes], self._new_users.held(objective)
        )
        rows = np.r_[0, np.where(changes, np.cumsum(changes), 0)]
        scores = factors[rows].astype(np.float64) @ self.item_rows(columns).astype(np.float64).T
        return np.asarray(scores + self._factors.items.bias[columns])

    # -- the bundle -----------------------------------------------------------------------------
    def to_arrays(self) -> dict[str, AnyArray]:
        """Return all that was learned as named arrays."""
        arrays, scale = super().to_arrays(), self.scale_
        if scale is None or scale.item_counts is None:
            return arrays
        levels = np.array([scale.user_level, scale.item_level])
        return {**arrays, "levels": levels, "item_entries": scale.item_counts}

    def restore(self, arrays: Mapping[str, AnyArray]) -> None:
        """Take back what `to_arrays` gave; see `Model.restore`."""
        scale = None
        if "levels" in arrays or "item_entries" in arrays:  # older versions stored neither
            levels = require(arrays, "levels", np.float64, 1)
            counts = require(arrays, "item_entries", np.int64, 1)
            n_items = len(require(arrays, "item_bias", np.float32, 1))
            if len(levels) != 2 or levels.min() < 1 or len(counts) != n_items or counts.min(initial=0) < 0:
                raise ModelError("arrays 'levels' and 'item_entries' do not fit the items of the model.")
            scale = WeightedScale(float(levels[0]), float(levels[1]), item_counts=counts)
        super().restore(arrays)
        self.scale_ = scale
