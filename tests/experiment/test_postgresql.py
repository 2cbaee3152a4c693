"""Lists in PostgreSQL, on a real server."""

from __future__ import annotations

import pytest

from recsys.errors import InputError
from recsys.experiment.list_files import target_of, write_parts
from recsys.recommend.recommender import Recommender
from tests.data.database_servers import PASSWORD, postgresql, programs
from tests.recommend.test_explain import IMPLICIT, fitted_bundle

dbapi = pytest.importorskip("adbc_driver_postgresql.dbapi")


@pytest.fixture(scope="module")
def address():
    with postgresql() as port:
        yield f"postgresql://reader@127.0.0.1:{port}/postgres"


def rows_in(address, table):
    with dbapi.connect(address) as connection, connection.cursor() as cursor:
        cursor.execute(f'SELECT "user", rank, item FROM "{table}" ORDER BY "user", rank')
        return cursor.fetchall()


@pytest.mark.skipif(programs("initdb") is None, reason="PostgreSQL is not installed")
def test_a_table_is_replaced_in_one_transaction(address, monkeypatch):
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    recommender = Recommender(fitted_bundle("hybrid-nmf", IMPLICIT))
    frame = recommender.recommend(n=3, reasons=1).to_frame(1)
    parts = [part.to_frame(1) for part in recommender.batches(n=3, reasons=1, batch_size=7)]
    target = target_of(address, "recsys test lists")
    assert write_parts(parts, target) == len(frame)
    expected = sorted(frame[["user", "rank", "item"]].itertuples(index=False, name=None))
    assert rows_in(address, target.table) == expected

    def broken():
        yield parts[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_parts(broken(), target)
    assert rows_in(address, target.table) == expected


def test_a_server_that_is_not_there_is_said():
    frame = Recommender(fitted_bundle("hybrid-nmf", IMPLICIT)).recommend(n=1).to_frame()
    target = target_of("postgresql://ann:secret@127.0.0.1:1/shop?connect_timeout=1")
    with pytest.raises(InputError, match="Nothing was changed") as raised:
        write_parts([frame], target)
    assert "secret" not in str(raised.value)
