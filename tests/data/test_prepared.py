"""A log prepared once is the same log, mapped."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import recsys
from recsys.data.gathering import Gathering
from recsys.data.interactions import Interactions
from recsys.data.load import load_log
from recsys.data.log_format import LogFormat
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


@pytest.mark.parametrize("limit", [None, 1])
def test_both_sides_are_those_of_the_log(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int | None
) -> None:
    monkeypatch.setattr("recsys.data.views.BLOCK", 64)  # eight events at a time, where there is a limit
    monkeypatch.setattr("recsys.data.array_files.BLOCK", 64)
    loaded = load_log(path)
    save_log(loaded, tmp_path / "prepared", memory=limit)
    expected = Interactions.from_log(loaded)
    for feedback in (None, "explicit"):  # of ratings the last counts, so that the sums are of no use
        mapped = load_log(tmp_path / "prepared", feedback=feedback)
        data = Interactions.from_log(mapped)
        by_rule = Interactions.from_log(load_log(path, feedback=feedback))
        assert data.digest == by_rule.digest
        assert isinstance(data.by_user.columns.base, np.ndarray)
        assert (mapped.log.views is None) == (feedback is not None)
        np.testing.assert_array_equal(data.time, by_rule.time)
        for name in ("indptr", "columns", "values"):
            np.testing.assert_array_equal(getattr(data.by_item, name), getattr(by_rule.by_item, name))
    assert Interactions.from_log(load_log(tmp_path / "prepared"), duplicates="max").digest != expected.digest


@pytest.mark.parametrize("where", [None, "count > 0"])
def test_a_limit_of_memory_changes_nothing(path: Path, tmp_path: Path, where: str | None) -> None:
    told = {"where": where, "items": tmp_path / "items.csv"}
    save_log(load_log(path, **told), tmp_path / "plain")
    plan = recsys.LogPlan(path, items=tmp_path / "items.csv", where=where)
    limited = recsys.prepare_log(plan, tmp_path / "limited", memory="256MiB")
    assert sorted(tmp_path.glob(".*")) == []
    plain, other = (json.loads((tmp_path / name / "log.json").read_text()) for name in ("plain", "limited"))
    assert plain == other
    assert limited.log.views is not None
    assert len(limited.log) == plain["n_events"]


def test_numbers_that_are_times_are_recognised_within_a_limit(tmp_path: Path) -> None:
    for first, kind in ((1_600_000_000, "timestamp"), (20_240_101, "timestamp"), (1, "number")):
        frame = pd.DataFrame({"user": [3, 1, 2], "item": ["b", "a", "b"], "ts": first + np.arange(3)})
        frame.to_parquet(tmp_path / "log.parquet")
        limited = recsys.prepare_log(tmp_path / "log.parquet", tmp_path / "out", memory="1GB")
        plain = load_log(tmp_path / "log.parquet")
        assert limited.log.time_kind == plain.log.time_kind == kind
        np.testing.assert_array_equal(limited.log.times, plain.log.times)
        assert (limited.read_as, limited.remarks) == (plain.read_as, plain.remarks)


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"memory": "much"}, "memory is 'much'; expected a size from 1M to 1000T"),
        ({"memory": "100MB"}, "expected 256MiB or more"),
        ({"memory": "1GiB", "core": 5}, "--core looks at all events at once"),
        ({"memory": "1GiB", "returns": "net"}, "--returns looks at all events at once"),
    ],
)
def test_what_a_limit_does_not_allow(path: Path, tmp_path: Path, told: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        recsys.prepare_log(path, tmp_path / "out", **told)
    assert not (tmp_path / "out").exists()


def test_a_limit_needs_rows_in_their_order(path: Path, tmp_path: Path) -> None:
    gathering = Gathering(("integer", "integer"), None, 1, LogFormat(), None, tmp_path)
    batch = pa.record_batch({"user": [1], "item": [1]})
    gathering.add(batch, np.array([5]))
    with pytest.raises(InputError, match="mixes the order of the rows"):
        gathering.add(batch, np.array([4]))


def test_what_killed_runs_left_is_cleared_and_nothing_else(tmp_path: Path) -> None:
    path, folder = tmp_path / "log.csv", tmp_path / "prepared"
    path.write_text("user,item\n1,2\n")
    code = (
        "import os, signal, sys, recsys.experiment.preparing as preparing\n"
        "preparing.save_log = lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL)\n"
        "preparing.prepare_log(sys.argv[1], sys.argv[2], memory='1GiB')"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(path), str(folder)], check=False)
    assert killed.returncode == -signal.SIGKILL
    (left,) = tmp_path.glob(".prepared.recsys-*.scratch")
    assert (left / "values.npy").stat().st_size > 0
    others = [".prepared.recsys-0000.scratch", ".other.recsys-00000000.scratch", "prepared.scratch"]
    for name in others:
        (tmp_path / name).mkdir()
    expected = sorted([*others, "log.csv", "prepared"])
    recsys.prepare_log(path, folder)
    assert sorted(each.name for each in tmp_path.iterdir()) == expected
    left.mkdir()
    recsys.prepare_log(path, folder, memory="1GiB")
    assert sorted(each.name for each in tmp_path.iterdir()) == expected


def test_a_damaged_side_is_refused(path: Path, tmp_path: Path) -> None:
    folder = tmp_path / "prepared"
    save_log(load_log(path), folder)
    columns = np.load(folder / "user_columns.npy")
    columns[7] = 10_000
    np.save(folder / "user_columns.npy", columns)
    loaded = load_log(folder)
    with pytest.raises(LogError, match=r"user_columns.npy: missing, or not what was written"):
        Interactions.from_log(loaded)
    np.save(folder / "item_columns.npy", columns[1:])
    with pytest.raises(LogError, match=r"item_columns.npy"):
        load_log(folder)


def test_models_of_ratings_are_the_same_to_the_bit(path: Path, tmp_path: Path) -> None:
    told = {"feedback": "explicit"}
    save_log(load_log(path, **told), tmp_path / "prepared")
    models = [
        recsys.train("masked-nmf", recsys.LogPlan(source, **told)).model.to_arrays()
        for source in (path, tmp_path / "prepared")
    ]
    for name, array in models[0].items():
        np.testing.assert_array_equal(array, models[1][name])
