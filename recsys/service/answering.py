"""Answers computed, kept, and written as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from fastapi.responses import Response

from recsys.errors import ParameterError
from recsys.service.computing import Computing
from recsys.service.metrics import Metrics
from recsys.service.serving import Served, Serving
from recsys.service.settings import Settings


class Answering:
    """Answers from the cache, or computed and kept there.

    Parameters
    ----------
    settings : Settings
    serving : Serving
    computing : Computing
    metrics : Metrics
    """

    def __init__(self, settings: Settings, serving: Serving, computing: Computing, metrics: Metrics) -> None:
        self._settings, self._serving, self._computing = settings, serving, computing
        self._hits, self._misses = metrics.cached.labels("hit"), metrics.cached.labels("miss")

    @property
    def served(self) -> Served:
        """The bundle in use."""
        return self._serving.now

    async def kept(self, key: tuple[Any, ...], compute: Callable[[Served], Any]) -> Response:
        """Return an answer that depends on the key and the bundle alone."""
        served = self._serving.now
        body = served.answers.get(key)
        if body is not None:
            self._hits.inc()
            return as_json(body)
        self._misses.inc()
        body = await self._computing.run(lambda: encoded(compute(served)))
        served.answers.put(key, body)
        return as_json(body)

    async def computed(self, compute: Callable[[Served], Any]) -> Response:
        """Return an answer that is computed anew."""
        served = self._serving.now
        return as_json(await self._computing.run(lambda: encoded(compute(served))))

    def check_size(self, n: int, n_users: int = 1) -> None:
        """Raise ParameterError if more is asked for than one request may."""
        for name, value, most in (
            ("n", n, self._settings.most_items),
            ("the number of users or histories", n_users, self._settings.most_users),
        ):
            if value > most:
                raise ParameterError(f"{name} is {value:,}; one request may ask for {most:,}.")


def encoded(answer: Any) -> bytes:
    """Return an answer as JSON."""
    text = json.dumps(answer, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    try:
        return text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which a request may hold and UTF-8 may not
        return json.dumps(answer, separators=(",", ":"), allow_nan=False).encode()


def as_json(body: bytes, status: int = 200) -> Response:
    """Return a response of JSON."""
    return Response(body, status, media_type="application/json")
