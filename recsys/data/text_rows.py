"""Rows of a table beside the log as text: ids and labels, whatever kind their columns are of."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from recsys.data.database import quoted
from recsys.data.source import Source


def text_rows(source: Source, columns: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the rows of some columns as text, in their order; rows with a gap in one are left out.

    Raises
    ------
    InputError
        If the file cannot be read; the message names the line.
    """
    texts = [f"CAST({quoted(name)} AS VARCHAR)" for name in columns]
    filled = " AND ".join(f"coalesce({text}, '') <> ''" for text in texts)
    try:
        rows: list[tuple[str, ...]] = (
            source.relation(list(columns) if source.texts else [])
            .filter(filled)
            .select(*map(duckdb.SQLExpression, texts))
            .fetchall()
        )
    except duckdb.Error as error:
        raise source.explained(error) from error
    return rows
