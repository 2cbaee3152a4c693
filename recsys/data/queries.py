"""DuckDB's connections and relations, whose calls a signal ends at once.

Python runs the handler of a signal in the main thread, between two of its own steps. Inside of a call DuckDB
looks for signals now and then (and makes a RuntimeError of whatever the handler raises, the reader's
TimeoutError as well as KeyboardInterrupt), or not at all, for as long as it looks through a file for the
types of its columns or a condition holds for no row. So the call is made in a thread beside, while the main
thread waits where Python's handlers run: what they raise comes out as it is, and ends the query.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import Future
from types import TracebackType
from typing import Any, Self, TypeVar

import duckdb
import pyarrow as pa

_PATIENCE = 1.0
"""Seconds for which an interrupted call is waited for.

While it looks for types it cannot be interrupted: the caller goes on, and the process ends when that is over.
"""
_T = TypeVar("_T")


class Connection:
    """A connection to DuckDB.

    Parameters
    ----------
    inner : duckdb.DuckDBPyConnection
    """

    def __init__(self, inner: duckdb.DuckDBPyConnection) -> None:
        self._inner = inner
        self._left: threading.Thread | None = None

    def sql(self, query: str) -> Relation:
        """Return the rows of a SELECT, which are computed once they are asked for."""
        return Relation(self, self.call(lambda: self._inner.sql(query)))

    def execute(self, statement: str) -> None:
        """Run a statement that has no result."""
        self.call(lambda: self._inner.execute(statement))

    def register(self, name: str, table: pa.Table) -> None:
        """Let queries read a table by a name."""
        self._inner.register(name, table)

    def unregister(self, name: str) -> None:
        """Take back what `register` did."""
        self._inner.unregister(name)

    def call(self, work: Callable[[], _T]) -> _T:
        """Return what a call of DuckDB returns; what the handler of a signal raises ends it and comes out."""
        if threading.current_thread() is not threading.main_thread():  # no handler runs here
            return work()
        outcome: Future[_T] = Future()
        thread = threading.Thread(target=_run, args=(work, outcome), name="recsys-query")
        try:
            try:
                thread.start()
            except RuntimeError:  # no further thread is to be had
                return work()
            return outcome.result()
        except BaseException:
            if thread.is_alive() and not outcome.done():
                self._interrupt(thread)
            raise
        finally:
            del outcome  # it holds the error, whose traceback holds this frame

    def _interrupt(self, thread: threading.Thread) -> None:
        self._left = thread
        deadline = time.monotonic() + _PATIENCE
        while thread.is_alive() and time.monotonic() < deadline:
            self._inner.interrupt()  # more than once: what has not begun yet does not see it
            thread.join(0.02)

    @property
    def is_busy(self) -> bool:
        """Whether a call that could not be ended still runs; nothing else can be done until it is over."""
        return self._left is not None and self._left.is_alive()

    def close(self) -> None:
        """Close the connection; one that `is_busy` closes itself when it has no call any more."""
        if not self.is_busy:
            self._inner.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Relation:
    """Rows of a query, as `duckdb.DuckDBPyRelation`: computed once they are asked for.

    Parameters
    ----------
    connection : Connection
    inner : duckdb.DuckDBPyRelation
    """

    def __init__(self, connection: Connection, inner: duckdb.DuckDBPyRelation) -> None:
        self._connection, self._inner = connection, inner

    @property
    def columns(self) -> list[str]:
        """Names of the columns."""
        return self._inner.columns

    @property
    def types(self) -> list[Any]:
        """Types of the columns, as DuckDB has them."""
        return self._inner.types

    def select(self, *columns: str | duckdb.Expression) -> Relation:
        """Return these columns."""
        return Relation(self._connection, self._inner.select(*columns))

    def filter(self, condition: str | duckdb.Expression) -> Relation:
        """Return the rows for which a condition is true."""
        return Relation(self._connection, self._inner.filter(condition))

    def limit(self, n: int, offset: int = 0) -> Relation:
        """Return ``n`` rows from row ``offset`` on."""
        return Relation(self._connection, self._inner.limit(n, offset))

    def order(self, by: str) -> Relation:
        """Return the rows in an order."""
        return Relation(self._connection, self._inner.order(by))

    def aggregate(self, aggregates: str, by: str = "") -> Relation:
        """Return aggregates of all rows, or of each group of them."""
        return Relation(self._connection, self._inner.aggregate(aggregates, by))

    def fetchall(self) -> list[Any]:
        """Return all rows as tuples."""
        return self._connection.call(self._inner.fetchall)

    def to_arrow_table(self) -> pa.Table:
        """Return all rows as a table."""
        return self._connection.call(self._inner.to_arrow_table)

    def batches(self, n_rows: int = 1 << 17) -> Generator[pa.RecordBatch]:
        """Yield the rows in batches of about ``n_rows``; close it early, and its connection is free again."""
        # DuckDB before 1.5 knows the method by its older name only.
        stream = getattr(self._inner, "to_arrow_reader", None) or self._inner.fetch_record_batch
        call = self._connection.call
        reader = call(lambda: stream(n_rows))
        try:
            while (batch := call(lambda: next(reader, None))) is not None:
                yield batch
        finally:
            if not self._connection.is_busy:
                reader.close()


def _run(work: Callable[[], _T], outcome: Future[_T]) -> None:
    try:
        outcome.set_result(work())
    except BaseException as error:
        outcome.set_exception(error)
    finally:
        del work, outcome  # the error's traceback holds this frame, and with it the connection
