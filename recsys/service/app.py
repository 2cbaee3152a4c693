"""The service as an ASGI application: what it is made of."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from recsys import threads
from recsys._version import __version__
from recsys.service.activity import Activity
from recsys.service.ahead import Ahead
from recsys.service.answering import Answering
from recsys.service.computing import Computing
from recsys.service.failures import answer_errors
from recsys.service.gate import App, Gate
from recsys.service.metrics import Metrics
from recsys.service.pages import add_pages
from recsys.service.routes import add_routes, add_routes_beside
from recsys.service.serving import Serving
from recsys.service.settings import Settings
from recsys.service.shortcut import DEFAULT_N, Shortcut


def make_app(settings: Settings) -> App:
    """Return the service as an ASGI application; the bundle is loaded here.

    Raises
    ------
    BundleError
        If the bundle cannot be loaded.
    """
    metrics = Metrics()
    how: dict[str, Any] = {"mapped": settings.mapped, "categories": settings.categories}
    serving = Serving(settings.model, settings.cache_size, metrics, **how)
    beside = None if settings.beside is None else Serving(settings.beside, 0, metrics, "beside", **how)
    both = [serving] if beside is None else [serving, beside]
    computing = Computing(threads.available(), settings.most_waiting, settings.timeout, metrics)

    activity = Activity()
    ahead = Ahead(serving, activity, metrics, settings.ahead)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if settings.reload_seconds > 0:
            for each in both:
                each.watch(settings.reload_seconds)
        if min(settings.ahead, settings.cache_size) > 0 and settings.most_items >= DEFAULT_N:
            ahead.begin(asyncio.get_running_loop())
        yield
        ahead.end()
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
    answer_errors(app)
    add_pages(app)
    answering = Answering(settings, serving, computing, metrics)
    add_routes(app, answering, metrics, beside)
    if beside is not None:
        add_routes_beside(app, answering, beside)
    whole: Any = Shortcut(app, answering, settings)
    if settings.origins:
        whole = CORSMiddleware(
            whole,
            allow_origins=settings.origins,
            allow_methods=["GET", "POST"],
            allow_headers=["authorization", "content-type"],
        )
    return Gate(whole, settings, metrics, activity)
