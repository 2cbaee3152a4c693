"""The explorer: a page for people, of files that ask nobody but the service."""

from __future__ import annotations

from importlib.resources import files

from fastapi import FastAPI
from fastapi.responses import Response

_SCRIPTS = ("basket", "explorer", "item", "lists", "page", "rules", "themes")
PAGES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/explorer/explorer.css": ("explorer.css", "text/css; charset=utf-8"),
    **{f"/explorer/{name}.js": (f"{name}.js", "text/javascript; charset=utf-8") for name in _SCRIPTS},
}
"""Paths, files and kinds; they hold no data, and need no token."""
_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-cache",
}


def add_pages(app: FastAPI) -> None:
    """Let the service show the explorer at its root."""
    for path, (name, kind) in PAGES.items():
        body = (files("recsys.service") / "explorer" / name).read_bytes()
        _add_page(app, path, body, kind)


def _add_page(app: FastAPI, path: str, body: bytes, kind: str) -> None:
    @app.get(path, include_in_schema=False)
    async def page() -> Response:
        return Response(body, headers=_HEADERS, media_type=kind)
