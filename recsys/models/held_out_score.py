"""How well a fitted NMF model answers entries that it has not seen."""

from __future__ import annotations

from typing import Any

import numpy as np

from recsys.data.interactions import Interactions
from recsys.data.rows import CompressedRows
from recsys.errors import InputError
from recsys.factorization.held_out_errors import ranking_loss
from recsys.factorization.validation import HeldOutEntries
from recsys.models.factor_model import FactorModel
from recsys.models.observed_entries import ObservedEntries
from recsys.models.training_data import rows_of_items


def held_out_score(model: FactorModel, X: Any, known: Interactions) -> float:
    """Return the score of a model on entries held out, greater being better.

    Parameters
    ----------
    model : FactorModel
    X : ObservedEntries or Interactions
        Joined to the data of the model by ids.
    known : Interactions
        What the model was fitted to.

    Returns
    -------
    float
        Of a model that predicts values, minus the root mean squared error of `predict_by_row`; of one that
        ranks, the mean NDCG@100 of `ranking_loss`, over users who were fitted with an entry.

    Raises
    ------
    InputError
        If ``X`` is a plain matrix, is empty, holds an entry that the model was fitted to, or has nothing
        that can be measured.
    """
    if isinstance(X, ObservedEntries):
        X = X.interactions(model.feedback)
    if not isinstance(X, Interactions):
        rows_of_items(X, model.n_items_, type(model).__name__, allows_negative=model.takes_negative)
        raise InputError(
            f"score measures entries held out of the users that were fitted; the rows of {type(X).__name__} "
            f"may be other users. Give recsys.ObservedEntries(X), of which EntryKFold and train_test_split "
            f"hold entries out, or Interactions."
        )
    if X.nnz == 0:
        raise InputError("there is no entry to measure.")
    users = known.user_ids.rows(X.user_ids.values)[X.by_user.row_numbers]
    items = known.item_ids.rows(X.item_ids.values)[X.by_user.columns]
    _refuse_seen(users * known.n_items + items, (users >= 0) & (items >= 0), known)
    if model.predicts_values:
        errors = model.predict_by_row(users, items).astype(np.float64) - X.by_user.values
        return -float(np.sqrt(np.mean(errors**2)))
    measured = (users >= 0) & (items >= 0) & (X.by_user.values > 0)
    measured &= known.by_user.counts[users] > 0  # as evaluation does: of the others nothing was learned
    if not measured.any():
        raise InputError("no entry is of a user and an item that the model knows; there is nothing to rank.")
    users, items, values = users[measured], items[measured], X.by_user.values[measured]
    order = np.lexsort((items, users))
    held_out = HeldOutEntries(users[order], items[order], values[order].astype(np.float64), known.by_user)
    return 1.0 - ranking_loss(model.factors(), held_out)


def _refuse_seen(keys: np.ndarray[Any, Any], is_known: np.ndarray[Any, Any], known: Interactions) -> None:
    """Raise InputError if a pair, its user's row times the number of items plus its item's, was fitted."""
    rows: CompressedRows = known.by_user
    n_seen = int(np.isin(keys[is_known], rows.row_numbers * known.n_items + rows.columns).sum())
    if n_seen:
        raise InputError(
            f"{n_seen:,} of {len(keys):,} entries were fitted: a score of what a model has seen says "
            f"nothing. Give entries held out, as recsys.EntryKFold or train_test_split make them of "
            f"recsys.ObservedEntries."
        )
