"""Logs in database files, which are read and never written."""

import hashlib
import sqlite3
from pathlib import Path

import duckdb
import pytest

from recsys.data.load import load_log
from recsys.errors import LogError, ParameterError

ROWS = [("ann", "x", 4.0, "2024-01-05 10:00:00"), ("bob", "y", 2.5, "2024-01-06 10:00:00")]


def sqlite_file(path: Path, rows=ROWS) -> Path:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE ratings (user, item, rating, time)")
        connection.executemany("INSERT INTO ratings VALUES (?, ?, ?, ?)", rows)
    connection.close()
    return path


def duckdb_file(path: Path) -> Path:
    connection = duckdb.connect(str(path))
    connection.execute('CREATE TABLE ratings ("user" VARCHAR, item VARCHAR, rating DOUBLE, "time" TIMESTAMP)')
    for row in ROWS:
        connection.execute("INSERT INTO ratings VALUES (?, ?, ?, ?)", row).fetchall()
    connection.close()
    return path


MAKERS = {"sqlite": sqlite_file, "duckdb": duckdb_file}


@pytest.mark.parametrize("engine", MAKERS)
class TestBoth:
    def test_a_table_or_a_query(self, tmp_path: Path, engine: str) -> None:
        path = MAKERS[engine](tmp_path / "shop.db")
        before = hashlib.sha256(path.read_bytes()).hexdigest()
        for source in (path, str(path), f"{engine}:{path}", f"{engine}://{path}"):
            log = load_log(source)
            assert log.log.user_ids.values.tolist() == ["ann", "bob"]
            assert log.log.values.tolist() == [4.0, 2.5]
            assert log.log.span() == ("2024-01-05T10:00:00", "2024-01-06T10:00:00")
        assert load_log(path, table="ratings").source == f"{path}, table ratings"
        chosen = load_log(path, query='SELECT "user", item FROM ratings WHERE rating > 3')
        assert chosen.log.user_ids.values.tolist() == ["ann"]
        assert load_log(path, where="rating > 3").n_read == 2
        assert hashlib.sha256(path.read_bytes()).hexdigest() == before
        assert [file.name for file in tmp_path.iterdir()] == ["shop.db"]

    @pytest.mark.parametrize(
        "query",
        [
            "DROP TABLE ratings",
            "WITH t AS (SELECT 1) DELETE FROM ratings",
            "SELECT 1; DROP TABLE ratings",
            "ATTACH 'other.db' AS other",
            "PRAGMA table_info(ratings)",
        ],
    )
    def test_nothing_but_a_select_is_run(self, tmp_path: Path, engine: str, query: str) -> None:
        path = MAKERS[engine](tmp_path / "shop.db")
        with pytest.raises(LogError):
            load_log(path, query=query)
        assert len(load_log(path).log) == 2

    def test_what_is_not_there(self, tmp_path: Path, engine: str) -> None:
        path = MAKERS[engine](tmp_path / "shop.db")
        with pytest.raises(LogError, match=r"there is no table 'sales'; there are 'ratings'"):
            load_log(path, table="sales")
        with pytest.raises(LogError, match=r"shop\.db: could not be read: .*price"):
            load_log(path, query="SELECT price FROM ratings")
        with pytest.raises(ParameterError, match="both table and query"):
            load_log(path, query="SELECT 1", table="ratings")
        with pytest.raises(LogError, match=r"gone\.db: no such file"):
            load_log(f"{engine}:{tmp_path}/gone.db")
        assert not (tmp_path / "gone.db").exists()


def test_of_several_tables_one_is_named(tmp_path: Path) -> None:
    path = sqlite_file(tmp_path / "shop.db")
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE items (item, title)")
    connection.close()
    with pytest.raises(LogError, match=r"a database of the tables 'items', 'ratings'\. Name one by --table"):
        load_log(path)
    assert len(load_log(path, table="ratings").log) == 2


def test_cells_of_sqlite_have_types_of_their_own(tmp_path: Path) -> None:
    path = sqlite_file(tmp_path / "a.db", [(1, 7, 1, 5), ("x", 8, 2.5, 6)])
    log = load_log(path)
    assert log.log.user_ids.values.tolist() == ["1", "x"]
    assert log.log.item_ids.values.tolist() == [7, 8]
    path = sqlite_file(tmp_path / "b.db", [(1, 7, 1, 5), (2, None, 2, 6)])
    with pytest.raises(LogError, match=r"b\.db, table ratings, row 2, column 'item': the item id is missing"):
        load_log(path)
    with pytest.raises(LogError, match="column 'user': the column holds bytes"):
        load_log(sqlite_file(tmp_path / "c.db", [(b"1", 7, 1, 5)]))


def test_a_locked_database_is_said_to_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = sqlite_file(tmp_path / "shop.db")
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *a, **k: connect(*a, **{**k, "timeout": 0}))
    writer = connect(path, isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(LogError, match=r"database is locked\. Another program writes to it"):
            load_log(path)
    finally:
        writer.close()


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    path.write_bytes(b"SQLite format 3\0" + b"x" * 2000)
    with pytest.raises(LogError, match=r"log\.db: could not be read"):
        load_log(path)
