"""A fit that begins with the components of an older model, and keeps their numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from recsys.checkpoints import Checkpoint
from recsys.data.interactions import Interactions
from recsys.errors import ModelError, ParameterError
from recsys.experiment.settings import ModelSpec
from recsys.factorization.stability import match_components
from recsys.models.base import Model
from recsys.progress import Progress
from recsys.recommend.bundle import Bundle
from recsys.typing import Float32Array, Float64Array

SHARE_OF_SWEEPS = 0.1
"""Of the sweeps of a fit from nothing: what is begun with is near a solution already."""
SAME = 0.7
"""Cosine of its items' factors from which a component counts as the one it was, and keeps its label."""


@dataclass(frozen=True, eq=False)
class KeptComponents:
    """What became of the components of an older model.

    Attributes
    ----------
    cosines : float64, (n_components,)
        Between each component's factors of the items that both models know, before and after.
    labels : mapping of int to str
        What people call the themes that are still what they were, by number from 1.
    n_new_users, n_new_items : int
        Those that the older model does not know.
    began_with : str
        Digest of the data of the older model.
    """

    cosines: Float64Array
    labels: Mapping[int, str]
    n_new_users: int
    n_new_items: int
    began_with: str

    def to_json(self) -> dict[str, Any]:
        """Return the counts and the mean, ready for JSON."""
        return {
            "began_with": self.began_with,
            "n_components": len(self.cosines),
            "n_same": int(np.count_nonzero(self.cosines >= SAME)),
            "mean_cosine": float(self.cosines.mean()),
            "n_new_users": self.n_new_users,
            "n_new_items": self.n_new_items,
        }


def begun_like(spec: ModelSpec, old: Bundle) -> ModelSpec:
    """Return a model with as many components as the older one has.

    Raises
    ------
    ModelError
        If the older model has no components to begin with.
    ParameterError
        If the model is another, or another number of components is asked for.
    """
    components = old.model.component_model
    if components is None or not hasattr(components, "partial_fit"):
        raise ModelError(
            f"{old.model.name} has no components that a fit could begin with; train without --warm-start."
        )
    if spec.name != old.model.name:
        raise ParameterError(
            f"the older model is {old.model.name}, this one {spec.name}; a warm start needs the same."
        )
    n_components = len(components.shares_)
    asked = spec.params.get("n_components")
    if asked not in (None, n_components):
        raise ParameterError(
            f"the older model has {n_components} components and {asked} are asked for; leave n_components "
            f"out, or train without --warm-start."
        )
    if spec.params.get("init") not in (None, "custom") or spec.params.get("n_init", 1) != 1:
        raise ParameterError("a warm start is one start; leave init and n_init out.")
    return replace(spec, params={**spec.params, "n_components": n_components})


def fit_from(
    old: Bundle,
    model: Model,
    data: Interactions,
    *,
    asked_for: Mapping[str, Any],
    progress: Progress,
    checkpoint: Checkpoint | None = None,
) -> KeptComponents:
    """Fit a model from the components of an older one, with fewer sweeps, and number them as there.

    Users and items that the older model does not know begin with zeros: the first sweep fits them to the
    components. Components are matched by their items (`match_components`).

    Parameters
    ----------
    old : Bundle
    model : Model
        Not fitted; see `begun_like`.
    data : Interactions
    asked_for : mapping
        Parameters that somebody set: ``max_iter`` among them is kept to, otherwise it is a tenth.
    progress : Progress
    checkpoint : Checkpoint, optional
        Keeps where the fit stands.
    """
    components = old.model.component_model
    assert components is not None
    users, items = old.user_ids.rows(data.user_ids.values), old.item_ids.rows(data.item_ids.values)
    n_components = len(components.shares_)
    user_factors = _rows(components.user_rows, users, n_components)
    item_factors = _rows(components.item_rows, items, n_components)
    if not (item_factors.any() and user_factors.any()):
        raise ModelError("the older model knows none of these users or items; train without --warm-start.")
    own = model.get_params()
    changed = (
        {} if "max_iter" in asked_for else {"max_iter": max(1, round(SHARE_OF_SWEEPS * own["max_iter"]))}
    )
    if "init" in own:
        changed["init"] = "custom"
    restored = {name: own[name] for name in changed}
    model.set_params(**changed)
    try:
        start: dict[str, Any] = {"W": user_factors, "H": item_factors.T}
        model.fit(data, progress=progress, checkpoint=checkpoint, **start)
    finally:  # a later fit, from nothing, is to be as asked for
        model.set_params(**restored)
        if model.is_fitted:
            model.fitted_params_ |= restored
    fitted = model.component_model
    assert fitted is not None
    known = np.flatnonzero(items >= 0)
    order, cosines = match_components(item_factors[known], fitted.item_rows(known))
    fitted.reorder_components(order)
    labels = {number: text for number, text in old.theme_labels.items() if cosines[number - 1] >= SAME}
    return KeptComponents(
        cosines, labels, int(np.sum(users < 0)), int(np.sum(items < 0)), str(old.training.get("digest"))
    )


def _rows(rows_of: Any, numbers: Any, n_components: int) -> Float32Array:
    """Return factors of rows, zeros for one that is not known (-1)."""
    factors = np.zeros((len(numbers), n_components), dtype=np.float32)
    known = numbers >= 0
    factors[known] = rows_of(numbers[known])
    return factors
