"""What of an explanation is worth saying, in a sentence short enough for a mail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from recsys.data.ids import Id
from recsys.recommend.attribution import Attribution
from recsys.recommend.audiences import Audience

Kind = Literal["past", "theme", "item", "many", "popularity", "none"]

LEAST_SHARE = 0.1
"""What a past item has to make up of a score to be named as a reason."""
LEAST_OF_STRONGEST = 1 / 3
"""What it has to make up beside the strongest one, so that one good reason is not watered down."""
LEAST_TOGETHER = 0.3
"""What past items, or a theme, have to make up together to be the reason."""
LEAST_BIAS = 0.5
"""What the item's own part has to make up to be the reason."""
_MOST_CHARACTERS = 40


@dataclass(frozen=True)
class Reason:
    """The reason for an item in a list.

    Attributes
    ----------
    kind : str
        ``"past"``: items of the user's history; ``"theme"``: a component; ``"item"``: the item is rated
        high by everybody; ``"many"``: a bit of many items of the history; ``"popularity"``: many users have
        it, and nothing is known of this one; ``"none"``: nothing is known.
    text : str
        A sentence.
    items : tuple of id
        Items of the history that are named, the strongest first.
    names : tuple of str
    shares : tuple of float
        What each makes up of the score.
    theme : int
        Number of the component, from 1, of the kind "theme"; else 0.
    share : float
        What the reason as a whole makes up of the score.
    """

    kind: Kind
    text: str
    items: tuple[Id, ...] = ()
    names: tuple[str, ...] = ()
    shares: tuple[float, ...] = ()
    theme: int = 0
    share: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Return a plain record."""
        named = zip(self.items, self.names, self.shares, strict=True)
        return {
            "kind": self.kind,
            "text": self.text,
            "share": self.share,
            "theme": self.theme or None,
            "items": [{"item": item, "name": name, "share": share} for item, name, share in named],
        }


def short(name: str, most: int = _MOST_CHARACTERS) -> str:
    """Return a name that fits a sentence: single blanks, and cut after a word beyond so many characters."""
    name = " ".join(name.split())
    if len(name) <= most:
        return name
    cut = name[: most - 1]
    return f"{cut[: cut.rfind(' ')].rstrip(' ,;:-(') if ' ' in cut[20:] else cut}…"


def in_a_row(names: Sequence[str], own_name: str = "") -> str:
    """Return names as a list in a sentence: each once, with semicolons where a name has a comma.

    Parameters
    ----------
    names : sequence of str
    own_name : str
        Name of the item that is explained; a past item of the same name is another of that name.
    """
    called = [f"another {short(name)}" if name == own_name else short(name) for name in dict.fromkeys(names)]
    if any("," in name for name in called):
        return "; ".join(called)
    return called[0] if len(called) == 1 else f"{', '.join(called[:-1])} and {called[-1]}"


def quantity(count: int, singular: str) -> str:
    """Return a count with its noun."""
    return f"{count:,} {singular}{'' if count == 1 else 's'}"


@dataclass(frozen=True)
class Words:
    """How reasons speak of a log.

    Attributes
    ----------
    is_rating : bool
        Whether entries are ratings: items were rated, not taken, and biases are in their units.
    id_of : callable
        From the row number of an item to its id.
    name_of : callable
        From the id of an item to its name.
    label_of : callable
        From the number of a component, from 0, to the names of what is particular to it.
    audience : Audience
        Those whose popular items are listed.
    counts_users : bool
        Whether the scores of the model are how many users have the item.
    """

    is_rating: bool
    id_of: Callable[[int], Id]
    name_of: Callable[[Id], str]
    label_of: Callable[[int], Sequence[str]]
    audience: Audience
    counts_users: bool

    @property
    def took(self) -> str:
        """What the user did with the items of the history."""
        return "rated" if self.is_rating else "took"


def reason_of(
    attribution: Attribution,
    target: int,
    words: Words,
    n_named: int = 3,
    own_name: str = "",
    *,
    source: str = "model",
) -> Reason:
    """Return the strongest reason for an item, if it is one.

    The item's own part where it makes up half of the score (mean and user bias left out); else the past
    items that make up a tenth each, and three tenths together; else a component that makes up as much; else
    a bit of many past items, of which the strongest are named.

    Parameters
    ----------
    attribution : Attribution
    target : int
        Which of its targets.
    words : Words
    n_named : int
        Most past items to name.
    own_name : str
        Name of the item that is explained.
    source : str
        As in `Explanation`.
    """
    parts = attribution.parts
    if source in ("popularity", "segment") or words.counts_users:
        count = 0 if parts is None else round(float(parts.item_bias[target]))
        audience = words.audience
        where = f" in {audience.name}" if audience.name else ""
        text = f"Popular{where}: {count:,} of {quantity(audience.n_users, 'user')} have it."
        return Reason("popularity", text, share=1.0)
    bias = 0.0 if parts is None else float(parts.item_bias[target])
    bias_share = attribution.share_of(max(bias, 0.0), target)
    if bias_share >= LEAST_BIAS:
        return _of_item(bias, bias_share, words)
    order = [
        number for number in attribution.ordered(target)[:n_named] if _drop(attribution, number, target) > 0
    ]
    shares = [attribution.share_of(_drop(attribution, number, target), target) for number in order]
    strong = [share for share in shares if share >= max(LEAST_SHARE, LEAST_OF_STRONGEST * shares[0])]
    if sum(strong) >= LEAST_TOGETHER:
        items, names = _named(attribution, order[: len(strong)], words)
        text = f"Because you {words.took} {in_a_row(names, own_name)}."
        return Reason("past", text, items, names, tuple(strong), share=sum(strong))
    theme = _of_theme(attribution, target, words)
    if theme is not None and theme.share >= LEAST_TOGETHER:
        return replace(theme, text=f"In line with your taste for {theme.text}.")
    if order:
        items, names = _named(attribution, order, words)
        n_past = len(attribution.history.items)
        called = in_a_row(names, own_name)
        text = f"A bit of many of the {n_past:,} you {words.took}, most of all {called}."
        if n_past <= n_named:
            text = f"In part because you {words.took} {called}."
        return Reason("many", text, items, names, tuple(shares), share=sum(shares))
    if theme is not None:
        return replace(theme, kind="many", text=f"A bit of many tastes, most of all that for {theme.text}.")
    if parts is not None and parts.is_signed:
        return Reason("none", "Its factors may be of any sign and cancel: none is a reason by itself.")
    return Reason("none", "Nothing in particular speaks for it.")


def _of_item(bias: float, share: float, words: Words) -> Reason:
    text = "Popular with everybody."
    if words.is_rating:
        text = f"Rated high by everybody: {bias:.2f} above the average."
    return Reason("item", text, share=share)


def _of_theme(attribution: Attribution, target: int, words: Words) -> Reason | None:
    """Return the strongest component, its text being what is particular to it; None for any-sign factors."""
    parts = attribution.parts
    if parts is None or parts.components is None or parts.is_signed:
        return None
    number = int(parts.components[target].argmax())
    share = attribution.share_of(float(parts.components[target, number]), target)
    names = words.label_of(number)
    return Reason("theme", in_a_row(names), theme=number + 1, share=share) if share > 0 and names else None


def _drop(attribution: Attribution, number: int, target: int) -> float:
    assert attribution.drops is not None
    return float(attribution.drops[number, target])


def _named(
    attribution: Attribution, numbers: Sequence[int], words: Words
) -> tuple[tuple[Id, ...], tuple[str, ...]]:
    """Return ids and names of candidates."""
    positions = attribution.candidates[np.asarray(numbers, dtype=np.int64)]
    items = tuple(words.id_of(int(row)) for row in attribution.history.items[positions])
    return items, tuple(map(words.name_of, items))
