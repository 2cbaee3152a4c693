"""How an `NMF` is fitted and updated: its parameters put to the solvers."""

from __future__ import annotations

import numbers
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from recsys.data.ids import Ids
from recsys.data.interactions import Interactions
from recsys.data.rows import CompressedRows
from recsys.errors import InputError, ModelError, ParameterError
from recsys.factorization.factors import AnyFactors, Factors, SparsePair, densely
from recsys.factorization.losses import Loss
from recsys.factorization.restarts import Found, Rules, fit_once, fit_validated
from recsys.factorization.stability import stability
from recsys.factorization.starts import custom_start
from recsys.factorization.updating import extended, touch
from recsys.models import parameters
from recsys.models.training_data import Entries, Training
from recsys.progress import Progress
from recsys.typing import Float32Array, Float64Array, Int64Array

if TYPE_CHECKING:
    from recsys.models.base import Model
    from recsys.models.nmf_recipe import NMFRecipe

_USUAL_SHARE = 0.1  # held out where starts are to be compared and nothing else was said


def fit(model: NMFRecipe, training: Training, W: Any, H: Any, progress: Progress) -> tuple[Found, Loss]:
    """Fit factors to training data by a model's parameters, and return also what was minimised.

    W and H are as in `NMF.fit`.
    """
    check_together(model, n_given=(W is not None) + (H is not None))
    entries = model._entries(training)
    warm = _warm_factors(model, training.data, entries) if model.warm_start and model.is_fitted else None
    loss, share = model._loss_of(entries, fresh=warm is None), share_of(model)

    def start(
        rows: CompressedRows, columns: CompressedRows, weights: Float32Array | None, number: int
    ) -> AnyFactors:
        part = Entries(rows, columns, weights)
        given = warm or _given(model, rows, W, H)
        at = model._start(part, number) if given is None else model._scaled(given, part, loss)
        return _at_mean(at, model._mean_of(part))

    rules = replace(_rules(model), n_settling=model._n_settling if warm is None else 0)
    if share > 0:
        found = fit_validated(
            loss.problem,
            start,
            entries.by_user,
            entries.by_item,
            rules,
            model._error_of(loss, entries),
            n_starts=1 if warm else model.n_init,
            share=share,
            seed=int(model.random_state),
            weights=entries.weights,
            name=model.name,
            progress=progress,
        )
        return found, loss
    at = start(entries.by_user, entries.by_item, entries.weights, 0)
    found = fit_once(
        loss.problem,
        entries.by_user,
        entries.by_item,
        at,
        rules,
        weights=entries.weights,
        name=model.name,
        progress=progress,
    )
    return found, loss


def update_all(model: NMFRecipe, training: Training, passes: int, progress: Progress) -> tuple[Found, Loss]:
    """Sweep everything from the present state on, new rows appended; return also what was minimised."""
    rules = Rules(passes, deadline=_rules(model).deadline)
    entries = model._entries(training)
    loss = model._loss_of_update(entries)
    at = model._scaled(_revived(model, _extended(model, entries), entries), entries, loss)
    found = fit_once(
        loss.problem,
        entries.by_user,
        entries.by_item,
        _at_mean(at, model._mean_of(entries)),
        rules,
        weights=entries.weights,
        name=model.name,
        progress=progress,
    )
    return found, loss


def update_touched(model: NMFRecipe, training: Training, new: Interactions, passes: int) -> AnyFactors:
    """Sweep the users and items that have an entry in ``new``."""
    entries = model._entries(training)
    users = training.data.user_ids.rows(new.user_ids.values)
    items = training.data.item_ids.rows(new.item_ids.values)
    return touch(
        _extended(model, entries),
        entries.by_user,
        entries.by_item,
        model._loss_of_fit(entries),
        users=np.sort(users[new.by_user.counts > 0]),
        items=np.unique(items[new.by_user.columns]),
        passes=passes,
        weights=entries.weights,
    )


def _at_mean(at: AnyFactors, mean: float) -> AnyFactors:
    """Return factors with another mean, if there is one."""
    return at if isinstance(at, SparsePair) else replace(at, mean=mean)


def _extended(model: NMFRecipe, entries: Entries) -> AnyFactors:
    """Return the model's factors with rows for new users and items."""
    loss, seed = model._loss_of_fit(entries), int(model.random_state)
    return extended(model.factors(), entries.by_user, entries.by_item, loss, seed=seed)


def _revived(model: NMFRecipe, at: AnyFactors, entries: Entries) -> AnyFactors:
    """Return factors whose themes that are zero on both sides, which no sweep can change, begin again."""
    if not model.revives or isinstance(at, SparsePair):
        return at
    dead = np.atleast_1d(~(at.user_factors.any(axis=0) | at.item_factors.any(axis=0)))
    if not dead.any():
        return at
    drawn = model._random_start(entries, 0)
    return replace(
        at,
        user_factors=np.where(dead, drawn.user_factors, at.user_factors),
        item_factors=np.where(dead, drawn.item_factors, at.item_factors),
    )


def check_update(model: NMFRecipe, passes: int, reach: str) -> None:
    """Raise ParameterError if an update is not told well, or parameters do not fit those of the last fit."""
    if not isinstance(passes, numbers.Integral) or isinstance(passes, bool) or passes < 1:
        raise ParameterError(f"{model.name}: passes is {passes!r}; expected a whole number, 1 or more.")
    if reach not in ("touched", "all"):
        raise ParameterError(f"{model.name}: reach is {reach!r}; expected touched or all.")
    if not model.is_fitted:
        return
    parameters.check(model, model.name)
    check_together(model, n_given=2 if model.init == "custom" else 0)
    for key in model.settled:
        fitted, today = model.fitted_params_.get(key), getattr(model, key)
        if fitted is not None and fitted != today:
            raise ParameterError(
                f"{model.name}: {key} is {today!r}, but the model was fitted with {fitted!r}; fit it anew."
            )


def known_data(model: NMFRecipe, known: Any) -> Training:
    """Return what a model was fitted to, or what is said to be that.

    Raises
    ------
    ModelError
        If the model does not hold it and it is not given.
    InputError
        If what is given is of another size, or of other users or items.
    """
    held = model.held_training()
    if known is None:
        if held is None:
            raise ModelError(
                f"{model.name}: a loaded model does not hold the data it was fitted to; "
                f"give it: partial_fit(X, known=data)."
            )
        return held
    if not isinstance(known, Interactions):
        known = Interactions.from_matrix(known, feedback=model.feedback)
    if (known.n_users, known.n_items) != (model.n_users_, model.n_items_):
        raise InputError(
            f"the known data is {known.n_users} x {known.n_items}; expected the {model.n_users_} x "
            f"{model.n_items_} that the model was fitted to."
        )
    if not _may_be_the_models(model, known):
        raise InputError(
            "the known data is of other users or items, or of the same in another order, than the model "
            "was fitted to; give that data."
        )
    return Training(known)


def _may_be_the_models(model: NMFRecipe, data: Interactions) -> bool:
    """Return whether users and items are those of the model, as far as ids can tell.

    A loaded model has the ids of its bundle, and a matrix has none to compare with those.
    """
    held, ids = model.held_training(), (data.user_ids, data.item_ids)
    if held is not None:
        return (held.data.user_ids, held.data.item_ids) == ids
    return model.ids_ is None or model.ids_ == ids or all(side == Ids(np.arange(len(side))) for side in ids)


def check_range(model: Model, at: AnyFactors) -> None:
    """Raise ModelError if a product of factors might be beyond single precision.

    Where penalties are nothing beside the values, a user or an item with next to no entries can get
    factors of any size.
    """
    if isinstance(at, SparsePair):
        largest = [side.largest().astype(np.float64) for side in (at.users, at.items)]
    else:
        largest = [
            np.maximum(side.max(axis=0), -side.min(axis=0)).astype(np.float64)
            for side in (at.user_factors, at.item_factors)
        ]
    if not float(np.sum(largest[0] * largest[1])) < float(np.finfo(np.float32).max):
        raise ModelError(
            f"{model.name}: scores would be beyond single precision (3.4e38); give the values in larger "
            f"units or raise l2, now {getattr(model, 'l2', None)}."
        )


def share_of(model: NMFRecipe) -> float:
    """Return the share of entries that a fit holds out."""
    return model.validation_share or (_USUAL_SHARE if model.n_init > 1 else 0.0)


def stability_of(model: NMFRecipe, found: Found, order: Int64Array) -> Float64Array | None:
    """Return how alike each theme is in the other starts, in the order given; None without any."""
    if not found.rivals or not model._is_bounded:
        return None
    return stability([densely(at).item_factors for at in (found.factors, *found.rivals)])[order]


def check_together(model: NMFRecipe, *, n_given: int) -> None:
    """Raise ParameterError if parameters contradict each other."""
    model._check_together()
    if model.n_init > 1 and model.init in ("nndsvd", "custom"):
        raise ParameterError(
            f"{model.name}: n_init is {model.n_init}, but init {model.init!r} gives one start only; "
            f"set n_init=1 or init='random'."
        )
    if n_given != (2 if model.init == "custom" else 0):
        raise ParameterError(
            f"{model.name}: init is {model.init!r} and {n_given} of W and H are given; "
            f"give both with init='custom', and neither otherwise."
        )


def _rules(model: NMFRecipe) -> Rules:
    return Rules(
        max_iter=model.max_iter,
        tol=model.tol,
        gradient_tol=model.gradient_tol,
        patience=model.patience,
        deadline=None if model.time_limit is None else time.perf_counter() + model.time_limit,
    )


def _given(model: NMFRecipe, rows: CompressedRows, W: Any, H: Any) -> Factors | None:
    """Return a caller's start, if there is one."""
    if model.init != "custom":
        return None
    turned = None if H is None else np.transpose(H)
    return custom_start(rows, model.n_components, W, turned, nonnegative=model._is_bounded)


def _warm_factors(model: NMFRecipe, data: Interactions, entries: Entries) -> AnyFactors:
    """Return where the last fit ended, or raise InputError."""
    at = model.factors()
    found = (at.n_users, at.n_items, at.rank)
    wanted = (data.n_users, data.n_items, model.n_components)
    if found != wanted:
        raise InputError(
            f"warm_start: the model is of {found[0]} users, {found[1]} items and {found[2]} themes; this "
            f"fit is of {wanted[0]}, {wanted[1]} and {wanted[2]}; set warm_start=False, or give new users "
            f"and items to partial_fit."
        )
    if not _may_be_the_models(model, data):
        raise InputError(
            "warm_start: the model was fitted to other users or items; set warm_start=False, or give new "
            "ones to partial_fit."
        )
    return model._kept(_revived(model, at, entries))
