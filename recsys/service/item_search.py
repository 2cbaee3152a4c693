"""Items by a part of their name."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Any

import numpy as np

from recsys.data.ids import Id
from recsys.recommend.bundle import Bundle


@dataclass(frozen=True, eq=False)
class ItemSearch:
    """Finds items by words of their name or by their id.

    Attributes
    ----------
    items : tuple of id
        By how many users have them, most first.
    names : tuple of str
    counts : tuple of int
    texts : tuple of str
        Name and id without case and accents, as they are searched.
    """

    items: tuple[Id, ...]
    names: tuple[str, ...]
    counts: tuple[int, ...]
    texts: tuple[str, ...]

    @classmethod
    def of(cls, bundle: Bundle) -> ItemSearch:
        """Prepare the items of a bundle."""
        order = np.argsort(-bundle.item_counts, kind="stable").tolist()
        items = tuple(bundle.item_ids[row] for row in order)
        names = tuple(map(bundle.name_of, items))
        texts = tuple(_plain(f"{name} {item}") for item, name in zip(items, names, strict=True))
        return cls(items, names, tuple(bundle.item_counts[order].tolist()), texts)

    def find(self, query: str, n: int) -> list[dict[str, Any]]:
        """Return at most n items whose name or id has all words of a query, those most users have first."""
        words = _plain(query).split()
        found: list[dict[str, Any]] = []
        for row, text in enumerate(self.texts):
            if len(found) == n:
                break
            if all(word in text for word in words):
                found.append({"item": self.items[row], "name": self.names[row], "n_users": self.counts[row]})
        return found


def _plain(text: str) -> str:
    """Return a text without case and accents."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))
