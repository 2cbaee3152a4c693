"""``recsys.update``: new events into a model that is trained, without a full retrain."""

from __future__ import annotations

import copy
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from recsys import threads as pool
from recsys.data.duplicates import Duplicates
from recsys.data.interactions import Interactions
from recsys.errors import ModelError
from recsys.experiment.given_logs import GivenLog, LogPlan, loaded_of
from recsys.experiment.training import check_duplicates
from recsys.experiment.training_record import log_format_of, training_record
from recsys.progress import SILENT, GivenProgress, listener
from recsys.recommend.bundle import Bundle
from recsys.recommend.bundle_files import load_bundle


def update(
    model: str | Path | Bundle,
    events: GivenLog,
    *,
    duplicates: Duplicates | None = None,
    passes: int = 3,
    threads: int | None = None,
    progress: GivenProgress = SILENT,
) -> Bundle:
    """Take new events into a trained model by `partial_fit`, and return the model that knows them.

    Users and items that have a new event are fitted again, each with all that is known of them; new ones are
    folded in; everything else stays as it is, bit for bit, component numbers included. After many updates
    `recsys.train`, with ``warm_start``, finds better components.

    Parameters
    ----------
    model : str, Path or Bundle
        Is not changed.
    events : str, Path, table or LoadedLog
        The new ones alone. A file is read by the columns that the model was trained with.
    duplicates : str, optional
        How repeats of a pair among the new events become one value. A pair that the model knows takes the
        new value; in a log of amounts the sum.
    passes : int
        Sweeps over the users and items concerned.
    threads : int, optional
        Results do not depend on it.
    progress : bool, callable or Progress

    Returns
    -------
    Bundle
        Its ``training["updates"]`` records each update.

    Raises
    ------
    ModelError
        If the model cannot be updated, or its bundle holds no values.
    RecsysError
        If the events cannot be used.

    Examples
    --------
    >>> import pandas as pd
    >>> import recsys
    >>> log = pd.DataFrame({"user": [1, 1, 2, 2, 3], "item": list("abaca")})
    >>> bundle = recsys.train(recsys.WeightedNMF(1), log)
    >>> recsys.update(bundle, pd.DataFrame({"user": [4, 3], "item": ["b", "d"]}))
    Bundle(weighted-nmf: 4 users, 4 items, 7 pairs seen, from the data frame)
    """
    old = model if isinstance(model, Bundle) else load_bundle(model)
    check_updatable(old)
    rule, progress = check_duplicates(duplicates), listener(progress)
    with pool.use(threads):
        loaded, _ = loaded_of(read_like(old, events), n_threads=threads, progress=progress)
        new = Interactions.from_log(loaded.log, duplicates=rule)
        known = Interactions(old.seen, old.user_ids, old.item_ids, new.feedback)
        fitted: Any = copy.copy(old.model)  # an update replaces what was learned, and changes no array
        began = time.perf_counter()
        fitted.partial_fit(new, known=known, passes=passes, progress=progress)
        seconds = time.perf_counter() - began
    data = fitted.training_
    record = {
        **{name: value for name, value in old.training.items() if name not in _OF_DATA},
        "updates": [
            *old.training.get("updates", ()),
            {**training_record(loaded), "n_pairs": new.nnz, "passes": passes, "seconds": seconds},
        ],
    }
    names = {**old.item_names, **loaded.item_names}
    updated = Bundle.of(fitted, data, item_names=names, training=record)
    return replace(updated, theme_labels=old.theme_labels)


_OF_DATA = ("digest", "n_users", "n_items", "n_entries", "feedback", "quality")
"""What is no longer true of a model that has grown."""


def check_updatable(old: Bundle) -> None:
    """Raise ModelError if a bundle cannot take new events."""
    if not hasattr(old.model, "partial_fit"):
        raise ModelError(
            f"{old.model.name} cannot take new events; train it anew on all of them (models with components "
            f"can begin with the old ones: --warm-start)."
        )
    if not old.has_values:
        raise ModelError("the bundle is of an older version and holds no values; train the model anew.")


def read_like(old: Bundle, log: GivenLog) -> GivenLog:
    """Return a log to be read by the columns of a bundle's training, where nothing else is said."""
    if isinstance(log, LogPlan):
        return LogPlan(log.source, log.read_as.over(log_format_of(old.training)), log.items)
    return LogPlan(log, log_format_of(old.training)) if isinstance(log, (str, Path)) else log
