"""A model at work: some users with their history, their list and the reasons for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recsys.data.held_out import HeldOut
from recsys.data.ids import Id
from recsys.data.interactions import Interactions
from recsys.recommend.bundle import Bundle
from recsys.recommend.reasons import Reason
from recsys.recommend.recommendations import Recommendations
from recsys.rng import stream
from recsys.typing import BoolArray, Int64Array

N_REASONS = 3
"""Most past items that the reason for an example names."""


@dataclass(frozen=True)
class ListedItem:
    """An item of an example's list.

    Attributes
    ----------
    rank : int
    name : str
    score : float
    reason : Reason or None
        None where no reasons were asked for.
    """

    rank: int
    name: str
    score: float
    reason: Reason | None = None


@dataclass(frozen=True)
class UserExample:
    """A user's history beside the list made for them.

    Attributes
    ----------
    user : id
    history : tuple of (name, value)
        The items of the highest values.
    n_history : int
    listed : tuple of ListedItem
    hits : frozenset of int
        Ranks of items that are held out for the user.
    n_later : int or None
        How many items were held out; None where nothing is held out from this model.
    """

    user: Id
    history: tuple[tuple[str, float], ...]
    n_history: int
    listed: tuple[ListedItem, ...]
    hits: frozenset[int] = frozenset()
    n_later: int | None = None


def sample_users(
    train: Interactions, n: int, *, seed: int, candidates: BoolArray | None = None
) -> Int64Array:
    """Draw users of middling activity: neither the few who buy everything nor those with next to nothing.

    Parameters
    ----------
    train : Interactions
    n : int
    seed : int
    candidates : bool, (n_users,), optional
        Who may be drawn.

    Returns
    -------
    int64, (n,) or fewer
        Row numbers, ascending.
    """
    counts = train.by_user.counts
    is_candidate = np.ones(len(counts), dtype=bool)
    if candidates is not None and candidates.any():
        is_candidate = candidates
    low, high = np.quantile(counts[is_candidate], [0.25, 0.75])
    typical = np.flatnonzero(is_candidate & (counts >= low) & (counts <= high))
    return np.sort(stream(seed, "sample-users").permutation(typical)[:n]).astype(np.int64)


def user_examples(
    bundle: Bundle,
    recommended: Recommendations,
    *,
    held_out: HeldOut | None = None,
    n_history: int = 8,
) -> tuple[UserExample, ...]:
    """Return each user's strongest items of the log beside their list, with its reasons where it has some.

    Parameters
    ----------
    bundle : Bundle
    recommended : Recommendations
        Of users and items of the bundle.
    held_out : HeldOut, optional
        In the bundle's row numbers.
    n_history : int
        Most items of a user's history.
    """
    users = bundle.user_ids.rows(list(recommended.users)).tolist()
    items = bundle.item_ids.rows(recommended.items)
    spans = zip(recommended.indptr[:-1].tolist(), recommended.indptr[1:].tolist(), strict=True)
    return tuple(
        _example(bundle, recommended, range(*span), user_id, user, items, held_out, n_history)
        for user_id, user, span in zip(recommended.users, users, spans, strict=True)
    )


def _example(
    bundle: Bundle,
    recommended: Recommendations,
    span: range,
    user_id: Id,
    user: int,
    items: Int64Array,
    held_out: HeldOut | None,
    n_history: int,
) -> UserExample:
    """Return the example of one user, whose list stands at ``span``."""
    columns, values = bundle.seen.row(user)
    strongest = np.argsort(-values, kind="stable")[:n_history]
    ranks = {i: rank for rank, i in enumerate(span, 1)}
    later = () if held_out is None else held_out.by_user.row(user)[0]
    names = _distinct_names(
        bundle,
        [
            *(int(columns[i]) for i in strongest),
            *(int(items[i]) for i in span),
        ],
    )
    return UserExample(
        user=user_id,
        history=tuple((names[int(columns[i])], float(values[i])) for i in strongest),
        n_history=len(columns),
        listed=tuple(
            ListedItem(
                ranks[i],
                names[int(items[i])],
                float(recommended.scores[i]),
                None if recommended.reasons is None else recommended.reasons[i],
            )
            for i in span
        ),
        hits=frozenset(ranks[i] for i in span if items[i] in later),
        n_later=None if held_out is None else int(held_out.n_held_out[user]),
    )


def _distinct_names(bundle: Bundle, items: Sequence[int]) -> dict[int, str]:
    """Return names of items by row number, with the id where several have the same name."""
    ids = {item: bundle.item_ids[item] for item in items}
    names = {item: bundle.name_of(item_id) for item, item_id in ids.items()}
    times = Counter(names.values())
    return {item: name if times[name] == 1 else f"{name} ({ids[item]})" for item, name in names.items()}
