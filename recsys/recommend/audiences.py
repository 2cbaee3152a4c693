"""Whose popularity stands in for a model that knows nothing of a user: everybody's, or a segment's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from recsys.data.ids import Id, Ids
from recsys.data.rows import CompressedRows, positives
from recsys.errors import InputError
from recsys.models.baselines.popularity import Popularity
from recsys.typing import Float64Array, Int64Array


class Counted(Protocol):
    """What audiences are counted from; see `Bundle`."""

    @property
    def user_ids(self) -> Ids:
        """Users of the training data."""

    @property
    def seen(self) -> CompressedRows:
        """The training entries, (n_users, n_items)."""

    @property
    def item_counts(self) -> Int64Array:
        """How many users have each item, (n_items,)."""

    @property
    def training(self) -> Mapping[str, Any]:
        """Where the data came from."""


@dataclass(frozen=True, eq=False)
class Audience:
    """Users whose popular items are listed.

    Attributes
    ----------
    name : str
        Of the segment; empty for everybody.
    counts : float64 or int64, (n_items,)
        How many of them have each item; in a segment, what everybody has breaks ties by a fraction below 1/2.
    n_users : int
    """

    name: str
    counts: Float64Array | Int64Array
    n_users: int

    @property
    def source(self) -> str:
        """What lists say of where they are from."""
        return "segment" if self.name else "popularity"

    def model(self, n_users: int) -> Popularity:
        """Return a model with these scores for so many users."""
        return Popularity.of_counts(self.counts, max(n_users, 1))


@dataclass(frozen=True, eq=False)
class Audiences:
    """Everybody, and the segments that users are in.

    Attributes
    ----------
    fitted : Counted
    segment_of : mapping of user's id to str
        Of users of the training data, by which items are counted, and of others, who get the lists. A user
        without one, or in a segment of which nobody is in the training data, gets everybody's list.

    Raises
    ------
    InputError
        If no user of the training data is in a segment.
    """

    fitted: Counted
    segment_of: Mapping[Id, str]

    def __post_init__(self) -> None:
        if self.segment_of and not self._members:
            raise InputError(
                "no user of the training data is in a segment; check that ids are written alike, such as "
                f"{self.fitted.user_ids[0]!r}."
            )

    @cached_property
    def _members(self) -> dict[str, Int64Array]:
        """Row numbers of users by segment."""
        rows = self.fitted.user_ids.rows(list(self.segment_of))
        members: dict[str, list[int]] = {}
        for segment, row in zip(self.segment_of.values(), rows.tolist(), strict=True):
            if row >= 0 and segment:
                members.setdefault(segment, []).append(row)
        return {segment: np.unique(listed) for segment, listed in members.items()}

    @cached_property
    def _segment_of_text(self) -> dict[str, str]:
        return {str(user): segment for user, segment in self.segment_of.items()}

    @cached_property
    def everybody(self) -> Audience:
        """All users of the training data."""
        return Audience("", self.fitted.item_counts, len(self.fitted.user_ids))

    @cached_property
    def _counted(self) -> dict[str, Audience]:
        if not self._members:  # else a list for one user would look through all entries
            return {}
        seen, overall = self.fitted.seen, self.everybody
        if self.fitted.training.get("feedback") == "implicit":
            seen = positives(seen)
        ties = overall.counts / (2.0 * max(overall.n_users, 1) + 1)
        audiences = {}
        for name, members in self._members.items():
            counts = np.bincount(seen.select(members).columns, minlength=seen.n_columns)
            audiences[name] = Audience(name, counts + ties, len(members))
        return audiences

    def of(self, user: Id) -> Audience:
        """Return whose popular items a user gets."""
        return self._counted.get(self._segment_of_text.get(str(user), ""), self.everybody)


def audiences_of(fitted: Counted, segments: Mapping[Id, str] | Audiences | None) -> Audiences:
    """Return audiences of segments by user, or those that are counted already.

    Raises
    ------
    InputError
        If segments are no mapping, or one is no text; as `Audiences`.
    """
    if isinstance(segments, Audiences):
        return segments
    if segments is None:
        return Audiences(fitted, {})
    problem = f"segments is {segments!r:.80}; expected a mapping of user to text, e.g. {{'ann': 'north'}}."
    try:
        names: list[object] = list(segments.values())
    except AttributeError:
        raise InputError(problem) from None
    if not all(isinstance(name, str) for name in names):
        raise InputError(problem)
    return Audiences(fitted, segments)
