"""The routes of the service: what is asked where, and which answer is made for it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import FastAPI, Path, Query, Request
from fastapi.responses import Response

from recsys.service import answers, theme_answers
from recsys.service.answering import Answering, as_json, encoded
from recsys.service.beside import side_by_side
from recsys.service.cache import target_of
from recsys.service.metrics import Metrics
from recsys.service.requests import ExplainRequest, ListRequest
from recsys.service.serving import Served, Serving
from recsys.service.shortcut import DEFAULT_N, LIST_ROUTE

N = Annotated[int, Query(ge=1, description="Longest list.")]
UserPath = Annotated[str, Path(description="A user's id.", examples=["17850"])]
ItemPath = Annotated[str, Path(description="An item's id.", examples=["85123A"])]
_ERRORS: dict[int | str, dict[str, Any]] = {
    422: {"description": "The request cannot be answered as it stands."},
    503: {"description": "Too many requests wait; Retry-After says when to come again."},
}


def add_routes(app: FastAPI, answering: Answering, metrics: Metrics, beside: Serving | None) -> None:
    """Let the service answer over a bundle."""
    _add_lists(app, answering)
    _add_items_and_themes(app, answering)
    _add_state(app, answering, metrics, beside)


def _add_lists(app: FastAPI, answering: Answering) -> None:
    @app.get(LIST_ROUTE, responses=_ERRORS)
    async def recommend(
        http: Request,
        user: UserPath,
        n: N = DEFAULT_N,
        reasons: Annotated[int, Query(ge=0, le=10, description="Most past items a reason names.")] = 0,
        include_seen: bool = False,
    ) -> Response:
        """Return the best n items for one user; who is not known gets the popular ones, marked so."""
        answering.check_size(n)
        options = {"n": n, "reasons": reasons, "include_seen": include_seen}
        return as_json(await answering.list_of_user(target_of(http.scope), LIST_ROUTE, user, **options))

    @app.post("/recommend", responses=_ERRORS)
    @app.post("/recommend/", include_in_schema=False)
    async def recommend_to(request: ListRequest) -> Response:
        """Return lists for users, for histories, or for a user with what happened since training."""
        return as_json(await answering.lists(request))

    @app.get("/explain/{user:path}", responses=_ERRORS)
    async def explain(
        http: Request,
        user: UserPath,
        item: Annotated[list[str] | None, Query(description="An item's id; by default the best n.")] = None,
        n: N = 10,
    ) -> Response:
        """Return each score as a sum, with the past items and themes it goes back to."""
        answering.check_size(n, len(item or [0]))

        def explanations(served: Served) -> dict[str, Any]:
            known = answers.id_in_path(served.bundle.user_ids, user, "user")
            request = ExplainRequest(user=known, items=list(item) if item else None, n=n)
            return answers.explanations(served.bundle, request)

        return await answering.kept(http.scope, explanations)

    @app.post("/explain", responses=_ERRORS)
    @app.post("/explain/", include_in_schema=False)
    async def explain_to(request: ExplainRequest) -> Response:
        """Return explanations for a user, or for somebody known by a history alone."""
        answering.check_size(request.n, len(request.items or [0]))
        return await answering.computed(lambda served: answers.explanations(served.bundle, request))


def _add_items_and_themes(app: FastAPI, answering: Answering) -> None:
    @app.get("/similar/{item:path}", responses=_ERRORS)
    async def similar(
        http: Request, item: ItemPath, n: N = 10, by: Literal["neighbors", "factors"] | None = None
    ) -> Response:
        """Return the items most alike to an item."""
        answering.check_size(n)
        return await answering.kept(http.scope, lambda served: answers.similar(served.bundle, item, n, by))

    @app.get("/users/{user:path}", responses=_ERRORS)
    async def user_history(http: Request, user: UserPath) -> Response:
        """Return what the model was trained on of a user, and the user's mixture of themes."""
        return await answering.kept(http.scope, lambda served: answers.history_of(served.bundle, user))

    @app.get("/themes", responses=_ERRORS)
    async def themes(
        http: Request, n: N = 20, top: Annotated[int, Query(ge=1, description="Items of each.")] = 8
    ) -> Response:
        """Return the largest themes with their strongest items."""
        answering.check_size(max(n, top))
        return await answering.kept(http.scope, lambda served: answers.theme_list(served.bundle, n, top))

    @app.get("/items", responses=_ERRORS)
    async def items(
        q: Annotated[str, Query(max_length=200, description="Words of a name, or an id.")] = "", n: N = 20
    ) -> Response:
        """Return items whose name or id has all words, those most users have first."""
        answering.check_size(n)
        return await answering.computed(lambda served: {"items": served.search.find(q, n)})

    @app.get("/items/{item:path}", responses=_ERRORS)
    async def item(http: Request, item: ItemPath) -> Response:
        """Return an item's name, how many users have it, and the themes it is part of."""
        return await answering.kept(http.scope, lambda served: answers.item(served.bundle, item))

    @app.get("/categories", responses=_ERRORS)
    async def categories(http: Request) -> Response:
        """Return the categories that rules may name, where the service was given them."""
        return await answering.kept(http.scope, answers.categories)

    @app.get("/families", responses=_ERRORS)
    async def families(http: Request) -> Response:
        """Return the families of themes, with their themes and items, and how alike they are."""
        return await answering.kept(http.scope, theme_answers.families)

    @app.get("/families/{family}", responses=_ERRORS)
    async def family(
        http: Request, family: Annotated[int, Path(description="Number of a family, from 1.")]
    ) -> Response:
        """Return a family's themes with their items, and how alike the largest of them are."""
        return await answering.kept(http.scope, lambda served: theme_answers.family(served, family))


def _add_state(app: FastAPI, answering: Answering, metrics: Metrics, beside: Serving | None) -> None:
    @app.get("/model")
    async def model() -> Response:
        """Return which model answers, what it was trained on, since when it is here; and that beside it."""
        other = None if beside is None else answers.about(beside.now)
        return as_json(encoded({**answers.about(answering.served), "beside": other}))

    @app.get("/healthz")
    async def healthz() -> Response:
        """Return 200 while the process answers."""
        return as_json(b'{"status":"ok"}')

    @app.get("/readyz")
    async def readyz() -> Response:
        """Return 200 when a bundle is loaded and has answered once."""
        return as_json(encoded({"status": "ready", "digest": answering.served.digest}))

    @app.get("/metrics")
    async def measured() -> Response:
        """Return counters in the format of Prometheus."""
        return Response(metrics.text(), media_type="text/plain; version=0.0.4")


def add_routes_beside(app: FastAPI, answering: Answering, beside: Serving) -> None:
    """Let the service answer with another bundle's lists, too."""

    @app.get("/beside/{user:path}", responses=_ERRORS)
    async def recommend_beside(user: UserPath, n: N = 10) -> Response:
        """Return both bundles' lists for a user; items that only one of them lists are marked."""
        answering.check_size(n)

        def lists(served: Served) -> dict[str, Any]:
            known = answers.id_in_path(served.bundle.user_ids, user, "user")
            return side_by_side(served, beside.now, ListRequest(user=known, n=n))

        return await answering.computed(lists)

    @app.post("/beside", responses=_ERRORS)
    @app.post("/beside/", include_in_schema=False)
    async def recommend_beside_to(request: ListRequest) -> Response:
        """Return both bundles' lists for what POST /recommend takes; what only one lists is marked."""
        answering.check_size(request.n, len(request.users or request.histories or [0]))
        return await answering.computed(lambda served: side_by_side(served, beside.now, request))
