"""How much an entry counts for models that read every absent cell as a zero."""

from __future__ import annotations

import numpy as np

from recsys.data.interactions import Interactions
from recsys.data.log import Feedback
from recsys.data.rows import CompressedRows, positives
from recsys.errors import InputError

AMOUNTS = ("auto", "binary", "log", "raw")
AMOUNTS_HELP = "what an entry counts: 1, ln(1 + amount), its amount; auto: raw for ratings, else binary"


def kind_of(amounts: str, feedback: Feedback) -> str:
    """Return what ``auto`` stands for: amounts of purchases or plays say more of the item than of taste."""
    if amounts != "auto":
        return amounts
    return "raw" if feedback == "explicit" else "binary"


def preferences(rows: CompressedRows, kind: str) -> CompressedRows:
    """Return the entries above 0 with what they count as values.

    Parameters
    ----------
    rows : CompressedRows, (n_users, n_items)
        Ratings or amounts; a zero says what an absent cell says.
    kind : {"binary", "log", "raw"}
    """
    entries = positives(rows)
    if kind == "raw":
        return entries
    values = entries.values
    counted = np.ones_like(values) if kind == "binary" else np.log1p(values)
    return entries.with_values(counted)


def training_preferences(data: Interactions, amounts: str) -> CompressedRows:
    """Return the preferences of a log, or raise InputError where there are none."""
    rows = preferences(data.by_user, kind_of(amounts, data.feedback))
    if rows.nnz == 0:
        raise InputError("all values are 0; a model that reads an absent cell as 0 needs values above it.")
    return rows
