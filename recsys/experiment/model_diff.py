"""``recsys.model_diff``: what differs between two trained models, and whether one is worse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from recsys import threads as pool
from recsys.data.ids import Id, Ids
from recsys.errors import ParameterError
from recsys.experiment.evaluation_plan import GivenMetrics
from recsys.experiment.given_logs import GivenLog
from recsys.experiment.paired_quality import DEFAULT_METRICS, Quality, quality_of_both
from recsys.experiment.source_files import FileDiff, file_diff
from recsys.experiment.training import check_seed
from recsys.experiment.warm_start import SAME
from recsys.factorization.stability import match_components
from recsys.progress import SILENT, GivenProgress, listener
from recsys.recommend.bundle import Bundle
from recsys.recommend.bundle_files import load_bundle
from recsys.recommend.lists import lists_for_users
from recsys.recommend.ranking import check_n

MOST_USERS = 2_000
"""Users whose lists are compared, evenly spread over those whom both models know."""


@dataclass(frozen=True)
class Overlap:
    """Of two sets: how many are in both, and in one alone."""

    n_both: int
    n_only_old: int
    n_only_new: int


@dataclass(frozen=True, eq=False)
class ListChange:
    """A user's lists by two models.

    Attributes
    ----------
    user : id
    n_same : int
        Items that stand in both.
    left, entered : tuple of id
    """

    user: Id
    n_same: int
    left: tuple[Id, ...]
    entered: tuple[Id, ...]


@dataclass(frozen=True)
class ThemePair:
    """A theme of the old model and the one most alike to it in the new one.

    Attributes
    ----------
    old : int
        From 1.
    new : int or None
        None where the new model has fewer themes.
    cosine : float
        Of their items' factors.
    """

    old: int
    new: int | None
    cosine: float

    @property
    def is_same(self) -> bool:
        """Whether they are alike enough to be called the same."""
        return self.cosine >= SAME


@dataclass(frozen=True, eq=False)
class ModelDiff:
    """What differs between two trained models.

    Attributes
    ----------
    users, items, pairs : Overlap
        Of the training data.
    settings : mapping of str to (old, new)
        Parameters, and the model's name, that differ.
    n : int
        Length of the lists compared.
    n_users : int
        Users whose lists were compared.
    mean_overlap : float or None
        Of an old list that stands in the new one, on average; None where no user is known to both.
    changes : tuple of ListChange
        The lists that change most, the most changed first.
    themes : tuple of ThemePair
        Empty where a model has none.
    quality : Quality or None
        Where there was a log to measure both on.
    files : FileDiff or None
        The files that they were trained on; None where one of them has recorded none.

    Examples
    --------
    >>> import pandas as pd
    >>> import recsys
    >>> log = pd.DataFrame({"user": [1, 1, 2, 2, 3], "item": list("abaca")})
    >>> old, new = (recsys.train(recsys.WeightedNMF(rank), log) for rank in (1, 2))
    >>> recsys.model_diff(old, new).settings["n_components"]
    (1, 2)
    """

    users: Overlap
    items: Overlap
    pairs: Overlap
    settings: Mapping[str, tuple[Any, Any]]
    n: int
    n_users: int
    mean_overlap: float | None
    changes: tuple[ListChange, ...]
    themes: tuple[ThemePair, ...]
    quality: Quality | None = None
    files: FileDiff | None = None

    @property
    def moved(self) -> tuple[ThemePair, ...]:
        """The themes that are the same and have another number."""
        return tuple(pair for pair in self.themes if pair.is_same and pair.new != pair.old)

    @property
    def lost(self) -> tuple[ThemePair, ...]:
        """The old themes of which there is nothing alike."""
        return tuple(pair for pair in self.themes if not pair.is_same)

    def to_json(self) -> dict[str, Any]:
        """Return all of it, ready for JSON."""
        return {
            "users": asdict(self.users),
            "items": asdict(self.items),
            "pairs": asdict(self.pairs),
            "settings": {name: list(values) for name, values in self.settings.items()},
            "lists": {
                "n": self.n,
                "n_users": self.n_users,
                "mean_overlap": self.mean_overlap,
                "most_changed": [asdict(change) for change in self.changes],
            },
            "themes": {
                "n": len(self.themes),
                "n_same": sum(pair.is_same for pair in self.themes),
                "n_moved": len(self.moved),
                "pairs": [asdict(pair) for pair in self.themes],
            },
            "quality": None if self.quality is None else self.quality.to_json(),
            "files": None if self.files is None else asdict(self.files),
        }


def model_diff(
    old: str | Path | Bundle,
    new: str | Path | Bundle,
    log: GivenLog | None = None,
    *,
    since: str | None = None,
    n: int = 10,
    n_changes: int = 5,
    metrics: GivenMetrics = DEFAULT_METRICS,
    seed: int = 0,
    threads: int | None = None,
    progress: GivenProgress = SILENT,
) -> ModelDiff:
    """Set two trained models side by side: data, settings, lists, themes, and quality on the same events.

    Parameters
    ----------
    old, new : str, Path or Bundle
    log : str, Path, table or LoadedLog, optional
        Events that both are measured on: those of pairs that neither was trained on.
    since : str, optional
        The first moment of them; all by default.
    n : int
        Length of the lists compared.
    n_changes : int
        How many of the lists that change most are returned.
    metrics : str or iterable
        Of lists.
    seed : int
        Of intervals and tests.
    threads : int, optional
        Results do not depend on it.
    progress : bool, callable or Progress

    Returns
    -------
    ModelDiff

    Raises
    ------
    InputError
        If both models know all pairs of the log.
    RecsysError
        If a model or the log cannot be used.

    Examples
    --------
    >>> import pandas as pd
    >>> import recsys
    >>> log = pd.DataFrame({"user": [1, 1, 2, 2, 3], "item": list("abaca")})
    >>> old, new = recsys.train("popularity", log[:4]), recsys.train("popularity", log)
    >>> recsys.model_diff(old, new).users
    Overlap(n_both=2, n_only_old=0, n_only_new=1)
    """
    before, after = (m if isinstance(m, Bundle) else load_bundle(m) for m in (old, new))
    check_n(n)
    check_seed(seed)
    if since is not None and log is None:
        raise ParameterError(f"since {since} says which events of a log count, and there is none; give --on.")
    listening = listener(progress)
    with pool.use(threads):
        quality = None
        if log is not None:
            quality = quality_of_both(
                before,
                after,
                log,
                since=since,
                metrics=metrics,
                seed=seed,
                threads=threads,
                progress=listening,
            )
        n_users, overlap, changes = _lists(before, after, n, n_changes)
        themes = _themes(before, after)
    return ModelDiff(
        users=_overlap(before.user_ids, after.user_ids),
        items=_overlap(before.item_ids, after.item_ids),
        pairs=_pairs(before, after),
        settings=_settings(before, after),
        n=n,
        n_users=n_users,
        mean_overlap=overlap,
        changes=changes,
        themes=themes,
        quality=quality,
        files=file_diff(before.training, after.training),
    )


def _overlap(old: Ids, new: Ids) -> Overlap:
    n_both = int(np.count_nonzero(new.rows(old.values) >= 0))
    return Overlap(n_both, len(old) - n_both, len(new) - n_both)


def _pairs(old: Bundle, new: Bundle) -> Overlap:
    users, items = new.user_ids.rows(old.user_ids.values), new.item_ids.rows(old.item_ids.values)
    rows, columns = users[old.seen.row_numbers], items[old.seen.columns]
    known = (rows >= 0) & (columns >= 0)
    n_items = len(new.item_ids)
    keys = rows[known].astype(np.int64) * n_items + columns[known]
    seen = new.seen.row_numbers.astype(np.int64) * n_items + new.seen.columns
    n_both = int(np.isin(keys, seen).sum())
    return Overlap(n_both, old.seen.nnz - n_both, new.seen.nnz - n_both)


def _settings(old: Bundle, new: Bundle) -> dict[str, tuple[Any, Any]]:
    before = {"model": old.model.name, **old.model.config()}
    after = {"model": new.model.name, **new.model.config()}
    return {
        name: (before.get(name), after.get(name))
        for name in dict.fromkeys([*before, *after])
        if before.get(name) != after.get(name)
    }


def _lists(
    old: Bundle, new: Bundle, n: int, n_changes: int
) -> tuple[int, float | None, tuple[ListChange, ...]]:
    """Return the number of users compared, how much of a list stays on average, and the largest changes."""
    common = np.flatnonzero(new.user_ids.rows(old.user_ids.values) >= 0)
    if len(common) == 0:
        return 0, None, ()
    chosen = common[np.unique(np.linspace(0, len(common) - 1, min(len(common), MOST_USERS)).astype(np.int64))]
    users = [old.user_ids[int(row)] for row in chosen]
    before, after = (lists_for_users(bundle, users, n) for bundle in (old, new))
    shares, changes = [], []
    for number, user in enumerate(users):
        was, now = (
            [lists.items[entry] for entry in range(lists.indptr[number], lists.indptr[number + 1])]
            for lists in (before, after)
        )
        same = set(map(str, was)) & set(map(str, now))
        if not (was or now):
            continue  # has everything
        shares.append(len(same) / max(len(was), len(now)))
        left = tuple(item for item in was if str(item) not in same)
        entered = tuple(item for item in now if str(item) not in same)
        changes.append(ListChange(user, len(same), _plain(left), _plain(entered)))
    order = np.argsort(np.array(shares), kind="stable")[:n_changes]
    most = tuple(changes[user] for user in order if changes[user].left or changes[user].entered)
    return len(shares), float(np.mean(shares)) if shares else None, most


def _plain(ids: tuple[Any, ...]) -> tuple[Id, ...]:
    return tuple(item.item() if isinstance(item, np.generic) else item for item in ids)


def _themes(old: Bundle, new: Bundle) -> tuple[ThemePair, ...]:
    """Return each old theme and the one most alike to it, over the items that both models know."""
    before, after = old.model.component_model, new.model.component_model
    if before is None or after is None:
        return ()
    rows = new.item_ids.rows(old.item_ids.values)
    known = np.flatnonzero(rows >= 0)
    if len(known) == 0:
        return ()
    partners, cosines = match_components(before.item_rows(known), after.item_rows(rows[known]))
    return tuple(
        ThemePair(number + 1, None if partner < 0 else partner + 1, float(cosine))
        for number, (partner, cosine) in enumerate(zip(partners.tolist(), cosines, strict=True))
    )
