"""Lists as a table of a database, replaced in one transaction: SQLite, DuckDB, PostgreSQL."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from recsys.data.database import quoted
from recsys.errors import DependencyError, InputError, ParameterError, RecsysError
from recsys.experiment.table_writer import TableWriter

DEFAULT_TABLE = "recommendations"
_RAISING = ("sqlite3", "duckdb", "_duckdb", "adbc_driver_manager")  # modules whose errors are the database's
_URI = re.compile(r"(sqlite|duckdb):(?://)?(.+)|(postgres(?:ql)?)://.+")


@dataclass(frozen=True)
class DatabaseTable:
    """A table that lists are written to.

    Attributes
    ----------
    engine : {"sqlite", "duckdb", "postgresql"}
    location : str
        Path of the file, or the whole URI.
    table : str
    """

    engine: str
    location: str
    table: str = DEFAULT_TABLE

    @classmethod
    def read(cls, text: str, table: str | None) -> DatabaseTable | None:
        """Return the table that a URI names, such as ``sqlite:shop.db``; None for what is no URI.

        Raises
        ------
        ParameterError
            If the table has no name.
        """
        parts = _URI.fullmatch(text)
        if parts is None:
            return None
        if table is not None and not table.strip():
            raise ParameterError("--table is empty; expected the name of a table.")
        if parts[3]:
            return cls("postgresql", text, table or DEFAULT_TABLE)
        return cls(parts[1], str(Path(parts[2]).expanduser()), table or DEFAULT_TABLE)

    def __str__(self) -> str:
        where = self.location if self.engine != "postgresql" else _without_password(self.location)
        return f"table {self.table} of {where}"


def _without_password(uri: str) -> str:
    return re.sub(r"(//[^:/@]*):[^@/]*@", r"\1@", uri)


@contextmanager
def table_writer(target: DatabaseTable) -> Iterator[TableWriter]:
    """Yield what takes a table part by part; the old table stays until all parts are there.

    Raises
    ------
    InputError
        If the database cannot be opened or written.
    DependencyError
        If PostgreSQL is asked for and its driver is not installed.
    """
    opened = {"sqlite": _sqlite, "duckdb": _duckdb, "postgresql": _postgresql}[target.engine]
    if target.engine != "postgresql" and not Path(target.location).parent.is_dir():
        raise InputError(f"{target.location}: there is no folder {Path(target.location).parent}.")
    try:
        with _left_as_found(target), opened(target) as writer:
            yield writer
    except RecsysError:
        raise
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in _RAISING:
            raise
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InputError(f"{target}: {first}. Nothing was changed.") from error


@contextmanager
def _left_as_found(target: DatabaseTable) -> Iterator[None]:
    """Remove, where a write fails, the files of a database that were not there before it."""
    files = [] if target.engine == "postgresql" else [target.location, f"{target.location}.wal"]
    new = [path for path in map(Path, files) if not path.exists()]
    try:
        yield
    except BaseException:
        for path in new:
            with suppress(OSError):  # what ended the write is what is to be said
                path.unlink(missing_ok=True)
        raise


@contextmanager
def _sqlite(target: DatabaseTable) -> Iterator[TableWriter]:
    connection = sqlite3.connect(target.location, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield _SQLiteWriter(connection, quoted(target.table))
        connection.execute("COMMIT")
    finally:
        connection.close()  # what was not committed is undone


class _SQLiteWriter:
    """Writes rows into a table that the first part makes anew."""

    def __init__(self, connection: sqlite3.Connection, table: str) -> None:
        self._connection, self._table, self._is_first = connection, table, True

    def write(self, frame: pd.DataFrame) -> None:
        if self._is_first:
            columns = ", ".join(f"{quoted(name)} {_affinity(frame[name])}" for name in frame)
            self._connection.execute(f"DROP TABLE IF EXISTS {self._table}")
            self._connection.execute(f"CREATE TABLE {self._table} ({columns})")
            self._is_first = False
        rows = frame.astype(object).where(frame.notna(), None)
        marks = ", ".join("?" * len(frame.columns))
        self._connection.executemany(
            f"INSERT INTO {self._table} VALUES ({marks})",  # noqa: S608 - a quoted name
            rows.itertuples(index=False, name=None),
        )


def _affinity(column: Any) -> str:
    if pd.api.types.is_integer_dtype(column):
        return "INTEGER"
    return "REAL" if pd.api.types.is_float_dtype(column) else "TEXT"


@contextmanager
def _duckdb(target: DatabaseTable) -> Iterator[TableWriter]:
    import duckdb

    from recsys.data.queries import Connection

    with Connection(duckdb.connect(target.location)) as connection:
        connection.execute("BEGIN TRANSACTION")
        yield _DuckDBWriter(connection, quoted(target.table))
        connection.execute("COMMIT")


class _DuckDBWriter:
    """Writes rows into a table that the first part makes anew."""

    def __init__(self, connection: Any, table: str) -> None:
        self._connection, self._table, self._is_first = connection, table, True

    def write(self, frame: pd.DataFrame) -> None:
        self._connection.register("recsys_part", pa.Table.from_pandas(frame, preserve_index=False))
        rows = "SELECT * FROM recsys_part"
        if self._is_first:
            self._connection.execute(f"CREATE OR REPLACE TABLE {self._table} AS {rows}")
        else:
            self._connection.execute(f"INSERT INTO {self._table} {rows}")
        self._is_first = False
        self._connection.unregister("recsys_part")


@contextmanager
def _postgresql(target: DatabaseTable) -> Iterator[TableWriter]:
    try:
        dbapi = import_module("adbc_driver_postgresql.dbapi")
    except ImportError:
        raise DependencyError(
            'writing to PostgreSQL needs the package adbc-driver-postgresql; pip install "recsys[sql]".'
        ) from None
    with dbapi.connect(target.location) as connection, connection.cursor() as cursor:
        yield _PostgreSQLWriter(cursor, target.table)
        connection.commit()


class _PostgreSQLWriter:
    """Hands parts to ADBC, the first of which replaces the table."""

    def __init__(self, cursor: Any, table: str) -> None:
        self._cursor, self._table, self._is_first = cursor, table, True

    def write(self, frame: pd.DataFrame) -> None:
        rows = pa.Table.from_pandas(frame, preserve_index=False)
        self._cursor.adbc_ingest(self._table, rows, mode="replace" if self._is_first else "append")
        self._is_first = False
