"""A log prepared once is the same log, mapped."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import recsys
from recsys.data.interactions import Interactions
from recsys.data.load import load_log
from recsys.data.prepared import save_log
from recsys.errors import InputError, LogError, ParameterError
from recsys_cli.main import run


@pytest.fixture(params=["text", "integers"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    generator = np.random.default_rng(0)
    users, items = generator.integers(0, 40, 600), generator.integers(0, 30, 600)
    frame = pd.DataFrame({"user": users, "item": items, "count": generator.integers(0, 5, 600)})
    if request.param == "text":
        frame["user"] = [f"u{user}" for user in users]
        frame["item"] = [f"i{item}" for item in items]
    frame["date"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(600), "h")
    frame.to_csv(tmp_path / "log.csv", index=False)
    titles = pd.DataFrame({"item": frame["item"].unique()})
    titles.assign(title=[f"item {n}" for n in range(len(titles))]).to_csv(tmp_path / "items.csv", index=False)
    return tmp_path / "log.csv"


def test_it_is_the_same_log(path: Path, tmp_path: Path) -> None:
    loaded = load_log(path, where="count > 0", items=tmp_path / "items.csv")
    save_log(loaded, tmp_path / "prepared")
    mapped = load_log(tmp_path / "prepared")
    for name in ("users", "items", "values", "times"):
        array = getattr(mapped.log, name)
        np.testing.assert_array_equal(array, getattr(loaded.log, name))
        assert not array.flags.writeable
        assert isinstance(array.base.base, np.memmap) or isinstance(array.base, np.memmap)
    assert mapped.log.user_ids == loaded.log.user_ids
    assert mapped.log.item_ids == loaded.log.item_ids
    assert dict(mapped.item_names) == dict(loaded.item_names)
    assert (mapped.columns, mapped.dropped, mapped.remarks) == (
        loaded.columns,
        loaded.dropped,
        loaded.remarks,
    )
    assert mapped.describe() | {"source": ""} == loaded.describe() | {"source": ""}
    assert Interactions.from_log(mapped).digest == Interactions.from_log(loaded).digest
    assert Interactions.from_log(mapped).user_ids.rows([loaded.log.user_ids[3], "nobody"]).tolist() == [3, -1]


def test_a_model_is_the_same_to_the_bit(path: Path, tmp_path: Path) -> None:
    save_log(load_log(path), tmp_path / "prepared")
    one, other = (recsys.train("popularity", source) for source in (path, tmp_path / "prepared"))
    user = one.user_ids[0]
    assert one.recommend([user], 5).to_frame().equals(other.recommend([user], 5).to_frame())
    split = {recsys.split(source, "time:5d").split.digest for source in (path, tmp_path / "prepared")}
    assert len(split) == 1


def test_what_was_told_then_holds(path: Path, tmp_path: Path) -> None:
    save_log(load_log(path, where="count > 0"), tmp_path / "prepared")
    with pytest.raises(ParameterError, match=r"where is 'count > 1', but the log is prepared"):
        load_log(tmp_path / "prepared", where="count > 1")
    assert len(load_log(tmp_path / "prepared", user="user", where="count > 0").log) > 0
    fewer = load_log(tmp_path / "prepared", min_value=2)
    assert fewer.log.values.min() == 2
    assert [drop.reason for drop in fewer.dropped] == ["where count > 0", "values below 2"]


def test_what_is_damaged_is_refused(path: Path, tmp_path: Path) -> None:
    folder = tmp_path / "prepared"
    save_log(load_log(path), folder)
    np.save(folder / "users.npy", np.full(600, 99, dtype=np.int32))
    with pytest.raises(LogError, match=r"users\.npy: missing, or not what was written"):
        load_log(folder)
    save_log(load_log(path), folder)
    (folder / "values.npy").write_bytes((folder / "values.npy").read_bytes()[:-9])
    with pytest.raises(LogError, match=r"values\.npy: missing, or not what was written"):
        load_log(folder)
    save_log(load_log(path), folder)
    (folder / "items.npy").unlink()
    with pytest.raises(LogError, match=r"items\.npy: missing"):
        load_log(folder)
    record = json.loads((folder / "log.json").read_text())
    (folder / "log.json").write_text(json.dumps(record | {"format": "recsys log 9"}))
    with pytest.raises(LogError, match=r"of the format 'recsys log 9'"):
        load_log(folder)
    (folder / "log.json").write_text("{")
    with pytest.raises(LogError, match=r"log\.json: missing, or not what was written"):
        load_log(folder)


def test_nothing_else_is_overwritten(path: Path, tmp_path: Path) -> None:
    loaded = load_log(path)
    with pytest.raises(InputError, match="is no prepared log, and is not overwritten"):
        save_log(loaded, tmp_path)
    assert path.exists()


def test_on_the_command_line(path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "prepared")
    assert run(["data", "prepare", str(path), "--out", out, "--where", "count > 0"]) == 0
    assert f"Next: recsys train {out}" in capsys.readouterr().out
    assert run(["data", "describe", out, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["dropped"][0]["reason"] == "where count > 0"


def test_events_are_mapped_and_not_read(path: Path, tmp_path: Path) -> None:
    """How long that takes for ten million: ``python -m tests.benchmarks.prepared_speed``."""
    save_log(load_log(path), tmp_path / "prepared")
    mapped = load_log(tmp_path / "prepared")
    for name in ("users", "items", "values", "times"):
        array = getattr(mapped.log, name)
        while array is not None and not isinstance(array, np.memmap):
            array = array.base
        assert isinstance(array, np.memmap), name
