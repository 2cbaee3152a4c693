"""The process of a service: its socket, its log, its end."""

from __future__ import annotations

import logging
import socket
import sys
from collections.abc import Callable
from typing import Any

import uvicorn

from recsys.errors import ParameterError
from recsys.service.app import make_app
from recsys.service.computing import let_others_in_soon
from recsys.service.log_lines import log_to
from recsys.service.settings import TOKEN_VARIABLE, Settings
from recsys.service.workers import Logged, run_workers

_GRACE_SECONDS = 15
_KEEP_ALIVE_SECONDS = 75
"""Longer than proxies keep idle connections (nginx: 60): the service must not be who closes first, or a proxy
sends a request to a connection that is just being closed."""
_THIS_MACHINE = ("127.0.0.1", "localhost", "::1")
_log = logging.getLogger("recsys.service")


def serve(
    settings: Settings,
    host: str,
    port: int,
    *,
    access_log: bool = True,
    log_level: int = logging.INFO,
    n_workers: int = 1,
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
    n_workers : int
        Processes that answer; more than one map the bundle and share it.
    when_ready : callable, optional
        Is given the address, as soon as requests are answered there; with one process alone.

    Raises
    ------
    BundleError
        If the bundle cannot be loaded.
    ParameterError
        If the address cannot be listened at.
    """
    _check_free(host, port)
    log_to(sys.stderr, log_level, access=access_log)
    let_others_in_soon()
    if host not in _THIS_MACHINE and settings.token is None:
        _log.warning("whoever reaches %s is answered, for there is no token; see %s", host, TOKEN_VARIABLE)
    how: dict[str, Any] = {
        "host": host,
        "port": port,
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "timeout_keep_alive": _KEEP_ALIVE_SECONDS,
        "timeout_graceful_shutdown": _GRACE_SECONDS,
    }
    try:
        if n_workers > 1:
            run_workers(settings, n_workers, Logged(log_level, access_log), how)
        else:
            _Server(uvicorn.Config(make_app(settings), **how), when_ready).run()
    except KeyboardInterrupt:  # the signal: raised again once all is answered, or while a bundle is loaded
        pass
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
