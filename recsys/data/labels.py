"""Labels of items or users, from a table beside the log: categories, groups."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from recsys.data import sources
from recsys.data.columns import existing, listed, resolve_names
from recsys.data.database import quoted
from recsys.data.ids import Ids
from recsys.data.spellings import as_integers
from recsys.data.tables import open_table
from recsys.errors import InputError, LogError
from recsys.typing import AnyArray, Int32Array, Int64Array

SEPARATOR = "|"


@dataclass(frozen=True, eq=False)
class Labels:
    """Which labels each item (or user) bears; any number of them, or none.

    Attributes
    ----------
    indptr, columns : int64, (n_rows + 1,), and int32, (n_entries,)
        Label numbers of row r stand at ``indptr[r]:indptr[r + 1]``, ascending and without repeats.
    names : tuple of str
        In alphabetical order.
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


def label_table(
    table: Any,
    ids: Ids,
    *,
    label: str,
    id_column: str | None = None,
    separator: str | None = SEPARATOR,
    n_threads: int | None = None,
) -> Labels:
    """Read the labels of known items or users.

    Parameters
    ----------
    table : str, Path, DataFrame or Arrow table
        A file of any format a log may have, or a table. Several rows for one id add up.
    ids : Ids
        Those of the training data; others are passed over.
    label : str
        Column of labels.
    id_column : str, optional
        Column of ids; a usual name of an item's is recognised.
    separator : str or None
        What stands between several labels in one cell; None: a cell is one label.

    Raises
    ------
    LogError
        If a column does not exist or is named for both, or no row of the table has a known id and a label.
    """
    is_file = isinstance(table, (str, Path))
    wanted = [name for name in (id_column, label) if name is not None]
    source = sources.open_files(table, n_threads, wanted) if is_file else open_table(table, n_threads)
    existing(source.names, label, source=source.name, option="label")
    if id_column is None:
        id_column, _ = resolve_names(source.names, source=source.name, item_name=label)
    existing(source.names, id_column, source=source.name, option="id")
    if id_column == label:
        raise LogError("one column is named for ids and for labels.", source=source.name, column=label)
    as_text = [id_column, label] if source.texts else []
    try:
        pairs = (
            source.relation(as_text)
            .select(
                duckdb.SQLExpression(f"CAST({quoted(id_column)} AS VARCHAR)").alias("id"),
                duckdb.SQLExpression(f"CAST({quoted(label)} AS VARCHAR)").alias("label"),
            )
            .filter("id <> '' AND label <> ''")
            .fetchall()
        )
    except duckdb.Error as error:
        raise source.explained(error) from error
    texts = np.asarray([pair[0] for pair in pairs], dtype=object)
    rows = ids.rows(as_integers(texts) if ids.is_integer else texts)
    cells = [[pair[1]] if separator is None else pair[1].split(separator) for pair in pairs]
    labels = np.asarray([text.strip() for cell in cells for text in cell], dtype=object)
    assigned = Labels.from_pairs(np.repeat(rows, [len(cell) for cell in cells]), labels, len(ids))
    if len(assigned.columns) == 0:
        raise LogError(
            f"no row has an id of the log and a {label!r}; the columns are {listed(source.names)}.",
            advice="Check that its ids are written as those of the log.",
            source=source.name,
        )
    return assigned
