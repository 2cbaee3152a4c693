"""The way of the requests that come most: around the routes, which take as long as the rest."""

from __future__ import annotations

import json
import re
from collections.abc import MutableMapping
from typing import Any

from recsys.service.answering import Answering
from recsys.service.cache import target_of
from recsys.service.failures import response_to
from recsys.service.gate import ROUTE, App, Message, Receive, Send
from recsys.service.requests import ListRequest
from recsys.service.settings import Settings

LISTS_PATHS = ("/recommend", "/recommend/")
LIST_PATH, LIST_ROUTE = "/recommend/", "/recommend/{user:path}"
DEFAULT_N = 10
_QUERY = re.compile(rb"n=([1-9][0-9]{0,8})")


class Shortcut:
    """Answers what was answered before, and one user's list; all else it hands on to the routes.

    Reading a request by its route, with its parameters checked against their types, takes longer than finding
    an answer that is kept, and as long as ranking for a user in a batch. Here a request whose path and query
    were seen before is answered without being read, ``GET /recommend/{user}`` with no parameter but ``n`` is
    read by hand, and so is the body of ``POST /recommend``. Their routes give the same answers; what these
    would refuse goes there and is refused there.

    Parameters
    ----------
    app : ASGI application
        The routes.
    answering : Answering
    settings : Settings
    """

    def __init__(self, app: App, answering: Answering, settings: Settings) -> None:
        self._app, self._answering, self._most_items = app, answering, settings.most_items

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"] in LISTS_PATHS:
            await self._lists(scope, receive, send)
            return
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        target = path, query = target_of(scope)
        n = self._length(query) if path.startswith(LIST_PATH) else None
        if n == DEFAULT_N:
            target = path, b""  # however it is asked for
        kept = self._answering.known(target)
        if kept is not None:
            scope[ROUTE] = kept.route
            await _send(send, kept.body)
            return
        if n is None:
            await self._app(scope, receive, send)
            return
        scope[ROUTE] = LIST_ROUTE
        user = path[len(LIST_PATH) :]
        options = {"n": n, "reasons": 0, "include_seen": False}
        try:
            body = await self._answering.list_of_user(target, LIST_ROUTE, user, **options)
        except Exception as error:
            await response_to(error)(scope, receive, send)
            return
        await _send(send, body)

    async def _lists(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer a request for lists; one that cannot be read is handed on, to be refused."""
        messages: list[Message] = []
        request = None
        content_type = next((value for name, value in scope["headers"] if name == b"content-type"), b"")
        if content_type.partition(b";")[0].strip().lower() == b"application/json":
            while not messages or messages[-1].get("more_body", False):
                messages.append(await receive())
            request = _request_in(b"".join(message.get("body", b"") for message in messages))
        if request is None:
            await self._app(scope, _again(messages, receive), send)
            return
        scope[ROUTE] = LISTS_PATHS[0]
        try:
            body = await self._answering.lists(request)
        except Exception as error:
            await response_to(error)(scope, receive, send)
            return
        await _send(send, body)

    def _length(self, query: bytes) -> int | None:
        """Return the length of list that a query asks for; None if it asks for anything else."""
        asked = _QUERY.fullmatch(query)
        n = int(asked[1]) if asked else 0 if query else DEFAULT_N
        return n if 1 <= n <= self._most_items else None


def _request_in(body: bytes) -> ListRequest | None:
    """Return what a body asks for, read as routes read it; None if they would refuse it."""
    try:
        return ListRequest.model_validate(json.loads(body))
    except (ValueError, RecursionError):
        return None


def _again(messages: list[Message], receive: Receive) -> Receive:
    """Return a way to receive that begins with messages that were received before."""
    left = iter(messages)

    async def receive_again() -> Message:
        message = next(left, None)
        return await receive() if message is None else message

    return receive_again


async def _send(send: Send, body: bytes) -> None:
    length = str(len(body)).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", length)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
