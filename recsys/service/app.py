"""The service: routes over a bundle."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Path, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from recsys import threads
from recsys._version import __version__
from recsys.errors import ModelError, ParameterError, RecsysError
from recsys.service import answers
from recsys.service.computing import BusyError, Computing
from recsys.service.gate import App, Gate, error_body, failure
from recsys.service.metrics import Metrics
from recsys.service.pages import add_pages
from recsys.service.requests import ExplainRequest, ListRequest
from recsys.service.serving import Served, Serving
from recsys.service.settings import Settings

_RETRY_SECONDS = 1
N = Annotated[int, Query(ge=1, description="Longest list.")]
UserPath = Annotated[str, Path(description="A user's id.", examples=["17850"])]
ItemPath = Annotated[str, Path(description="An item's id.", examples=["85123A"])]
_ERRORS: dict[int | str, dict[str, Any]] = {
    422: {"description": "The request cannot be answered as it stands."},
    503: {"description": "Too many requests wait; Retry-After says when to come again."},
}


def make_app(settings: Settings) -> App:
    """Return the service as an ASGI application; the bundle is loaded here.

    Raises
    ------
    BundleError
        If the bundle cannot be loaded.
    """
    metrics = Metrics()
    serving = Serving(settings.model, settings.cache_size, metrics, mapped=settings.mapped)
    computing = Computing(threads.available(), settings.most_waiting, settings.timeout, metrics)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if settings.reload_seconds > 0:
            serving.watch(settings.reload_seconds)
        yield
        serving.end()
        computing.end()

    app = FastAPI(
        title="recsys",
        version=__version__,
        summary="Lists, reasons, similar items and themes of one model.",
        lifespan=lifespan,
        docs_url=None,  # its pages are made of scripts from elsewhere
        redoc_url=None,
    )
    app.state.serving = serving
    _handle_errors(app)
    add_pages(app)
    _add_routes(app, Answering(settings, serving, computing, metrics), metrics)
    whole: Any = app
    if settings.origins:
        whole = CORSMiddleware(
            app,
            allow_origins=settings.origins,
            allow_methods=["GET", "POST"],
            allow_headers=["authorization", "content-type"],
        )
    return Gate(whole, settings, metrics)


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
            return _json(body)
        self._misses.inc()
        body = await self._computing.run(lambda: _encoded(compute(served)))
        served.answers.put(key, body)
        return _json(body)

    async def computed(self, compute: Callable[[Served], Any]) -> Response:
        """Return an answer that is computed anew."""
        served = self._serving.now
        return _json(await self._computing.run(lambda: _encoded(compute(served))))

    def check_size(self, n: int, n_users: int = 1) -> None:
        """Raise ParameterError if more is asked for than one request may."""
        for name, value, most in (
            ("n", n, self._settings.most_items),
            ("the number of users or histories", n_users, self._settings.most_users),
        ):
            if value > most:
                raise ParameterError(f"{name} is {value:,}; one request may ask for {most:,}.")


def _encoded(answer: Any) -> bytes:
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def _json(body: bytes, status: int = 200) -> Response:
    return Response(body, status, media_type="application/json")


def _add_routes(app: FastAPI, answering: Answering, metrics: Metrics) -> None:
    @app.get("/recommend/{user:path}", responses=_ERRORS)
    async def recommend(
        user: UserPath,
        n: N = 10,
        reasons: Annotated[int, Query(ge=0, le=10, description="Most past items a reason names.")] = 0,
        include_seen: bool = False,
    ) -> Response:
        """Return the best n items for one user; who is not known gets the popular ones, marked so."""
        answering.check_size(n)
        return await answering.kept(
            ("recommend", user, n, reasons, include_seen),
            lambda served: answers.list_of_user(served.bundle, user, n, reasons, include_seen=include_seen),
        )

    @app.post("/recommend", responses=_ERRORS)
    async def recommend_to(request: ListRequest) -> Response:
        """Return lists for users, for histories, or for a user with what happened since training."""
        answering.check_size(request.n, len(request.users or request.histories or [0]))
        return await answering.computed(lambda served: answers.lists(served.bundle, request))

    @app.get("/explain/{user:path}", responses=_ERRORS)
    async def explain(
        user: UserPath,
        item: Annotated[list[str] | None, Query(description="An item's id; by default the best n.")] = None,
        n: N = 10,
    ) -> Response:
        """Return each score as a sum, with the past items and themes it goes back to."""
        answering.check_size(n, len(item or [0]))
        request = ExplainRequest(user=user, items=list(item) if item else None, n=n)
        return await answering.kept(
            ("explain", user, tuple(item or ()), n),
            lambda served: answers.explanations(served.bundle, request),
        )

    @app.post("/explain", responses=_ERRORS)
    async def explain_to(request: ExplainRequest) -> Response:
        """Return explanations for a user, or for somebody known by a history alone."""
        answering.check_size(request.n, len(request.items or [0]))
        return await answering.computed(lambda served: answers.explanations(served.bundle, request))

    @app.get("/similar/{item:path}", responses=_ERRORS)
    async def similar(
        item: ItemPath, n: N = 10, by: Literal["neighbors", "factors"] | None = None
    ) -> Response:
        """Return the items most alike to an item."""
        answering.check_size(n)
        return await answering.kept(
            ("similar", item, n, by), lambda served: answers.similar(served.bundle, item, n, by)
        )

    @app.get("/users/{user:path}", responses=_ERRORS)
    async def user_history(user: UserPath) -> Response:
        """Return what the model was trained on of a user, and the user's mixture of themes."""
        return await answering.kept(("users", user), lambda served: answers.history_of(served.bundle, user))

    @app.get("/themes", responses=_ERRORS)
    async def themes(
        n: N = 20, top: Annotated[int, Query(ge=1, description="Items of each.")] = 8
    ) -> Response:
        """Return the largest themes with their strongest items."""
        answering.check_size(max(n, top))
        return await answering.kept(
            ("themes", n, top), lambda served: answers.theme_list(served.bundle, n, top)
        )

    @app.get("/items", responses=_ERRORS)
    async def items(
        q: Annotated[str, Query(max_length=200, description="Words of a name, or an id.")] = "", n: N = 20
    ) -> Response:
        """Return items whose name or id has all words, those most users have first."""
        answering.check_size(n)
        return await answering.computed(lambda served: {"items": served.search.find(q, n)})

    @app.get("/model")
    async def model() -> Response:
        """Return which model answers, what it was trained on, and since when it is here."""
        return _json(_encoded(answers.about(answering.served)))

    @app.get("/healthz")
    async def healthz() -> Response:
        """Return 200 while the process answers."""
        return _json(b'{"status":"ok"}')

    @app.get("/readyz")
    async def readyz() -> Response:
        """Return 200 when a bundle is loaded and has answered once."""
        return _json(_encoded({"status": "ready", "digest": answering.served.digest}))

    @app.get("/metrics")
    async def measured() -> Response:
        """Return counters in the format of Prometheus."""
        return Response(metrics.text(), media_type="text/plain; version=0.0.4")


def _handle_errors(app: FastAPI) -> None:
    """Answer errors as JSON, in one sentence."""

    async def said(status: int, message: str, **headers: str) -> Response:
        return Response(error_body(message), status, headers, media_type="application/json")

    @app.exception_handler(answers.UnknownIdError)
    async def unknown(_: Request, error: answers.UnknownIdError) -> Response:
        return await said(404, str(error))

    @app.exception_handler(RecsysError)
    async def refused(_: Request, error: RecsysError) -> Response:
        return await said(409 if isinstance(error, ModelError) else 422, str(error))

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"][1:])
        return await said(422, f"{where or 'the request'}: {first['msg']}.")

    @app.exception_handler(HTTPException)
    async def http(_: Request, error: HTTPException) -> Response:
        return await said(error.status_code, f"{error.detail.rstrip('.')}.", **(error.headers or {}))

    @app.exception_handler(Exception)
    async def failed(_: Request, error: Exception) -> Response:
        return await said(500, failure(error))

    @app.exception_handler(BusyError)
    async def busy(_: Request, __: BusyError) -> Response:
        return await said(503, "too many requests wait; come again.", **{"retry-after": str(_RETRY_SECONDS)})

    @app.exception_handler(TimeoutError)
    async def late(_: Request, __: TimeoutError) -> Response:
        return await said(504, "the answer takes too long; ask for fewer users, or for fewer reasons.")
