"""The estimators of non-negative matrix factorization: parameters, and an objective that they make."""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from functools import partial
from typing import Any, ClassVar, Literal, Self

from recsys.checkpoints import GivenCheckpoint, opened
from recsys.data.interactions import Interactions
from recsys.data.rows import CompressedRows
from recsys.factorization.entries import Entries
from recsys.factorization.factors import Factors, SideFactors
from recsys.factorization.fold_in import append_new_rows, update_rows
from recsys.factorization.objective import Objective
from recsys.factorization.stability import stability
from recsys.models import parameters
from recsys.models.descent_plan import DescentPlan
from recsys.models.fit_state import fit_of
from recsys.models.observed_entries import ObservedEntries
from recsys.models.parameters import param
from recsys.models.part_progress import snapshots
from recsys.models.search import Range
from recsys.models.sklearn_estimator import SklearnEstimator
from recsys.models.trainer import FitResult, StoppingRules, Trainer, check_range, restarted
from recsys.models.training_data import Training, aligned_weights
from recsys.models.update_checks import check_passes, check_unchanged
from recsys.progress import SILENT, GivenProgress, Progress, listener
from recsys.typing import Float32Array


@dataclass(eq=False)
class NMF(SklearnEstimator):
    """An estimator as scikit-learn's ``NMF`` is one; a child says by `objective` what it minimises.

    A descent ends by ``tol``, ``gradient_tol`` or ``max_iter``, whichever comes first, and, with a
    ``validation_share``, when the error on entries held out has not fallen for ``patience`` sweeps (early
    stopping); the model is then fitted anew to all entries, with as many sweeps as were best. With
    ``n_init`` above 1 so many random starts are measured that way (on a tenth of the entries, if no share
    is set), and the best one is fitted to all entries. ``time_limit`` holds for all of it together; when it
    has passed, or at an interrupt (KeyboardInterrupt, which then goes on its way), the model is fitted with
    the best state so far. What a time limit ended may differ from run to run; nothing else does. With
    ``warm_start`` a second fit begins where the first ended; it is one start, and what it holds out the
    first has seen.

    Attributes
    ----------
    components_ : float32, (n_components, n_items)
        Components, what users are shown as themes, ordered by the share of the observed total they explain.
    user_factors_, item_factors_, user_bias_, item_bias_, mean_, shares_, history_
        See `FactorModel`.
    stability_ : float64, (n_components,), or None
        With ``n_init`` above 1: how alike each component is in the other starts, by cosine, 1 for the same.
    training_ : Interactions
        What was fitted; `partial_fit` adds to it. Not stored in a bundle.
    n_features_in_, n_iter_ : int
        Number of items and of sweeps.
    feature_names_in_ : array of str, (n_items,)
        Columns of the data frame that was fitted; there only if it was one whose columns are text.
    """

    shows_iterations: ClassVar[bool] = True
    keeps_checkpoints: ClassVar[bool] = True
    fixed_by_fit: ClassVar[tuple[str, ...]] = ("n_components",)
    """Parameters that say what a fit was of: an update cannot change them, nor can they change answers."""

    n_components: int = param(64, "number of themes", minimum=1, search=Range(8, 256, log=True))
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

    # -- what a child says ----------------------------------------------------------------------
    @abstractmethod
    def objective(self, entries: Entries | None, *, fresh: bool = False) -> Objective:
        """Return what is minimised.

        Parameters
        ----------
        entries : Entries or None
            What is fitted, where that has a say; None stands for new users of a fitted model.
        fresh : bool
            Whether a fit begins from a start, not from a fitted model.
        """

    def objective_of_fit(self, entries: Entries | None = None) -> Objective:
        """Return what the last fit minimised, for folding rows in; ``entries``: all there are by now."""
        return self.objective(entries)

    def _entries(self, training: Training) -> Entries:
        """Return what the solver is to fit."""
        return Entries.counting(training.data, training.weights)

    def _values(self, rows: CompressedRows) -> CompressedRows:
        """Return entries of new users as the solver takes them."""
        return rows

    def _number_of_components(self, entries: Entries) -> int:
        """Return how many components a fit has: what was given, or by a rule for the entries."""
        return self.n_components

    def _check_together(self) -> None:
        """Raise ParameterError if parameters contradict each other."""

    def _note_fit(self, entries: Entries, objective: Objective) -> None:
        """Keep what else is to be known of entries that were fitted, and of how."""

    # -- fitting --------------------------------------------------------------------------------
    def fit(
        self,
        X: Any,
        y: None = None,
        *,
        W: Any = None,
        H: Any = None,
        entry_weight: Any = None,
        progress: GivenProgress = SILENT,
        checkpoint: GivenCheckpoint = None,
    ) -> Self:
        """Learn from observed entries.

        Parameters
        ----------
        X : Interactions, ObservedEntries, sparse matrix or array-like, shape (n_users, n_items)
            Sparse: stored entries are the observed ones. Dense: NaN marks a missing entry.
        y : None
            Ignored.
        W, H : array-like, shapes (n_users, n_components) and (n_components, n_items)
            The start, for ``init="custom"``.
        entry_weight : sparse matrix or array-like, shape (n_users, n_items) or (n_entries,), optional
            How much each observed entry counts, 0 or more; entries of weight 0 are left out. One number for
            each entry, by user and then by item, or in the order of ``ObservedEntries``. Starts
            (``init="nndsvd"``) and the fold-in of new users do not look at weights.
        progress : bool, callable or Progress
            Is notified of each iteration: True shows them, a function such as ``print`` is given a line each,
            `IterationCallback` their numbers.
        checkpoint : Checkpoint, optional
            Keeps where the fit stands, and has it go on from there after its process was killed.

        Raises
        ------
        ParameterError
            If a parameter has the wrong type, is out of range or does not go with another.
        InputError
            If the data is empty or not finite, or negative where the model cannot take that, or does not
            fit W, H or the weights; or the checkpoint is of another fit.
        KeyboardInterrupt
            If interrupted; from the first full sweep on, the model is fitted with the best state.
        """

        def learn(data: Interactions) -> None:
            self._note_columns(X)
            is_ordered = entry_weight is not None and isinstance(X, ObservedEntries)
            weight = X.in_order(entry_weight) if is_ordered else entry_weight
            self._fit(data, listener(progress), W, H, weight, checkpoint)

        return self._fitted_by(learn, X)

    def _fit(
        self,
        data: Interactions,
        progress: Progress,
        W: Any = None,
        H: Any = None,
        entry_weight: Any = None,
        checkpoint: GivenCheckpoint = None,
    ) -> None:
        weights = None if entry_weight is None else aligned_weights(entry_weight, data.by_user)
        training, plan = Training(data, weights), DescentPlan.of(self)
        self._check_parameters(n_given=(W is not None) + (H is not None))
        entries = self._entries(training)
        warm = self._warm_factors(data, entries) if self.warm_start and self.is_fitted else None
        objective = self.objective(entries, fresh=warm is None)
        initial, n_components = warm, self._number_of_components(entries)
        if initial is None:
            initial = plan.custom_start(entries, n_components, W, H, nonnegative=objective.nonnegative)
        watch = None
        if plan.fits_once:
            watch = snapshots(progress, lambda result: self._ended_with(result, training, entries))
        fit = partial(fit_of, self.name, self.get_params(), data, weights=weights, start=initial)
        with opened(checkpoint, fit) as keeper:
            trainer = plan.trainer(
                objective,
                n_components,
                initial=initial,
                is_warm=warm is not None,
                keeper=keeper,
                progress=progress,
                watch=watch,
            )
            result = trainer.fit(entries)
        self._keep_fit(result, objective, training, entries)

    def _ended_with(self, result: FitResult, training: Training, entries: Entries) -> Self:
        """Return the model as of a fit that came to this."""
        model = copy.copy(self)
        model.max_iter = result.history.n_iter
        model._keep_fit(result, self.objective(entries, fresh=True), training, entries)
        return model._finished(training.data)

    def _check_parameters(self, *, n_given: int) -> None:
        """Raise ParameterError if parameters contradict each other, or the number of W and H given."""
        self._check_together()
        DescentPlan.of(self).check(n_given=n_given)

    def _resolved_params(self, data: Interactions) -> dict[str, Any]:
        return {"validation_share": DescentPlan.of(self).held_out_share}

    def _keep_fit(
        self, result: FitResult, objective: Objective, training: Training, entries: Entries
    ) -> None:
        """Take over what a fit comes to, components ordered."""
        factors, shares, order = result.factors.by_share(entries.by_user)
        self._learned(factors.as_stored(), shares=shares, history=result.history)
        self.stability_ = None
        if result.rivals and objective.nonnegative:
            runs = [run.item_factors for run in (result.factors, *result.rivals)]
            self.stability_ = stability(runs)[order]
        self._hold(training)
        self._note_fit(entries, objective)

    def _warm_factors(self, data: Interactions, entries: Entries) -> Factors:
        """Return where the last fit ended, or raise InputError."""
        factors = self.factors()
        fitted = (len(factors.users), len(factors.items), factors.rank)
        asked = (data.n_users, data.n_items, self._number_of_components(entries))
        self._known_data().check_warm_start(data, fitted, asked)
        seed = int(self.random_state)
        return restarted(self.objective(entries), factors, entries, seed=seed)

    # -- updating -------------------------------------------------------------------------------
    def partial_fit(
        self,
        X: Any,
        y: None = None,
        *,
        known: Any = None,
        entry_weight: Any = None,
        passes: int = 3,
        reach: Literal["touched", "all"] = "touched",
        progress: GivenProgress = SILENT,
    ) -> Self:
        """Take in new entries, of known and of new users and items, without a full retrain.

        New users and items begin with the factors that suit the other side best (see `transform`).
        Then ``reach="touched"`` sweeps the users and items that have a new entry, each with all its
        entries, and leaves everything else as it is, bit for bit: all other rows, the mean, shares
        and order of the components, the history. Only the range of values seen widens.
        ``reach="all"`` sweeps everything from the present state on, with the mean of all values, and
        orders the components anew; after enough passes its objective is about that of a full fit (there
        are many local minima). Of the rules for stopping, only an interrupt and ``time_limit`` end this
        early. The first call of a model that is not fitted is a `fit`.

        Parameters
        ----------
        X : Interactions, sparse matrix or array-like
            The new entries alone. Interactions are joined by ids. The rows and columns of a matrix are
            those of the model, all of them, then new ones; it is no batch of other rows, as for some
            of scikit-learn's estimators. An entry known already takes the new value (in implicit
            feedback: the sum).
        y : None
            Ignored.
        known : Interactions, sparse matrix or array-like, optional
            The data of the model so far; needed where the model does not have it, after loading.
        entry_weight : sparse matrix or array-like, of the shape of X, optional
            Weights of the new entries; 1 by default. Known entries keep theirs, but for loaded models,
            whose entries all count as 1.
        passes : int
            Sweeps.
        reach : {"touched", "all"}
        progress : bool, callable or Progress
            See `fit`.

        Raises
        ------
        ParameterError
            If ``passes`` or ``reach`` is none of these, or a parameter is out of range or one that
            only a `fit` can change.
        ModelError
            If the model does not have its data.
        InputError
            If the data cannot be used, or a matrix is smaller than the model.
        """
        self._check_update(passes, reach)
        if not self.is_fitted:
            return self.fit(X, entry_weight=entry_weight, progress=progress)
        before = self._known_data().training(known)
        data = self._new_entries(X, before.data)
        self.check_signs(data.by_user.values)
        new = Training(data, None if entry_weight is None else aligned_weights(entry_weight, data.by_user))
        training = before.merged(new)
        entries, seed = self._entries(training), int(self.random_state)
        now = self.objective_of_fit(entries)
        factors = append_new_rows(now, self.factors(), entries, seed=seed)
        if reach == "all":
            return self._update_all(factors, training, entries, int(passes), listener(progress))
        users, items = training.rows_with_entries(data)
        updated = update_rows(now, factors, entries, users=users, items=items, passes=int(passes))
        check_range(updated, self.name, now.penalty.l2)
        self._learned(updated.as_stored(), shares=self.shares_, history=self.history_)
        self._note_update(new, entries)
        self._grow_to(training)
        return self

    def _update_all(
        self, factors: Factors, training: Training, entries: Entries, passes: int, progress: Progress
    ) -> Self:
        """Sweep everything from the present state on, new rows appended already."""
        objective, seed = self._objective_of_update(entries), int(self.random_state)
        trainer = Trainer(
            objective,
            factors.rank,
            StoppingRules(passes, deadline=DescentPlan.of(self).stopping_rules().deadline),
            initial=restarted(objective, factors, entries, seed=seed),
            seed=seed,
            name=self.name,
            progress=progress,
        )
        self._keep_fit(trainer.fit(entries), objective, training, entries)
        return self._finished(training.data)

    def _objective_of_update(self, entries: Entries) -> Objective:
        """Return what is minimised when the model is fitted further, to entries that have grown."""
        return self.objective(entries)

    def _note_update(self, new: Training, entries: Entries) -> None:
        """Keep what else is to be known of ``new``, taken in; ``entries`` are all there are by now."""

    def _check_update(self, passes: int, reach: str) -> None:
        """Raise ParameterError if an update is not well asked for, or is of another model than was fitted."""
        check_passes(self.name, passes, reach)
        if self.is_fitted:
            parameters.check(self, self.name)
            self._check_parameters(n_given=2 if self.init == "custom" else 0)
            today = {key: getattr(self, key) for key in self.fixed_by_fit}
            check_unchanged(self.name, self.fitted_params_, today)

    # -- answers --------------------------------------------------------------------------------
    def fit_transform(
        self,
        X: Any,
        y: None = None,
        *,
        W: Any = None,
        H: Any = None,
        entry_weight: Any = None,
        progress: GivenProgress = SILENT,
    ) -> Float32Array:
        """Fit and return the user factors, (n_users, n_components); see `fit`."""
        self.fit(X, W=W, H=H, entry_weight=entry_weight, progress=progress)
        factors: Float32Array = self._contained(self._representation(self.user_factors_), X)
        return factors

    def _fold_in(self, rows: CompressedRows) -> SideFactors:
        """Return factors and biases of new users; see `FactorModel`."""
        model = self.as_fitted()
        return self._new_users(model.objective_of_fit(), model._values(rows))

    def as_fitted(self) -> Self:
        """Return the model with the `fixed_by_fit` parameters as of its fit, whatever they are now."""
        model = copy.copy(self)
        for key in self.fixed_by_fit:
            setattr(model, key, self.fitted_params_.get(key, getattr(self, key)))
        return model

    # -- the bundle -----------------------------------------------------------------------------
    @classmethod
    def current_config(cls, config: Mapping[str, Any]) -> dict[str, Any]:
        """Return a stored config under the names of today: ``l1`` was once that of both sides."""
        config = dict(config)
        if "l1" in config:
            config["user_l1"] = config["item_l1"] = config.pop("l1")
        return super().current_config(config)
