"""Top-n lists from a bundle."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from recsys.data.ids import Id
from recsys.errors import InputError
from recsys.models.base import FactorModel
from recsys.models.bundle import Bundle
from recsys.models.popularity import Popularity
from recsys.progress import SILENT, Progress, task
from recsys.recommend.ranking import BLOCK_BYTES, RankedBlock, check_n, ranked_blocks
from recsys.recommend.recommendations import Recommendations
from recsys.typing import Float32Array, Int64Array


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
            the model does not know gets the popularity list, marked ``"popularity"``.
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
        # "7" and 7 may be one user: who is known is told apart by row, who is not by the id itself.
        keys = [row if row >= 0 else (user,) for user, row in zip(wanted, rows.tolist(), strict=True)]
        first: dict[object, int] = {}
        for at, key in enumerate(keys):
            first.setdefault(key, at)
        once = list(first.values())
        wanted, rows = [wanted[at] for at in once], rows[once]
        lists: list[tuple[Int64Array, Float32Array] | None] = [None] * len(wanted)
        known = np.flatnonzero(rows >= 0)
        done = 0
        with task(progress, "recommend", len(known)) as running:
            for block in ranked_blocks(
                bundle.model,
                rows[known],
                n,
                None if include_seen else bundle.seen,
                block_bytes=block_bytes,
            ):
                for at in range(len(block.users)):
                    lists[known[done + at]] = _list(block, at)
                done += len(block.users)
                running.advance(len(block.users))
        if len(known) < len(wanted):
            popular = self._popular(n)
            lists = [popular if found is None else found for found in lists]

        found = [one for one in lists if one is not None]
        lengths = np.array([len(items) for items, _ in found], dtype=np.int64)
        items = np.concatenate([items for items, _ in found]) if found else np.zeros(0, np.int64)
        scores = np.concatenate([s for _, s in found]) if found else np.zeros(0, np.float32)
        themes, shares = self._strongest_themes(np.repeat(rows, lengths), items)
        item_ids = bundle.item_ids.values[items]
        return Recommendations(
            users=tuple(
                bundle.user_ids[int(row)] if row >= 0 else user
                for user, row in zip(wanted, rows, strict=True)
            ),
            indptr=np.r_[0, np.cumsum(lengths)],
            items=item_ids,
            names=tuple(bundle.name_of(item) for item in item_ids.tolist()),
            scores=scores,
            themes=themes,
            theme_shares=shares,
            sources=tuple("model" if row >= 0 else "popularity" for row in rows),
            reasons=tuple(
                "" if length == n else _why_short(int(length), all_listed=include_seen or row < 0)
                for row, length in zip(rows, lengths, strict=True)
            ),
        )

    def _popular(self, n: int) -> tuple[Int64Array, Float32Array]:
        counts = np.bincount(self.bundle.seen.columns, minlength=self.bundle.seen.n_columns)
        popularity = Popularity.of_counts(counts)
        block = next(ranked_blocks(popularity, np.zeros(1, np.int64), n, None))
        return _list(block, 0)

    def _strongest_themes(self, users: Int64Array, items: Int64Array) -> tuple[Int64Array, Float32Array]:
        """Return the theme (from 1) that adds most to each pair's score, and its share of all."""
        themes = np.zeros(len(users), dtype=np.int64)
        shares = np.zeros(len(users), dtype=np.float32)
        model = self.bundle.model
        if not isinstance(model, FactorModel) or not model.has_themes:
            return themes, shares
        step = 1 << 16
        for start in range(0, len(users), step):
            known = start + np.flatnonzero(users[start : start + step] >= 0)
            parts = model.contributions(users[known], items[known])
            totals = parts.sum(axis=1)
            best = parts.argmax(axis=1)
            explained = totals > 0
            at = known[explained]
            themes[at] = best[explained] + 1
            shares[at] = parts[explained, best[explained]] / totals[explained]
        return themes, shares


def _why_short(length: int, *, all_listed: bool) -> str:
    items = "1 item" if length == 1 else f"{length:,} items"
    return f"the catalogue has only {items}" if all_listed else f"only {items} not yet seen"


def _list(block: RankedBlock, at: int) -> tuple[Int64Array, Float32Array]:
    length = int(block.n_listed[at])
    return block.items[at, :length].astype(np.int64), block.scores[at, :length].copy()
