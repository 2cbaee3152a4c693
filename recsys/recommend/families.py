"""Families of themes: so few that a person reads them all, and opens what interests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from recsys.data.ids import Id
from recsys.errors import ModelError
from recsys.recommend.bundle import Bundle
from recsys.recommend.ranking import check_n
from recsys.recommend.themes import Theme, items_in_words, themes

_LEAST, _MOST = 10, 30


@dataclass(frozen=True)
class Family:
    """Themes that are about the same kind of items.

    Attributes
    ----------
    number : int
        From 1, by share.
    share : float
        Its themes' part of what all themes explain of the observed entries.
    themes : tuple of int
        Their numbers, by share.
    about : tuple of str
        Names of the items that are most particular to them together.
    items : tuple of (id, name, weight)
        The items to which they add most, relative to the first.
    stability : float, optional
        The mean of its themes' stability, by share, where several starts were run.
    """

    number: int
    share: float
    themes: tuple[int, ...]
    about: tuple[str, ...]
    items: tuple[tuple[Id, str, float], ...]
    stability: float | None = None

    @property
    def name(self) -> str:
        """What is particular to the family."""
        return items_in_words(self.about)

    def to_json(self) -> dict[str, Any]:
        """Return a plain record."""
        return {
            "family": self.number,
            "name": self.name,
            "share": self.share,
            "stability": self.stability,
            "themes": list(self.themes),
            "items": [{"item": item, "name": name, "weight": weight} for item, name, weight in self.items],
        }


def families(bundle: Bundle, n: int | None = None, *, n_items: int = 8) -> list[Family]:
    """Group the themes of a model by their items.

    Themes are vectors of their items, see `ThemeItems.similarities`, and joined by Ward's method: two
    groups whose joining adds least to the squared distances within.

    Parameters
    ----------
    bundle : Bundle
        Of a model with themes.
    n : int, optional
        How many families; by default the root of the number of themes, 10 to 30. Never more than there are
        themes.
    n_items : int
        Items to list for each.

    Raises
    ------
    ModelError
        If the model has no themes.
    ParameterError
        If ``n`` is below 1.
    """
    listed = {theme.number: theme for theme in themes(bundle, n_items=1)}
    shares = {number: theme.share for number, theme in listed.items()}
    about = bundle.theme_items
    assert about is not None
    if not shares:
        raise ModelError("every factor is zero, so there is nothing to group; lower the penalties.")
    if n is None:
        n = min(max(round(len(shares) ** 0.5), _LEAST), _MOST)
    check_n(n, "number of families")
    numbers = np.array(sorted(shares), dtype=np.int64)
    labels = np.ones(1, dtype=np.int64)
    if len(numbers) > 1:
        chosen = numbers - 1
        alike = about.similarities()[np.ix_(chosen, chosen)]
        distances = np.sqrt(np.maximum(2 - (alike + alike.T), 0))
        np.fill_diagonal(distances, 0)
        tree = linkage(squareform(distances, checks=False), method="ward")
        labels = fcluster(tree, min(n, len(numbers)), criterion="maxclust")
    groups = [numbers[labels == label].tolist() for label in np.unique(labels)]
    groups.sort(key=lambda group: (-sum(shares[number] for number in group), group[0]))
    joined = about.joined([[number - 1 for number in group] for group in groups])
    grouped = []
    for position, group in enumerate(groups):
        rows, masses = joined.strongest(position, n_items)
        ids = [bundle.item_ids[int(row)] for row in rows]
        grouped.append(
            Family(
                number=position + 1,
                share=sum(shares[number] for number in group),
                themes=tuple(sorted(group, key=lambda number: (-shares[number], number))),
                about=joined.names(position, lambda row: bundle.name_of(bundle.item_ids[row])),
                items=tuple(
                    (item, bundle.name_of(item), float(mass / masses[0]))
                    for item, mass in zip(ids, masses, strict=True)
                ),
                stability=_stability([listed[number] for number in group]),
            )
        )
    return grouped


def _stability(group: Sequence[Theme]) -> float | None:
    """Return the mean stability of themes by share; None where it was not measured."""
    measured = [(theme.share, theme.stability) for theme in group if theme.stability is not None]
    total = sum(share for share, _ in measured)
    return sum(share * stability for share, stability in measured) / total if total > 0 else None
