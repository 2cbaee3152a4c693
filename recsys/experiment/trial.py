"""A log split for a comparison: training data and what is held out."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from recsys.data.held_out import HeldOut
from recsys.data.interactions import Duplicates, Interactions
from recsys.data.load import LoadedLog
from recsys.data.log import Feedback
from recsys.errors import ParameterError
from recsys.split.rules import parse_split

DEFAULT_SPLIT = "random:0.2"


def default_metrics(feedback: Feedback) -> str:
    """Return the metrics to show when none are asked for."""
    return "precision@10,recall@10,ndcg@10,coverage@10" + (",rmse,mae" if feedback == "explicit" else "")


@dataclass(frozen=True, eq=False)
class Trial:
    """Training data and held-out pairs, ready for any model.

    Attributes
    ----------
    train : Interactions
    held_out : HeldOut
    split : dict
        Name, seed, digest and audit of the split.
    load_seconds : float
        Reading, splitting and joining.
    """

    train: Interactions
    held_out: HeldOut
    split: Mapping[str, Any]
    load_seconds: float


def prepare(
    loaded: LoadedLog,
    *,
    test: LoadedLog | None = None,
    split: str | None = None,
    seed: int = 0,
    duplicates: Duplicates | None = None,
    load_seconds: float = 0.0,
) -> Trial:
    """Split a log, or take a second log as the held-out part, and join repeats in each part.

    Parameters
    ----------
    loaded : LoadedLog
    test : LoadedLog, optional
        The held-out events; the whole of ``loaded`` then trains.
    split : str, optional
        See `recsys.split.rules.parse_split`; "random:0.2" by default.
    seed : int
    duplicates : str, optional
        See `Interactions.from_log`.
    load_seconds : float
        Time already spent on reading.

    Raises
    ------
    ParameterError
        If both a test log and a split are given.
    """
    began = time.perf_counter()
    if test is not None and split is not None:
        raise ParameterError("both a test file and a split are given; choose one.")
    if test is not None:
        train = Interactions.from_log(loaded.log, duplicates=duplicates)
        held_out = HeldOut.from_log(test.log, None, train, duplicates=duplicates)
        record: dict[str, Any] = {"name": f"file:{test.source}", "seed": None, "digest": None}
        n_train, n_held_out = len(loaded.log), len(test.log)
    else:
        parts = parse_split(split or DEFAULT_SPLIT, loaded.log, seed=seed)
        train = Interactions.from_log(loaded.log, parts.train, duplicates=duplicates)
        held_out = HeldOut.from_log(loaded.log, parts.held_out, train, duplicates=duplicates)
        record = {"name": parts.name, "seed": parts.seed, "digest": parts.digest}
        n_train, n_held_out = len(parts.train), len(parts.held_out)
    record |= {
        "n_train_events": n_train,
        "n_held_out_events": n_held_out,
        "n_train_pairs": train.nnz,
        "n_held_out_pairs": held_out.n_pairs,
        "n_repeated_pairs": held_out.n_repeated,
        "n_cold_users": held_out.n_cold_users,
        "n_cold_items": held_out.n_cold_items,
        "n_users": train.n_users,
        "n_items": train.n_items,
    }
    return Trial(train, held_out, record, load_seconds + time.perf_counter() - began)
