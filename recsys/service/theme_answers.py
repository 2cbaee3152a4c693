"""Answers about themes: of an item, by family, and how alike they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from recsys.recommend.bundle import Bundle
from recsys.recommend.themes import Theme
from recsys.service.serving import Served
from recsys.typing import Float64Array

MOST_ALIKE = 40
"""Themes of a family that are compared with each other: more would be no picture that a person reads."""
_N_NAMED = 10
_DIGITS = 3


class UnknownFamilyError(LookupError):
    """A family that was asked for by its number is not there."""


def mixture(bundle: Bundle, added: Float64Array) -> list[dict[str, Any]]:
    """Return the components that add most, with their shares of what all add.

    Parameters
    ----------
    bundle : Bundle
    added : float64, (n_components,)
        What each adds to the scores of observed entries.
    """
    total = float(added.sum())
    order = np.argsort(-added, kind="stable")[:_N_NAMED].tolist()
    return [
        {"theme": number + 1, "name": _name(bundle, number), "share": float(added[number]) / total}
        for number in order
        if added[number] > 0
    ]


def of_user(bundle: Bundle, row: int) -> list[dict[str, Any]]:
    """Return the components that add most to the scores of what a user has; none for models without."""
    components = bundle.model.component_model
    if components is None:
        return []
    columns, _ = bundle.seen.row(row)
    items = components.item_rows(columns).sum(axis=0, dtype=np.float64)
    return mixture(bundle, components.user_rows(np.array([row]))[0] * items)


def of_item(bundle: Bundle, row: int) -> list[dict[str, Any]]:
    """Return the components that add most to the scores of an item with those who have it."""
    about = bundle.theme_items
    if about is None:
        return []
    added = np.zeros(len(about.items))
    for number, (rows, masses) in enumerate(zip(about.items, about.masses, strict=True)):
        position = int(np.searchsorted(rows, row))
        if position < len(rows) and rows[position] == row:
            added[number] = masses[position]
    return mixture(bundle, added)


def _name(bundle: Bundle, number: int) -> str:
    about = bundle.theme_items
    assert about is not None
    names = about.names(number, lambda row: bundle.name_of(bundle.item_ids[row]))
    return bundle.theme_labels.get(number + 1, "") or "; ".join(names)


def families(served: Served) -> dict[str, Any]:
    """Return the families of themes, the themes of each, and the cosine of every two families' items."""
    mapped, by_number = served.theme_map, {theme.number: theme for theme in served.themes}
    return {
        "families": [
            {**family.to_json(), "themes": [_short(by_number[number]) for number in family.themes]}
            for family in mapped.families
        ],
        "likeness": _rounded(mapped.likeness),
    }


def family(served: Served, number: int) -> dict[str, Any]:
    """Return a family, its themes with their items, and the cosine of every two of the largest themes.

    Raises
    ------
    UnknownFamilyError
        If there is no family of this number.
    """
    mapped, by_number = served.theme_map, {theme.number: theme for theme in served.themes}
    if not 1 <= number <= len(mapped.families):
        raise UnknownFamilyError(f"there is no family {number}; there are 1 to {len(mapped.families)}.")
    chosen = mapped.families[number - 1]
    about = served.bundle.theme_items
    assert about is not None
    compared = np.array(chosen.themes[:MOST_ALIKE], dtype=np.int64) - 1
    alike = served.theme_likeness[np.ix_(compared, compared)]
    return {
        **chosen.to_json(),
        "themes": [by_number[theme].to_json() for theme in chosen.themes],
        "likeness": _rounded(alike.tolist()),
    }


def _short(theme: Theme) -> dict[str, Any]:
    return {"theme": theme.number, "name": theme.name, "share": theme.share}


def _rounded(rows: Sequence[Sequence[float]]) -> list[list[float]]:
    return [[round(value, _DIGITS) for value in row] for row in rows]
