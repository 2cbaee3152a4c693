"""Several processes that answer at one address, each with the same bundle mapped."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import uvicorn
from uvicorn.supervisors import Multiprocess

from recsys import threads
from recsys.errors import RecsysError
from recsys.recommend.bundle_files import load_bundle
from recsys.service.app import make_app
from recsys.service.computing import let_others_in_soon
from recsys.service.gate import App
from recsys.service.log_lines import log_to
from recsys.service.metrics import SHARED_FOLDER
from recsys.service.settings import Settings

_FAILED_START = 3
"""The exit code by which uvicorn knows a process that would fail again; others are started anew."""
_HEALTH_SECONDS = 60
"""How long a process may be deaf before it is replaced: compiling kernels for a new bundle takes long."""
_log = logging.getLogger("recsys.service")


@dataclass(frozen=True)
class Logged:
    """What the processes log: a level of `logging`, and whether each request is."""

    level: int
    access: bool


def run_workers(settings: Settings, n_workers: int, logged: Logged, how: Mapping[str, Any]) -> None:
    """Answer requests by several processes, until ctrl-c or SIGTERM.

    This process holds the socket and starts again a process that has died; each worker looks for a new bundle
    by itself. What they count goes to files of a folder that all of them read, so that ``/metrics`` gives
    the sums whichever of them is asked.

    Parameters
    ----------
    settings : Settings
    n_workers : int
    logged : Logged
    how : mapping
        Arguments of `uvicorn.Config`.

    Raises
    ------
    BundleError
        If the bundle cannot be loaded.
    """
    settings = replace(settings, mapped=True)
    for folder in (settings.model, settings.beside):
        if folder is not None:
            load_bundle(folder, mapped=True)  # a fault is said once, and before there are processes
    with tempfile.TemporaryDirectory(prefix="recsys-metrics-") as counted:
        os.environ[SHARED_FOLDER] = counted
        try:
            app = partial(_app_of_worker, settings, logged, threads.current())
            config = uvicorn.Config(
                app, factory=True, workers=n_workers, timeout_worker_healthcheck=_HEALTH_SECONDS, **how
            )
            Multiprocess(config, sockets=[config.bind_socket()]).run()
        finally:
            del os.environ[SHARED_FOLDER]


def _app_of_worker(settings: Settings, logged: Logged, n_threads: int) -> App:
    """Return the application of a process that has just begun."""
    log_to(sys.stderr, logged.level, access=logged.access)
    threads.set_threads(n_threads)
    let_others_in_soon()
    try:
        return make_app(settings)
    except RecsysError as error:
        _log.error("the process cannot begin: %s", error)
        sys.exit(_FAILED_START)
