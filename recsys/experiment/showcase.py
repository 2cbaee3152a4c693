"""A model shown at work: some users with their lists and the reasons, and the themes behind them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from recsys.data.held_out import HeldOut
from recsys.data.ids import Id
from recsys.data.interactions import Interactions
from recsys.evaluate.metrics import higher_is_better
from recsys.experiment.result import Result
from recsys.models.bundle import Bundle
from recsys.models.factor_model import FactorModel
from recsys.recommend.recommendations import Recommendations
from recsys.recommend.themes import Theme, themes
from recsys.report.page import Story, ThemeSet
from recsys.rng import stream
from recsys.typing import BoolArray, Int32Array, Int64Array

_N_REASONS = 2
_MOST_THEMES = 12


def sample_users(train: Interactions, n: int, *, seed: int, among: BoolArray | None = None) -> Int64Array:
    """Draw users of middling activity: neither the few who buy everything nor those with next to nothing.

    Parameters
    ----------
    train : Interactions
    n : int
    seed : int
    among : bool, (n_users,), optional
        Who may be drawn.
    """
    counts = train.by_user.counts
    may = np.ones(len(counts), dtype=bool) if among is None or not among.any() else among
    low, high = np.quantile(counts[may], [0.25, 0.75])
    typical = np.flatnonzero(may & (counts >= low) & (counts <= high))
    return np.sort(stream(seed, "sample-users").permutation(typical)[:n]).astype(np.int64)


def stories(
    bundle: Bundle,
    recommended: Recommendations,
    *,
    held_out: HeldOut | None = None,
    n_history: int = 8,
) -> tuple[Story, ...]:
    """Set each user's strongest items of the log beside their list.

    Parameters
    ----------
    bundle : Bundle
    recommended : Recommendations
    held_out : HeldOut, optional
        What the users took later, in the bundle's row numbers.
    n_history : int
        Items of a user's history to tell.
    """
    rows = bundle.user_ids.rows(list(recommended.users))
    item_rows = bundle.item_ids.rows(recommended.items)
    told = []
    ranks = recommended.ranks
    for at, (user, row) in enumerate(zip(recommended.users, rows.tolist(), strict=True)):
        columns, values = bundle.seen.row(row)
        strongest = np.argsort(-values, kind="stable")[:n_history]
        places = range(int(recommended.indptr[at]), int(recommended.indptr[at + 1]))
        later = None if held_out is None else held_out.by_user.row(row)[0]
        because = {
            int(ranks[i]): _because(bundle, row, columns, int(item_rows[i]))
            for i in places
            if recommended.themes[i]
        }
        name_of = _told_apart(
            bundle,
            [
                *(int(columns[i]) for i in strongest),
                *(int(item_rows[i]) for i in places),
                *(item for items in because.values() for item in items),
            ],
        )
        listed = tuple(
            (
                int(ranks[i]),
                name_of[int(item_rows[i])],
                float(recommended.scores[i]),
                int(recommended.themes[i]),
                float(recommended.theme_shares[i]),
            )
            for i in places
        )
        told.append(
            Story(
                user=user,
                history=tuple((name_of[int(columns[i])], float(values[i])) for i in strongest),
                n_history=len(columns),
                listed=listed,
                because={rank: tuple(name_of[item] for item in items) for rank, items in because.items()},
                hits=frozenset(int(ranks[i]) for i in places if later is not None and item_rows[i] in later),
                n_later=None if held_out is None else int(held_out.n_held_out[row]),
            )
        )
    return tuple(told)


def theme_sets(
    results: Sequence[Result],
    train: Interactions,
    names: Mapping[Id, str],
    *,
    shown: Bundle | None = None,
    label: str = "",
    told: Sequence[Story] = (),
) -> tuple[ThemeSet, ...]:
    """Return the largest themes of each model that has some, and those that a story names as a reason.

    Parameters
    ----------
    results : sequence of Result
    train : Interactions
        What they were fitted to.
    names : mapping of item id to str
    shown : Bundle, optional
        The model behind the stories, which comes first.
    label : str
        Its label; it stands for the result of that label.
    told : sequence of Story
    """
    named = {number for story in told for _, _, _, number, _ in story.listed}
    bundles = [
        (r.label, Bundle.of(r.model, train, item_names=names))
        for r in results
        if r.model is not None and _has_themes(r)
    ]
    if shown is not None:
        rest = [(other, bundle) for other, bundle in bundles if other != label]
        bundles = [(label, shown), *rest]
    sets = []
    for n, (title, bundle) in enumerate(bundles):
        wanted = max([_MOST_THEMES, *(named if n == 0 else ())])
        found = [
            _with_names_apart(theme)
            for theme in themes(bundle, n_themes=wanted)
            if theme.number <= _MOST_THEMES or (n == 0 and theme.number in named)
        ]
        n_themes = len(bundle.model.shares_) if isinstance(bundle.model, FactorModel) else 0
        sets.append(ThemeSet(title, tuple(found), n_themes))
    return tuple(sets)


def best_with_themes(results: Sequence[Result], metric: str | None) -> Result | None:
    """Return the best of the models that can say why they list what they list."""
    able = [result for result in results if _has_themes(result)]
    if not able or metric is None:
        return able[0] if able else None
    sign = -1.0 if higher_is_better(metric) is False else 1.0

    def value(result: Result) -> float:
        found = None if result.measurements is None else result.measurements.metrics.get(metric)
        return -np.inf if found is None else sign * found

    return max(able, key=value)


def _told_apart(bundle: Bundle, items: Sequence[int]) -> dict[int, str]:
    """Return names of items by row number, with the id where several have the same name."""
    ids = {item: bundle.item_ids[item] for item in items}
    names = {item: bundle.name_of(item_id) for item, item_id in ids.items()}
    times = Counter(names.values())
    return {item: name if times[name] == 1 else f"{name} ({ids[item]})" for item, name in names.items()}


def _with_names_apart(theme: Theme) -> Theme:
    times = Counter(name for _, name, _ in theme.items)
    items = ((at, name if times[name] == 1 else f"{name} ({at})", weight) for at, name, weight in theme.items)
    return replace(theme, items=tuple(items))


def _has_themes(result: Result) -> bool:
    return isinstance(result.model, FactorModel) and result.model.has_themes


def _because(bundle: Bundle, row: int, columns: Int32Array, item: int) -> tuple[int, ...]:
    """Return what of a history is closest to an item, themes weighed by what they add to its score."""
    model = bundle.model
    if not isinstance(model, FactorModel):
        return ()
    known = model.item_rows(columns).astype(np.float64)
    lengths = np.sqrt((known**2).sum(axis=1))
    closeness = known @ model.contributions(np.array([row]), np.array([item]))[0].astype(np.float64)
    # Undivided, what is popular would be closest to everything; by all of the length, what is rare.
    closeness /= np.sqrt(np.maximum(lengths, np.finfo(np.float64).tiny))
    strongest = np.argsort(-closeness, kind="stable")[:_N_REASONS]
    return tuple(int(columns[i]) for i in strongest if closeness[i] > 0)
