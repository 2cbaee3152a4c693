import csv
import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recsys.data.columns import Columns
from recsys.data.load import load_log
from recsys.errors import LogError
from tests.real_logs import RealLogs


def first_line_where_empty(path: Path, column: str) -> int:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        at = next(reader).index(column)
        before = reader.line_num
        for row in reader:
            if not row[at]:
                return before + 1
            before = reader.line_num
    raise AssertionError


class TestOnlineRetail:
    @pytest.fixture
    def path(self, shared_data: RealLogs) -> Path:
        return shared_data / "online-retail" / "online_retail.csv.gz"

    def test_missing_customers_are_named(self, path: Path) -> None:
        with pytest.raises(LogError, match=r'135,080 rows.*--where "CustomerID IS NOT NULL"') as caught:
            load_log(path)
        assert caught.value.column == "CustomerID"
        assert caught.value.line == first_line_where_empty(path, "CustomerID")

    def test_returns_are_named(self, path: Path) -> None:
        with pytest.raises(LogError, match=r'found .-1.; .*"\(CustomerID IS NOT NULL\) AND Quantity > 0"'):
            load_log(path, where="CustomerID IS NOT NULL")

    def test_it_loads(self, path: Path) -> None:
        loaded = load_log(path, where="Quantity > 0 AND CustomerID IS NOT NULL", items=path)
        frame = pd.read_csv(path, dtype={"StockCode": str}, parse_dates=["InvoiceDate"])
        frame = frame[(frame["Quantity"] > 0) & frame["CustomerID"].notna()]
        log = loaded.log
        assert loaded.columns == Columns("CustomerID", "StockCode", "Quantity", "InvoiceDate")
        assert loaded.n_read == 541_909
        assert log.feedback == "implicit"
        assert log.times is not None
        np.testing.assert_array_equal(log.user_ids.values[log.users], frame["CustomerID"].astype(int))
        np.testing.assert_array_equal(log.item_ids.values[log.items], frame["StockCode"])
        np.testing.assert_array_equal(log.values, frame["Quantity"])
        times = frame["InvoiceDate"].astype("datetime64[us]").astype("int64")
        np.testing.assert_array_equal(log.times, times)
        assert loaded.item_names["85123A"] == "WHITE HANGING HEART T-LIGHT HOLDER"


class TestMovieLens:
    def test_the_raw_file_has_no_header(self, shared_data: RealLogs) -> None:
        with pytest.raises(LogError, match=r"no header was found.*--user 1 --item 2 --value 3 --time 4"):
            load_log(shared_data / "ml-100k" / "raw" / "u.data")

    def test_raw_file_and_parquet_are_the_same(self, shared_data: RealLogs) -> None:
        folder = shared_data / "ml-100k"
        raw = load_log(
            folder / "raw" / "u.data", user="1", item="2", value="3", time="4", feedback="explicit"
        )
        table = load_log(folder / "ratings.parquet", items=folder / "items.parquet")
        assert (table.log.feedback, len(table.item_names)) == ("explicit", 1_682)
        assert table.item_names[1] == "Toy Story (1995)"
        for loaded in (raw, table):
            assert loaded.describe()["n_pairs"] == 100_000
            assert (len(loaded.log.user_ids), len(loaded.log.item_ids)) == (943, 1_682)
        assert raw.log.user_ids == table.log.user_ids
        assert sorted(zip(raw.log.pairs, raw.log.values, strict=True)) == sorted(
            zip(table.log.pairs, table.log.values, strict=True)
        )

    def test_names_that_are_latin_1_are_refused_with_their_line_and_read_with_their_encoding(
        self, shared_data: RealLogs
    ) -> None:
        folder = shared_data / "ml-100k" / "raw"
        lines = (folder / "u.item").read_bytes().split(b"\n")
        expected = next(number for number, line in enumerate(lines, start=1) if not line.isascii())
        with pytest.raises(LogError, match="--encoding latin-1") as caught:
            load_log(
                folder / "u.data", user="1", item="2", items=folder / "u.item", item_id="1", item_name="2"
            )
        assert caught.value.line == expected
        loaded = load_log(
            folder / "u.data",
            user="1", item="2", value="3", time="4", feedback="explicit", encoding="latin-1",
            items=folder / "u.item", item_id="1", item_name="2",
        )  # fmt: skip
        assert len(loaded.item_names) == 1_682
        assert loaded.item_names[543] == "Misérables, Les (1995)"
        assert "1,682 of 1,682 items (100%) have a name" in str(loaded.remarks[-1])
        assert loaded.log.span() == ("1997-09-20T03:05:10", "1998-04-22T23:10:38")


def test_movietweetings_keeps_its_leading_zeros(shared_data: RealLogs) -> None:
    folder = shared_data / "movietweetings-100k"
    loaded = load_log(folder / "ratings.parquet", items=folder / "items.parquet")
    assert not loaded.log.item_ids.is_integer
    assert loaded.log.user_ids.is_integer
    assert any(item.startswith("00") for item in loaded.log.item_ids.values)
    assert len(loaded.item_names) == len(loaded.log.item_ids) == 10_506
    assert loaded.log.time_kind == "timestamp"


def test_lastfm_and_gowalla(shared_data: RealLogs) -> None:
    plays = load_log(
        shared_data / "lastfm-2k" / "plays.parquet", items=shared_data / "lastfm-2k" / "items.parquet"
    )
    described = plays.describe()
    assert (described["n_events"], described["n_users"], described["n_items"]) == (92_834, 1_892, 17_632)
    assert (described["feedback"], described["value_max"]) == ("implicit", 352_698)
    check_ins = load_log(str(shared_data / "gowalla" / "*.parquet")).describe()
    assert check_ins["n_events"] == check_ins["n_pairs"] == 810_128 + 217_242
