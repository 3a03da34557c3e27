"""`/selection`: members of the bundle in use that vote."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse

from quorate.core.errors import DataError
from quorate.serving.caller import address
from quorate.serving.documents.selection import SelectionDocument
from quorate.serving.errors import ErrorDocument, error_response
from quorate.serving.newest_check import newest_selection
from quorate.serving.service import Service


def routes(service: Service) -> APIRouter:
    """Read from the file of `quorate select`: the service computes nothing of it."""
    router = APIRouter(tags=["bundles"])

    @router.get(
        "/selection",
        response_model=SelectionDocument,
        responses={503: {"model": ErrorDocument, "description": "The file cannot be read."}},
    )
    async def selection(request: Request) -> JSONResponse:
        """Who votes, since when and why, and what each member adds."""

        def work() -> JSONResponse:
            try:
                return JSONResponse(newest_selection(service.champion, service.settings))
            except DataError as error:
                return error_response(error, HTTPStatus.SERVICE_UNAVAILABLE)

        return await service.work.run(address(request), work)

    return router
