"""A model's themes as a whole: families, how alike these are, and what users and items are made of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from recsys.data.ids import Id, listed_ids
from recsys.data.rows import CompressedRows
from recsys.recommend.bundle import Bundle
from recsys.recommend.families import Family, families
from recsys.typing import Float64Array, Int64Array

_N_BY_DEFAULT = 3


@dataclass(frozen=True)
class Mixture:
    """What a user's or an item's observed entries are made of, by family.

    Attributes
    ----------
    kind : {"user", "item"}
    id : id
    name : str
    n_entries : int
        How many observed entries there are.
    shares : tuple of (int, float)
        Number of a family and its part of what all components add to these entries, the largest first;
        families without a part are left out.
    """

    kind: str
    id: Id
    name: str
    n_entries: int
    shares: tuple[tuple[int, float], ...]

    def to_json(self) -> dict[str, Any]:
        """Return a plain record."""
        families_of = [{"family": number, "share": share} for number, share in self.shares]
        return {self.kind: self.id, "name": self.name, "n_entries": self.n_entries, "families": families_of}


@dataclass(frozen=True)
class ThemeMap:
    """Families of themes and what is made of them.

    Attributes
    ----------
    families : tuple of Family
    likeness : tuple of tuple of float
        Cosine of every two families' items, 0 to 1; see `ThemeItems.similarities`.
    mixtures : tuple of Mixture
    """

    families: tuple[Family, ...]
    likeness: tuple[tuple[float, ...], ...]
    mixtures: tuple[Mixture, ...]

    def to_json(self) -> dict[str, Any]:
        """Return a plain record."""
        return {
            "families": [family.to_json() for family in self.families],
            "likeness": [list(row) for row in self.likeness],
            "mixtures": [mixture.to_json() for mixture in self.mixtures],
        }


def theme_map(
    bundle: Bundle,
    *,
    users: Iterable[Id] | Id | None = None,
    items: Iterable[Id] | Id | None = None,
    n_items: int = 8,
) -> ThemeMap:
    """Return the families of a model's themes, and the mixtures of some users and items.

    Parameters
    ----------
    bundle : Bundle
        Of a model with themes.
    users, items : id or iterable of id, optional
        Whose mixtures to take; by default three users, at the quartiles by number of items, and the three
        items that most users have.
    n_items : int
        Items to list for each family.

    Raises
    ------
    ModelError
        If the model has no themes, or they explain nothing.
    InputError
        If an id is not known.
    """
    grouped = families(bundle, n_items=n_items)
    about = bundle.theme_items
    assert about is not None
    joined = about.joined([[number - 1 for number in family.themes] for family in grouped])
    likeness = joined.similarities().clip(0, 1)
    if users is None:
        user_rows = _quartiles(bundle.seen.counts)
    else:
        user_rows = bundle.user_ids.known_rows(listed_ids(users, "users"), "user")
    if items is None:
        item_rows = np.argsort(-bundle.item_counts, kind="stable")[:_N_BY_DEFAULT]
    else:
        item_rows = bundle.item_ids.known_rows(listed_ids(items, "items"), "item")
    mixtures = [
        *_mixtures(bundle, grouped, "user", user_rows),
        *_mixtures(bundle, grouped, "item", item_rows),
    ]
    return ThemeMap(tuple(grouped), tuple(tuple(map(float, row)) for row in likeness), tuple(mixtures))


def _quartiles(counts: Int64Array) -> Int64Array:
    """Return the rows at the quartiles by number of entries, of those with any."""
    order = np.argsort(counts, kind="stable")
    order = order[counts[order] > 0]
    return order[np.unique(len(order) * np.arange(1, _N_BY_DEFAULT + 1) // (_N_BY_DEFAULT + 1))]


def _mixtures(bundle: Bundle, grouped: list[Family], kind: str, rows: Int64Array) -> list[Mixture]:
    model, is_user = bundle.model.component_model, kind == "user"
    assert model is not None
    entries: CompressedRows = bundle.seen if is_user else bundle.seen.transposed()
    ids = bundle.user_ids if is_user else bundle.item_ids
    mixtures = []
    for row in rows.tolist():
        others = entries.row(row)[0].astype(np.int64)
        own = (model.user_rows if is_user else model.item_rows)(np.array([row]))[0].astype(np.float64)
        met = (model.item_rows if is_user else model.user_rows)(others).sum(axis=0, dtype=np.float64)
        added: Float64Array = own * met
        of_family = [
            (family.number, float(added[np.array(family.themes) - 1].sum() / added.sum()))
            for family in grouped
            if added.sum() > 0
        ]
        shares = sorted((pair for pair in of_family if pair[1] > 0), key=lambda pair: (-pair[1], pair[0]))
        name = str(ids[row]) if is_user else bundle.name_of(ids[row])
        mixtures.append(Mixture(kind, ids[row], name, len(others), tuple(shares)))
    return mixtures
