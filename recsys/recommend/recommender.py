"""Top-n lists from a bundle."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from recsys.data.ids import Id, Ids, listed_ids
from recsys.errors import InputError
from recsys.progress import SILENT, GivenProgress, listener, task
from recsys.recommend.audiences import audiences_of
from recsys.recommend.bundle import Bundle
from recsys.recommend.explain import with_reasons
from recsys.recommend.explanation import Explanation
from recsys.recommend.lists import Segments, lists_for_users
from recsys.recommend.ranking import BLOCK_BYTES, check_n
from recsys.recommend.recommendations import Recommendations
from recsys.recommend.rules import Rules

_LEAST_BATCH, _BATCHES = 4_096, 60
_LEAST_WITH_REASONS = 256  # which take some ten milliseconds a user: progress is to be seen


class Recommender:
    """Ranks the items a user has not seen.

    Parameters
    ----------
    bundle : Bundle
        A fitted model with its ids and the pattern seen in training.

    Raises
    ------
    InputError
        If it is something else, such as a model without its data.

    Examples
    --------
    >>> import pandas as pd
    >>> import recsys
    >>> frame = pd.DataFrame(
    ...     {"user": [1, 1, 2, 2, 3, 3, 4, 4], "item": list("abacbcab"), "rating": [5, 3, 4, 1, 2, 5, 4, 2]}
    ... )
    >>> recommender = recsys.Recommender(recsys.train("popularity", frame))
    >>> [row["item"] for row in next(recommender.recommend([1], 1).lists())["items"]]
    ['c']
    """

    def __init__(self, bundle: Bundle) -> None:
        if not isinstance(bundle, Bundle):
            raise InputError(
                f"a recommender is made of a bundle, not of {type(bundle).__name__}: it needs ids, and what "
                f"users have seen. Use recsys.train(model, log), Bundle.of(model, data) with the "
                f"interactions the model was fitted to, or load_bundle(path)."
            )
        self.bundle = bundle

    def recommend(
        self,
        users: Iterable[Id] | Id | None = None,
        n: int = 10,
        *,
        include_seen: bool = False,
        rules: Rules | None = None,
        segments: Segments = None,
        reasons: int = 0,
        block_bytes: int = BLOCK_BYTES,
        progress: GivenProgress = SILENT,
    ) -> Recommendations:
        """Return the best n items for each user.

        Parameters
        ----------
        users : iterable of id, or one id, optional
            All users of the training data by default; an id given twice is served once. A user
            the model does not know, or of whom it learned nothing, gets the popularity list,
            marked ``"popularity"``.
        n : int
            Longest list, 1 or more.
        include_seen : bool
            Whether items of the training data may be listed.
        rules : Rules, optional
            What else lists keep to.
        segments : mapping of user's id to str, optional
            Users of whom the model knows nothing get what is popular in their segment, marked ``"segment"``;
            the users of the training data who are in it are counted.
        reasons : int
            Most past items that the reason for an item names; 0 for no reasons. For each user past items
            are then removed one by one, and the user folded in again, which takes longer than the lists do.
        block_bytes : int
            Bound on the memory of a block of scores.
        progress : bool, callable or Progress

        Raises
        ------
        ParameterError
            If n is below 1, or reasons below 0.
        InputError
            If ``users`` holds something that is no id, or the rules leave no item.
        """
        listening = listener(progress)
        lists = lists_for_users(
            self.bundle,
            users,
            n,
            include_seen=include_seen,
            rules=rules,
            segments=segments,
            block_bytes=block_bytes,
            progress=listening,
        )
        return with_reasons(self.bundle, lists, reasons, segments=segments, progress=listening)

    def batches(
        self,
        users: Iterable[Id] | Id | None = None,
        n: int = 10,
        *,
        include_seen: bool = False,
        rules: Rules | None = None,
        segments: Segments = None,
        reasons: int = 0,
        batch_size: int | None = None,
        first_batch: int = 0,
        block_bytes: int = BLOCK_BYTES,
        progress: GivenProgress = SILENT,
    ) -> Iterator[Recommendations]:
        """Yield the lists of `recommend` some users at a time, so that memory holds no more than these.

        Parameters
        ----------
        users, n, include_seen, rules, segments, reasons, block_bytes, progress
            As in `recommend`.
        batch_size : int, optional
            Users at a time; by default a sixtieth of them, and at least 4,096, with reasons 256.
        first_batch : int
            How many batches to pass over: those that an earlier run has made.

        Yields
        ------
        Recommendations
            In the order of the users; joined they are what `recommend` returns. At least one, which is
            empty where there are no users.

        Raises
        ------
        InputError, ParameterError
            As `recommend`, and if ``batch_size`` is below 1.
        """
        wanted = self.wanted(users)
        n_users = len(wanted)
        counted = None if segments is None else audiences_of(self.bundle, segments)
        step = users_a_batch(n_users, reasons) if batch_size is None else batch_size
        check_n(step, "batch_size")
        check_n(first_batch, "first_batch", least=0)
        with task(listener(progress), "recommend", n_users) as running:
            starts = range(0, max(n_users, 1), step)
            running.advance(min(first_batch * step, n_users))
            for start in starts[first_batch:]:
                some = [wanted[row] for row in range(start, min(start + step, n_users))]
                yield self.recommend(
                    some,
                    n,
                    include_seen=include_seen,
                    rules=rules,
                    segments=counted,
                    reasons=reasons,
                    block_bytes=block_bytes,
                )
                running.advance(len(some))

    def wanted(self, users: Iterable[Id] | Id | None) -> Sequence[Id] | Ids:
        """Return the users that are served: all by default, and one given twice, in any spelling, once."""
        ids = self.bundle.user_ids
        if users is None:
            return ids
        listed = listed_ids(users, "users")
        first: dict[object, Id] = {}
        for user, row in zip(listed, ids.rows(listed).tolist(), strict=True):
            first.setdefault(row if row >= 0 else (user,), user)
        return list(first.values())

    def explain(
        self, user: Id, items: Iterable[Id] | Id | None = None, n: int = 10, **options: Any
    ) -> tuple[Explanation, ...]:
        """Return why items are in a user's list; see `Bundle.explain`, also for the options."""
        return self.bundle.explain(user, items, n, **options)


def users_a_batch(n_users: int, reasons: int = 0) -> int:
    """Return how many users are served at a time: a sixtieth, and at least 4,096, with reasons 256."""
    return max(_LEAST_WITH_REASONS if reasons else _LEAST_BATCH, -(-n_users // _BATCHES))
