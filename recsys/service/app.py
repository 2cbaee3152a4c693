"""The service as an ASGI application: what it is made of, and how errors are answered."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from recsys import threads
from recsys._version import __version__
from recsys.errors import ModelError, RecsysError
from recsys.service.answering import Answering
from recsys.service.answers import UnknownIdError
from recsys.service.computing import BusyError, Computing
from recsys.service.gate import App, Gate, error_body, failure
from recsys.service.metrics import Metrics
from recsys.service.pages import add_pages
from recsys.service.routes import add_routes, add_routes_beside
from recsys.service.serving import Serving
from recsys.service.settings import Settings
from recsys.service.theme_answers import UnknownFamilyError

_RETRY_SECONDS = 1


def make_app(settings: Settings) -> App:
    """Return the service as an ASGI application; the bundle is loaded here.

    Raises
    ------
    BundleError
        If the bundle cannot be loaded.
    """
    metrics = Metrics()
    serving = Serving(settings.model, settings.cache_size, metrics, mapped=settings.mapped)
    beside = (
        None
        if settings.beside is None
        else Serving(settings.beside, 0, metrics, "beside", mapped=settings.mapped)
    )
    both = [serving] if beside is None else [serving, beside]
    computing = Computing(threads.available(), settings.most_waiting, settings.timeout, metrics)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if settings.reload_seconds > 0:
            for each in both:
                each.watch(settings.reload_seconds)
        yield
        for each in both:
            each.end()
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
    answering = Answering(settings, serving, computing, metrics)
    add_routes(app, answering, metrics, beside)
    if beside is not None:
        add_routes_beside(app, answering, beside)
    whole: Any = app
    if settings.origins:
        whole = CORSMiddleware(
            app,
            allow_origins=settings.origins,
            allow_methods=["GET", "POST"],
            allow_headers=["authorization", "content-type"],
        )
    return Gate(whole, settings, metrics)


def _handle_errors(app: FastAPI) -> None:
    """Answer errors as JSON, in one sentence."""

    async def said(status: int, message: str, **headers: str) -> Response:
        return Response(error_body(message), status, headers, media_type="application/json")

    @app.exception_handler(UnknownIdError)
    @app.exception_handler(UnknownFamilyError)
    async def unknown(_: Request, error: LookupError) -> Response:
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
