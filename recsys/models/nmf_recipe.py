"""What the NMF estimators are told, and what each tells the solvers."""

from __future__ import annotations

import copy
from abc import abstractmethod
from dataclasses import KW_ONLY, dataclass, field
from typing import ClassVar, Self

from recsys.data.interactions import Interactions
from recsys.data.rows import CompressedRows
from recsys.factorization.factors import AnyFactors, Factors, SparsePair
from recsys.factorization.losses import Loss
from recsys.factorization.sides import dense_side
from recsys.factorization.sparse_factors import SparseFactors
from recsys.factorization.validation import Error
from recsys.models.factor_model import FactorModel
from recsys.models.parameters import param
from recsys.models.training_data import Entries, Training
from recsys.typing import Float32Array, Float64Array


@dataclass(eq=False)
class NMFRecipe(FactorModel):
    """The parameters that all NMF estimators share, and the questions that `recsys.models.fitting` asks.

    What a child minimises it says by `_loss_of`; most other answers have a default.
    """

    settled: ClassVar[tuple[str, ...]] = ("n_components",)
    """Parameters that say what a fit was of: an update cannot change them, nor can they change answers."""
    revives: ClassVar[bool] = True
    """Whether a theme that is zero on both sides begins again when a model is fitted further."""

    n_components: int = param(64, "number of themes", minimum=1)
    _: KW_ONLY
    init: str = param("random", "where a fit starts", choices=("random", "nndsvd", "custom"))
    n_init: int = param(1, "random starts to choose from by held-out error", minimum=1)
    max_iter: int = param(100, "most sweeps over users and items", minimum=1)
    tol: float = param(1e-4, "stop when the objective falls by less than this share of itself", minimum=0)
    gradient_tol: float = param(
        0.0, "stop when the projected gradient is below this share of the first; 0: never", minimum=0
    )
    validation_share: float = param(
        0.0, "share of entries held out to choose the number of sweeps", minimum=0, maximum=0.5
    )
    patience: int = param(5, "sweeps without a better held-out error before stopping", minimum=1)
    time_limit: float | None = param(None, "seconds after which a fit stops", above=0, kind=float)
    n_inner: int = param(1, "coordinate passes over a row in one sweep", minimum=1)
    user_l1: float = param(0.0, "penalty on the sum of user factors; makes them sparse", minimum=0)
    item_l1: float = param(0.0, "penalty on the sum of item factors; makes themes sparse", minimum=0)
    warm_start: bool = param(False, "whether a second fit begins where the first ended")
    random_state: int = param(0, "seed of starts and of the choice of held-out entries", minimum=0)

    stability_: Float64Array | None = field(init=False, repr=False)
    _training: Training | None = field(init=False, repr=False)

    # -- where a fit is -------------------------------------------------------------------------
    def factors(self) -> AnyFactors:
        """Return what was learned as the solvers take it."""
        self._check_fitted()
        users, items = self._users, self._items
        if isinstance(users, SparseFactors) and isinstance(items, SparseFactors):
            return SparsePair(users, items)
        return Factors(self.mean_, dense_side(users), dense_side(items), self.user_bias_, self.item_bias_)

    def as_fitted(self) -> Self:
        """Return the model with the `settled` parameters that it was fitted with, whatever they are now."""
        model = copy.copy(self)
        for key in self.settled:
            setattr(model, key, self.fitted_params_.get(key, getattr(self, key)))
        return model

    def held_training(self) -> Training | None:
        """Return the data of the model with its weights, if it holds them."""
        self._check_fitted()
        return self._training

    # -- what a child says ----------------------------------------------------------------------
    @abstractmethod
    def _loss_of(self, entries: Entries | None, *, fresh: bool = False) -> Loss:
        """Return loss and penalties for a fit of entries; ``fresh``: from a start, not from a model."""

    @abstractmethod
    def _random_start(self, entries: Entries, number: int) -> Factors:
        """Draw a start, another one for another number."""

    @abstractmethod
    def _nndsvd_start(self, entries: Entries) -> Factors:
        """Make a start of singular vectors."""

    def _start(self, entries: Entries, number: int) -> AnyFactors:
        """Return where a fit begins that was given no start."""
        return self._nndsvd_start(entries) if self.init == "nndsvd" else self._random_start(entries, number)

    def _loss_of_fit(self, entries: Entries | None = None) -> Loss:
        """Return loss and penalties as of the last fit; ``entries``: all there are by now."""
        return self._loss_of(entries)

    def _loss_of_update(self, entries: Entries) -> Loss:
        """Return loss and penalties for fitting the model further, to entries that have grown."""
        return self._loss_of(entries)

    def _entries(self, training: Training) -> Entries:
        """Return what the solver is to fit."""
        return training.counting

    def _folded_rows(self, rows: CompressedRows) -> CompressedRows:
        """Return entries of new users as the solver takes them."""
        return rows

    def _mean_of(self, entries: Entries) -> float:
        """Return the constant part of predictions."""
        return 0.0

    def _scaled(self, at: AnyFactors, entries: Entries, loss: Loss) -> AnyFactors:
        """Return the start that stands for fitted or given factors."""
        return at

    def _kept(self, at: AnyFactors) -> AnyFactors:
        """Return what a warm start takes over of the last fit."""
        return at

    def _error_of(self, loss: Loss, entries: Entries) -> Error:
        """Return how far factors are from entries held out."""
        return loss.error

    @property
    def _n_settling(self) -> int:
        """How many iterations of a fresh fit have penalties of their own."""
        return 0

    @property
    def _is_bounded(self) -> bool:
        """Whether factors are to be 0 or more."""
        return True

    def _check_together(self) -> None:
        """Raise ParameterError if parameters contradict each other."""

    def _noted(self, entries: Entries, loss: Loss) -> None:
        """Keep what else is to be known of entries that were fitted, and of how."""

    def _widened(self, new: Interactions, weights: Float32Array | None, entries: Entries) -> None:
        """Keep what else is to be known of ``new``, taken in; ``entries`` are all there are by now."""
