"""`/bench`: members of the bundle in use whose votes do not count."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse

from quorate.core.errors import DataError
from quorate.serving.caller import address
from quorate.serving.documents.bench import BenchDocument
from quorate.serving.errors import ErrorDocument, error_response
from quorate.serving.newest_check import newest_bench
from quorate.serving.service import Service


def routes(service: Service) -> APIRouter:
    """Read from the file of `quorate bench`: the service computes nothing of it."""
    router = APIRouter(tags=["bundles"])

    @router.get(
        "/bench",
        response_model=BenchDocument,
        responses={503: {"model": ErrorDocument, "description": "The file cannot be read."}},
    )
    async def bench(request: Request) -> JSONResponse:
        """Who is benched, since when and why, and each member's figures beside their limits."""

        def work() -> JSONResponse:
            try:
                return JSONResponse(newest_bench(service.champion, service.settings))
            except DataError as error:
                return error_response(error, HTTPStatus.SERVICE_UNAVAILABLE)

        return await service.work.run(address(request), work)

    return router
