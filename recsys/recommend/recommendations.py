"""Lists for users, as a table."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from recsys.data.ids import Id
from recsys.recommend.reasons import Reason
from recsys.typing import AnyArray, Float32Array, Int64Array

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Recommendations:
    """One list a user, one row an item; never more than n, never a repeat, no padding.

    Attributes
    ----------
    users : tuple of id
        In the order asked for.
    indptr : int64, (n_users + 1,)
        The list of user ``u`` stands at ``indptr[u]:indptr[u + 1]``.
    items : array of id, (n_rows,)
    names : tuple of str, (n_rows,)
    scores : float32, (n_rows,)
        Not increasing inside a list.
    themes : int64, (n_rows,)
        Number (from 1) of the theme that adds most to the score, 0 where there is none.
    theme_shares : float32, (n_rows,)
        That theme's share of all the themes add.
    sources : tuple of str, (n_users,)
        ``"model"``, or, for users of whom it knows nothing, ``"popularity"`` or ``"segment"``: what is
        popular with everybody, or in their segment.
    why_short : tuple of str, (n_users,)
        Why a list is shorter than asked for; empty where it is not.
    predicted : float32, (n_rows,), or None
        The predicted rating of each item, of a model that ranks by something else and predicts ratings, too;
        NaN in lists for histories that came without ratings.
    reasons : tuple of Reason, (n_rows,), or None
        The reason for each item, where reasons were asked for.
    segments : tuple of str, (n_users,), or None
        The segment whose popular items are listed, empty for a list that is none of a segment's; None where
        no segments were given.
    fill_sources : tuple of str, (n_rows,), or None
        ``"popularity"`` or ``"segment"`` for a place for which the model has no score (it is 0), and which
        what is popular fills; empty for the others. None where there is no such place.

    Examples
    --------
    >>> import pandas as pd
    >>> import recsys
    >>> frame = pd.DataFrame(
    ...     {"user": [1, 1, 2, 2, 3, 3, 4, 4], "item": list("abacbcab"), "rating": [5, 3, 4, 1, 2, 5, 4, 2]}
    ... )
    >>> lists = recsys.train("popularity", frame).recommend([1, 2], n=1)
    >>> [row["item"] for record in lists.lists() for row in record["items"]]
    ['c', 'b']
    >>> list(lists.to_frame().columns[:5])
    ['user', 'rank', 'item', 'name', 'score']
    """

    users: tuple[Id, ...]
    indptr: Int64Array
    items: AnyArray
    names: tuple[str, ...]
    scores: Float32Array
    themes: Int64Array
    theme_shares: Float32Array
    sources: tuple[str, ...]
    why_short: tuple[str, ...]
    predicted: Float32Array | None = None
    reasons: tuple[Reason, ...] | None = None
    segments: tuple[str, ...] | None = None
    fill_sources: tuple[str, ...] | None = None

    def __len__(self) -> int:
        return len(self.users)

    @property
    def counts(self) -> dict[str, int]:
        """Numbers of users, of rows, and of users whose list is of popular items."""
        return {
            "n_users": len(self),
            "n_rows": len(self.items),
            "n_by_popularity": len(self) - self.sources.count("model"),
        }

    @property
    def row_sources(self) -> AnyArray:
        """What each place is from, (n_rows,): the source of its list, or what fills it."""
        sources = np.repeat(np.array(self.sources, dtype=object), np.diff(self.indptr))
        if self.fill_sources is None:
            return sources
        fill = np.array(self.fill_sources, dtype=object)
        return np.where(fill == "", sources, fill)

    @property
    def ranks(self) -> Int64Array:
        """Place in the list, from 1, shape (n_rows,)."""
        lengths = np.diff(self.indptr)
        return np.arange(len(self.items)) - np.repeat(self.indptr[:-1], lengths) + 1

    def select(self, users: Iterable[Id]) -> Recommendations:
        """Return the lists of some of the users, in the order given."""
        position_of = {user: position for position, user in enumerate(self.users)}
        chosen = [position_of[user] for user in users]
        spans = [np.arange(self.indptr[position], self.indptr[position + 1]) for position in chosen]
        rows = np.concatenate(spans) if spans else np.zeros(0, dtype=np.int64)
        return Recommendations(
            users=tuple(self.users[position] for position in chosen),
            indptr=np.r_[0, np.cumsum([len(span) for span in spans], dtype=np.int64)],
            items=self.items[rows],
            names=tuple(self.names[row] for row in rows),
            scores=self.scores[rows],
            themes=self.themes[rows],
            theme_shares=self.theme_shares[rows],
            sources=tuple(self.sources[position] for position in chosen),
            why_short=tuple(self.why_short[position] for position in chosen),
            predicted=None if self.predicted is None else self.predicted[rows],
            reasons=None if self.reasons is None else tuple(self.reasons[row] for row in rows),
            segments=None if self.segments is None else tuple(self.segments[number] for number in chosen),
            fill_sources=None if self.fill_sources is None else tuple(self.fill_sources[row] for row in rows),
        )

    def to_frame(self, n_because: int | None = None) -> pd.DataFrame:
        """Return the columns user, rank, item, name, score, source, theme, theme_share.

        Where segments were given, segment follows. Of a model that ranks by something else and predicts
        ratings, too, predicted follows;
        where reasons were asked for, by reason, a sentence, and by because_1, because_name_1 and
        because_share_1 for the first past item it names, and so on: as many as ``n_because``, by default as
        the longest reason has.
        If only some of the users are integers, which unknown ones need not be, all are text.
        """
        import pandas as pd

        lengths = np.diff(self.indptr)
        users = np.empty(len(self.users), dtype=object)
        one_kind = len({type(user) for user in self.users}) <= 1
        users[:] = self.users if one_kind else [str(user) for user in self.users]
        kind = "Int64" if self.items.dtype.kind in "iu" else "string"
        predicted = {} if self.predicted is None else {"predicted": self.predicted}
        return pd.DataFrame(
            {
                "user": pd.Series(np.repeat(users, lengths)).infer_objects(),
                "rank": self.ranks,
                "item": self.items,
                "name": list(self.names),
                "score": self.scores,
                "source": self.row_sources,
                "theme": self.themes,
                "theme_share": self.theme_shares,
                **(
                    {}
                    if self.segments is None
                    else {"segment": np.repeat(np.array(self.segments, dtype=object), lengths)}
                ),
                **predicted,
                **({} if self.reasons is None else _reason_columns(self.reasons, n_because, kind)),
            }
        )

    def lists(self) -> Iterator[dict[str, Any]]:
        """Yield one plain record a user, for JSON; an item that fills a place has a source of its own."""
        fill = self.fill_sources or ("",) * len(self.items)
        for number, user in enumerate(self.users):
            start, stop = int(self.indptr[number]), int(self.indptr[number + 1])
            columns = (self.items, self.scores, self.themes, self.theme_shares)  # numbers of Python, for JSON
            places = zip(
                range(start, stop), *(column[start:stop].tolist() for column in columns), strict=True
            )
            yield {
                "user": user,
                "source": self.sources[number],
                **({} if self.segments is None else {"segment": self.segments[number] or None}),
                "why_short": self.why_short[number] or None,
                "items": [
                    {
                        "rank": row - start + 1,
                        "item": item,
                        "name": self.names[row],
                        "score": score,
                        **({"source": fill[row]} if fill[row] else {}),
                        "theme": theme or None,
                        "theme_share": share if theme else None,
                        **_predicted_in(self.predicted, row),
                        **({} if self.reasons is None else {"reason": self.reasons[row].to_json()}),
                    }
                    for row, item, score, theme, share in places
                ],
            }


def _predicted_in(predicted: Float32Array | None, row: int) -> dict[str, float]:
    """Return the predicted rating of a place as a part of its record; nothing where there is none."""
    value = math.nan if predicted is None else float(predicted[row])
    return {} if math.isnan(value) else {"predicted": value}


def _reason_columns(reasons: Sequence[Reason], n_because: int | None, kind: str) -> dict[str, Any]:
    """Return the columns of a table in which reasons stand."""
    import pandas as pd

    columns: dict[str, Any] = {"reason": [reason.text for reason in reasons]}
    if n_because is None:
        n_because = max((len(reason.items) for reason in reasons), default=0)
    for number in range(n_because):
        has_number = [number < len(reason.items) for reason in reasons]
        pairs = list(zip(reasons, has_number, strict=True))
        items = [reason.items[number] if has else None for reason, has in pairs]
        columns[f"because_{number + 1}"] = pd.array(items, dtype=kind)
        names = [reason.names[number] if has else None for reason, has in pairs]
        columns[f"because_name_{number + 1}"] = pd.array(names, dtype="string")
        shares = [reason.shares[number] if has else np.nan for reason, has in pairs]
        columns[f"because_share_{number + 1}"] = np.array(shares, dtype=np.float64)
    return columns
