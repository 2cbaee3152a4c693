"""Logs in database files: SQLite and DuckDB, read and never written."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import duckdb
import pyarrow as pa

from recsys import threads
from recsys.data.columns import listed
from recsys.data.compressed import head_of
from recsys.data.database import first_line, quoted
from recsys.data.log_format import LogFormat
from recsys.data.queries import Connection
from recsys.data.source import Source
from recsys.data.tables import open_table, typed_column
from recsys.errors import LogError, ParameterError

Engine = Literal["SQLite", "DuckDB"]

_SCHEMES: dict[str, Engine] = {"sqlite": "SQLite", "duckdb": "DuckDB"}
_URI = re.compile(r"(sqlite|duckdb):(?://)?(.+)")
_READS = (
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_FUNCTION,
    getattr(sqlite3, "SQLITE_RECURSIVE", 33),
)
_BATCH = 1 << 16


def engine_of(source: object) -> tuple[Engine, Path] | None:
    """Return the engine and the file of a database, by its address or its first bytes; None if it is none."""
    if not isinstance(source, (str, Path)):
        return None
    match = _URI.fullmatch(str(source))
    if match is not None:
        return _SCHEMES[match[1]], Path(match[2]).expanduser()
    path = Path(source).expanduser()
    if not path.is_file():
        return None
    head = head_of(path, 16)
    if head.startswith(b"SQLite format 3\0"):
        return "SQLite", path
    return ("DuckDB", path) if head[8:12] == b"DUCK" else None


def open_database(engine: Engine, path: Path, log_format: LogFormat, n_threads: int | None = None) -> Source:
    """Read a table, or what a query gives, from a database that is opened for reading only.

    Parameters
    ----------
    engine : {"SQLite", "DuckDB"}
    path : Path
    log_format : LogFormat
        Its ``table`` or ``query`` says what to read; a database of one table needs neither.
    n_threads : int, optional

    Raises
    ------
    LogError
        If there is no such file, table or column, the query does not only select, or the file is locked.
    ParameterError
        If both a table and a query are given.
    """
    if not path.is_file():
        raise LogError("no such file.", source=path)
    read = _from_sqlite if engine == "SQLite" else _from_duckdb
    try:
        table, what = read(path, log_format, n_threads)
    except (sqlite3.Error, duckdb.Error) as error:
        locked = "lock" in str(error).lower()
        raise LogError(
            f"could not be read: {first_line(error)}.",
            advice="Another program writes to it; wait for that, or copy the file." if locked else "",
            source=path,
        ) from error
    return open_table(table, n_threads, name=f"{path}, {what}")


def statement(source: str | Path, log_format: LogFormat, tables: Mapping[str, str]) -> tuple[str, str]:
    """Return the query for a log in a database, and what messages call its result.

    Parameters
    ----------
    source : str or Path
        What messages call the database.
    log_format : LogFormat
    tables : mapping of str to str
        Those there are, by name, and how each is written in SQL.

    Raises
    ------
    LogError
        If the query does not begin as one that reads, or it is not clear which table is meant.
    ParameterError
        If both a table and a query are given.
    """
    if log_format.table is not None and log_format.query is not None:
        raise ParameterError("both table and query are given; choose one.")
    if log_format.query is not None:
        if not re.match(r"\s*(SELECT|WITH)\b", log_format.query, re.IGNORECASE):
            raise LogError(
                f"the query {log_format.query!r:.80} begins with no SELECT; a log is read, never changed.",
                source=source,
            )
        return log_format.query, "the query"
    table = log_format.table or (next(iter(tables)) if len(tables) == 1 else None)
    if table is None:
        raise LogError(
            f"a database of the tables {listed(list(tables))}." if tables else "a database without tables.",
            advice="Name one by --table, or select by --query." if tables else "",
            source=source,
        )
    if table not in tables:
        raise LogError(f"there is no table {table!r}; there are {listed(list(tables))}.", source=source)
    return f"SELECT * FROM {tables[table]}", f"table {table}"  # noqa: S608 - the name is that of a table


def _from_sqlite(path: Path, log_format: LogFormat, n_threads: int | None) -> tuple[pa.Table, str]:
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5)
    try:
        names = connection.execute(
            "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') "
            "AND name NOT LIKE 'sqlite_%' ORDER BY name"
        ).fetchall()
        query, what = statement(path, log_format, {name: quoted(name) for (name,) in names})
        # From here on nothing but reading is possible: no writing, no other file, no settings.
        connection.set_authorizer(
            lambda action, *_: sqlite3.SQLITE_OK if action in _READS else sqlite3.SQLITE_DENY
        )
        cursor = connection.execute(query)
        columns: list[list[Any]] = [[] for _ in cursor.description]
        while rows := cursor.fetchmany(_BATCH):
            for cells, column in zip(zip(*rows, strict=True), columns, strict=True):
                column.extend(cells)
        titles = [description[0] for description in cursor.description]
    finally:
        connection.close()
    arrays = [typed_column(column, path, name) for name, column in zip(titles, columns, strict=True)]
    return pa.table(arrays, names=titles), what


def _from_duckdb(path: Path, log_format: LogFormat, n_threads: int | None) -> tuple[pa.Table, str]:
    config: dict[str, str | bool | int | float | list[str]] = {
        "enable_external_access": "false",
        "threads": n_threads or threads.available(),
    }
    with Connection(duckdb.connect(str(path), read_only=True, config=config)) as connection:
        names = connection.sql(
            "SELECT table_name FROM information_schema.tables ORDER BY table_name"
        ).fetchall()
        query, what = statement(path, log_format, {name: quoted(name) for (name,) in names})
        kinds = [str(statement.type) for statement in duckdb.extract_statements(query)]
        if len(kinds) != 1 or not kinds[0].endswith("SELECT"):
            raise LogError("the query is more than one SELECT; a log is read, never changed.", source=path)
        return connection.sql(query).to_arrow_table(), what
