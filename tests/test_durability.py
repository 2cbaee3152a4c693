"""Whatever fails in a write, what was there stays whole, and the next write clears what was left."""

from __future__ import annotations

import ctypes
import errno
import gc
import json
import os
import resource
import subprocess
import sys
import tempfile
import warnings
import zipfile
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recsys import exchange
from recsys.checkpoints import Checkpoint, FitState
from recsys.data.interactions import Interactions
from recsys.data.load import load_log
from recsys.data.log_format import LogFormat
from recsys.data.prepared import open_log, save_log
from recsys.errors import OutputError
from recsys.experiment.list_files import write_table
from recsys.files import atomic_write, reserved
from recsys.models.registry import make
from recsys.recommend import bundle_files
from recsys.recommend.bundle import Bundle
from recsys.recommend.bundle_files import load_bundle, save_bundle
from recsys.recommend.model_store import ModelStore
from recsys.report.page import Page
from recsys.report.writing import write_report
from recsys_cli.main import run
from tests.matrices import random_matrix
from tests.test_stress import SCALE

_EVENTS = ("os.rename", "os.mkdir", "os.remove", "os.rmdir", "shutil.rmtree", "open", "fsync")


class Faults:
    """Fails the n-th call to the file system below a folder, or all from the n-th on."""

    def __init__(self) -> None:
        self.folder, self.n_calls, self.fails_from, self.fails_once = None, 0, None, True
        sys.addaudithook(self._audit)  # it cannot be taken away again, so that it is there once

    def _audit(self, event, arguments):
        if self.folder is not None and event in _EVENTS:
            path = arguments[0]
            if isinstance(path, (str, bytes, os.PathLike)) and str(self.folder) in os.fsdecode(path):
                self.call()

    def call(self):
        self.n_calls += 1
        n, first = self.n_calls - 1, self.fails_from
        if first is not None and (n == first if self.fails_once else n >= first):
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    @contextmanager
    def below(self, folder, fails_from=None, *, once=True):
        self.folder, self.n_calls, self.fails_from, self.fails_once = folder, 0, fails_from, once
        try:
            yield self
        finally:
            self.folder = None


_FAULTS = Faults()


@pytest.fixture
def faults(monkeypatch):
    fsync = os.fsync

    def counted(handle):
        if _FAULTS.folder is not None:
            _FAULTS.call()
        fsync(handle)

    monkeypatch.setattr(os, "fsync", counted)
    return _FAULTS


def names(folder):
    return [path.name for path in folder.iterdir()]


def bundle_of(seed):
    train = Interactions.from_matrix(random_matrix(6, 5, density=0.6))
    return Bundle.of(make("popularity").fit(train), train, training={"seed": seed})


@cache
def loaded_log():
    return load_log(pd.DataFrame({"user": ["a", "b"], "item": ["x", "y"], "rating": [1.0, 2.0]}))


def log_of(seed):
    loaded = loaded_log()
    return replace(loaded, log=replace(loaded.log, values=np.full(2, float(seed))))


def write_text(seed, target):
    with atomic_write(target) as partial:
        partial.write_text(str(seed))


def write_rows(seed, target):
    write_table(pd.DataFrame({"seed": [seed]}), target)


def write_version(seed, target):
    store = ModelStore(target)
    store.use(store.add(bundle_of(seed)))
    store.prune(2)


def write_checkpoint(seed, target):
    with Checkpoint(target, every=1).opened({}) as keeper, warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        try:
            keeper.keep("fit", lambda: FitState({"seed": seed}, {"factors": np.full(300, seed)}))
        except RuntimeWarning as warning:  # a fit goes on without; here it is what is looked for
            raise OutputError(str(warning)) from warning


def read_checkpoint(target):
    with Checkpoint(target, resume=True).opened({}) as keeper:
        state = keeper.state_of("fit")
        assert (state.arrays["factors"] == state.record["seed"]).all()
        return state.record["seed"]


def write_page(seed, target):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("recsys.report.html.render", lambda page, drawing: page.title)  # it takes its time
        patched.setattr("recsys.report.writing.installed", lambda: None)
        write_report(Page("Title", "", (), (), {"seed": seed}), target)


# How a number is written to a place, how it is read again, and what the place is called.
WRITES = {
    "bundle": (
        lambda seed, target: save_bundle(bundle_of(seed), target),
        lambda target: load_bundle(target).training["seed"],
        "model",
    ),
    "prepared log": (
        lambda seed, target: save_log(log_of(seed), target),
        lambda target: int(open_log(target, LogFormat()).log.values[0]),
        "log",
    ),
    "csv": (write_rows, lambda target: int(pd.read_csv(target)["seed"][0]), "lists.csv"),
    "parquet": (write_rows, lambda target: int(pd.read_parquet(target)["seed"][0]), "lists.parquet"),
    "versions": (write_version, lambda target: load_bundle(target).training["seed"], "models"),
    "checkpoint": (write_checkpoint, read_checkpoint, "model.checkpoint"),
    "report": (
        write_page,
        lambda target: json.loads((target / "report.json").read_text())["seed"],
        "report",
    ),
    "file": (write_text, lambda target: int(target.read_text()), "file.txt"),
}


@pytest.fixture
def folder(tmp_path):
    """Return a folder in memory where there is one: these tests sync some thousand times."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=memory) as place:
        yield Path(place)


@pytest.mark.parametrize("kind", WRITES)
@pytest.mark.parametrize("once", [True, False], ids=["one call fails", "all calls fail from one on"])
def test_any_call_to_the_file_system_may_fail(faults, folder, kind, once):
    write, read, name = WRITES[kind]
    target = folder / name
    write(1, target)
    with faults.below(folder) as counted:
        write(1, target)
        n_calls = counted.n_calls
    assert n_calls > 5
    messages = []
    # Where all fail from one on, neighbors end much alike: in the suite every third is tried.
    for number in range(0, n_calls, 1 if once or SCALE > 1 else 3):
        allowed = {1, 2 + number}
        with faults.below(folder, number, once=once):
            try:
                write(2 + number, target)
            except OSError as error:  # an OutputError; the pointer of a store may be what cannot be read
                messages.append(str(error))
            else:
                allowed.remove(1)
        assert read(target) in allowed, number
        write(1, target)
        assert read(target) == 1
        assert names(folder) == [name], number
        assert not list(folder.rglob(".*")), number
    assert len(messages) > n_calls // 10
    assert all("Input/output error" in message for message in messages)


@contextmanager
def file_size_limit(n_bytes):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("kind", WRITES)
def test_a_write_may_be_cut_off_at_any_byte(folder, kind):
    write, read, name = WRITES[kind]
    target = folder / name
    write(1, target)
    files = [target] if target.is_file() else list(target.iterdir())
    largest = max(file.stat().st_size for file in files)
    for limit in np.linspace(0, largest - 1, 12).astype(int):
        with file_size_limit(int(limit)), pytest.raises(OutputError, match="cannot be written"):
            write(2, target)
        assert read(target) == 1
        assert names(folder) == [name]


@pytest.mark.parametrize("kind", ["utf-16", "zip", "bad rows"])
def test_no_room_for_a_copy_that_is_needed_to_read_is_no_fault_of_the_log(folder, monkeypatch, kind):
    text = "user,item,rating\n" + "".join(f"u{n % 13},i{n % 7},{1 + n % 5}\n" for n in range(91))
    path, copies = folder / "log.csv", folder / "copies"
    copies.mkdir()
    if kind == "zip":
        path = folder / "log.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("log.csv", text)
    else:
        path.write_text(
            text + "u1\n" * (kind == "bad rows"), encoding="utf-16" if kind == "utf-16" else "utf-8"
        )
    told = {"on_bad_row": "skip"} if kind == "bad rows" else {}
    assert len(load_log(path, **told).log) == 91
    monkeypatch.setattr("tempfile.tempdir", str(copies))
    message = f"{copies} has no room for the copy of the log .*: File too large; .* let TMPDIR name another"
    with file_size_limit(64), pytest.raises(OutputError, match=message):
        load_log(path, **told)
    gc.collect()
    assert names(copies) == []


def test_a_place_that_cannot_be_written_is_refused_before_the_work(tmp_path):
    (tmp_path / "file").touch()
    for target in (tmp_path / "file" / "model", Path("/proc/model"), Path("/dev/null/model")):
        with pytest.raises(OutputError, match="cannot be written"), reserved(target):
            pytest.fail("the work began")


def test_folders_that_were_made_for_nothing_are_removed(tmp_path):
    with reserved(tmp_path / "a" / "b" / "model"):
        assert (tmp_path / "a" / "b").is_dir()
    assert list(tmp_path.iterdir()) == []


def test_a_second_writer_is_refused_and_told_of_the_first(tmp_path):
    program = """
import sys
from recsys.files import reserved
with reserved(__import__("pathlib").Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", program, tmp_path / "model"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout.readline() == b"held\n"
        message = f"model is being written by process {other.pid}; wait until that has ended"
        with pytest.raises(OutputError, match=message), reserved(tmp_path / "model", wait=0.05):
            pytest.fail("two at once")
        other.kill()
    with reserved(tmp_path / "model", wait=5):
        pass  # a lock is gone with its process
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_replaced_is_there_at_every_moment(folder, monkeypatch):
    """Also for who knows nothing of how it is replaced, such as a person who opens a report."""
    if exchange._call is None:
        pytest.skip("this system cannot exchange two folders in one step")
    target, seen = folder / "report", []
    write_page(1, target)
    call = exchange._call

    def watched(*arguments):
        seen.append(json.loads((target / "report.json").read_text())["seed"])
        return call(*arguments)

    monkeypatch.setattr(exchange, "_call", watched)
    write_page(2, target)
    assert seen == [1]
    assert json.loads((target / "report.json").read_text())["seed"] == 2
    assert names(folder) == ["report"]


@pytest.mark.parametrize("number", [None, errno.EINVAL], ids=["system", "file system"])
def test_without_exchange_a_folder_is_replaced_all_the_same(folder, monkeypatch, number):
    def cannot(*_):
        ctypes.set_errno(number)
        return -1

    monkeypatch.setattr(exchange, "_call", number and cannot)
    for seed in (1, 2):
        save_bundle(bundle_of(seed), folder / "model")
        assert load_bundle(folder / "model").training["seed"] == seed
    assert names(folder) == ["model"]


def test_a_store_clears_what_was_left_of_versions_that_never_came(tmp_path):
    store = ModelStore(tmp_path / "models")
    store.use(store.add(bundle_of(1)))
    for left in (".2026-01-01T00-00-00Z.recsys-0123abcd.part", ".2026-01-02T00-00-00Z.deleted"):
        (store.folder / left).mkdir()
        (store.folder / left / "model.json").touch()
    with reserved(store.folder / "2026-01-03T00-00-00Z"):
        writing = store.folder / ".2026-01-03T00-00-00Z.recsys-0123abcd.part"
        writing.mkdir()
        program = "import sys; from recsys.files import clear_parts, Path; clear_parts(Path(sys.argv[1]))"
        subprocess.run([sys.executable, "-c", program, store.folder], check=True)
        assert writing.exists()  # somebody is at it
    store.add(bundle_of(2))
    store.prune(5)
    assert [path.name for path in store.folder.glob(".*")] == []


def test_what_others_left_beside_a_model_is_not_touched(tmp_path):
    save_bundle(bundle_of(1), tmp_path / "model")
    ours = tmp_path / ".model.recsys-0123abcd.part"
    ours.mkdir()
    (ours / "arrays.safetensors").touch()
    others = [
        tmp_path / name for name in (".model.backup.part", ".model.recsys-notes.part", ".model", "model.part")
    ]
    for path in others:
        path.touch()
    save_bundle(bundle_of(2), tmp_path / "model")
    assert sorted(tmp_path.iterdir()) == sorted([tmp_path / "model", *others])


def test_a_model_that_was_deleted_is_gone(tmp_path):
    save_bundle(bundle_of(1), tmp_path / "model")
    (tmp_path / "model").rename(tmp_path / ".model.previous")  # as a save leaves it that is killed at its end
    with pytest.raises(bundle_files.BundleError, match="it was deleted or moved"):
        load_bundle(tmp_path / "model")


# -- commands ------------------------------------------------------------------------------------------
@pytest.fixture
def log(tmp_path):
    path = tmp_path / "log.csv"
    rows = "".join(f"u{n % 13},i{n % 7},{1 + n % 5}\n" for n in range(91))
    path.write_text("user,item,rating\n" + rows)
    return path


def test_a_model_that_cannot_be_saved_is_kept_elsewhere(log, tmp_path, monkeypatch, capsys):
    out, elsewhere = tmp_path / "model", tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert run(["train", str(log), "--model", "popularity", "--out", str(out)]) == 0
    before = (out / "model.json").read_bytes()
    write = bundle_files.write_arrays

    def full(arrays, path, metadata):
        if elsewhere not in path.parents:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(arrays, path, metadata)

    monkeypatch.setattr(bundle_files, "write_arrays", full)
    monkeypatch.setattr("tempfile.tempdir", str(elsewhere))
    capsys.readouterr()
    assert run(["train", str(log), "--model", "bias", "--out", str(out)]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "No space left on device" in error
    (rescued,) = elsewhere.iterdir()
    assert f"The trained model is whole in {rescued / 'model'}: move it from there." in error
    assert load_bundle(rescued / "model").model.name == "bias"
    assert (out / "model.json").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["elsewhere", "log.csv", "model"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", "LOG", "--model", "popularity", "--out"],
        ["data", "prepare", "LOG", "--out"],
        ["compare", "LOG", "--model", "popularity", "--out"],
        ["compare", "LOG", "--model", "popularity", "--report"],
        ["tune", "LOG", "--model", "slim", "--trials", "2", "--out"],
    ],
    ids=" ".join,
)
def test_a_place_that_cannot_be_is_one_message_before_the_log_is_read(log, arguments, monkeypatch, capsys):
    def read(*_, **__):
        pytest.fail("the log was read")

    monkeypatch.setattr("recsys.data.load.read_events", read)
    command = [str(log) if word == "LOG" else word for word in arguments]
    for place in (f"{log}/model.html", "/proc/model.html"):
        if "model.html" in place and arguments[-1] != "--report":
            place = place.removesuffix(".html")
        assert run([*command, place]) == 1
        out, error = capsys.readouterr()
        assert out == ""
        assert error.count("\n") == 1
        assert "cannot be written" in error


def test_a_comparison_that_cannot_be_kept_is_printed(log, tmp_path, monkeypatch, capsys):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("recsys.experiment.result_store.pq.write_table", full)
    monkeypatch.setattr("recsys.experiment.comparison.precompile", lambda *_, **__: None)
    command = [
        "compare",
        str(log),
        "--model",
        "popularity",
        "--metrics",
        "ndcg@3",
        "--out",
        str(tmp_path / "kept"),
    ]
    assert run([*command, "--json"]) == 1
    out, error = capsys.readouterr()
    assert json.loads(out)["results"][0]["metrics"]["ndcg@3"] > 0
    assert error.count("\n") == 1
    assert "results stand, but not all are kept" in error
    assert "No space left on device" in error
    assert not (tmp_path / "kept").exists() or list((tmp_path / "kept").iterdir()) == []
