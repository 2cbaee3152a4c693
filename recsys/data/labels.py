"""Labels of items or users: categories, groups."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from recsys.errors import InputError
from recsys.typing import AnyArray, Int32Array, Int64Array


@dataclass(frozen=True, eq=False)
class Labels:
    """Which labels each item (or user) bears; any number of them, or none.

    Attributes
    ----------
    indptr, columns : int64, (n_rows + 1,), and int32, (n_entries,)
        Label numbers of row r stand at ``indptr[r]:indptr[r + 1]``, ascending and without repeats.
    names : tuple of str
        In alphabetical order.

    Examples
    --------
    >>> import numpy as np
    >>> from recsys import Labels
    >>> labels = Labels.from_pairs(np.array([0, 2, 2]), np.array(["drink", "drink", "hot"]), 3)
    >>> labels.names, labels.counts.tolist()
    (('drink', 'hot'), [1, 0, 2])
    """

    indptr: Int64Array
    columns: Int32Array
    names: tuple[str, ...]

    @classmethod
    def from_pairs(cls, rows: AnyArray, labels: AnyArray, n_rows: int) -> Labels:
        """Make labels of pairs of a row number (-1: passed over) and a text (empty: passed over)."""
        numbers, texts = np.asarray(rows, dtype=np.int64), np.asarray(labels, dtype=object)
        kept = (numbers >= 0) & (texts != "")
        codes, names = pd.factorize(texts[kept], sort=True)
        keys = np.unique(numbers[kept] * max(len(names), 1) + codes)
        of_row, of_label = np.divmod(keys, max(len(names), 1))
        indptr = np.searchsorted(of_row, np.arange(n_rows + 1)).astype(np.int64)
        return cls(indptr, of_label.astype(np.int32), tuple(str(name) for name in names))

    @property
    def n_rows(self) -> int:
        """Number of items or users."""
        return len(self.indptr) - 1

    @property
    def counts(self) -> Int64Array:
        """Number of labels of each row, shape (n_rows,)."""
        return np.diff(self.indptr)

    def select(self, rows: Int64Array) -> Labels:
        """Return the labels of the given rows, in that order."""
        counts = self.counts[rows]
        ends = np.cumsum(counts)
        entries = np.arange(counts.sum()) + np.repeat(self.indptr[rows] - (ends - counts), counts)
        return Labels(np.r_[0, ends], self.columns[entries], self.names)

    def padded(self, n_rows: int) -> Labels:
        """Return the same labels with rows appended that bear none."""
        more = np.full(n_rows - self.n_rows, self.indptr[-1])
        return Labels(np.r_[self.indptr, more], self.columns, self.names)


@dataclass(frozen=True, eq=False)
class UserGroups:
    """Which group each user is in.

    Attributes
    ----------
    of_user : int64, (n_users,)
        Number of the group; -1 for a user in none.
    names : tuple of str

    Examples
    --------
    >>> import numpy as np
    >>> from recsys import UserGroups
    >>> groups = UserGroups.by_activity(np.array([1, 1, 5, 9]))
    >>> groups.names, groups.of_user.tolist()
    (('1 item', '5 items', '9 items'), [0, 0, 1, 2])
    """

    of_user: Int64Array
    names: tuple[str, ...]

    @classmethod
    def from_labels(cls, labels: Labels) -> UserGroups:
        """Take the one label of each user.

        Raises
        ------
        InputError
            If a user bears two.
        """
        counts = labels.counts
        if len(counts) and counts.max() > 1:
            row = int(np.argmax(counts))
            span = slice(labels.indptr[row], labels.indptr[row + 1])
            two = [labels.names[label] for label in labels.columns[span]]
            raise InputError(
                f"a user is in the groups {', '.join(two)}; expected one group for each user. "
                f"Correct the table, or name another column."
            )
        of_user = np.full(labels.n_rows, -1, dtype=np.int64)
        of_user[counts == 1] = labels.columns
        return cls(of_user, labels.names)

    @classmethod
    def by_activity(cls, counts: Int64Array) -> UserGroups:
        """Put users into quarters by their number of training items; those with none are in no group.

        Users with equal numbers stay together, so that quarters are as equal as ties allow and may
        be fewer than four.
        """
        active = counts[counts > 0]
        edges = np.unique(np.quantile(active, [0.25, 0.5, 0.75], method="lower")) if len(active) else active
        raw = np.searchsorted(edges, counts)  # up to and with the edge
        used = np.unique(raw[counts > 0])
        of_user = np.where(counts > 0, np.searchsorted(used, raw), -1).astype(np.int64)
        spans = [counts[of_user == group] for group in range(len(used))]
        return cls(of_user, tuple(_span(int(span.min()), int(span.max())) for span in spans))


def _span(low: int, high: int) -> str:
    if low < high:
        return f"{low:,} to {high:,} items"
    return "1 item" if low == 1 else f"{low:,} items"
