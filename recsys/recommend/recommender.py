"""Top-n lists from a bundle."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from recsys.data.ids import Id
from recsys.errors import InputError
from recsys.models.baselines.popularity import Popularity
from recsys.models.bundle import Bundle
from recsys.progress import SILENT, Progress, task
from recsys.recommend.ranking import BLOCK_BYTES, RankedBlock, check_n, ranked_blocks
from recsys.recommend.recommendations import Recommendations
from recsys.typing import BoolArray, Float32Array, Int64Array

_BLOCK_NUMBERS = 2**23  # contributions of themes at a time
_EMPTY = (np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32))


class Recommender:
    """Ranks the items a user has not seen.

    Parameters
    ----------
    bundle : Bundle
        A fitted model with its ids and the pattern seen in training.
    """

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle

    def recommend(
        self,
        users: Iterable[Id] | None = None,
        n: int = 10,
        *,
        include_seen: bool = False,
        block_bytes: int = BLOCK_BYTES,
        progress: Progress = SILENT,
    ) -> Recommendations:
        """Return the best n items for each user.

        Parameters
        ----------
        users : iterable of id, optional
            All users of the training data by default; an id given twice is served once. A user
            the model does not know, or of whom it learned nothing, gets the popularity list,
            marked ``"popularity"``.
        n : int
            Longest list, 1 or more.
        include_seen : bool
            Whether items of the training data may be listed.
        block_bytes : int
            Bound on the memory of a block of scores.
        progress : Progress

        Raises
        ------
        ParameterError
            If n is below 1.
        InputError
            If ``users`` is a single text, which would be read letter by letter.
        """
        check_n(n)
        if isinstance(users, str):
            raise InputError(f"users is the text {users!r}; expected a list of ids, e.g. [{users!r}].")
        bundle = self.bundle
        wanted: list[Id] = list(bundle.user_ids if users is None else users)
        rows = bundle.user_ids.rows(wanted)
        # "7" and 7 may be one user: known users are identified by row, unknown ones by the id itself.
        keys = [row if row >= 0 else (user,) for user, row in zip(wanted, rows.tolist(), strict=True)]
        first: dict[object, int] = {}
        for number, key in enumerate(keys):
            first.setdefault(key, number)
        once = list(first.values())
        wanted, rows = [wanted[number] for number in once], rows[once]
        is_known, is_blank = rows >= 0, self._is_blank(rows)
        seen = None if include_seen else bundle.seen
        popularity = Popularity.of_counts(bundle.item_counts, len(bundle.user_ids) or 1)
        lists: list[tuple[Int64Array, Float32Array]] = [_EMPTY] * len(wanted)
        with task(progress, "recommend", len(wanted)) as running:
            for model, group, left_out in (
                (bundle.model, is_known & ~is_blank, seen),
                (popularity, is_blank, seen),
            ):
                positions = iter(np.flatnonzero(group).tolist())
                for block in ranked_blocks(model, rows[group], n, left_out, block_bytes=block_bytes):
                    for number in range(len(block.users)):
                        lists[next(positions)] = _list(block, number)
                    running.advance(len(block.users))
            if not is_known.all():  # one list for all of them
                block = next(ranked_blocks(popularity, np.zeros(1, np.int64), n, None))
                for position in np.flatnonzero(~is_known).tolist():
                    lists[position] = _list(block, 0)

        lengths = np.array([len(items) for items, _ in lists], dtype=np.int64)
        items = np.concatenate([_EMPTY[0], *(items for items, _ in lists)])
        scores = np.concatenate([_EMPTY[1], *(scores for _, scores in lists)])
        rows = np.where(is_blank, -1, rows)
        themes, shares = self._strongest_themes(np.repeat(rows, lengths), items, scores)
        item_ids = bundle.item_ids.values[items]
        return Recommendations(
            users=tuple(bundle.user_ids.spelled(user) for user in wanted),
            indptr=np.r_[0, np.cumsum(lengths)],
            items=item_ids,
            names=tuple(bundle.name_of(item) for item in item_ids.tolist()),
            scores=scores,
            themes=themes,
            theme_shares=shares,
            sources=tuple("model" if row >= 0 else "popularity" for row in rows),
            reasons=tuple(
                "" if length == n else _why_short(int(length), all_listed=include_seen or not known)
                for known, length in zip(is_known, lengths, strict=True)
            ),
        )

    def _is_blank(self, rows: Int64Array) -> BoolArray:
        """Return whether the model knows a user by name only, so that all scores would be zero."""
        is_blank = self.bundle.model.is_blank()
        return np.asarray((rows >= 0) & is_blank[rows])

    def _strongest_themes(
        self, users: Int64Array, items: Int64Array, scores: Float32Array
    ) -> tuple[Int64Array, Float32Array]:
        """Return the theme (from 1) that adds most to each pair's score, and its share of all.

        All is what the themes add; where neighbors add to a score, too, it is the score.
        """
        themes = np.zeros(len(users), dtype=np.int64)
        shares = np.zeros(len(users), dtype=np.float32)
        model = self.bundle.model.component_model
        if model is None:
            return themes, shares
        step = max(1, _BLOCK_NUMBERS // len(model.shares_))
        for start in range(0, len(users), step):
            known = start + np.flatnonzero(users[start : start + step] >= 0)
            parts = model.contributions(users[known], items[known])
            totals = parts.sum(axis=1) if model is self.bundle.model else scores[known]
            best = parts.argmax(axis=1)
            explained = parts.any(axis=1) & (totals > 0)
            pairs = known[explained]
            themes[pairs] = best[explained] + 1
            shares[pairs] = parts[explained, best[explained]] / totals[explained]
        return themes, shares


def _why_short(length: int, *, all_listed: bool) -> str:
    items = "1 item" if length == 1 else f"{length:,} items"
    return f"the catalogue has only {items}" if all_listed else f"only {items} not yet seen"


def _list(block: RankedBlock, row: int) -> tuple[Int64Array, Float32Array]:
    length = int(block.n_listed[row])
    return block.items[row, :length].astype(np.int64), block.scores[row, :length].copy()
