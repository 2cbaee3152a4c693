"""Where compiled kernels are kept."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from numba import config
from numba.core import caching
from numba.core.dispatcher import Dispatcher

from recsys.kernels import cache

ROOT = Path(__file__).parents[2]
PROGRAM = """
import recsys, numpy as np
from numba import config
recsys.MaskedNMF(1, max_iter=1).fit(np.array([[5, 3], [4, 1.0]]))
print(config.CACHE_DIR)
"""


@pytest.fixture
def no_usual_place(monkeypatch, tmp_path):
    """Let nothing be writable but the folder for temporary files."""
    monkeypatch.setattr(config, "CACHE_DIR", "")
    monkeypatch.setattr(cache, "_usual", lambda: (tmp_path / "nowhere",))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def test_where_numba_finds_a_folder_by_itself_nothing_is_chosen(monkeypatch, tmp_path):
    monkeypatch.setattr(config, "CACHE_DIR", "")
    monkeypatch.setattr(cache, "_usual", lambda: (tmp_path,))
    cache.ensure_cache()
    assert config.CACHE_DIR == ""


def test_without_one_there_is_one_private_folder_that_stays_the_same(no_usual_place):
    for _ in range(2):
        config.CACHE_DIR = ""
        cache.ensure_cache()
        (folder,) = no_usual_place.iterdir()
        assert str(folder) == config.CACHE_DIR
        assert folder.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_others_can_write_is_not_trusted(no_usual_place, monkeypatch, caplog):
    shared = no_usual_place / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    monkeypatch.setattr(config, "CACHE_DIR", str(shared))
    cache.ensure_cache()
    assert str(shared) != config.CACHE_DIR
    assert "others can write there" in caplog.text


@pytest.mark.parametrize("kind", ["writable by others", "a link", "a file"])
def test_a_private_folder_of_somebody_else_is_not_used(no_usual_place, monkeypatch, kind):
    folder = no_usual_place / f"recsys-kernels-{os.getuid()}"
    if kind == "writable by others":
        folder.mkdir()
        folder.chmod(0o777)
    elif kind == "a link":
        (no_usual_place / "elsewhere").mkdir(mode=0o700)
        folder.symlink_to(no_usual_place / "elsewhere")
    else:
        folder.touch()
    monkeypatch.setattr(Dispatcher, "enable_caching", Dispatcher.enable_caching)  # put back afterwards
    cache.ensure_cache()
    assert config.CACHE_DIR == ""
    assert Dispatcher.enable_caching is cache._not  # kernels are compiled anew


@pytest.mark.parametrize("is_named", [True, False], ids=["NUMBA_CACHE_DIR", "beside the package"])
def test_kernels_in_a_folder_that_cannot_be_written_are_read(no_usual_place, monkeypatch, caplog, is_named):
    folder = no_usual_place / "image"
    folder.mkdir(mode=0o755)
    (folder / "kernel-1.py311.nbi").touch()
    monkeypatch.setattr(cache.os, "access", lambda path, mode: not mode & os.W_OK)
    monkeypatch.setattr(caching._CacheLocator, "ensure_cache_path", caching._CacheLocator.ensure_cache_path)
    monkeypatch.setattr(caching.Cache, "save_overload", caching.Cache.save_overload)
    if is_named:
        monkeypatch.setattr(config, "CACHE_DIR", str(folder))
    else:
        monkeypatch.setattr(cache, "_usual", lambda: (folder,))
    cache.ensure_cache()
    assert str(folder) == config.CACHE_DIR or not is_named
    assert caching.Cache.save_overload is cache._not
    assert caching._CacheLocator.ensure_cache_path is cache._not
    assert not caplog.text
    assert [path.name for path in no_usual_place.iterdir()] == ["image"]


def test_kernels_that_others_could_have_written_are_not_read(no_usual_place, monkeypatch, caplog):
    folder = no_usual_place / "image"
    folder.mkdir()
    folder.chmod(0o777)
    (folder / "kernel-1.py311.nbi").touch()
    save = caching.Cache.save_overload
    monkeypatch.setattr(config, "CACHE_DIR", str(folder))
    cache.ensure_cache()
    assert caching.Cache.save_overload is save
    assert "others can write there" in caplog.text


@pytest.mark.slow
def test_a_process_without_a_place_of_its_own_finds_what_the_one_before_compiled(tmp_path):
    environment = {
        "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": "/nonexistent", "TMPDIR": str(tmp_path),
        "NUMBA_CACHE_DIR": "/proc/kernels",
    }  # fmt: skip
    contents = []
    for _ in range(2):
        command = [sys.executable, "-c", PROGRAM]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd="/", check=True)
        (folder,) = tmp_path.iterdir()
        assert done.stdout.strip() == str(folder)
        contents.append({path: path.stat().st_mtime_ns for path in folder.rglob("*.nbc")})
    assert contents[0]
    assert contents[1] == contents[0]
