"""A log split for evaluation: training data and held-out pairs, ready for any model."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from recsys.data.duplicates import Duplicates
from recsys.data.held_out import HeldOut
from recsys.data.ids import Ids
from recsys.data.interactions import Interactions
from recsys.data.loaded_log import LoadedLog
from recsys.data.log import Feedback, Log
from recsys.data.rows import CompressedRows
from recsys.errors import InputError, ParameterError
from recsys.evaluation.catalogue import Catalogue
from recsys.models.base import Model
from recsys.models.new_users import NewUsers
from recsys.models.scorer import Scorer
from recsys.splitting.audit import audit
from recsys.splitting.record import SplitRecord
from recsys.splitting.specs import parse_splits, several
from recsys.splitting.split import Split, SplitDescription
from recsys.splitting.support import MinSupport
from recsys.typing import Int64Array

DEFAULT_SPLIT = "random:0.2"


def default_metrics(feedback: Feedback) -> str:
    """Return the metrics to show when none are asked for; the first puts models in order."""
    return "ndcg@10,recall@10,precision@10,coverage@10" + (",rmse,mae" if feedback == "explicit" else "")


@dataclass(frozen=True, eq=False)
class PreparedSplit:
    """Training data and held-out pairs, ready for any model.

    Attributes
    ----------
    train : Interactions
    held_out : HeldOut
    split : SplitRecord
        Name, seed, digest and audit of the split.
    load_seconds : float
        Reading, splitting and joining.
    histories : Interactions or None
        Where whole users are held out: what a fitted model is given of them, items as in ``train``.
        The user numbers of ``held_out`` are then the rows of this.
    log : LoadedLog or None
        What was split.

    Examples
    --------
    >>> import pandas as pd
    >>> import recsys
    >>> frame = pd.DataFrame(
    ...     {"user": [1, 1, 2, 2, 3, 3, 4, 4], "item": list("abacbcab"), "rating": [5, 3, 4, 1, 2, 5, 4, 2]}
    ... )
    >>> parts = recsys.split(frame, "random:0.25")
    >>> parts.train.nnz, parts.held_out.n_pairs
    (6, 2)
    >>> evaluation = recsys.evaluate("bias", parts, metrics="rmse")
    """

    train: Interactions
    held_out: HeldOut
    split: SplitRecord
    load_seconds: float
    histories: Interactions | None = None
    log: LoadedLog | None = None

    @property
    def loaded(self) -> LoadedLog:
        """The log that was split.

        Raises
        ------
        InputError
            If it is not known.
        """
        if self.log is None:
            raise InputError("it is not known which log was split; make the split by recsys.split.")
        return self.log

    def __repr__(self) -> str:
        return (
            f"PreparedSplit({self.split.name!r}: {self.train.nnz:,} pairs to train, "
            f"{self.held_out.n_pairs:,} held out)"
        )

    @property
    def measured(self) -> Interactions:
        """The users who are measured, with what is known of them."""
        return self.train if self.histories is None else self.histories

    @property
    def seen(self) -> CompressedRows:
        """What the measured users have, which lists leave out."""
        return self.measured.by_user

    @cached_property
    def catalogue(self) -> Catalogue:
        """What is known of the items: popular is what the users trained on took, not those measured."""
        return Catalogue(self.train.by_user, counts=self.train.item_counts)

    @property
    def user_ids(self) -> Ids:
        """The ids behind the user numbers of ``held_out`` and of measurements."""
        return self.measured.user_ids

    def check(self, model: Model) -> None:
        """Raise ModelError, before a fit costs time, if a model cannot answer for the measured users."""
        if self.histories is not None:
            model.check_folds_in()

    def scorer_for(self, model: Model) -> Scorer:
        """Return what scores the measured users: the model, or the model with new users folded in."""
        return model if self.histories is None else NewUsers(model, self.histories.by_user)


def prepare(
    loaded: LoadedLog,
    *,
    test: LoadedLog | None = None,
    split: str | None = None,
    seed: int = 0,
    duplicates: Duplicates | None = None,
    support: MinSupport | None = None,
    load_seconds: float = 0.0,
) -> PreparedSplit:
    """Prepare the one part of a split; see `prepare_all`.

    Raises
    ------
    ParameterError
        If the split makes several.
    """
    splits = prepare_all(
        loaded,
        test=test,
        split=split,
        seed=seed,
        duplicates=duplicates,
        support=support,
        load_seconds=load_seconds,
    )
    if len(splits) > 1:
        raise ParameterError(several(splits[0].split.name, len(splits)))
    return splits[0]


def prepare_all(
    loaded: LoadedLog,
    *,
    test: LoadedLog | None = None,
    split: str | None = None,
    seed: int = 0,
    duplicates: Duplicates | None = None,
    support: MinSupport | None = None,
    load_seconds: float = 0.0,
) -> tuple[PreparedSplit, ...]:
    """Split a log, or take a second log as the held-out part, and join repeats in each part.

    Parameters
    ----------
    loaded : LoadedLog
    test : LoadedLog, optional
        The held-out events; the whole of ``loaded`` then trains.
    split : str, optional
        See `recsys.splitting.specs.parse_splits`; "random:0.2" by default.
    seed : int
    duplicates : str, optional
        See `Interactions.from_log`.
    support : MinSupport, optional
        What users and items need to stay in training.
    load_seconds : float
        Time already spent on reading.

    Returns
    -------
    tuple of PreparedSplit
        One, or one for each fold or repeat.

    Raises
    ------
    ParameterError
        If both a test log and a split are given, or the split cannot be read.
    InputError
        If a part would be empty.
    """
    began = time.perf_counter()
    check_source(test, split)
    support = support or MinSupport()
    if test is not None:
        everything = np.arange(len(loaded.log)), np.arange(len(test.log))
        description = SplitDescription("file", "What is held out is a log of its own.")
        parts: tuple[Split, ...] = (Split(f"file:{test.source}", description, None, *everything),)
    else:
        parts = parse_splits(split or DEFAULT_SPLIT, loaded.log, seed=seed)
    test_log = loaded.log if test is None else test.log
    splits = []
    for part in parts:
        prepared = _prepare_one(loaded.log, test_log, part, duplicates, support)
        now = time.perf_counter()
        splits.append(replace(prepared, load_seconds=load_seconds + now - began, log=loaded))
        began, load_seconds = now, 0.0  # the log is read once
    return tuple(splits)


def check_source(test: object, split: object) -> None:
    """Raise ParameterError if both a test log and a split are given, or the split is no text."""
    if split is not None and not isinstance(split, str):
        raise ParameterError(f"split is {split!r:.80}; expected text such as 'random:0.2' or 'time:4w'.")
    if test is not None and split is not None:
        raise ParameterError("both a test log (--test) and a split (--split) are given; choose one.")


def _prepare_one(
    log: Log, test: Log, split: Split, duplicates: Duplicates | None, support: MinSupport
) -> PreparedSplit:
    filters = None
    if support:
        rows, filters = support.core(log, split.train)
        split = replace(split, train=rows)
    train = Interactions.from_log(log, split.train, duplicates=duplicates)
    histories = None
    if split.history is not None:
        least = support.user if support.test else 0
        of_users = Interactions.from_log(log, split.history, duplicates=duplicates)
        histories = _histories(of_users, train.item_ids, least)
    measured = train if histories is None else histories
    if filters is not None:
        rows = _supported(test, split.held_out, measured, support)
        filters = replace(filters, n_held_out_events_removed=len(split.held_out) - len(rows))
        split = replace(split, held_out=rows)
    held_out = HeldOut.from_log(test, split.held_out, measured, duplicates=duplicates)
    record = SplitRecord(
        name=split.name,
        description=split.description,
        seed=split.seed,
        digest=split.digest if test is log else held_out.digest,
        part=split.part,
        n_parts=split.n_parts,
        n_train_events=len(split.train),
        n_held_out_events=len(split.held_out),
        n_train_pairs=train.nnz,
        n_held_out_pairs=held_out.n_pairs,
        n_repeated_pairs=held_out.n_repeated,
        n_zero_pairs=held_out.n_zero,
        n_cold_users=held_out.n_cold_users,
        n_cold_items=held_out.n_cold_items,
        n_users=train.n_users,
        n_items=train.n_items,
        audit=audit(log, split, test, held_out, measured.user_ids, filters=filters),
    )
    return PreparedSplit(train, held_out, record, 0.0, histories)


def _histories(history: Interactions, item_ids: Ids, least: int) -> Interactions:
    """Return histories by the items of the training data, without users of whom too little is left."""
    columns = item_ids.rows(history.item_ids.values)[history.by_user.columns].astype(np.int32)
    known = history.by_user.only(columns >= 0)
    users = np.flatnonzero(known.counts >= max(least, 1))
    if len(users) == 0:
        raise InputError("training knows no item of the held-out users' histories; hold out fewer users.")
    matrix = CompressedRows(known.indptr, columns[columns >= 0], known.values, len(item_ids))
    return Interactions(matrix.select(users), history.user_ids.select(users), item_ids, history.feedback)


def _supported(log: Log, rows: Int64Array, measured: Interactions, support: MinSupport) -> Int64Array:
    """Return the held-out events that stay: all, or those of users and items that stayed in training."""
    if not support.test:
        return rows
    stays = np.ones(len(rows), dtype=bool)
    if support.user > 0:
        stays &= (measured.user_ids.rows(log.user_ids.values) >= 0)[log.users[rows]]
    if support.item > 0:
        stays &= (measured.item_ids.rows(log.item_ids.values) >= 0)[log.items[rows]]
    if not stays.any():
        raise InputError(
            f"nothing of the held-out part stays if a user needs {support.user} items and an item "
            f"{support.item} users of the training part; lower the numbers, or filter training only."
        )
    return rows[stays]
