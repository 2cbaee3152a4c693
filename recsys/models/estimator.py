"""What is fitted: parameters, the checks before a fit and after it, and what is stored."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Self

import numpy as np

from recsys import memory
from recsys.checkpoints import GivenCheckpoint, opened
from recsys.data.ids import Ids
from recsys.data.interactions import Interactions
from recsys.data.log import Feedback
from recsys.errors import InputError, ModelError, NotFittedError, ParameterError
from recsys.factorization.history import History
from recsys.models import parameters
from recsys.models.fit_state import fit_of
from recsys.models.observed_entries import checked_entries
from recsys.progress import SILENT, GivenProgress, Progress, listener
from recsys.typing import AnyArray


class Estimator(ABC):
    """What every model is before it answers: parameters, `fit`, and what was learned as named arrays.

    Parameters are dataclass fields and are checked by `fit`, as in scikit-learn; what is learned
    ends in an underscore. A second `fit` starts afresh.
    """

    name: ClassVar[str]
    feedback: ClassVar[Feedback] = "implicit"
    """How a plain matrix given to `fit` is read."""
    shows_iterations: ClassVar[bool] = False
    """Whether `fit` hands the model as it stands after each iteration to a listener's ``snapshot``."""
    keeps_checkpoints: ClassVar[bool] = False
    """Whether `fit` takes a checkpoint, which `_fit` is then given opened, as ``keeper``."""

    n_users_: int
    n_items_: int
    fitted_params_: dict[str, Any]
    _fitted_to: tuple[Ids, Ids, int] | None = None

    # -- parameters, as scikit-learn has them ---------------------------------------------------
    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters by name."""
        return {item["name"]: getattr(self, item["name"]) for item in parameters.describe(type(self))}

    def set_params(self, **params: Any) -> Self:
        """Change parameters; unknown names raise ParameterError."""
        params = parameters.current_names(type(self), params)
        parameters.check_names(type(self), params, self.name)
        for key, value in params.items():
            setattr(self, key, value)
        return self

    def config(self) -> dict[str, Any]:
        """Return the parameters as plain values: those of the fit, defaults filled in, or today's."""
        params = getattr(self, "fitted_params_", None) or self.get_params()
        return {
            key: value.item() if isinstance(value, np.generic) else value for key, value in params.items()
        }

    @property
    def takes_negative(self) -> bool:
        """Whether ratings may be below 0, with these parameters."""
        return False

    # -- fitting --------------------------------------------------------------------------------
    def fit(
        self,
        X: Any,
        y: None = None,
        *,
        progress: GivenProgress = SILENT,
        checkpoint: GivenCheckpoint = None,
    ) -> Self:
        """Learn from interactions.

        Parameters
        ----------
        X : Interactions, sparse matrix or array-like, shape (n_users, n_items)
            Sparse: stored entries are the observed ones. Dense: NaN marks a missing entry.
        y : None
            Ignored.
        progress : bool, callable or Progress
            Is notified of each iteration: True shows them, a function such as ``print`` is given a line each.
        checkpoint : Checkpoint, optional
            Keeps where the fit stands, and has it go on from there after its process was killed.

        Raises
        ------
        ParameterError
            If a parameter has the wrong type or is out of range, or the model keeps no checkpoints.
        InputError
            If the data is empty or not finite, or negative where the model cannot take that, or the
            checkpoint is of another fit.
        KeyboardInterrupt
            If interrupted. A model whose `history` then says "interrupted" is fitted all the same:
            it holds the best state so far.
        """
        self.check_checkpoint(checkpoint)

        def learn(data: Interactions) -> None:
            with opened(checkpoint, lambda: fit_of(self.name, self.get_params(), data)) as keeper:
                fit: Any = self._fit  # a model that keeps no checkpoints knows of no keeper
                fit(data, listener(progress), **({"keeper": keeper} if self.keeps_checkpoints else {}))

        return self._fitted_by(learn, X)

    def _fitted_by(self, learn: Callable[[Interactions], None], X: Any) -> Self:
        """Check parameters and data, ``learn`` from them, and note what was fitted: around every fit."""
        data = self._checked(X)
        learn(data)
        return self._finished(data)

    def check_checkpoint(self, checkpoint: object) -> None:
        """Raise ParameterError if a checkpoint is given to a model that keeps none."""
        if checkpoint is not None and not self.keeps_checkpoints:
            from recsys.models.registry import models_with_checkpoints  # which imports `Model`

            raise ParameterError(
                f"{self.name} keeps no checkpoints; those that do are {', '.join(models_with_checkpoints())}."
            )

    def _checked(self, X: Any) -> Interactions:
        """Check parameters, data, and that there is the memory for both."""
        parameters.check(self, self.name)
        data = checked_entries(X, self.feedback)
        if data.nnz == 0:
            raise InputError("there is no observed entry to learn from.")
        self.check_signs(data.by_user.values)
        memory.check(
            self.fit_bytes(data),
            f"{self.name}: {data.n_users:,} users, {data.n_items:,} items and {data.nnz:,} entries",
            self.less_memory,
        )
        return data

    def check_signs(self, values: AnyArray) -> None:
        """Raise InputError if a value is below 0 and the model, with its parameters, cannot take it."""
        if not self.takes_negative and np.any(np.less(values, 0)):
            from recsys.models.registry import models_of_any_sign  # which imports `Model`

            raise InputError(
                f"a value is {np.min(values):g}: Negative values in data are nothing that {self.name} can "
                f"learn from with these parameters; of ratings below 0 learn "
                f"{', '.join(models_of_any_sign())}."
            )

    def _finished(self, data: Interactions) -> Self:
        """Note what was fitted, and let an interrupt that came on the way go on its way."""
        self.fitted_params_ = self.get_params() | self._resolved_params(data)
        self._note_data(data)
        if self.history is not None and self.history.stopped == "interrupted":
            raise KeyboardInterrupt
        return self

    def _note_data(self, data: Interactions) -> None:
        """Note which users, items and how many entries were fitted."""
        self.n_users_, self.n_items_ = data.n_users, data.n_items
        self._fitted_to = data.user_ids, data.item_ids, data.nnz

    def check_fitted_to(self, data: Interactions) -> None:
        """Raise ModelError if a model was fitted to other data, as far as it knows; a loaded one does not."""
        self._check_fitted()
        if (self.n_users_, self.n_items_) != (data.n_users, data.n_items):
            raise ModelError(
                f"the model was fitted to {self.n_users_} x {self.n_items_}, "
                f"the data is {data.n_users} x {data.n_items}."
            )
        if self._fitted_to is None:
            return
        *ids, nnz = self._fitted_to
        for kind, fitted, given in zip(("users", "items"), ids, (data.user_ids, data.item_ids), strict=True):
            if fitted is not given and not np.array_equal(fitted.values, given.values):
                raise ModelError(f"the model was fitted to other {kind}, or to these in another order.")
        if nnz != data.nnz:
            raise ModelError(
                f"the model was fitted to {nnz:,} entries, the data has {data.nnz:,}; "
                f"give what it was fitted to last."
            )

    def fit_bytes(self, data: Interactions) -> int:
        """Return about how many bytes a fit takes beside its data: factors three times, entries twice.

        Read off peaks by `tests/benchmarks/memory_estimates.py`.
        """
        rank = int(getattr(self, "n_components", None) or 0)
        return 4 * 3 * rank * (data.n_users + data.n_items) + 28 * data.nnz

    less_memory: ClassVar[str] = "take fewer components, or leave out rare users and items"
    """What to change where a fit takes more memory than there is."""

    def _resolved_params(self, data: Interactions) -> dict[str, Any]:
        """Return the parameters whose values the data decided."""
        return {}

    @classmethod
    def current_config(cls, config: Mapping[str, Any]) -> dict[str, Any]:
        """Return a stored config under the names and values of today."""
        return parameters.current_names(cls, config, warn=False)

    @abstractmethod
    def _fit(self, data: Interactions, progress: Progress) -> None:
        """Learn from checked data."""

    @property
    def is_fitted(self) -> bool:
        """Whether `fit` has been called."""
        return hasattr(self, "n_users_")

    def _check_fitted(self) -> None:
        if not self.is_fitted:
            raise NotFittedError(f"{self.name} is not trained yet; call fit first.")

    @property
    def history(self) -> History | None:
        """How the training went, where it is iterative."""
        return None

    # -- the bundle -----------------------------------------------------------------------------
    @abstractmethod
    def to_arrays(self) -> dict[str, AnyArray]:
        """Return all that was learned as named arrays."""

    def load(
        self,
        arrays: Mapping[str, AnyArray],
        *,
        history: History | None = None,
        ids: tuple[Ids, Ids] | None = None,
    ) -> None:
        """Become the fitted model that was stored: one with these parameters.

        Parameters
        ----------
        arrays : mapping of str to array
            As by `to_arrays`.
        history : History, optional
            How its training went.
        ids : (Ids, Ids), optional
            Its users and items, by row number.

        Raises
        ------
        ModelError
            If an array is missing or has the wrong shape.
        """
        self.fitted_params_ = self.get_params()
        self.restore(arrays)
        self._note_stored(history, ids)

    def _note_stored(self, history: History | None, ids: tuple[Ids, Ids] | None) -> None:
        """Keep what a bundle says beside the arrays; see `load`."""
        self._fitted_to = None

    @abstractmethod
    def restore(self, arrays: Mapping[str, AnyArray]) -> None:
        """Take back what `to_arrays` gave.

        Raises
        ------
        ModelError
            If an array is missing or has the wrong shape.
        """
