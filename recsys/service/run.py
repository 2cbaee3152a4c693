"""The process of a service: its socket, its log, its end."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

import uvicorn

from recsys.service.app import make_app
from recsys.service.settings import Settings

_GRACE_SECONDS = 15


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


def log_to(stream: Any, *, access: bool) -> None:
    """Write the log of the service and of its web server to a stream, a line of JSON a record."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    for name in ("recsys", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(logging.INFO)
    logging.getLogger("recsys").setLevel(logging.WARNING)  # progress of single answers is no news
    logging.getLogger("recsys.service").setLevel(logging.INFO)
    logging.getLogger("recsys.service.access").setLevel(logging.INFO if access else logging.WARNING)


def serve(settings: Settings, host: str, port: int, *, access_log: bool = True) -> None:
    """Answer requests until the process is told to stop; requests that have begun are then answered first.

    Parameters
    ----------
    settings : Settings
    host : str
        Address to listen at; 127.0.0.1 for this machine alone.
    port : int
        0 for any that is free, which the log then says.
    access_log : bool
        Whether each request is logged.

    Raises
    ------
    BundleError
        If the bundle cannot be loaded.
    SystemExit
        If the port cannot be had.
    """
    log_to(sys.stderr, access=access_log)
    uvicorn.run(
        make_app(settings),
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
