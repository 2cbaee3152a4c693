"""Any metric of this library as the ``scoring`` of scikit-learn's tools."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from recsys.data.held_out import HeldOut
from recsys.data.interactions import Interactions
from recsys.data.log import Log
from recsys.errors import InputError, ModelError, ParameterError
from recsys.evaluation.catalogue import Catalogue
from recsys.evaluation.evaluator import evaluate
from recsys.evaluation.metrics import parse_metric
from recsys.models.nmf import NMF
from recsys.models.observed_entries import ObservedEntries


def entry_scorer(metric: str) -> Callable[..., float]:
    """Return a scorer of entries held out, for ``scoring`` in ``GridSearchCV`` and ``cross_validate``.

    Parameters
    ----------
    metric : str
        Of users or of entries, as "ndcg@10" or "rmse"; one that is better when less is negated.

    Returns
    -------
    callable
        ``scorer(model, X, y=None)`` with ``X`` of `ObservedEntries`, held out of the entries that the NMF
        model was fitted to. All items that a user was not fitted with are ranked.

    Raises
    ------
    ParameterError
        If the metric is not known, or neither more nor less of it is better.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.model_selection import cross_val_score
    >>> from recsys import EntryKFold, ObservedEntries, WeightedNMF, entry_scorer
    >>> X = ObservedEntries(np.where(np.eye(8) + np.eye(8, k=1) > 0, 1.0, np.nan))
    >>> scores = cross_val_score(WeightedNMF(2), X, cv=EntryKFold(3), scoring=entry_scorer("recall@3"))
    >>> scores.shape
    (3,)
    """
    parsed = parse_metric(metric)
    if parsed.higher_is_better is None:
        raise ParameterError(f"{parsed}: neither more nor less of it is better; a search needs to know.")
    sign = 1.0 if parsed.higher_is_better else -1.0

    def scorer(model: NMF, X: Any, y: None = None) -> float:
        if not isinstance(model, NMF):
            raise ModelError(
                f"{type(model).__name__} is no NMF model; take recsys.compare to measure other models."
            )
        if not isinstance(X, ObservedEntries):
            raise InputError(
                f"{type(X).__name__} has whole users for samples; give recsys.ObservedEntries(X)."
            )
        known = model.training_
        held_out = _held_out(X.interactions(model.feedback), known)
        if held_out.n_repeated:
            raise InputError(
                f"{held_out.n_repeated:,} of {len(X):,} entries were fitted: a score of what a model has "
                f"seen says nothing. Give entries held out, as recsys.EntryKFold makes them."
            )
        value = evaluate(
            model,
            known.by_user,
            held_out,
            [parsed],
            catalogue=Catalogue(known.by_user, counts=known.item_counts),
        ).metrics[str(parsed)]
        if value is None:
            raise InputError(f"{parsed} has no value for these entries.")
        return sign * value

    return scorer


def _held_out(entries: Interactions, known: Interactions) -> HeldOut:
    rows = entries.by_user
    events = Log(
        rows.row_numbers.astype(np.int32),
        rows.columns,
        rows.values.astype(np.float64),
        entries.user_ids,
        entries.item_ids,
        entries.feedback,
    )
    return HeldOut.from_log(events, None, known, duplicates="error")
