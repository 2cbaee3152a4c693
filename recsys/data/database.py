"""A database in memory that can be barred from everything but the files it was given."""

from __future__ import annotations

import glob
import re
from collections.abc import Sequence
from pathlib import Path

import duckdb

from recsys import threads
from recsys.data.queries import Connection

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z_0-9]*")


def first_line(error: Exception) -> str:
    """Return what an error of DuckDB says in its first line, without its kind."""
    line = str(error).strip().splitlines()[0]
    return line.partition(" Error: ")[2].rstrip(".!") or line


def quoted(name: str) -> str:
    """Return a column name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: object) -> str:
    """Return text as SQL writes it."""
    return "'" + str(text).replace("'", "''") + "'"


def connect(files: Sequence[Path] = (), n_threads: int | None = None) -> Connection:
    """Open a database in memory; `lock` it before any expression of the user runs."""
    inner = duckdb.connect(
        ":memory:",
        config={
            "threads": threads.started(n_threads),
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "python_enable_replacements": "false",
            "preserve_insertion_order": "true",
        },
    )
    paths = [str(path.absolute()) for path in files]
    allowed = ", ".join(literal(name) for path in paths for name in (path, glob.escape(path)))
    # The order matters: once external access is off, no path can be added.
    inner.execute(f"SET allowed_paths = [{allowed}]")
    inner.execute("SET streaming_buffer_size = '32MB'")  # rows are read on while some are looked at
    inner.execute("SET enable_progress_bar = false")  # it is drawn on the standard output
    inner.execute("SET TimeZone = 'UTC'")  # times without a zone must not depend on the machine
    return Connection(inner)


def lock(connection: Connection) -> None:
    """Bar a connection from other files, the network and changes to its settings."""
    connection.execute("SET enable_external_access = false; SET lock_configuration = true")


def as_written(name: str) -> str:
    """Return a column name as a person would write it in SQL: quoted only if it must be."""
    if not _PLAIN.fullmatch(name):
        return quoted(name)
    try:
        duckdb.SQLExpression(f"{name} IS NULL")
    except duckdb.Error:  # a word of SQL, such as "order"
        return quoted(name)
    return name
