"""Errors as answers: their status, and the document that the command line prints with `--json`.

    {"error": {"type": ..., "attempted": ..., "found": ..., "expected": ..., "remedy": ...}}

The framework's own answers are replaced. That to a request that fails validation repeats the value that was sent, and
becomes a failure of the server itself where the value is NaN or half of a surrogate pair.
"""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from quorate.core.errors import (
    ArgumentError,
    BundleError,
    CandleError,
    DataError,
    EvaluationError,
    GuardError,
    JournalError,
    JournalTakenError,
    MissingExtraError,
    OverloadedError,
    QuorateError,
    ShardError,
    TooLittleHistoryError,
    TradingError,
    UnknownAccountError,
    UnknownSymbolError,
    UnknownTimeframeError,
)

_log = logging.getLogger(__name__)

#: Seconds after which a request that was refused for lack of room may be sent again.
RETRY_AFTER_S = 1

# The first kind that an error is of decides.
_STATUS: tuple[tuple[type[QuorateError], HTTPStatus], ...] = (
    (OverloadedError, HTTPStatus.TOO_MANY_REQUESTS),
    (ShardError, HTTPStatus.MISDIRECTED_REQUEST),
    (UnknownSymbolError, HTTPStatus.NOT_FOUND),
    (UnknownTimeframeError, HTTPStatus.NOT_FOUND),
    (ArgumentError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (TooLittleHistoryError, HTTPStatus.CONFLICT),
    (BundleError, HTTPStatus.CONFLICT),
    (GuardError, HTTPStatus.CONFLICT),
    (EvaluationError, HTTPStatus.CONFLICT),
    (UnknownAccountError, HTTPStatus.NOT_FOUND),
    (JournalTakenError, HTTPStatus.CONFLICT),
    (JournalError, HTTPStatus.SERVICE_UNAVAILABLE),
    (TradingError, HTTPStatus.SERVICE_UNAVAILABLE),  # a journal whose records cannot follow each other
    (CandleError, HTTPStatus.SERVICE_UNAVAILABLE),
    (DataError, HTTPStatus.SERVICE_UNAVAILABLE),
    (MissingExtraError, HTTPStatus.NOT_IMPLEMENTED),
)

# Characters of a text of others in an error.
_MOST_CHARACTERS = 200


class ErrorParts(BaseModel):
    """An error: what was attempted, found and expected, and what to do."""

    type: str = Field(examples=["UnknownSymbolError"])
    attempted: str
    found: str
    expected: str
    remedy: str


class ErrorDocument(BaseModel):
    """The answer to a request that failed."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "error": {
                        "type": "UnknownSymbolError",
                        "attempted": "find the market 'BTC/USDT'",
                        "found": "no such market in this service",
                        "expected": "BTC/USDT:USDT, ETH/USDT:USDT",
                        "remedy": "Did you mean 'BTC/USDT:USDT'?",
                    }
                }
            ]
        }
    )

    error: ErrorParts


def status_of(error: QuorateError) -> int:
    """The status of an error's answer."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), HTTPStatus.INTERNAL_SERVER_ERROR)


def error_document(error: QuorateError) -> dict[str, Any]:
    """The document of an error, in characters that can be encoded."""
    parts = {name: _encodable(getattr(error, name)) for name in ("attempted", "found", "expected", "remedy")}
    return {"error": {"type": type(error).__name__, **parts}}


def error_response(
    error: QuorateError, status: int | None = None, headers: dict[str, str] | None = None
) -> JSONResponse:
    """The answer to a request that failed; those that may be sent again say when."""
    status = status_of(error) if status is None else status
    headers = dict(headers or {})
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        headers.setdefault("Retry-After", str(RETRY_AFTER_S))
    return JSONResponse(error_document(error), status, headers)


def add_error_handlers(app: FastAPI) -> None:
    """Replace the framework's answers to errors."""

    @app.exception_handler(QuorateError)
    async def known(_request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, QuorateError)  # noqa: S101 - for the type checker; the handler is of this type
        return error_response(error)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)  # noqa: S101
        return error_response(_validation_error(request, error), HTTPStatus.UNPROCESSABLE_ENTITY)

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)  # noqa: S101
        return error_response(_http_error(request, error), error.status_code, dict(error.headers or {}))

    @app.exception_handler(Exception)
    async def unknown(request: Request, error: Exception) -> JSONResponse:
        _log.critical("%s %s failed: %s", request.method, request.scope["path"], type(error).__name__, exc_info=error)
        failed = QuorateError(
            "answer the request",
            found=f"an internal error ({type(error).__name__})",
            remedy="The log has the details; report it.",
        )
        return error_response(failed, HTTPStatus.INTERNAL_SERVER_ERROR)


def _validation_error(request: Request, error: RequestValidationError) -> ArgumentError:
    """What is wrong with a request, without the value that was sent."""
    first = error.errors()[0]
    place, *names = first["loc"]
    where = f"`{'.'.join(str(name)[:60] for name in names)}`" if names else f"the {place}"
    found = "nothing" if first["type"] == "missing" else f"a {type(first.get('input')).__name__} that is not valid"
    more = f" and {len(error.errors()) - 1} more faults" if error.errors()[1:] else ""
    return ArgumentError(
        f"read {where} of the request {request.method} {_path(request)}",
        found=f"{found}{more}",
        expected=str(first["msg"]).removeprefix("Value error, "),
        remedy="The API is described at /openapi.json.",
    )


def _http_error(request: Request, error: HTTPException) -> QuorateError:
    """An error of the framework: no such path, or another method."""
    if error.status_code == HTTPStatus.NOT_FOUND:
        found, expected = f"no such path: {_path(request)}", "a path of the API"
    elif error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = (error.headers or {}).get("Allow", "another method")
        found, expected = f"{request.method} {_path(request)}", allowed
    else:
        found, expected = str(error.detail), ""
    remedy = "The API is described at /openapi.json."
    return QuorateError("answer the request", found=found, expected=expected, remedy=remedy)


def _path(request: Request) -> str:
    path = ascii(request.scope["path"])[1:-1]
    return path if len(path) <= _MOST_CHARACTERS else f"{path[:_MOST_CHARACTERS]}..."


def _encodable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
