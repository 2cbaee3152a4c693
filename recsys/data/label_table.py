"""Labels of items or users, read from a table beside the log."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from recsys.data import sources
from recsys.data.columns import existing, listed, resolve_names
from recsys.data.database import quoted
from recsys.data.ids import Ids
from recsys.data.labels import Labels
from recsys.data.spellings import as_integers
from recsys.data.tables import open_table
from recsys.errors import LogError

SEPARATOR = "|"


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
