"""Lists in PostgreSQL, where a server is named: ``RECSYS_POSTGRESQL=postgresql://... pytest``."""

from __future__ import annotations

import os

import pytest

from recsys.errors import InputError
from recsys.experiment.list_files import target_of, write_parts
from recsys.recommend.recommender import Recommender
from tests.recommend.test_explain import IMPLICIT, fitted_bundle

URI = os.environ.get("RECSYS_POSTGRESQL", "")
dbapi = pytest.importorskip("adbc_driver_postgresql.dbapi")


def rows_in(table):
    with dbapi.connect(URI) as connection, connection.cursor() as cursor:
        cursor.execute(f'SELECT "user", rank, item FROM "{table}" ORDER BY "user", rank')
        return cursor.fetchall()


@pytest.mark.skipif(not URI, reason="RECSYS_POSTGRESQL names no server")
def test_a_table_is_replaced_in_one_transaction():
    recommender = Recommender(fitted_bundle("hybrid-nmf", IMPLICIT))
    frame = recommender.recommend(n=3, reasons=1).to_frame(1)
    parts = [part.to_frame(1) for part in recommender.batches(n=3, reasons=1, batch_size=7)]
    target = target_of(URI, "recsys test lists")
    assert write_parts(parts, target) == len(frame)
    expected = sorted(frame[["user", "rank", "item"]].itertuples(index=False, name=None))
    assert rows_in(target.table) == expected

    def broken():
        yield parts[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_parts(broken(), target)
    assert rows_in(target.table) == expected


def test_a_server_that_is_not_there_is_said():
    frame = Recommender(fitted_bundle("hybrid-nmf", IMPLICIT)).recommend(n=1).to_frame()
    target = target_of("postgresql://ann:secret@127.0.0.1:1/shop?connect_timeout=1")
    with pytest.raises(InputError, match="Nothing was changed") as raised:
        write_parts([frame], target)
    assert "secret" not in str(raised.value)
