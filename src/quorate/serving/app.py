"""The application: routes, middlewares and answers to errors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.middleware import Middleware

from quorate.core.version import __version__
from quorate.serving.background import running
from quorate.serving.dashboard import dashboard_routes
from quorate.serving.errors import ErrorDocument, add_error_handlers
from quorate.serving.limits.admission import AdmissionMiddleware
from quorate.serving.limits.bodies import BodyMiddleware
from quorate.serving.metrics import MetricsMiddleware
from quorate.serving.routes import (
    bundles,
    events,
    guards,
    health,
    journal,
    metrics,
    models,
    paper,
    performance,
    signals,
)
from quorate.serving.service import Service

# Each makes the routes of one noun.
_ROUTES = (
    health.routes,
    signals.routes,
    models.routes,
    bundles.routes,
    paper.routes,
    guards.routes,
    journal.routes,
    performance.routes,
    events.routes,
    metrics.routes,
    dashboard_routes,
)


def create_app(service: Service) -> FastAPI:
    """The application of a service, for uvicorn or another ASGI server.

    Its lifespan runs the service's background coroutines.
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with running(service.failed.append, watch(service), *(make() for make in service.background)):
            yield
        service.close()

    app = FastAPI(
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
    return app


def middlewares(service: Service) -> list[Middleware]:
    """What every request passes, the outermost first."""
    limits = service.settings.serve
    return [
        Middleware(MetricsMiddleware, metrics=service.metrics),
        Middleware(AdmissionMiddleware, admission=service.admission),
        Middleware(BodyMiddleware, most_bytes=limits.body_bytes, timeout_s=limits.body_s),
    ]


async def watch(service: Service) -> None:
    """Read new candles and follow the champion, every `serve.watch_s`."""
    while True:
        await asyncio.to_thread(service.refresh)
        await asyncio.sleep(service.settings.serve.watch_s)
