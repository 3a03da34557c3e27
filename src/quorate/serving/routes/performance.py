"""`/performance`: how well the account's model does."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter
from starlette.responses import JSONResponse

from quorate.core.errors import EvaluationError
from quorate.serving.documents.performance import Performance
from quorate.serving.errors import ErrorDocument, error_response
from quorate.serving.routes.paper import NO_ACCOUNT
from quorate.serving.service import Service

_REFUSED: dict[int | str, dict[str, Any]] = {
    409: {"model": ErrorDocument, "description": "It cannot be measured: another bundle, or a stack."},
    503: {"model": ErrorDocument, "description": "It is being measured for the first time, or candles are missing."},
}


def routes(service: Service) -> APIRouter:
    """Measured after each new bar, in the background: a request waits for nothing."""
    router = APIRouter(prefix="/performance", tags=["account"], responses={**NO_ACCOUNT, **_REFUSED})

    @router.get("", response_model=Performance)
    async def performance() -> JSONResponse:
        """Skill, reliability and agreement on the bars whose outcome is known, beside what training promised.

        `as_of` is the newest bar that it was measured at.
        """
        account = service.account
        if account.error is not None:
            raise account.error
        if account.performance is None:
            if account.performance_error is not None:
                raise account.performance_error
            waiting = EvaluationError(
                f"show the performance of the account '{account.view.account.name}'",
                found="the first measurement in progress",
                remedy="Try again in a second.",
            )
            return error_response(waiting, HTTPStatus.SERVICE_UNAVAILABLE)
        return JSONResponse(account.performance.to_json())

    return router
