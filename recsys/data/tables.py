"""Tables of other libraries as sources of events."""

from __future__ import annotations

import datetime
from collections.abc import Collection
from pathlib import Path
from typing import Any, Protocol

import pandas as pd
import pyarrow as pa

from recsys.data import text_files
from recsys.data.database import connect, lock
from recsys.data.source import Source
from recsys.errors import LogError


class ArrowTable(Protocol):
    """A table of another library, such as polars, that can be read as an Arrow table."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Return the table as an Arrow stream; see the Arrow PyCapsule interface."""


def open_table(table: Any, n_threads: int | None = None, *, name: str = "") -> Source:
    """Open a pandas DataFrame, an Arrow table, or what can be read as one; messages call it ``name``."""
    if not isinstance(table, (pd.DataFrame, pa.Table)) and hasattr(table, "__arrow_c_stream__"):
        table = pa.table(table)
    name = name or ("the data frame" if isinstance(table, pd.DataFrame) else "the Arrow table")
    if isinstance(table, pd.DataFrame):
        table = table.set_axis([str(column) for column in table.columns], axis=1)
        text_files.check_unique(list(table.columns), name)
        try:
            # By way of Arrow: DuckDB itself looks at a sample of an object column only.
            table = pa.Table.from_pandas(_dense(table), preserve_index=False)
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
            detail = "; ".join(str(part) for part in error.args)
            raise LogError(
                f"a column holds values of more than one kind ({detail}).",
                advice="Make each column all numbers or all text.",
                source=name,
            ) from error
    table = _with_known_types(table)
    text_files.check_unique(table.column_names, name)
    connection = connect(n_threads=n_threads)
    connection.register("log", table)
    lock(connection)
    return Source(name, connection, tuple(table.column_names), _all_rows)


def typed_column(cells: list[Any], source: str | Path, name: str) -> pa.Array:
    """Return cells that each have a type of their own: all integers, numbers or times, else all text.

    Raises
    ------
    LogError
        If there are bytes among them.
    """
    kinds = {type(cell) for cell in cells} - {type(None)}
    if bytes in kinds:
        raise LogError("the column holds bytes; expected numbers or text.", source=source, column=name)
    for known, kind in (
        ({int}, pa.int64()),
        ({int, float}, pa.float64()),
        ({datetime.datetime}, pa.timestamp("us")),
    ):
        if kinds <= known:
            return pa.array(cells, kind)
    return pa.array([None if cell is None else str(cell) for cell in cells], pa.string())


def _all_rows(as_text: Collection[str] = (), *, is_raw: bool = False) -> str:
    return "SELECT * FROM log"


def _dense(table: pd.DataFrame) -> pd.DataFrame:
    """Return a frame whose sparse columns, which Arrow does not know, are plain ones."""
    sparse = [name for name in table.columns if isinstance(table[name].dtype, pd.SparseDtype)]
    return table.assign(**{name: table[name].sparse.to_dense() for name in sparse}) if sparse else table


def _with_known_types(table: pa.Table) -> pa.Table:
    """Return a table whose half-precision columns, which the database does not know, are single."""
    for number, field in enumerate(table.schema):
        if pa.types.is_float16(field.type):
            table = table.set_column(number, field.name, table.column(number).cast(pa.float32()))
    return table
