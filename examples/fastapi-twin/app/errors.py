"""Refusals as problem documents (RFC 9457)."""

import logging
from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from slowapi.errors import RateLimitExceeded
from sqlalchemy.exc import InterfaceError, OperationalError
from starlette.exceptions import HTTPException

logger = logging.getLogger(__name__)

CODES = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media_type",
    429: "rate_limited",
}


class Refusal(HTTPException):
    """An answer other than 2xx, with the code that clients go by."""

    def __init__(self, status: int, code: str, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(status, detail, headers)
        self.code = code


def problem(
    status: int, code: str, detail: str, headers: Mapping[str, str] | None = None, **members: object
) -> JSONResponse:
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        **members,
    }
    return JSONResponse(body, status, headers, media_type="application/problem+json")


async def on_http_exception(_: Request, error: HTTPException) -> JSONResponse:
    code = getattr(error, "code", None) or CODES.get(error.status_code, "internal")
    return problem(error.status_code, code, error.detail, error.headers)


async def on_invalid_request(_: Request, error: RequestValidationError) -> JSONResponse:
    errors = error.errors()
    if any(fault["type"] == "json_invalid" for fault in errors):
        return problem(400, "bad_request", "The body is not JSON")
    if any(fault["loc"][0] == "path" for fault in errors):
        return problem(404, "not_found", "There is nothing here")
    # `loc` is ("body", "title", …), or ("body",) for all of it.
    named = [{"field": str(fault["loc"][:2][-1]), "message": fault["msg"]} for fault in errors]
    return problem(422, "validation_failed", "The request breaks a rule", errors=named)


def on_rate_limit(request: Request, error: RateLimitExceeded) -> JSONResponse:
    response = problem(429, "rate_limited", f"Too many requests: {error.detail}")
    request.app.state.limiter._inject_headers(response, request.state.view_rate_limit)
    return response


async def on_database_down(_: Request, error: Exception) -> JSONResponse:
    logger.warning("the database cannot be reached: %s", type(error).__name__)
    return problem(503, "store_unavailable", "Try again later", {"Retry-After": "1"})


async def on_bug(_: Request, __: Exception) -> JSONResponse:
    return problem(500, "internal", "Something went wrong")


def install(app: FastAPI) -> None:
    app.exception_handler(HTTPException)(on_http_exception)
    app.exception_handler(RequestValidationError)(on_invalid_request)
    app.exception_handler(RateLimitExceeded)(on_rate_limit)
    for error in (OperationalError, InterfaceError, ConnectionError):
        app.exception_handler(error)(on_database_down)
    app.exception_handler(Exception)(on_bug)
