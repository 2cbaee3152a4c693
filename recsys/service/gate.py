"""What every request passes: token, size, time, count and log."""

from __future__ import annotations

import asyncio
import hmac
import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.exceptions import HTTPException

from recsys.service.activity import Activity
from recsys.service.failures import error_body, failure
from recsys.service.metrics import Metrics
from recsys.service.pages import PAGES
from recsys.service.settings import Settings

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

OPEN = ("/healthz", "/readyz", *PAGES)
"""Routes that need no token: whoever starts and stops the service asks these, and pages hold no data."""
ROUTE = "recsys.route"
"""Where a scope says which route answers, if not by the routes themselves."""
_access = logging.getLogger("recsys.service.access")


class _RefusedError(HTTPException):
    """A request that is too large, too slow, or bears no token; a route that reads it lets this pass."""


class Gate:
    """The outermost layer of the service.

    A request without the token is answered 401, one with a larger body than allowed 413, one that does not
    arrive in time 408. What no route has foreseen is answered 500 with a number that stands in the log, too,
    and nothing else. Paths in the log and in the metrics are those of routes, without anybody's id.

    Parameters
    ----------
    app : ASGI application
    settings : Settings
    metrics : Metrics
    activity : Activity, optional
        Is notified of each request's begin and end.
    """

    def __init__(
        self, app: App, settings: Settings, metrics: Metrics, activity: Activity | None = None
    ) -> None:
        self._app, self._settings, self._metrics = app, settings, metrics
        self._activity = activity or Activity()
        self._bearer = None if settings.token is None else f"Bearer {settings.token}".encode()

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status, method = time.perf_counter(), 0, scope["method"]
        self._activity.begin()
        if method == "HEAD":  # what GET would be answered, without its body
            scope = {**scope, "method": "GET"}

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            elif method == "HEAD":
                message = {**message, "body": b""}
            await send(message)

        try:
            self._check_token(scope)
            await self._app(scope, self._bounded(scope, receive), sent)
        except _RefusedError as refused:
            if status == 0:
                await _answer(sent, refused.status_code, refused.detail)
        except Exception as error:
            if status == 0:  # else a handler has answered, and said so in the log
                await _answer(sent, 500, failure(error))
        finally:
            self._activity.end()
            route = scope.get(ROUTE) or getattr(scope.get("route"), "path", "other")
            seconds = time.perf_counter() - began
            self._metrics.requests.labels(route, str(status)).inc()
            self._metrics.seconds.labels(route).observe(seconds)
            if _access.isEnabledFor(logging.INFO):
                fields = {"method": method, "route": route, "status": status}
                _access.info("request", extra={"fields": {**fields, "ms": round(1e3 * seconds, 2)}})

    def _check_token(self, scope: MutableMapping[str, Any]) -> None:
        if self._bearer is None or scope["path"] in OPEN or scope["method"] == "OPTIONS":
            return
        borne = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        if not hmac.compare_digest(borne, self._bearer):
            raise _RefusedError(401, "the request bears no valid token; send 'Authorization: Bearer TOKEN'.")

    def _bounded(self, scope: MutableMapping[str, Any], receive: Receive) -> Receive:
        """Return a way to receive that refuses what is too large or too slow."""
        most, timeout = self._settings.most_bytes, self._settings.timeout
        too_large = f"the request has more than {most:,} bytes; ask for fewer at a time."
        length = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if length.isdigit() and int(length) > most:
            raise _RefusedError(413, too_large)
        n_bytes, is_whole = 0, False

        async def bounded() -> Message:
            nonlocal n_bytes, is_whole
            if is_whole:  # what comes now is word of a client that has gone; it may come late
                return await receive()
            try:
                message = await asyncio.wait_for(receive(), timeout)
            except TimeoutError:
                raise _RefusedError(408, f"the request did not arrive within {timeout:g} seconds.") from None
            if message["type"] == "http.request":
                n_bytes += len(message.get("body", b""))
                is_whole = not message.get("more_body", False)
                if n_bytes > most:
                    raise _RefusedError(413, too_large)
            return message

        return bounded


async def _answer(send: Send, status: int, message: str) -> None:
    body = error_body(message)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
