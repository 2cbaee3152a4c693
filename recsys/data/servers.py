"""Logs in databases on a server, PostgreSQL and MySQL (or MariaDB): read and never written.

Passwords come from where the database's own programs take them, the environment or a file, and never
from the address: that is shown in messages, reports and lists of processes.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qs, unquote, urlsplit

import pyarrow as pa

from recsys.data.database import quoted
from recsys.data.databases import statement
from recsys.data.log_format import LogFormat
from recsys.data.source import Source
from recsys.data.tables import open_table, typed_column
from recsys.errors import DependencyError, LogError, ParameterError

Engine = Literal["PostgreSQL", "MySQL"]

_SCHEMES: dict[str, Engine] = {
    "postgresql": "PostgreSQL",
    "postgres": "PostgreSQL",
    "mysql": "MySQL",
    "mariadb": "MySQL",
}
_ADDRESS = re.compile(rf"({'|'.join(_SCHEMES)})://.*", re.DOTALL)
_WHERE_PASSWORDS_STAND = {
    "PostgreSQL": "in PGPASSWORD or the file ~/.pgpass",
    "MySQL": "in MYSQL_PWD or the section [client] of the file ~/.my.cnf",
}
_BATCH = 1 << 16
_SECONDS = 10
_TABLES = (
    "SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema NOT IN "
    "('pg_catalog', 'information_schema', 'mysql', 'performance_schema', 'sys') ORDER BY 1, 2"
)


@dataclass(frozen=True)
class Server:
    """A database on a server, without what must not be shown.

    Attributes
    ----------
    engine : {"PostgreSQL", "MySQL"}
    host, database : str
        Empty: as the environment says, or the database's own default.
    port : int or None
    user : str
    options : str
        What stands after "?" in the address, for PostgreSQL.
    """

    engine: Engine
    host: str
    port: int | None
    database: str
    user: str
    options: str

    @property
    def shown(self) -> str:
        """The address as messages and reports call it."""
        port = f":{self.port}" if self.port else ""
        return f"{self.engine.lower()}://{self.host}{port}/{self.database}"


def server_of(source: object) -> Server | None:
    """Return what an address names, None if a source is no such address.

    Raises
    ------
    ParameterError
        If a password stands in it, or it cannot be read.
    """
    if not isinstance(source, str) or _ADDRESS.fullmatch(source) is None:
        return None
    scheme, _, rest = source.partition("://")
    engine = _SCHEMES[scheme]
    try:
        parts = urlsplit(f"{scheme}://{rest}")
        port, password = parts.port, parts.password
        options = parse_qs(parts.query)
    except ValueError as error:
        raise ParameterError(f"the address of the database cannot be read: {error}.") from None
    if password is not None or "password" in options:
        raise ParameterError(
            f"a password stands in the address of the database, where others can see it; put it "
            f"{_WHERE_PASSWORDS_STAND[engine]}."
        )
    database = unquote(parts.path.removeprefix("/"))
    if not database and engine == "MySQL":
        raise ParameterError("the address names no database; expected e.g. mysql://user@localhost/shop.")
    if options and engine == "MySQL":
        raise ParameterError(f"{parts.query!r} after the address of a MySQL database is of no use.")
    return Server(engine, parts.hostname or "", port, database, unquote(parts.username or ""), parts.query)


def open_server(server: Server, log_format: LogFormat, n_threads: int | None = None) -> Source:
    """Read a table, or what a query gives, in a transaction that can only read.

    Parameters
    ----------
    server : Server
    log_format : LogFormat
        Its ``table`` or ``query`` says what to read; a database of one table needs neither.
    n_threads : int, optional

    Raises
    ------
    LogError
        If there is no such server, table or column, or the query does not only select.
    DependencyError
        If the package for such databases is not installed.
    ParameterError
        If both a table and a query are given.
    """
    read = _from_postgresql if server.engine == "PostgreSQL" else _from_mysql
    table, what = read(server, log_format)
    return open_table(table, n_threads, name=f"{server.shown}, {what}")


def _from_postgresql(server: Server, log_format: LogFormat) -> tuple[pa.Table, str]:
    try:
        from adbc_driver_manager import Error
        from adbc_driver_postgresql import dbapi
    except ImportError as error:
        raise _no_package(server) from error
    user = f"{server.user}@" if server.user else ""
    port = f":{server.port}" if server.port else ""
    options = "&".join(part for part in (server.options, f"connect_timeout={_SECONDS}") if part)
    try:
        # The address goes to libpq, which looks for what it lacks in PGPASSWORD, ~/.pgpass and so on.
        with (
            dbapi.connect(
                f"postgresql://{user}{server.host}{port}/{server.database}?{options}"
            ) as connection,
            connection.cursor() as cursor,
        ):
            # No statement of the transaction can take this back; several statements in one are refused.
            cursor.execute("SET TRANSACTION READ ONLY")
            cursor.execute(_TABLES)
            query, what = statement(server.shown, log_format, _named(cursor.fetchall(), "public"))
            cursor.execute(query)
            return _plain(cursor.fetch_arrow_table()), what
    except Error as error:
        raise _unread(server, str(error)) from error


def _from_mysql(server: Server, log_format: LogFormat) -> tuple[pa.Table, str]:
    try:
        import pymysql
    except ImportError as error:
        raise _no_package(server) from error
    file = Path("~/.my.cnf").expanduser()
    login: dict[str, Any] = {"host": server.host, "port": server.port, "user": server.user}
    login["password"] = os.environ.get("MYSQL_PWD")
    try:
        connection = pymysql.connect(
            **{name: value for name, value in login.items() if value},
            read_default_file=str(file) if file.is_file() else None,
            database=server.database,
            charset="utf8mb4",
            connect_timeout=_SECONDS,
            cursorclass=pymysql.cursors.SSCursor,
        )
        with connection, connection.cursor() as cursor:
            cursor.execute("SET SESSION sql_mode = CONCAT(@@sql_mode, ',ANSI_QUOTES')")
            cursor.execute("START TRANSACTION READ ONLY")
            cursor.execute(_TABLES)
            query, what = statement(server.shown, log_format, _named(cursor.fetchall(), server.database))
            if re.search(r"\bINTO\s+(OUTFILE|DUMPFILE)\b", query, re.IGNORECASE):
                raise LogError("the query writes a file; a log is read, never changed.", source=server.shown)
            cursor.execute(query)
            titles = [column[0] for column in cursor.description]
            columns: list[list[Any]] = [[] for _ in titles]
            while rows := cursor.fetchmany(_BATCH):
                for cells, column in zip(zip(*rows, strict=True), columns, strict=True):
                    column.extend(cells)
    except (pymysql.err.Error, RuntimeError) as error:
        raise _unread(server, str(error.args[-1]) if error.args else str(error)) from error
    arrays = [typed_column(column, server.shown, name) for name, column in zip(titles, columns, strict=True)]
    return pa.table(arrays, names=titles), what


def _named(tables: Sequence[tuple[str, str]], own: str) -> dict[str, str]:
    """Return how tables are written in SQL, by their names, with the schema unless it is the usual one."""
    return {
        (table if schema == own else f"{schema}.{table}"): f"{quoted(schema)}.{quoted(table)}"
        for schema, table in tables
    }


def _plain(table: pa.Table) -> pa.Table:
    """Return a table without the types of one database: numbers of any length, for one, are text then."""
    columns = []
    for column in table.columns:
        kind = column.type
        is_own = isinstance(kind, pa.BaseExtensionType) and kind.extension_name != "arrow.uuid"
        columns.append(column.cast(kind.storage_type) if is_own else column)
    return pa.table(columns, names=table.column_names)


def _unread(server: Server, said: str) -> LogError:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    detail = (lines[0] if lines else "").rstrip(".")
    denied = re.search(r"password|access denied|authentication", said, re.IGNORECASE)
    return LogError(
        f"could not be read: {detail}.",
        advice=f"A password is looked for {_WHERE_PASSWORDS_STAND[server.engine]}." if denied else "",
        source=server.shown,
    )


def _no_package(server: Server) -> DependencyError:
    return DependencyError(f'a log in {server.engine} needs further packages: pip install "recsys[sql]".')
