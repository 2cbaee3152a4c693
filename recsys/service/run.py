"""The process of a service: its socket, its log, its end."""

from __future__ import annotations

import json
import logging
import socket
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import uvicorn

from recsys.errors import ParameterError
from recsys.service.app import make_app
from recsys.service.settings import Settings

_GRACE_SECONDS = 15
_KEEP_ALIVE_SECONDS = 75
"""Longer than proxies keep idle connections (nginx: 60): the service must not be who closes first, or a proxy
sends a request to a connection that is just being closed."""
_log = logging.getLogger("recsys.service")


class JsonLines(logging.Formatter):
    """A log record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        fields: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            fields["trace"] = self.formatException(record.exc_info)
        return json.dumps(fields, ensure_ascii=False)


def log_to(stream: Any, level: int, *, access: bool) -> None:
    """Write the log of the service and of its web server to a stream, a line of JSON a record."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    for name in ("recsys", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(level)
    logging.getLogger("recsys").setLevel(logging.WARNING)  # progress of single answers is no news
    logging.getLogger("recsys.service").setLevel(level)
    logging.getLogger("recsys.service.access").setLevel(logging.INFO if access else logging.WARNING)


def serve(
    settings: Settings,
    host: str,
    port: int,
    *,
    access_log: bool = True,
    log_level: int = logging.INFO,
    when_ready: Callable[[str], None] | None = None,
) -> None:
    """Answer requests until ctrl-c or SIGTERM; requests that have begun are then answered first.

    Parameters
    ----------
    settings : Settings
    host : str
        Address to listen at; 127.0.0.1 for this machine alone.
    port : int
        0 for any that is free, which the log then says.
    access_log : bool
        Whether each request is logged.
    log_level : int
        What is logged beside: as of `logging`.
    when_ready : callable, optional
        Is given the address, as soon as requests are answered there.

    Raises
    ------
    BundleError
        If the bundle cannot be loaded.
    ParameterError
        If the address cannot be listened at.
    """
    _check_free(host, port)
    log_to(sys.stderr, log_level, access=access_log)
    config = uvicorn.Config(
        make_app(settings),
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    server = _Server(config, when_ready)
    try:
        server.run()
    except KeyboardInterrupt:  # the signal, raised again once all is answered
        if not server.started:
            raise
    _log.info("stopped")


def _check_free(host: str, port: int) -> None:
    """Raise ParameterError if an address cannot be listened at, before a large model is loaded."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise ParameterError(
            f"cannot listen at {host} port {port}: {error.strerror or error}; choose another port or address."
        ) from None


class _Server(uvicorn.Server):
    """A web server that says when it answers, and where."""

    def __init__(self, config: uvicorn.Config, when_ready: Callable[[str], None] | None) -> None:
        super().__init__(config)
        self._when_ready = when_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer."""
        await super().startup(sockets)
        if self.started and self._when_ready is not None:
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            self._when_ready(f"http://{f'[{host}]' if ':' in host else host}:{port}/")
