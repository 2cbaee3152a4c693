"""What a trained bundle's own lists are worth on events that it was not trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recsys.data.duplicates import Duplicates
from recsys.data.held_out import HeldOut
from recsys.data.ids import Id
from recsys.data.interactions import Interactions
from recsys.data.log import Log
from recsys.errors import InputError, ParameterError
from recsys.evaluation.catalogue import Catalogue
from recsys.evaluation.from_lists import measure_lists
from recsys.evaluation.given_lists import GivenLists, with_more_ids
from recsys.evaluation.measurements import Measurements
from recsys.evaluation.metrics import Metric
from recsys.progress import SILENT, Progress
from recsys.recommend.bundle import Bundle
from recsys.recommend.lists import lists_for_users
from recsys.typing import BoolArray, Int64Array


@dataclass(frozen=True, eq=False)
class ServedLists:
    """The lists that a bundle gives the users of some events, made once and measured on any of the events.

    They are those that somebody got: of a user whom the model does not know, the popularity list.

    Attributes
    ----------
    log : Log
    known : Interactions
        What the bundle was trained on, with the users and items of the log after those it knows.
    lists : GivenLists
        By the rows of ``known``.
    n_items : int
        Items that the bundle knows.
    is_known : bool, (n_users,)
        Users of ``known`` whom the bundle knows.
    """

    log: Log
    known: Interactions
    lists: GivenLists
    n_items: int
    is_known: BoolArray

    @classmethod
    def of(
        cls, bundle: Bundle, log: Log, rows: Int64Array, n: int, *, progress: Progress = SILENT
    ) -> ServedLists:
        """Make the lists, n long, of the users of some events."""
        trained = Interactions(bundle.seen, bundle.user_ids, bundle.item_ids, log.feedback)
        known = with_more_ids(trained, log.user_ids, log.item_ids)
        users = np.unique(known.user_ids.rows(log.user_ids.values[np.unique(log.users[rows])]))
        wanted: list[Id] = [known.user_ids[int(row)] for row in users]
        lists = lists_for_users(bundle, wanted, n, progress=progress)
        lengths = np.zeros(known.n_users, dtype=np.int64)
        lengths[users] = np.diff(lists.indptr)
        items = known.item_ids.rows(lists.items).astype(np.int32)
        of_users = GivenLists(np.r_[0, np.cumsum(lengths)], items)
        is_known = np.zeros(known.n_users, dtype=bool)
        is_known[: trained.n_users] = trained.by_user.counts > 0
        return cls(log, known, of_users, trained.n_items, is_known)

    def measure(
        self, rows: Int64Array, metrics: Sequence[Metric], *, duplicates: Duplicates | None = None
    ) -> Measurements | None:
        """Measure the lists on some of the events; a pair that the bundle was trained on is set aside.

        None if it was trained on all of their pairs.
        """
        held_out = HeldOut.from_log(self.log, rows, self.known, duplicates=duplicates)
        if held_out.n_pairs == 0:
            return None
        return measure_lists(
            self.lists,
            held_out,
            metrics,
            seen=self.known.by_user,
            catalogue=Catalogue(self.known.by_user),
            n_catalogue=self.n_items,
        )


def rows_since(log: Log, since: str | None, *, source: str) -> Int64Array:
    """Return the events from a moment on, all if there is none.

    Parameters
    ----------
    log : Log
    since : str, optional
        A date or time as ISO 8601, or a number where the log's times are numbers.
    source : str
        The name of the log, for messages.

    Raises
    ------
    ParameterError
        If it cannot be read.
    InputError
        If the log has no times, or no event from then on.
    """
    if since is None:
        return np.arange(len(log))
    if log.times is None:
        raise InputError(
            f"{source} has no time column, so nothing of it is since {since}; name one by --time."
        )
    begin = moment(since, log)
    rows = np.flatnonzero(log.times >= begin)
    if len(rows) == 0:
        span = log.span() or ("", "")
        raise InputError(f"{source} has no event since {since}; its events are from {span[0]} to {span[1]}.")
    return rows


def moment(text: str, log: Log) -> int:
    """Return a moment in the units of a log's times."""
    try:
        if log.time_kind == "number":
            return int(float(text))
        return int(np.datetime64(text.strip(), "us").astype(np.int64))
    except (ValueError, OverflowError):
        expected = "a number, as the log's times" if log.time_kind == "number" else "e.g. 2011-11-01"
        raise ParameterError(f"--since {text!r}: expected {expected}.") from None


def list_metrics(metrics: Sequence[Metric]) -> tuple[Metric, ...]:
    """Return metrics that lists have, or raise ParameterError."""
    for metric in metrics:
        if metric.is_error or metric.k is None:
            raise ParameterError(
                f"{metric} is no metric of lists that were given; expected e.g. ndcg@10 or coverage@10."
            )
    return tuple(metrics)
