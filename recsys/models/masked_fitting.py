"""How a `MaskedNMF` is fitted and updated: its parameters put to the solvers."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from recsys.data.interactions import Interactions
from recsys.data.rows import CompressedRows
from recsys.errors import InputError, ModelError, ParameterError
from recsys.factorization.losses import KLLoss, Loss, SquaredLoss
from recsys.factorization.masked import MaskedFactors, MaskedObjective
from recsys.factorization.masked_kl import MaskedKLObjective
from recsys.factorization.restarts import Found, Rules, fit_once, fit_validated
from recsys.factorization.stability import stability
from recsys.factorization.starts import custom_start, nndsvd_start, random_start
from recsys.factorization.updating import extended, touch
from recsys.models import parameters
from recsys.models.training_data import Training
from recsys.progress import Progress
from recsys.typing import Float32Array, Float64Array, Int64Array

if TYPE_CHECKING:
    from recsys.models.masked_nmf import MaskedNMF

_L1_RISE = 10  # sweeps in which l1 rises: by then themes stand out from a random start
_USUAL_SHARE = 0.1  # held out where starts are to be compared and nothing else was said


def fit(model: MaskedNMF, training: Training, W: Any, H: Any, progress: Progress) -> Found:
    """Fit factors to training data by a model's parameters; W and H as in `MaskedNMF.fit`."""
    _check_together(model, n_given=(W is not None) + (H is not None))
    by_user, by_item, weights = training.counting
    warm = _warm_factors(model, training.data) if model.warm_start and model.is_fitted else None

    def start(
        rows: CompressedRows, columns: CompressedRows, row_weights: Float32Array | None, number: int
    ) -> MaskedFactors:
        at = warm or _start(model, rows, columns, number, W, H)
        return replace(at, mean=_mean(model, rows, row_weights))

    loss, share, values = loss_of(model, fresh=warm is None), share_of(model), by_user.values
    rules = replace(_rules(model), n_settling=_n_settling(model) if warm is None else 0)
    if share > 0:
        return fit_validated(
            loss.problem,
            start,
            by_user,
            by_item,
            rules,
            loss.error,
            n_starts=1 if warm else model.n_init,
            share=share,
            seed=int(model.random_state),
            weights=weights,
            bounds=(float(values.min()), float(values.max())) if model.clip else None,
            name=model.name,
            progress=progress,
        )
    at = start(by_user, by_item, weights, 0)
    return fit_once(
        loss.problem, by_user, by_item, at, rules, weights=weights, name=model.name, progress=progress
    )


def update_all(model: MaskedNMF, training: Training, passes: int, progress: Progress) -> Found:
    """Sweep everything from the present state on, new rows appended."""
    rules = Rules(passes, deadline=_rules(model).deadline)
    by_user, by_item, weights = training.counting
    loss = loss_of(model)
    at = extended(model.factors(), by_user, by_item, loss, seed=int(model.random_state))
    at = replace(_revived(model, at, by_user), mean=_mean(model, by_user, weights))
    return fit_once(
        loss.problem, by_user, by_item, at, rules, weights=weights, name=model.name, progress=progress
    )


def _revived(model: MaskedNMF, at: MaskedFactors, rows: CompressedRows) -> MaskedFactors:
    """Return factors whose themes that are zero on both sides, which no sweep can change, begin again."""
    dead = np.atleast_1d(~(at.user_factors.any(axis=0) | at.item_factors.any(axis=0)))
    if not dead.any():
        return at
    drawn = random_start(rows, model.n_components, biases=model.biases, seed=int(model.random_state))
    return replace(
        at,
        user_factors=np.where(dead, drawn.user_factors, at.user_factors),
        item_factors=np.where(dead, drawn.item_factors, at.item_factors),
    )


def update_touched(model: MaskedNMF, training: Training, new: Interactions, passes: int) -> MaskedFactors:
    """Sweep the users and items that have an entry in ``new``."""
    by_user, by_item, weights = training.counting
    loss = loss_of(model)
    at = extended(model.factors(), by_user, by_item, loss, seed=int(model.random_state))
    users = training.data.user_ids.rows(new.user_ids.values)
    items = training.data.item_ids.rows(new.item_ids.values)
    return touch(
        at,
        by_user,
        by_item,
        loss,
        users=np.sort(users[new.by_user.counts > 0]),
        items=np.unique(items[new.by_user.columns]),
        passes=passes,
        weights=weights,
    )


_SETTLED = ("n_components", "loss", "biases")  # what a fit was of: an update cannot change it


def check_update(model: MaskedNMF) -> None:
    """Raise ParameterError if the parameters of today do not fit the factors of the last fit."""
    parameters.check(model, model.name)
    _check_together(model, n_given=2 if model.init == "custom" else 0)
    for key in _SETTLED:
        fitted, today = model.fitted_params_.get(key), getattr(model, key)
        if fitted is not None and fitted != today:
            raise ParameterError(
                f"{model.name}: {key} is {today!r}, but the model was fitted with {fitted!r}; fit it anew."
            )


def known_data(model: MaskedNMF, known: Any) -> Training:
    """Return what a model was fitted to, or what is said to be that.

    Raises
    ------
    ModelError
        If the model does not hold it and it is not given.
    InputError
        If what is given is of another size.
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
    return Training(known)


def loss_of(model: MaskedNMF, *, fresh: bool = False) -> Loss:
    """Return the loss and the penalties that a model's parameters name.

    Penalties begin otherwise than they end (``warm_up``) only in a ``fresh`` fit.
    """
    if model.loss == "kl":
        return KLLoss(
            MaskedKLObjective(
                l2=model.l2,
                l2_exponent=model.l2_exponent,
                l1=model.user_l1,
                item_l1=model.item_l1,
                n_inner=model.n_inner,
            )
        )
    return SquaredLoss(
        MaskedObjective(
            l2=model.l2,
            l2_exponent=model.l2_exponent,
            l1=model.user_l1,
            item_l1=model.item_l1,
            bias_l2=model.bias_l2,
            biases=model.biases,
            n_inner=model.n_inner,
            warm_up=model.warm_up if fresh else 0,
            l1_rise=_l1_rise(model) if fresh else 0,
        )
    )


def _n_settling(model: MaskedNMF) -> int:
    """Return how many iterations of a fresh fit have penalties of their own."""
    return 0 if model.loss == "kl" else max(model.warm_up, _l1_rise(model))


def _l1_rise(model: MaskedNMF) -> int:
    return min(_L1_RISE, model.max_iter // 2) if max(model.user_l1, model.item_l1) > 0 else 0


def check_range(model: MaskedNMF, at: MaskedFactors) -> None:
    """Raise ModelError if a product of factors might be beyond single precision.

    Where penalties are nothing beside the values, a user or an item with next to no entries can get
    factors of any size.
    """
    largest = [side.max(axis=0).astype(np.float64) for side in (at.user_factors, at.item_factors)]
    if not float(np.sum(largest[0] * largest[1])) < float(np.finfo(np.float32).max):
        raise ModelError(
            f"{model.name}: scores would be beyond single precision (3.4e38); give the values in larger "
            f"units or raise l2, now {model.l2:g}."
        )


def share_of(model: MaskedNMF) -> float:
    """Return the share of entries that a fit holds out."""
    return model.validation_share or (_USUAL_SHARE if model.n_init > 1 else 0.0)


def stability_of(found: Found, order: Int64Array) -> Float64Array | None:
    """Return how alike each theme is in the other starts, themes in the order given; None without any."""
    if not found.rivals:
        return None
    return stability([at.item_factors for at in (found.factors, *found.rivals)])[order]


def _check_together(model: MaskedNMF, *, n_given: int) -> None:
    """Raise ParameterError if parameters contradict each other."""
    if model.loss == "kl" and model.biases:
        raise ParameterError(f"{model.name}: loss is 'kl', which goes without biases; set biases=False.")
    if model.loss == "kl" and model.warm_up:
        raise ParameterError(f"{model.name}: loss is 'kl', which knows no warm-up; set warm_up=0.")
    if model.max_iter <= model.warm_up:
        raise ParameterError(
            f"{model.name}: max_iter is {model.max_iter}, but l2 comes to its value only after "
            f"{model.warm_up} sweeps (warm_up); set max_iter above that."
        )
    if model.n_init > 1 and model.init != "random":
        raise ParameterError(
            f"{model.name}: n_init is {model.n_init}, but init {model.init!r} gives one start only; "
            f"set n_init=1 or init='random'."
        )
    if n_given != (2 if model.init == "custom" else 0):
        raise ParameterError(
            f"{model.name}: init is {model.init!r} and {n_given} of W and H are given; "
            f"give both with init='custom', and neither otherwise."
        )


def _rules(model: MaskedNMF) -> Rules:
    return Rules(
        max_iter=model.max_iter,
        tol=model.tol,
        gradient_tol=model.gradient_tol,
        patience=model.patience,
        deadline=None if model.time_limit is None else time.perf_counter() + model.time_limit,
    )


def _mean(model: MaskedNMF, rows: CompressedRows, weights: Float32Array | None) -> float:
    return float(np.average(rows.values.astype(np.float64), weights=weights)) if model.biases else 0.0


def _start(
    model: MaskedNMF, rows: CompressedRows, columns: CompressedRows, number: int, W: Any, H: Any
) -> MaskedFactors:
    """Return where a fit begins, by ``init``; ``columns`` are the same entries by item."""
    rank, seed = model.n_components, int(model.random_state)
    if model.init == "nndsvd":
        return nndsvd_start(rows, columns, rank, biases=model.biases, seed=seed)
    if model.init == "custom":
        return custom_start(rows, rank, W, None if H is None else np.transpose(H), biases=model.biases)
    return random_start(rows, rank, biases=model.biases, seed=seed, chain=number)


def _warm_factors(model: MaskedNMF, data: Interactions) -> MaskedFactors:
    """Return where the last fit ended, or raise InputError."""
    at = model.factors()
    found = (*(len(side) for side in (at.user_factors, at.item_factors)), at.user_factors.shape[1])
    wanted = (data.n_users, data.n_items, model.n_components)
    if found != wanted:
        raise InputError(
            f"warm_start: the model is of {found[0]} users, {found[1]} items and {found[2]} themes; this "
            f"fit is of {wanted[0]}, {wanted[1]} and {wanted[2]}; set warm_start=False, or give new users "
            f"and items to partial_fit."
        )
    held = model.held_training()
    if held is not None and not held.data.same_ids(data):
        raise InputError(
            "warm_start: the model was fitted to other users or items; set warm_start=False, or give new "
            "ones to partial_fit."
        )
    at = _revived(model, at, data.by_user)
    if model.biases:
        return at
    return replace(at, user_bias=np.zeros_like(at.user_bias), item_bias=np.zeros_like(at.item_bias))
