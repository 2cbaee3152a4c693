"""Answers computed, kept, and written as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, MutableMapping
from typing import Any, NamedTuple

from fastapi.responses import Response

from recsys.errors import ParameterError
from recsys.service import answers
from recsys.service.batches import Batches
from recsys.service.cache import KeptAnswer, Target, target_of
from recsys.service.computing import Computing
from recsys.service.metrics import Metrics
from recsys.service.requests import History, ListRequest
from recsys.service.serving import Served, Serving
from recsys.service.settings import Settings


class ListOptions(NamedTuple):
    """What a list is made by; users, and histories, with equal ones are ranked together."""

    served: Served
    n: int
    reasons: int
    include_seen: bool


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
        self._lists: Batches[ListOptions, str] = Batches(computing, _lists)
        self._lists_of_histories: Batches[ListOptions, History] = Batches(computing, _lists_of_histories)

    @property
    def served(self) -> Served:
        """The bundle in use."""
        return self._serving.now

    def known(self, target: Target) -> KeptAnswer | None:
        """Return what was answered to a request with this path and query before, if it is still kept."""
        answer = self._serving.now.answers.get(target)
        if answer is not None:
            self._hits.inc()
        return answer

    async def kept(self, scope: MutableMapping[str, Any], compute: Callable[[Served], Any]) -> Response:
        """Return an answer that depends on the path, the query and the bundle alone, and keep it."""
        served = self._serving.now
        self._misses.inc()
        body = await self._computing.run(lambda: encoded(compute(served)))
        served.answers.put(target_of(scope), KeptAnswer(scope["route"].path, body))
        return as_json(body)

    async def list_of_user(self, target: Target, route: str, user: str, **options: Any) -> bytes:
        """Return one user's list as JSON, and keep it."""
        served = self._serving.now
        user = answers.id_in_path(served.bundle.user_ids, user, "user")
        self._misses.inc()
        body = await self._lists.answer(ListOptions(served, **options), user)
        served.answers.put(target, KeptAnswer(route, body))
        return body

    async def lists(self, request: ListRequest) -> bytes:
        """Return the lists of a request as JSON; histories that wait at the same time are folded in together.

        Raises
        ------
        ParameterError
            If it asks for more than one request may.
        """
        self.check_size(request.n, len(request.users or request.histories or [0]))
        served = self._serving.now
        if request.is_of_one_history and request.reasons == 0:
            assert request.history is not None
            options = ListOptions(served, request.n, 0, request.include_seen)
            return await self._lists_of_histories.answer(options, request.history)
        return await self._computing.run(
            lambda: encoded(answers.lists(served.bundle, request, served.categories))
        )

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


def _lists(options: ListOptions, users: list[str]) -> list[bytes]:
    served, n, reasons, include_seen = options
    lists = answers.lists_of_users(served.bundle, users, n, reasons, include_seen=include_seen)
    return [encoded(answer) for answer in lists]


def _lists_of_histories(options: ListOptions, histories: list[History]) -> list[bytes]:
    served, n, _, include_seen = options
    lists = answers.lists_of_histories(served.bundle, histories, n, include_seen=include_seen)
    return [encoded({"lists": [answer]}) for answer in lists]


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
