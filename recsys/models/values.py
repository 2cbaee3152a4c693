"""What the value of an entry counts for models of the whole matrix, to which an absent cell is a zero."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from recsys.data.interactions import Interactions
from recsys.data.log import Feedback
from recsys.data.rows import CompressedRows, positives
from recsys.errors import InputError
from recsys.factorization.entries import Entries
from recsys.models.training_data import Training

TRANSFORMS = ("auto", "binary", "log", "raw")
TRANSFORMS_HELP = "what an entry counts: 1, ln(1 + amount), its amount; auto: raw for ratings, else binary"


def resolved_transform(name: str, feedback: Feedback) -> str:
    """Return what ``auto`` stands for: amounts of purchases or plays say more of the item than of taste."""
    if name != "auto":
        return name
    return "raw" if feedback == "explicit" else "binary"


def preferences(rows: CompressedRows, kind: str) -> CompressedRows:
    """Return the entries other than 0 with what they count as values.

    Parameters
    ----------
    rows : CompressedRows, (n_users, n_items)
        Ratings or amounts; a zero says what an absent cell says.
    kind : {"binary", "log", "raw"}
        ``log`` needs values of 0 or more.
    """
    entries = positives(rows)
    if kind == "raw":
        return entries
    values = entries.values
    counted = np.ones_like(values) if kind == "binary" else np.log1p(values)
    return entries.with_values(counted)


def above_base(rows: CompressedRows, base: float) -> CompressedRows:
    """Return ratings as how far they are above the lowest of their scale, 0 where they are below it.

    Parameters
    ----------
    rows : CompressedRows, (n_users, n_items)
    base : float
        The lowest rating where that is below 0, else 0: then ratings are returned as they are.
    """
    if base == 0:
        return rows
    above = np.maximum(rows.values.astype(np.float64) - base, 0)
    return rows.with_values(np.minimum(above, np.finfo(np.float32).max).astype(np.float32))


def training_preferences(data: Interactions, transform: str) -> CompressedRows:
    """Return the preferences of a log, or raise InputError where there are none."""
    rows = preferences(data.by_user, resolved_transform(transform, data.feedback))
    if rows.nnz == 0:
        raise InputError("all values are 0; a model that reads an absent cell as 0 needs values above it.")
    return rows


CONFIDENCES = ("constant", "log", "linear")


def confidences(rows: CompressedRows, kind: str, alpha: float) -> CompressedRows:
    """Return the entries other than 0 with confidences as values.

    ``constant``: 1; ``log``: 1 + alpha ln(1 + x); ``linear``: 1 + alpha x (Hu, Koren & Volinsky
    2008, section 4), which need amounts of 0 or more. A zero says what an absent cell says.
    """
    entries = positives(rows)
    amounts = entries.values.astype(np.float64)
    if kind == "constant":
        grown = np.ones_like(amounts)
    else:
        grown = 1 + alpha * (np.log1p(amounts) if kind == "log" else amounts)
    return entries.with_values(np.minimum(grown, np.finfo(np.float32).max).astype(np.float32))


def whole_matrix_entries(training: Training, count: Callable[[CompressedRows], CompressedRows]) -> Entries:
    """Return the entries other than 0 for a model of the whole matrix, weights multiplied in.

    Parameters
    ----------
    training : Training
    count : callable
        Drops the zeros, and says what each of the others counts.

    Raises
    ------
    InputError
        If all values are 0.
    """
    entries = Entries.counting(training.data, training.weights)
    rows = count(entries.by_user)
    if rows.nnz == 0:
        raise InputError("all values are 0; a model of purchases, plays or counts needs amounts above 0.")
    if entries.weights is not None:
        weights = entries.weights[entries.by_user.values != 0].astype(np.float64)
        limits = np.finfo(np.float32)
        rows = rows.with_values(np.clip(rows.values * weights, limits.tiny, limits.max).astype(np.float32))
    return Entries.of(rows)
