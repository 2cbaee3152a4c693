"""Labels of themes from the categories of items: those that a theme has more of than the whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from recsys.data.ids import Id
from recsys.data.labels import Labels
from recsys.errors import InputError, ModelError
from recsys.recommend.bundle import Bundle
from recsys.recommend.themes import items_in_words

_LEAST_LIFT = 1.5
_LEAST_SHARE = 0.1
_MOST_NAMED = 2


@dataclass(frozen=True)
class CategoryShare:
    """A category's part in a theme.

    Attributes
    ----------
    category : str
    share : float
        Its part of what the theme adds to items over the observed entries.
    lift : float
        That part beside the one it has in what all themes add.
    """

    category: str
    share: float
    lift: float


def theme_categories(
    bundle: Bundle, categories: Mapping[Id, str | Sequence[str]]
) -> dict[int, tuple[CategoryShare, ...]]:
    """Return the categories that are over-represented in each theme, the most particular first.

    An item in several shares its part evenly among them; items without any count in none. Categories are
    ranked by ``share log(lift)``, their part in the divergence of the theme from the whole; those of less
    than a tenth of a theme, or with a lift below 1.5, are left out.

    Parameters
    ----------
    bundle : Bundle
        Of a model with themes.
    categories : mapping of item's id to text, or to several

    Returns
    -------
    dict of number of the theme, from 1, to tuple of CategoryShare
        Of all themes that add anything; empty where no category is particular.

    Raises
    ------
    ModelError
        If the model has no themes.
    InputError
        If no item of the model has a category.
    """
    about = bundle.theme_items
    if about is None:
        raise ModelError(f"{bundle.model.name} has no themes; its factors may be of any sign.")
    pairs = [
        (item, text)
        for item, texts in categories.items()
        for text in ([texts] if isinstance(texts, str) else texts)
    ]
    rows = bundle.item_ids.rows([item for item, _ in pairs])
    labels = Labels.from_pairs(rows, np.array([text for _, text in pairs], dtype=object), len(about.totals))
    if len(labels.columns) == 0:
        raise InputError("no item of the model has a category; check that ids are written alike.")
    weights = np.repeat(1.0 / np.maximum(labels.counts, 1), labels.counts)
    members = sparse.csr_array(
        (weights, labels.columns, labels.indptr), shape=(labels.n_rows, len(labels.names))
    )
    whole = about.totals @ members
    whole_share = whole / whole.sum()
    by_theme: dict[int, tuple[CategoryShare, ...]] = {}
    for number, (items, masses) in enumerate(zip(about.items, about.masses, strict=True), 1):
        part = masses @ members[items]
        if part.sum() <= 0:
            continue
        share = part / part.sum()
        lift = np.divide(share, whole_share, out=np.zeros(len(share)), where=whole_share > 0)
        rank = share * np.log(np.maximum(lift, 1.0))
        kept = np.flatnonzero((share >= _LEAST_SHARE) & (lift >= _LEAST_LIFT))
        by_theme[number] = tuple(
            CategoryShare(labels.names[column], float(share[column]), float(lift[column]))
            for column in kept[np.argsort(-rank[kept], kind="stable")]
        )
    return by_theme


def without_automatic(bundle: Bundle) -> Bundle:
    """Return a bundle without the labels that are what a theme is called anyway: nobody wrote these."""
    about = bundle.theme_items
    if about is None or not bundle.theme_labels:
        return bundle
    kept = {
        number: label
        for number, label in bundle.theme_labels.items()
        if label != items_in_words(about.names(number - 1, lambda row: bundle.name_of(bundle.item_ids[row])))
    }
    return replace(bundle, theme_labels=kept)


def labelled_by_category(bundle: Bundle, categories: Mapping[Id, str | Sequence[str]]) -> Bundle:
    """Return a bundle whose themes are called by their categories, such as ``"Film-Noir (5.1 times)"``.

    What people called a theme stays; a theme in which no category is particular goes by its items.

    Raises
    ------
    ModelError, InputError
        As `theme_categories`.
    """
    shares = theme_categories(bundle, categories)
    by_category = {
        number: ", ".join(f"{part.category} ({part.lift:.1f} times)" for part in parts[:_MOST_NAMED])
        for number, parts in shares.items()
        if parts
    }
    return replace(bundle, theme_labels={**by_category, **bundle.theme_labels})
