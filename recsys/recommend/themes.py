"""The themes of a non-negative model, which are its components: what they weigh and what they are about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from recsys.data.ids import Id
from recsys.errors import ModelError
from recsys.models.base import Model
from recsys.models.registry import MODELS, about
from recsys.recommend.bundle import Bundle
from recsys.recommend.reasons import short


@dataclass(frozen=True)
class Theme:
    """One theme.

    Attributes
    ----------
    number : int
        From 1, by share.
    share : float
        Its part of what all themes explain of the observed entries.
    n_users, n_items : int
        How many users and items have a part in it.
    sparsity : float
        The share of items that have none.
    stability : float, optional
        How alike the theme is in other starts (1: the same), where several were run.
    items : tuple of (id, name, weight)
        The items to which the theme adds most over all observed entries, relative to the first.
    about : tuple of str
        Names of the items that are most particular to it, see `ThemeItems.particular`.
    label : str
        What people call it, where a label was given; else empty.
    user_share : float, optional
        The share of all users who have a part in it.
    concentration : float, optional
        The part of its ten strongest items in all that it adds over the observed entries.
    """

    number: int
    share: float
    n_users: int
    n_items: int
    sparsity: float
    stability: float | None
    items: tuple[tuple[Id, str, float], ...]
    about: tuple[str, ...] = ()
    label: str = ""
    user_share: float | None = None
    concentration: float | None = None

    @property
    def name(self) -> str:
        """The label, or what is particular to the theme."""
        return self.label or items_in_words(self.about)

    def to_json(self) -> dict[str, Any]:
        """Return a plain record."""
        return {
            "theme": self.number,
            "name": self.name,
            "share": self.share,
            "n_users": self.n_users,
            "n_items": self.n_items,
            "sparsity": self.sparsity,
            "user_share": self.user_share,
            "concentration": self.concentration,
            "stability": self.stability,
            "items": [{"item": item, "name": name, "weight": weight} for item, name, weight in self.items],
        }


def items_in_words(names: Sequence[str]) -> str:
    """Return what a theme is called by the names of its items."""
    return "; ".join(short(name) for name in names)


def has_themes(model: object) -> bool:
    """Return whether a model's scores are sums of parts that are 0 or more, components among them."""
    return isinstance(model, Model) and model.component_model is not None


def themes(bundle: Bundle, *, n_items: int = 8, n_themes: int | None = None) -> list[Theme]:
    """Return the themes by share with their strongest items; those that explain nothing are left out.

    Parameters
    ----------
    bundle : Bundle
        Of a non-negative factor model.
    n_items : int
        Items to list for each theme.
    n_themes : int, optional
        All by default.

    Raises
    ------
    ModelError
        If the model has no themes: its factors may be negative, so they are no parts of a sum.
    """
    model = bundle.model.component_model
    if model is None:
        raise ModelError(
            f"{bundle.model.name} has no themes: its scores are no sums of parts that are 0 or more; those "
            f"of {', '.join(name for name in MODELS if about(name)['has_themes'])} are."
        )
    stability, theme_items = model.stability_, bundle.theme_items
    assert theme_items is not None
    result = []
    for f in np.flatnonzero(model.shares_ > 0)[:n_themes].tolist():
        users, items = model.component(f)
        strongest, masses = theme_items.strongest(f, n_items)
        listed = []
        for item, mass in zip(strongest.tolist(), masses.tolist(), strict=True):
            item_id = bundle.item_ids[item]
            listed.append((item_id, bundle.name_of(item_id), mass / float(masses[0])))
        n_with = int(np.count_nonzero(items))
        result.append(
            Theme(
                number=f + 1,
                share=float(model.shares_[f]),
                n_users=int(np.count_nonzero(users)),
                n_items=n_with,
                sparsity=1.0 - n_with / model.n_items_,
                stability=None if stability is None else float(stability[f]),
                items=tuple(listed),
                about=theme_items.names(f, lambda row: bundle.name_of(bundle.item_ids[row])),
                label=bundle.theme_labels.get(f + 1, ""),
                user_share=np.count_nonzero(users) / len(users),
                concentration=theme_items.concentration(f),
            )
        )
    return result
