"""A model at work: some users with their history, their list and the reasons for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from recsys.data.held_out import HeldOut
from recsys.data.ids import Id
from recsys.data.interactions import Interactions
from recsys.models.factor_model import FactorModel
from recsys.recommend.bundle import Bundle
from recsys.recommend.recommendations import Recommendations
from recsys.rng import stream
from recsys.typing import BoolArray, Int32Array, Int64Array

_N_REASONS = 2


@dataclass(frozen=True)
class UserExample:
    """A user's history beside the list made for them.

    Attributes
    ----------
    user : id
    history : tuple of (name, value)
        The items of the highest values.
    n_history : int
    listed : tuple of (rank, name, score, theme or 0, theme's share)
    because : mapping of rank to tuple of str
        Which items of the history are closest to the listed one, see `closest_history_items`.
    hits : frozenset of int
        Ranks of items that are held out for the user.
    n_later : int or None
        How many items were held out; None where nothing is held out from this model.
    """

    user: Id
    history: tuple[tuple[str, float], ...]
    n_history: int
    listed: tuple[tuple[int, str, float, int, float], ...]
    because: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
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
    """Return each user's strongest items of the log beside their list, and the reasons for it.

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
    because = {
        ranks[i]: closest_history_items(bundle, user, columns, int(items[i]))
        for i in span
        if recommended.themes[i]
    }
    names = _distinct_names(
        bundle,
        [
            *(int(columns[i]) for i in strongest),
            *(int(items[i]) for i in span),
            *(item for closest in because.values() for item in closest),
        ],
    )
    return UserExample(
        user=user_id,
        history=tuple((names[int(columns[i])], float(values[i])) for i in strongest),
        n_history=len(columns),
        listed=tuple(
            (
                ranks[i],
                names[int(items[i])],
                float(recommended.scores[i]),
                int(recommended.themes[i]),
                float(recommended.theme_shares[i]),
            )
            for i in span
        ),
        because={rank: tuple(names[item] for item in closest) for rank, closest in because.items()},
        hits=frozenset(ranks[i] for i in span if items[i] in later),
        n_later=None if held_out is None else int(held_out.n_held_out[user]),
    )


def closest_history_items(
    bundle: Bundle, user: int, history: Int32Array, item: int, n: int = _N_REASONS
) -> tuple[int, ...]:
    """Return the items of a history that speak most for an item.

    Of a model with neighbors these are the items that add most to its score; of one with components, those
    closest to it in the components that speak for it. The closeness of a history item j to the listed item i
    of user u is sum_f h_jf c_f / |h_j|^(1/2), where c_f is what component f adds to the score of (u, i) and
    h_j are the factors of j. Undivided, what is popular would be closest to everything; divided by the whole
    length, what is rare.

    Parameters
    ----------
    bundle : Bundle
    user : int
        Row number.
    history : int32, (n_history,)
        Row numbers of items.
    item : int
        Row number.
    n : int
        Most items to return.

    Returns
    -------
    tuple of int
        Row numbers, the closest first; those of no closeness are left out. Empty for a model without
        factors.
    """
    explained = bundle.model.history_parts(user, item)
    if explained is not None:
        past, parts = explained
        strongest = np.argsort(-parts, kind="stable")[:n]
        return tuple(int(past[i]) for i in strongest if parts[i] > 0)
    model = bundle.model
    if not isinstance(model, FactorModel):
        return ()
    factors = model.item_rows(history).astype(np.float64)
    lengths = np.sqrt((factors**2).sum(axis=1))
    closeness = factors @ model.contributions(np.array([user]), np.array([item]))[0].astype(np.float64)
    closeness /= np.sqrt(np.maximum(lengths, np.finfo(np.float64).tiny))
    strongest = np.argsort(-closeness, kind="stable")[:n]
    return tuple(int(history[i]) for i in strongest if closeness[i] > 0)


def _distinct_names(bundle: Bundle, items: Sequence[int]) -> dict[int, str]:
    """Return names of items by row number, with the id where several have the same name."""
    ids = {item: bundle.item_ids[item] for item in items}
    names = {item: bundle.name_of(item_id) for item, item_id in ids.items()}
    times = Counter(names.values())
    return {item: name if times[name] == 1 else f"{name} ({ids[item]})" for item, name in names.items()}
