"""Logs in PostgreSQL and MySQL, on real servers: read, never written, and no password ever shown."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import recsys
from recsys.data.load import load_log
from recsys.data.servers import server_of
from recsys.errors import LogError, ParameterError
from recsys_cli.main import run
from tests.data.database_servers import PASSWORD, free_port, mysql, postgresql, programs

needs_postgresql = pytest.mark.skipif(programs("initdb") is None, reason="PostgreSQL is not installed")
needs_mysql = pytest.mark.skipif(programs("mariadbd") is None, reason="MariaDB is not installed")

ROWS = [("ann", 1, "2.5", "2024-01-05 10:00:00"), ("bob", 2, "4", "2024-01-06 12:30:00")]
TABLES = (
    "CREATE TABLE ratings ({user} text, item bigint, rating numeric(4, 2), happened {time})",
    *(f"INSERT INTO ratings VALUES ('{u}', {i}, {r}, '{t}')" for u, i, r, t in ROWS),
    "CREATE TABLE other (x int)",
)


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    from adbc_driver_postgresql import dbapi

    with postgresql() as port:
        with (
            dbapi.connect(
                f"postgresql://reader:{PASSWORD}@127.0.0.1:{port}/postgres", autocommit=True
            ) as connection,
            connection.cursor() as cursor,
        ):
            for statement in TABLES:
                cursor.execute(statement.format(user='"user"', time="timestamptz"))
            cursor.execute("CREATE SCHEMA shop")
            cursor.execute(
                "CREATE TABLE shop.plays AS SELECT gen_random_uuid() AS user_id, n AS item_id, "
                "n % 3 AS plays FROM generate_series(1, 100000) AS n"
            )
        yield f"postgresql://reader@127.0.0.1:{port}/postgres"


@pytest.fixture
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", PASSWORD)


@needs_postgresql
@pytest.mark.usefixtures("password")
class TestPostgreSQL:
    def test_a_table(self, postgres: str) -> None:
        loaded = load_log(postgres, table="ratings", time="happened")
        log = loaded.log
        assert (list(log.user_ids), list(log.item_ids), log.values.tolist()) == (
            ["ann", "bob"],
            [1, 2],
            [2.5, 4.0],
        )
        assert log.span() == ("2024-01-05T10:00:00", "2024-01-06T12:30:00")
        assert log.feedback == "explicit"
        assert loaded.source == f"{postgres.replace('reader@', '')}, table ratings"

    def test_a_table_of_another_schema(self, postgres: str) -> None:
        log = load_log(postgres, table="shop.plays").log
        assert (len(log), len(log.user_ids), len(log.item_ids)) == (100_000, 100_000, 100_000)
        assert len(str(log.user_ids[0])) == 36

    def test_a_query(self, postgres: str) -> None:
        query = 'SELECT "user", item AS sku, count(*) AS n FROM ratings GROUP BY 1, 2'
        loaded = load_log(postgres, query=query, item="sku", value="n")
        assert loaded.log.values.tolist() == [1.0, 1.0]
        assert loaded.source.endswith("/postgres, the query")

    @pytest.mark.parametrize(
        "query",
        [
            "DROP TABLE ratings",
            "WITH gone AS (DELETE FROM ratings RETURNING *) SELECT * FROM gone",
            "SELECT * FROM ratings; DROP TABLE ratings",
            "SELECT set_config('transaction_read_only', 'off', true), \"user\", item FROM ratings",
            'SELECT "user", item INTO copied FROM ratings',
        ],
    )
    def test_nothing_is_written(self, postgres: str, query: str) -> None:
        with pytest.raises(LogError, match=r"no SELECT|read-only|multiple commands|read-write|not allowed"):
            load_log(postgres, query=query)
        assert len(load_log(postgres, table="ratings").log) == 2

    def test_which_table_is_asked(self, postgres: str) -> None:
        with pytest.raises(LogError, match=r"tables 'other', 'ratings', 'shop\.plays'.*--table"):
            load_log(postgres)
        with pytest.raises(LogError, match="no table 'rating'"):
            load_log(postgres, table="rating")
        with pytest.raises(LogError, match='relation "rating" does not exist'):
            load_log(postgres, query="SELECT * FROM rating")

    def test_the_command_line(
        self, postgres: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        bundle = tmp_path / "model"
        assert (
            run(["train", postgres, "--table", "ratings", "--model", "popularity", "--out", str(bundle)]) == 0
        )
        assert run(["data", "describe", postgres, "--table", "ratings", "--json"]) == 0
        shown = capsys.readouterr()
        texts = [path.read_bytes() for path in bundle.rglob("*") if path.is_file()]
        assert not any(PASSWORD.encode() in text for text in (shown.out.encode(), shown.err.encode(), *texts))
        assert recsys.load_bundle(bundle).training["source"].startswith("postgresql://127.0.0.1")


@needs_postgresql
def test_a_password_from_a_file(postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "pgpass"
    file.write_text(f"127.0.0.1:*:*:reader:{PASSWORD}\n")
    file.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(file))
    assert len(load_log(postgres, table="ratings").log) == 2


@needs_postgresql
def test_a_wrong_password_and_none(postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for given in (None, "wrong-secret"):
        if given:
            monkeypatch.setenv("PGPASSWORD", given)
        with pytest.raises(LogError, match="password") as caught:
            load_log(postgres, table="ratings")
        assert "PGPASSWORD or the file ~/.pgpass" in str(caught.value)
        assert "wrong-secret" not in str(caught.value)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    import pymysql

    with mysql() as port:
        with pymysql.connect(host="127.0.0.1", port=port, database="shop", user="root") as connection:
            with connection.cursor() as cursor:
                for statement in TABLES:
                    cursor.execute(statement.format(user="`user`", time="datetime"))
            connection.commit()
        yield f"mysql://root@127.0.0.1:{port}/shop"


@needs_mysql
class TestMySQL:
    def test_a_table_and_a_query(self, address: str) -> None:
        log = load_log(address, table="ratings", time="happened").log
        assert (list(log.user_ids), list(log.item_ids), log.values.tolist()) == (
            ["ann", "bob"],
            [1, 2],
            [2.5, 4.0],
        )
        assert log.span() == ("2024-01-05T10:00:00", "2024-01-06T12:30:00")
        loaded = load_log(address, query='SELECT "user", item FROM ratings WHERE rating > 3')
        assert list(loaded.log.user_ids) == ["bob"]
        assert loaded.source == f"{address.replace('root@', '')}, the query"

    @pytest.mark.parametrize(
        "query",
        [
            "DELETE FROM ratings",
            "SELECT * FROM ratings; DROP TABLE ratings",
            "SELECT * FROM ratings INTO OUTFILE '/tmp/ratings-copied'",
            "SELECT * FROM ratings WHERE item IN (SELECT nextval(s))",
        ],
    )
    def test_nothing_is_written(self, address: str, query: str) -> None:
        with pytest.raises(LogError):
            load_log(address, query=query)
        assert len(load_log(address, table="ratings").log) == 2

    def test_no_such_database(self, address: str) -> None:
        with pytest.raises(LogError, match="no table 'rating'; there are 'other', 'ratings'"):
            load_log(address, table="rating")


@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
def test_a_password_in_the_address_is_refused_and_not_shown(scheme: str) -> None:
    for address in (f"{scheme}://ann:top-secret@host/shop", f"{scheme}://host/shop?password=top-secret"):
        with pytest.raises(ParameterError, match="a password stands in the address") as caught:
            load_log(address)
        assert "top-secret" not in str(caught.value)


def test_addresses() -> None:
    server = server_of("postgres://ann@db.local:5433/shop?sslmode=require")
    assert server is not None
    assert (server.engine, server.host, server.port, server.options) == (
        "PostgreSQL",
        "db.local",
        5433,
        "sslmode=require",
    )
    assert server.shown == "postgresql://db.local:5433/shop"
    assert server_of("log.csv") is server_of(Path("postgresql://x")) is server_of("sqlite:shop.db") is None
    with pytest.raises(ParameterError, match="names no database"):
        load_log("mysql://host")
    with pytest.raises(ParameterError, match="cannot be read"):
        load_log("mysql://host:port/shop")


@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
def test_no_server(scheme: str) -> None:
    with pytest.raises(
        LogError, match=rf"{scheme}://127\.0\.0\.1:\d+/shop: could not be read: .*(refused|connect)"
    ):
        load_log(f"{scheme}://127.0.0.1:{free_port()}/shop")
