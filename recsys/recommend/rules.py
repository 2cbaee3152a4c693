"""Rules of a shop that lists keep to: what may be listed, for whom, how much of one kind, in which order."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from recsys.data.ids import Id, Ids, listed_ids
from recsys.data.labels import Labels
from recsys.errors import InputError, ParameterError
from recsys.recommend.last_events import LastEvents, read_moment
from recsys.recommend.reranking import Reranker, popularity_of, unit_rows
from recsys.recommend.restriction import Restriction
from recsys.typing import BoolArray, Float32Array, Int64Array

_NAMED = 3  # ids that a message names
_WEIGHTS = ("diversity", "calibration", "popularity_discount")


@dataclass(frozen=True)
class Rules:
    """What lists may hold; all rules hold together.

    An item that a rule leaves out is not listed, however high its score. The order of the others is that of
    the model, unless a re-ranking (``diversity``, ``calibration``, ``popularity_discount``) is asked for.
    A list that gets shorter says so, and why.

    Attributes
    ----------
    exclude : collection of id
        Items that nobody is shown.
    only : collection of id, optional
        The items that may be shown; by default all.
    exclude_for, only_for : mapping of user's id to collection of id
        The same for single users, beside what holds for all.
    categories : mapping of item's id to text, or to several
        What the rules on categories go by; an item without is in none.
    only_categories, never_categories : collection of text
        Items in one of these, or in none of these.
    most_per_category : int, optional
        Most items of one category in a list, the best of them. An item in several counts in each.
    least_users : int
        How many users of the training data an item needs.
    include_seen : bool
        Whether items that a user has may be listed.
    bought_before : bool
        Whether a list holds these alone: what to order again.
    sold_since : str, optional
        Leaves out items without an event since a date, or for so long before the end of the log: ``"60d"``,
        ``"8w"``, ``"2024-05-31"``; of a log whose time is a number, a number.
    diversity : float
        Weight of being unlike what stands before it in the list: 1 less the largest cosine between
        `item_vectors` (maximal marginal relevance, Carbonell & Goldstein 1998). Moves ``diversity@k``.
    calibration : float
        Weight of keeping the mix of categories of the user's history (Steck 2018). Moves ``calibration@k``.
    popularity_discount : float
        Weight of being taken by few: ``ln(1 + n) / ln(1 + n_max)`` is taken off. Moves ``novelty@k`` and
        ``popularity-lift@k``.
    pool : int
        How many of the best items, by score, re-ranking chooses among. What the three weights leave of 1 is
        that of the score, from 0 for the last of these to 1 for the best.

    Raises
    ------
    ParameterError
        If a number is out of range, or two rules contradict each other.

    Examples
    --------
    >>> import recsys
    >>> recsys.Rules(exclude=["85099B"]).exclude is not None
    True
    """

    exclude: Collection[Id] = ()
    only: Collection[Id] | None = None
    exclude_for: Mapping[Id, Collection[Id]] = field(default_factory=dict)
    only_for: Mapping[Id, Collection[Id]] = field(default_factory=dict)
    categories: Mapping[Id, str | Sequence[str]] = field(default_factory=dict)
    only_categories: Collection[str] = ()
    never_categories: Collection[str] = ()
    most_per_category: int | None = None
    least_users: int = 0
    include_seen: bool = False
    bought_before: bool = False
    sold_since: str | None = None
    diversity: float = 0.0
    calibration: float = 0.0
    popularity_discount: float = 0.0
    pool: int = 100

    def __post_init__(self) -> None:
        self._check_weights()
        if self.sold_since is not None:
            read_moment(self.sold_since)
        for name, value, least in (
            ("most_per_category", self.most_per_category, 1),
            ("least_users", self.least_users, 0),
            ("pool", self.pool, 1),
        ):
            is_whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
            if value is not None and (not is_whole or value < least):
                raise ParameterError(f"{name} is {value!r}; expected a whole number, {least} or more.")
        for name in ("only_categories", "never_categories"):
            if isinstance(getattr(self, name), str):
                object.__setattr__(self, name, (getattr(self, name),))
        both = sorted(set(self.only_categories) & set(self.never_categories))
        if both:
            raise ParameterError(f"category {both[0]!r} stands in only_categories and in never_categories.")
        if self.bought_before and self.include_seen:
            raise ParameterError(
                "bought_before lists what a user has and nothing else; leave include_seen out."
            )
        if self.uses_categories and not self.categories:
            raise ParameterError("rules on categories need the categories of items; give categories.")

    def _check_weights(self) -> None:
        for name in _WEIGHTS:
            weight = getattr(self, name)
            is_number = isinstance(weight, (int, float, np.number)) and not isinstance(weight, bool)
            if not is_number or not 0 <= weight <= 1:
                raise ParameterError(f"{name} is {weight!r}; expected a weight from 0 to 1.")
        total = sum(getattr(self, name) for name in _WEIGHTS)
        if total > 1:
            raise ParameterError(
                f"{', '.join(_WEIGHTS)} are {total:g} together; expected at most 1: the rest is the score's."
            )

    @property
    def reorders(self) -> bool:
        """Whether lists are in another order than that of the scores."""
        return any(getattr(self, name) for name in _WEIGHTS)

    @property
    def uses_categories(self) -> bool:
        """Whether a rule goes by categories."""
        by_category = self.only_categories, self.never_categories, self.most_per_category, self.calibration
        return any(by_category)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is ruled."""
        return self == Rules(categories=self.categories)

    @property
    def digest(self) -> str:
        """SHA-256 of the rules, in whatever order their ids stand."""

        def plain(value: Any) -> Any:
            if isinstance(value, Mapping):
                return {str(key): plain(entry) for key, entry in value.items()}
            if isinstance(value, Collection) and not isinstance(value, str):
                return sorted(str(entry) for entry in value)
            return value

        record = {part.name: plain(getattr(self, part.name)) for part in fields(self)}
        return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()

    def restriction(
        self,
        user_ids: Ids,
        item_ids: Ids,
        item_counts: Int64Array,
        *,
        last_events: LastEvents | None = None,
        item_vectors: Callable[[], Float32Array] | None = None,
    ) -> Restriction:
        """Return what the rules come to for the users and items of a model.

        Parameters
        ----------
        user_ids, item_ids : Ids
        item_counts : int64, (n_items,)
            How many users have each item.
        last_events : LastEvents, optional
            For ``sold_since``.
        item_vectors : callable, optional
            Returns float32, (n_items, width), for ``diversity``; called where that is asked for.

        Raises
        ------
        InputError
            If no item is left, a category is not known, none of the ids of a rule are known, or it is not
            known when items were sold.
        """
        notes: list[str] = []
        unknown: list[str] = []
        labels = self._labels(item_ids, notes)
        allowed = np.ones(len(item_ids), dtype=bool)
        if self.only is not None:
            allowed = _marked(item_ids, self.only, "only", unknown)
        if self.exclude:
            allowed &= ~_marked(item_ids, self.exclude, "exclude", unknown)
        if labels is not None and self.only_categories:
            allowed &= _in_one_of(labels, self.only_categories, "only_categories")
        if labels is not None and self.never_categories:
            allowed &= ~_in_one_of(labels, self.never_categories, "never_categories")
        allowed &= item_counts >= self.least_users
        if self.sold_since is not None:
            allowed &= self._sold(last_events, notes)
        if not allowed.any():
            raise InputError(f"the rules leave none of the {len(item_ids):,} items: {self._in_words()}.")
        return Restriction(
            allowed=allowed,
            excluded_for=_by_user(user_ids, item_ids, self.exclude_for, "exclude", unknown),
            only_for=_by_user(user_ids, item_ids, self.only_for, "only", unknown),
            reranker=self._reranker(labels, item_counts, item_vectors),
            most_per_category=self.most_per_category,
            bought_before=self.bought_before,
            user_ids=user_ids,
            unknown=tuple(unknown),
            notes=(*notes, *unknown),
        )

    def _sold(self, last_events: LastEvents | None, notes: list[str]) -> BoolArray:
        assert self.sold_since is not None
        if last_events is None:
            raise InputError(
                "sold_since needs to know when items were sold, and the model does not: train it again on a "
                "log with a column of times."
            )
        sold, date = last_events.since(read_moment(self.sold_since))
        notes.append(
            f"sold since {self.sold_since}: {np.count_nonzero(~sold):,} of {len(sold):,} items are left out, "
            f"none sold since {date}"
        )
        return sold

    def _reranker(
        self,
        labels: Labels | None,
        item_counts: Int64Array,
        item_vectors: Callable[[], Float32Array] | None,
    ) -> Reranker | None:
        if not self.reorders and self.most_per_category is None:
            return None
        n_items = len(item_counts)
        vectors = np.zeros((n_items, 0), dtype=np.float32)
        if self.diversity:
            if item_vectors is None:
                raise InputError("diversity needs vectors of the items; there are none.")
            vectors = unit_rows(item_vectors())
        nothing = np.zeros(0, dtype=np.int64)
        return Reranker(
            diversity=float(self.diversity),
            calibration=float(self.calibration),
            popularity_discount=float(self.popularity_discount),
            pool=int(self.pool),
            most_per_category=self.most_per_category,
            labels=labels or Labels.from_pairs(nothing, nothing.astype(object), n_items),
            vectors=vectors,
            popularity=popularity_of(item_counts),
        )

    def _labels(self, item_ids: Ids, notes: list[str]) -> Labels | None:
        if not self.uses_categories:
            return None
        pairs = [
            (item, text)
            for item, texts in self.categories.items()
            for text in ([texts] if isinstance(texts, str) else texts)
        ]
        rows = item_ids.rows([item for item, _ in pairs])
        labels = Labels.from_pairs(rows, np.array([text for _, text in pairs], dtype=object), len(item_ids))
        n_without = int(np.count_nonzero(labels.counts == 0))
        if n_without == len(item_ids):
            raise InputError("no item of the model has a category; check that ids are written alike.")
        if n_without:
            notes.append(f"{n_without:,} of {len(item_ids):,} items have no category")
        return labels

    def _in_words(self) -> str:
        """Return the rules that hold for all, for a message."""
        said = [
            f"{len(self.only):,} in only" if self.only is not None else "",
            f"{len(self.exclude):,} in exclude" if self.exclude else "",
            f"only_categories {', '.join(self.only_categories)}" if self.only_categories else "",
            f"never_categories {', '.join(self.never_categories)}" if self.never_categories else "",
            f"least_users {self.least_users}" if self.least_users else "",
            f"sold_since {self.sold_since}" if self.sold_since is not None else "",
        ]
        return "; ".join(text for text in said if text)


def _marked(item_ids: Ids, items: Any, name: str, notes: list[str]) -> BoolArray:
    """Return which items are named, (n_items,); ids that are not known are noted."""
    marked = np.zeros(len(item_ids), dtype=bool)
    marked[_known(item_ids, listed_ids(items, name), name, notes)] = True
    return marked


def _known(ids: Ids, listed: Sequence[Id], name: str, notes: list[str]) -> Int64Array:
    """Return row numbers of the ids that are known, and note those that are not."""
    rows = ids.rows(listed)
    unknown = [value for value, row in zip(listed, rows.tolist(), strict=True) if row < 0]
    if unknown:
        few = ", ".join(str(value) for value in unknown[:_NAMED]) + (", ..." if len(unknown) > _NAMED else "")
        if len(unknown) == len(listed):
            raise InputError(
                f"{name}: none of {len(listed):,} ids is known to the model ({few}); ids that are known are "
                f"such as {ids[0]!r}."
            )
        notes.append(f"{name}: {len(unknown):,} of {len(listed):,} ids are not known to the model ({few})")
    return rows[rows >= 0]


def _in_one_of(labels: Labels, names: Collection[str], rule: str) -> BoolArray:
    """Return which items are in one of the categories, (n_items,)."""
    unknown = [name for name in names if name not in labels.names]
    if unknown:
        raise InputError(
            f"{rule}: there is no category {unknown[0]!r}; there are {', '.join(labels.names[:20])}"
            f"{', ...' if len(labels.names) > 20 else ''}."
        )
    wanted = np.isin(np.array(labels.names, dtype=object), list(names))
    marked = np.zeros(labels.n_rows, dtype=bool)
    marked[np.repeat(np.arange(labels.n_rows), labels.counts)[wanted[labels.columns]]] = True
    return marked


def _by_user(
    user_ids: Ids, item_ids: Ids, items_of: Mapping[Id, Collection[Id]], name: str, notes: list[str]
) -> dict[Id, Int64Array]:
    """Return row numbers of items by user; users need not be known to the model."""
    pairs = [(user, item) for user, items in items_of.items() for item in listed_ids(items, name)]
    rows = item_ids.rows([item for _, item in pairs])
    if pairs:
        _known(item_ids, [item for _, item in pairs], name, notes)
    by_user: dict[Id, list[int]] = {user_ids.spelled(user): [] for user in items_of}
    for (user, _), row in zip(pairs, rows.tolist(), strict=True):
        if row >= 0:
            by_user[user_ids.spelled(user)].append(row)
    return {user: np.array(known, dtype=np.int64) for user, known in by_user.items()}
