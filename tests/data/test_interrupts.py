"""A signal inside a query ends the query, and what its handler raises comes out as it is."""

from __future__ import annotations

import gc
import os
import signal
import threading
import time
from contextlib import closing

import duckdb
import pytest

from recsys.data.database import connect
from recsys.data.load import load_log
from recsys.data.queries import Connection
from recsys.errors import LogError
from recsys_cli import signals
from recsys_cli.main import run

ENDLESS = "SELECT hash(a.range * b.range) AS user, 1 AS item FROM range(10000000) a, range(10000000) b"
"""Rows for a year."""
CALLS = {
    "rows": lambda connection: connection.sql(f"SELECT count(DISTINCT user) FROM ({ENDLESS})").fetchall(),
    "table": lambda connection: connection.sql(f"SELECT sum(user % 3) FROM ({ENDLESS})").to_arrow_table(),
    "batches": lambda connection: read(connection.sql(ENDLESS)),
    "batches without a row": lambda connection: read(connection.sql(f"{ENDLESS} WHERE user = -1")),
    "statement": lambda connection: connection.execute(f"CREATE TABLE t AS {ENDLESS} WHERE user = -1"),
}


def read(relation):
    with closing(relation.batches()) as batches:
        for _ in batches:
            pass


class Late(Exception):
    """What a handler of the reader's own may raise."""


@pytest.fixture
def send(monkeypatch):
    """Let a signal come as soon as a call of DuckDB has begun, once; its handler is the given one."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    call = Connection.call
    waiting: list[int] = []

    def watched(connection, work):
        def begun():
            if waiting:
                threading.Timer(0.05, os.kill, (os.getpid(), waiting.pop())).start()
            return work()

        return call(connection, begun)

    def armed(number, handler):
        signal.signal(number, handler)
        waiting.append(number)

    monkeypatch.setattr(Connection, "call", watched)
    yield armed
    for number, handler in before.items():
        signal.signal(number, handler)


def raising(error):
    def handle(number, frame):
        raise error

    return handle


@pytest.mark.parametrize("error", [KeyboardInterrupt, Late("at eight")], ids=["ctrl-c", "own"])
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_what_a_handler_raises_ends_a_query_and_comes_out(send, call, error):
    with connect(n_threads=1) as connection:
        send(signal.SIGINT, raising(error))
        began = time.monotonic()
        with pytest.raises((KeyboardInterrupt, Late)) as raised:
            call(connection)
        assert time.monotonic() - began < 5
        assert raised.type is (error if isinstance(error, type) else type(error))
        assert not connection.is_busy
        assert connection.sql("SELECT 7").fetchall() == [(7,)]


def test_a_log_whose_reading_is_interrupted(send, tmp_path):
    path = tmp_path / "log.db"
    duckdb.connect(str(path)).close()
    send(signal.SIGINT, signal.default_int_handler)
    with pytest.raises(KeyboardInterrupt):
        load_log(f"duckdb:{path}", query=ENDLESS)


def test_a_call_that_cannot_be_ended_is_left_to_itself(monkeypatch):
    monkeypatch.setattr("recsys.data.queries._PATIENCE", 0.1)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    may_end = threading.Event()

    def deaf():
        os.kill(os.getpid(), signal.SIGINT)
        may_end.wait(10)

    try:
        with connect() as connection, pytest.raises(KeyboardInterrupt):
            connection.call(deaf)
        assert connection.is_busy
        may_end.set()
        while connection.is_busy:
            time.sleep(0.001)
        connection.close()
    finally:
        signal.signal(signal.SIGINT, before)


def test_other_threads_query_as_ever():
    answers = []

    def ask():
        with connect(n_threads=1) as connection:
            answers.append(connection.sql("SELECT 7").fetchall())

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    assert answers == [[(7,)]]


def test_an_error_in_a_query_is_no_interrupt(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("user,item,rating\na,b,3\n")
    with pytest.raises(LogError, match="cannot be evaluated"):
        load_log(path, where="error('no') = 1")


@pytest.mark.parametrize(
    ("number", "code", "word"), [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")]
)
def test_a_command_that_is_interrupted_in_a_query(send, tmp_path, monkeypatch, capsys, number, code, word):
    path = tmp_path / "log.db"
    duckdb.connect(str(path)).close()
    monkeypatch.setattr(signals, "received", [])
    send(number, signals._handle)
    assert run(["data", "describe", f"duckdb:{path}", "--query", ENDLESS]) == code
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", f"recsys: {word}; every file is whole, old or new.\n")


def test_an_error_in_a_query_keeps_no_connection(tmp_path):
    """Which would keep threads of DuckDB until the collector runs."""
    path = tmp_path / "log.csv"
    path.write_text("user,item\na,x\n")
    gc.collect()
    gc.disable()
    try:
        n_before = sum(isinstance(thing, Connection) for thing in gc.get_objects())
        for _ in range(3):
            with pytest.raises(LogError):
                load_log(path, where="CAST(user AS INT) > 1")
        assert sum(isinstance(thing, Connection) for thing in gc.get_objects()) == n_before
    finally:
        gc.enable()


def test_without_a_further_thread_queries_run_in_the_one_that_asks(monkeypatch):
    def start(_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    with connect() as connection:
        assert connection.sql("SELECT 7").fetchall() == [(7,)]
