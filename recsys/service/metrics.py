"""What a service counts, for Prometheus."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from recsys._version import __version__

SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The variable by which prometheus-client, when it is imported, learns where processes count together."""
_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_FILE_OF_LIVE = re.compile(r"gauge_live\w*?_(\d+)\.db")


class Metrics:
    """Counters of one service, of one process or of all of its workers."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        folder = os.environ.get(SHARED_FOLDER)
        self._shared = None if folder is None else Path(folder)
        of_all: dict[str, Any] = {"registry": self._registry}
        # Sums over the processes that live: how many answers wait at all of them, how many have a bundle.
        now: dict[str, Any] = {**of_all, "multiprocess_mode": "livesum"}
        self.requests = Counter(
            "recsys_requests", "Requests by route and status.", ["route", "status"], **of_all
        )
        self.seconds = Histogram(
            "recsys_request_seconds",
            "Seconds from a request to the end of its answer.",
            ["route"],
            buckets=_SECONDS,
            **of_all,
        )
        self.waiting = Gauge("recsys_waiting", "Answers being computed or waited for.", **now)
        self.cached = Counter(
            "recsys_cache", "Answers that were, or were not, computed before.", ["outcome"], **of_all
        )
        self.ahead = Counter("recsys_ahead", "Lists computed before they were asked for.", **of_all)
        self.reloads = Counter("recsys_reloads", "New bundles, taken over or refused.", ["outcome"], **of_all)
        self._model = Gauge(
            "recsys_model_info",
            "How many processes answer with a bundle.",
            ["role", "model", "digest", "version"],
            **now,
        )
        self._loaded: dict[str, tuple[str, str]] = {}

    def model_loaded(self, role: str, model: str, digest: str) -> None:
        """Note which bundle answers in a role: main, or beside it."""
        before = self._loaded.get(role)
        if before is not None:
            self._model.labels(role, *before, __version__).set(0)
            if self._shared is None:  # from files that are shared nothing can be removed
                self._model.remove(role, *before, __version__)
        self._loaded[role] = model, digest
        self._model.labels(role, model, digest, __version__).set(1)

    def text(self) -> bytes:
        """Return all in the format that Prometheus reads."""
        if self._shared is None:
            return generate_latest(self._registry)
        self._forget_the_dead()
        of_all = CollectorRegistry()
        MultiProcessCollector(of_all, str(self._shared))  # type: ignore[no-untyped-call]
        return generate_latest(of_all)

    def _forget_the_dead(self) -> None:
        """Remove what processes that have ended counted as current; their sums stay."""
        assert self._shared is not None
        for file in self._shared.iterdir():
            match = _FILE_OF_LIVE.fullmatch(file.name)
            if match and not _lives(int(match[1])):
                mark_process_dead(int(match[1]), str(self._shared))  # type: ignore[no-untyped-call]


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
