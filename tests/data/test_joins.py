"""Columns of a second file, joined to the rows of the log."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from recsys.data.load import load_log
from recsys.errors import LogError, ParameterError
from recsys.experiment.preparing import prepare_log

ORDERS = (
    "order_id,customer,order_date,region,sku\n"
    "007,ann,2024-01-03,2,-\n7,bob,2024-02-05,1,-\n9,bob,2024-02-06,10,-\n"
)
LINES = "order_id,sku,quantity\n7,x,1\n007,x,2\n8,z,1\n9,y,3\n7,y,1\n"
JOIN: dict[str, Any] = {"join": "orders.csv", "join_on": "order_id"}


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    (tmp_path / "orders.csv").write_text(ORDERS)
    (tmp_path / "lines.csv").write_text(LINES)
    return tmp_path / "lines.csv"


def test_rows_have_the_columns_of_their_partner(lines: Path) -> None:
    loaded = load_log(lines, time="order_date", **JOIN)
    log = loaded.log
    events = [
        (log.user_ids[user], log.item_ids[item], value)
        for user, item, value in zip(log.users, log.items, log.values.tolist(), strict=True)
    ]
    assert events == [("bob", "x", 1), ("ann", "x", 2), ("bob", "y", 3), ("bob", "y", 1)]  # 007 is not 7
    assert log.span() == ("2024-01-03T00:00:00", "2024-02-06T00:00:00")
    assert [(drop.reason, drop.n_rows) for drop in loaded.dropped] == [("no order_id in orders.csv", 1)]
    again = load_log(lines, **loaded.read_as.given)
    np.testing.assert_array_equal(again.log.users, log.users)
    np.testing.assert_array_equal(again.log.times, log.times)


def test_conditions_see_numbers_dates_and_columns_of_one_name(lines: Path) -> None:
    where = "region > 1 AND order_date < '2024-02-06' AND orders_sku IS NULL"
    assert len(load_log(lines, where=where, **JOIN).log) == 1
    assert load_log(lines, value="region", where="quantity > 1", **JOIN).log.values.tolist() == [2, 10]


def test_an_error_names_the_line_of_the_log(lines: Path) -> None:
    lines.write_text(LINES + "9,z,many\n")
    with pytest.raises(LogError, match=r"lines\.csv, line 7, column 'quantity': found 'many'"):
        load_log(lines, **JOIN)


def test_rows_keep_their_order_beside_a_larger_file(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    orders = pd.DataFrame({"order_id": rng.permutation(400_000), "user_id": np.arange(400_000) % 1000})
    own = orders.iloc[rng.integers(0, 400_000, 200_000)]
    lines = pd.DataFrame({"order_id": own["order_id"], "item_id": np.arange(200_000) % 50})
    orders.to_parquet(tmp_path / "orders.parquet")
    lines.to_parquet(tmp_path / "lines.parquet")
    log = load_log(tmp_path / "lines.parquet", join="orders.parquet", join_on="order_id").log
    np.testing.assert_array_equal(log.user_ids.values[log.users], own["user_id"])
    np.testing.assert_array_equal(log.item_ids.values[log.items], lines["item_id"])


def test_what_cannot_be_joined(lines: Path, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="join_on the column that it shares with the log; give both"):
        load_log(lines, join="orders.csv")
    with pytest.raises(LogError, match=r"lines\.csv: no column 'customer' \(given as join_on\)"):
        load_log(lines, join="orders.csv", join_on="customer")
    (tmp_path / "orders.csv").write_text(ORDERS + "7,eve,2024-03-01,1,-\n")
    with pytest.raises(LogError, match=r"orders\.csv, column 'order_id': '7' stands 2 times"):
        load_log(lines, **JOIN)
    with pytest.raises(ParameterError, match="--join looks at all events at once"):
        prepare_log(lines, tmp_path / "prepared", memory="1GiB", **JOIN)
