"""Compiled kernels need a folder to be kept in."""

import os
from pathlib import Path

from numba import config

from recsys import kernels


def test_a_folder_is_made_where_none_can_be_written_to(monkeypatch):
    monkeypatch.setattr(config, "CACHE_DIR", "")
    monkeypatch.setattr(os, "access", lambda *_: False)
    kernels._ensure_cache()
    assert Path(config.CACHE_DIR).is_dir()


def test_the_usual_place_is_left_alone(monkeypatch):
    monkeypatch.setattr(config, "CACHE_DIR", "")
    kernels._ensure_cache()
    assert config.CACHE_DIR == ""
