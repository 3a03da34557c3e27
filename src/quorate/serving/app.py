"""The application: routes, middlewares and answers to errors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.types import ASGIApp

from quorate.core.log_records import redact_logger
from quorate.core.version import __version__
from quorate.serving.access import SecurityHeaders, login_routes, middleware
from quorate.serving.access.access_control import OPEN
from quorate.serving.background import running
from quorate.serving.dashboard import dashboard_routes
from quorate.serving.dashboard.page import HOME
from quorate.serving.errors import ErrorDocument, add_error_handlers
from quorate.serving.limits.admission import AdmissionMiddleware
from quorate.serving.limits.bodies import BodyMiddleware
from quorate.serving.metrics import MetricsMiddleware
from quorate.serving.routes import (
    bench,
    bundles,
    challenge,
    drift,
    events,
    guards,
    health,
    journal,
    metrics,
    models,
    paper,
    performance,
    retrain,
    selection,
    signals,
)
from quorate.serving.service import Service

# Each makes the routes of one noun.
_ROUTES = (
    health.routes,
    signals.routes,
    models.routes,
    bundles.routes,
    challenge.routes,
    drift.routes,
    bench.routes,
    selection.routes,
    retrain.routes,
    paper.routes,
    guards.routes,
    journal.routes,
    performance.routes,
    events.routes,
    metrics.routes,
    dashboard_routes,
)

# Their records may hold what a request sent, such as its header Authorization.
_LOGGERS = ("quorate", "uvicorn", "asyncio")


def create_app(service: Service) -> FastAPI:
    """The application of a service, for uvicorn or another ASGI server.

    Its lifespan runs the service's background coroutines.
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with running(service.failed.append, watch(service), *(make() for make in service.background)):
            yield
        service.close()

    app = _Application(
        title="Quorate",
        version=__version__,
        summary="Signals of an ensemble that acts only when enough of its members agree.",
        lifespan=lifespan,
        middleware=middlewares(service),
        docs_url=None,  # these two pages load their scripts from a content delivery network
        redoc_url=None,
        responses={
            code: {"model": ErrorDocument, "description": words}
            for code, words in (
                (400, "No request of HTTP, or a body that is no JSON."),
                (401, "No token, or a wrong one."),
                (403, "A change for another site's page, or without the CSRF token of the login."),
                (421, "A host that is not the service's, or a market of another shard."),
                (422, "A request that is not valid."),
                (429, "More requests than can be answered now; see Retry-After."),
                (503, "Too many requests, or nothing can be predicted now."),
            )
        },
        telemetry={"auto_configure": False, "tracing": False, "metrics": False, "logs": False},
    )
    app.state.stop = service.stop
    add_error_handlers(app)
    for routes in _ROUTES:
        app.include_router(routes(service))
    app.router.routes.extend(login_routes(service.access, home=HOME))
    for name in _LOGGERS:
        redact_logger(name)
    return app


class _Application(FastAPI):
    """FastAPI with what access adds to it."""

    def openapi(self) -> dict[str, Any]:
        """The description of the API, with the token that all but the open paths need."""
        described = super().openapi()
        schemes = described.setdefault("components", {}).setdefault("securitySchemes", {})
        schemes["token"] = {"type": "http", "scheme": "bearer", "description": "The service's token."}
        described["security"] = [{"token": []}]
        for path in OPEN & described["paths"].keys():
            for operation in described["paths"][path].values():
                operation["security"] = []
        return described

    def build_middleware_stack(self) -> ASGIApp:
        # Around all of it: the answer to an internal error passes no middleware.
        return SecurityHeaders(super().build_middleware_stack())


def middlewares(service: Service) -> list[Middleware]:
    """What every request passes, the outermost first."""
    limits = service.settings.serve
    return [
        Middleware(MetricsMiddleware, metrics=service.metrics),
        *middleware(service.access),
        Middleware(AdmissionMiddleware, admission=service.admission),
        Middleware(BodyMiddleware, most_bytes=limits.body_bytes, timeout_s=limits.body_s),
    ]


async def watch(service: Service) -> None:
    """Read new candles and follow the champion, every `serve.watch_s`."""
    while True:
        await asyncio.to_thread(service.refresh)
        await asyncio.sleep(service.settings.serve.watch_s)
