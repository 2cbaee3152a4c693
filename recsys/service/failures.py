"""Errors as answers: JSON, in one sentence, with nothing of how the service is made."""

from __future__ import annotations

import json
import logging
import uuid

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from recsys.errors import ModelError, RecsysError
from recsys.service.answers import UnknownIdError
from recsys.service.computing import BusyError
from recsys.service.theme_answers import UnknownFamilyError

_RETRY_SECONDS = 1
_FORESEEN = (
    UnknownIdError,
    UnknownFamilyError,
    RecsysError,
    RequestValidationError,
    HTTPException,
    BusyError,
    TimeoutError,
)
_log = logging.getLogger("recsys.service")


def error_body(message: str) -> bytes:
    """Return an error as JSON."""
    return json.dumps({"error": message}).encode()


def failure(error: Exception) -> str:
    """Log what no route has foreseen, and return what may be said of it."""
    number = uuid.uuid4().hex[:12]
    _log.error("request %s failed", number, exc_info=error)
    return f"internal error; its number in the log is {number}."


def response_to(error: Exception) -> Response:
    """Return the response to a request that came to an error."""
    status, message, headers = 500, "", {}
    match error:
        case UnknownIdError() | UnknownFamilyError():
            status, message = 404, str(error)
        case RecsysError():
            status, message = 409 if isinstance(error, ModelError) else 422, str(error)
        case RequestValidationError():
            status, message = 422, _invalid(error)
        case HTTPException():
            status, message = error.status_code, f"{error.detail.rstrip('.')}."
            headers = dict(error.headers or {})
        case BusyError():
            status, message = 503, "too many requests wait; come again."
            headers = {"retry-after": str(_RETRY_SECONDS)}
        case TimeoutError():
            status = 504
            message = "the answer takes too long; ask for fewer users, or for fewer reasons."
        case _:
            message = failure(error)
    return Response(error_body(message), status, headers, media_type="application/json")


def _invalid(error: RequestValidationError) -> str:
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return f"the body is no JSON: {first['ctx']['error']} at character {first['loc'][-1]}."
    where = ".".join(str(part) for part in first["loc"][1:])
    if where:
        return f"{where}: {first['msg']}."
    return "the body is no JSON object; send one, with the header 'content-type: application/json'."


def answer_errors(app: FastAPI) -> None:
    """Let an application answer errors so."""

    async def answer(_: Request, error: Exception) -> Response:
        return response_to(error)

    for kind in (*_FORESEEN, Exception):
        app.add_exception_handler(kind, answer)
