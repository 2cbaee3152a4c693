"""``data prepare --resume``: what was read is kept until the log is prepared."""

from __future__ import annotations

import os

import pytest

import recsys
from recsys.errors import InputError, LogError, OutputError, ParameterError
from recsys.experiment import preparing

ROWS = "".join(f"u{n % 9},i{n % 7},{1 + n % 5},2024-01-{1 + n % 28:02d}\n" for n in range(63))


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("user,item,rating,time\n" + ROWS)
    return path


@pytest.fixture
def cut_off(log, tmp_path, monkeypatch):
    """A preparation that ended after the log was read, as if its process had been killed."""

    def refuse(*_, **__):
        raise OutputError("nothing can be saved.")

    with monkeypatch.context() as patched:
        patched.setattr(preparing, "save_log", refuse)
        with pytest.raises(OutputError):
            recsys.prepare_log(log, tmp_path / "out", resume=True, where="rating > 1")
    assert (tmp_path / "out.checkpoint").is_dir()
    return tmp_path / "out"


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("memory", [None, "256MiB"])
def test_it_comes_to_the_same_files(log, tmp_path, memory):
    for name, resume in (("whole", False), ("resumed", True)):
        recsys.prepare_log(log, tmp_path / name, memory=memory, resume=resume)
    assert content(tmp_path / "resumed") == content(tmp_path / "whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log.csv", "resumed", "whole"]


def test_a_log_is_not_read_again(log, cut_off, tmp_path, monkeypatch):
    recsys.prepare_log(log, tmp_path / "whole", where="rating > 1")
    monkeypatch.setattr(preparing, "loaded_of", lambda *_, **__: pytest.fail("it was read"))
    recsys.prepare_log(log, cut_off, resume=True, where="rating > 1")
    assert content(cut_off) == content(tmp_path / "whole")
    assert not (tmp_path / "out.checkpoint").exists()


def test_without_resume_it_is_read_again_and_the_checkpoint_goes(log, cut_off, tmp_path):
    recsys.prepare_log(log, cut_off)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log.csv", "out"]


def test_one_of_another_reading_is_refused_and_stays(log, cut_off):
    message = (
        "out.checkpoint is of a log that was read otherwise, or has changed since; to begin anew, delete"
    )
    with pytest.raises(InputError, match=message):
        recsys.prepare_log(log, cut_off, resume=True, where="rating > 2")
    os.utime(log, ns=(0, 0))
    with pytest.raises(InputError, match=message):
        recsys.prepare_log(log, cut_off, resume=True, where="rating > 1")
    assert cut_off.with_name("out.checkpoint").is_dir()


def test_any_part_that_changed_is_noticed(log, cut_off):
    for path in sorted(cut_off.with_name("out.checkpoint").iterdir()):
        before = path.read_bytes()
        path.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
        with pytest.raises((LogError, InputError), match=r"out\.checkpoint"):
            recsys.prepare_log(log, cut_off, resume=True, where="rating > 1")
        path.write_bytes(before)
    recsys.prepare_log(log, cut_off, resume=True, where="rating > 1")


def test_what_else_has_that_name_is_left_alone(log, tmp_path):
    recsys.prepare_log(log, tmp_path / "out.checkpoint")
    before = content(tmp_path / "out.checkpoint")
    recsys.prepare_log(log, tmp_path / "out")
    with pytest.raises(InputError, match="is of a log that was read otherwise"):
        recsys.prepare_log(log, tmp_path / "out", resume=True)
    assert content(tmp_path / "out.checkpoint") == before
    (tmp_path / "new.checkpoint").write_text("of a training")
    with pytest.raises(InputError, match=r"new\.checkpoint is no prepared log, and is not overwritten"):
        recsys.prepare_log(log, tmp_path / "new", resume=True)


@pytest.mark.parametrize("source", ["-", "sqlite:shop.db", "postgresql://localhost/shop"])
def test_what_cannot_be_read_again_is_refused(source, tmp_path):
    with pytest.raises(ParameterError, match="resume is for logs in files"):
        recsys.prepare_log(source, tmp_path / "out", resume=True)
    assert list(tmp_path.iterdir()) == []


def test_a_log_in_memory_has_nothing_to_go_on_from(log, tmp_path):
    with pytest.raises(ParameterError, match="resume is for logs in files"):
        recsys.prepare_log(recsys.load_log(log), tmp_path / "out", resume=True)
