"""What a service counts, for Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from recsys._version import __version__

_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """Counters of one service."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "recsys_requests", "Requests by route and status.", ["route", "status"], registry=self._registry
        )
        self.seconds = Histogram(
            "recsys_request_seconds",
            "Seconds from a request to the end of its answer.",
            ["route"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        self.waiting = Gauge(
            "recsys_waiting", "Answers being computed or waited for.", registry=self._registry
        )
        self.cached = Counter(
            "recsys_cache",
            "Answers that were, or were not, computed before.",
            ["outcome"],
            registry=self._registry,
        )
        self.reloads = Counter(
            "recsys_reloads", "New bundles, taken over or refused.", ["outcome"], registry=self._registry
        )
        self._model = Gauge(
            "recsys_model_info",
            "The bundles that answer.",
            ["role", "model", "digest", "version"],
            registry=self._registry,
        )

    def model_loaded(self, role: str, model: str, digest: str) -> None:
        """Note which bundle answers in a role: main, or beside it."""
        self._model.remove_by_labels({"role": role})
        self._model.labels(role, model, digest, __version__).set(1)

    def text(self) -> bytes:
        """Return all in the format that Prometheus reads."""
        return generate_latest(self._registry)
