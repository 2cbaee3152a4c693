"""The log of a service: a line of JSON for each record."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any


class JsonLines(logging.Formatter):
    """A log record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        fields: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "process": record.process,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            fields["trace"] = self.formatException(record.exc_info)
        return json.dumps(fields, ensure_ascii=False)


@contextmanager
def begins_logged(level: int, *, access: bool) -> Iterator[None]:
    """Log from now on; ctrl-c and SIGTERM before there are requests to answer end the body, as of later."""
    log_to(sys.stderr, level, access=access)
    try:
        yield
    except KeyboardInterrupt:
        logging.getLogger("recsys.service").info("stopped")


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
