"""An explanation: one user's score of one item as a sum, and what of the user's history it goes back to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from recsys.data.ids import Id
from recsys.recommend.reasons import Reason


@dataclass(frozen=True)
class ComponentPart:
    """What one component (theme) adds to a score.

    Attributes
    ----------
    theme : int
        Number of the component, from 1.
    score : float
        What it adds.
    label : str
        What is particular to it: names of its items.
    """

    theme: int
    score: float
    label: str


@dataclass(frozen=True)
class PastItem:
    """An item of a user's history and what it has to do with a score.

    Attributes
    ----------
    item : id
    name : str
    value : float
        The rating or amount.
    score : float
        Its own part of the sum, by neighbors; 0 of a model without.
    drop : float or None
        How much lower the score is without the item, the user folded in again; None where that is not known.
    share : float or None
        ``drop`` as a share of what the score is made of, mean and user bias left out.
    """

    item: Id
    name: str
    value: float
    score: float
    drop: float | None
    share: float | None


@dataclass(frozen=True)
class Counterfactual:
    """Without these past items, an item would not be in the list.

    Attributes
    ----------
    items : tuple of id
    names : tuple of str
    n : int
        Length of the list.
    is_fewest : bool
        Whether it is shown that fewer do not suffice; else none fewer were found.
    """

    items: tuple[Id, ...]
    names: tuple[str, ...]
    n: int
    is_fewest: bool


@dataclass(frozen=True)
class Explanation:
    """Why a user's score of an item is what it is.

    ``base + user_bias + item_bias``, the ``components`` and the ``score`` of the ``past_items`` add up to
    `total`, which is ``score`` up to the rounding of a sum in single precision.

    Attributes
    ----------
    user, item : id
    name : str
        Of the item.
    source : str
        ``"model"``; ``"history"`` where the user is known by a history alone; ``"popularity"`` where the
        model knows nothing of the user, so that the score is how many users have the item.
    score : float
        As it stands in a list.
    base, user_bias, item_bias : float
        What is the same for all, what is the user's, and what is the item's alone.
    components : tuple of ComponentPart
        Those that add something, the strongest first.
    past_items : tuple of PastItem
        The items of the history by ``drop``, the largest first; of a model whose scores are not sums over
        past items and that knows only its training users, none.
    n_history : int
        Items in the user's history.
    has_parts : bool
        Whether the sum is known. A model of one's own need not say.
    is_signed : bool
        Whether parts may be below 0 and cancel, as those of factors of any sign do.
    reason : Reason
        What of all this is worth saying.
    counterfactual : Counterfactual or None
    """

    user: Id
    item: Id
    name: str
    source: str
    score: float
    base: float
    user_bias: float
    item_bias: float
    components: tuple[ComponentPart, ...]
    past_items: tuple[PastItem, ...]
    n_history: int
    has_parts: bool
    is_signed: bool
    reason: Reason
    counterfactual: Counterfactual | None = field(default=None)

    @property
    def total(self) -> float:
        """The sum of all parts."""
        return (
            self.base
            + self.user_bias
            + self.item_bias
            + sum(part.score for part in self.components)
            + sum(past.score for past in self.past_items)
        )

    def to_json(self) -> dict[str, Any]:
        """Return a plain record; an item of the history that has nothing to do with the score is left out."""
        removal = self.counterfactual
        return {
            "user": self.user,
            "item": self.item,
            "name": self.name,
            "source": self.source,
            "score": self.score,
            "reason": self.reason.to_json(),
            "has_parts": self.has_parts,
            "is_signed": self.is_signed,
            "base": self.base,
            "user_bias": self.user_bias,
            "item_bias": self.item_bias,
            "components": [vars(part) for part in self.components],
            "n_history": self.n_history,
            "past_items": [vars(past) for past in self.past_items if past.score or past.drop],
            "counterfactual": None
            if removal is None
            else {
                "items": list(removal.items),
                "names": list(removal.names),
                "n": removal.n,
                "is_fewest": removal.is_fewest,
            },
        }
