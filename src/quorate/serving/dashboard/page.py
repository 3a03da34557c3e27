"""Templates of the dashboard, and what stands on every page."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from fastapi.routing import APIRoute
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from quorate.core.clock import timeframe_ms
from quorate.core.errors import QuorateError
from quorate.evaluation.cards.diagram_svg import diagram_svg
from quorate.serving.access.caller import caller_of
from quorate.serving.access.sessions import csrf_token
from quorate.serving.dashboard.assets import Assets
from quorate.serving.dashboard.formatting import FILTERS
from quorate.serving.dashboard.rows.account_rows import GUARD_NAMES
from quorate.serving.errors import error_response, status_of
from quorate.serving.service import Service

#: Path of the first page; the others are below it.
HOME = "/dashboard"

#: Cookie of the chosen colour scheme; the browser's own without it.
SCHEME_COOKIE = "quorate-scheme"

_TEMPLATES = Path(__file__).parent / "templates"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NavigationEntry:
    """A page in the navigation."""

    name: str
    path: str


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """The bundle in use, in the head of every page.

    Attributes:
        bundle: its id.
        mode: full, partial or none.
        loaded, members, quorum: numbers of members.
        policy: that decides.
        synthetic: candles or bundle are synthetic.
        refused: why the newest champion was refused; empty if it was not.
    """

    bundle: str
    mode: str
    loaded: int
    members: int
    quorum: int
    policy: str
    synthetic: bool
    refused: str


class Pages:
    """Renders templates for a service.

    Args:
        service: whose state pages show.
        assets: style and scripts.
        navigation: the pages, in order.
    """

    def __init__(self, service: Service, assets: Assets, navigation: tuple[NavigationEntry, ...]) -> None:
        self.service = service
        self._navigation = navigation
        self._environment = Environment(
            loader=FileSystemLoader(_TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(FILTERS, diagram=diagram_svg)
        self._environment.globals.update(asset=assets.address, home=HOME, guard_names=GUARD_NAMES)

    def render(self, request: Request, template: str, status: int = HTTPStatus.OK, **content: Any) -> HTMLResponse:
        """A page.

        Args:
            request: that asks for it.
            template: name of its file.
            status: of HTTP.
            content: what the template shows.
        """
        service = self.service
        page = self._environment.get_template(template).render(
            path=request.url.path,
            address=request.url.path + (f"?{request.url.query}" if request.url.query else ""),
            scheme=_scheme(request),
            csrf=_csrf(request),
            navigation=self._navigation,
            status=status_of_service(service),
            timeframe=service.candles.timeframe,
            bar_ms=timeframe_ms(service.candles.timeframe),
            now=service.clock(),
            **content,
        )
        return HTMLResponse(page, status)

    def error(self, request: Request, error: QuorateError) -> Response:
        """A page that says what went wrong, and what to do; other answers to requests that want no page."""
        if "text/html" not in request.headers.get("accept", "text/html"):
            return error_response(error)
        status = status_of(error)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            _log.warning("%s: %s", request.url.path, error)
        return self.render(request, "error.html", status, error=error)


def page_route(pages: Pages) -> type[APIRoute]:
    """The class of routes whose errors are shown as pages."""

    class PageRoute(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handler = super().get_route_handler()

            async def shown(request: Request) -> Response:
                try:
                    return await handler(request)
                except QuorateError as error:
                    return pages.error(request, error)

            return shown

    return PageRoute


def status_of_service(service: Service) -> ServiceStatus:
    """The bundle in use, as the head of every page shows it."""
    predictor, refused = service.champion.predictor, service.champion.refused
    members = predictor.newest.members
    return ServiceStatus(
        bundle=predictor.id,
        mode=predictor.mode,
        loaded=len(members.sessions),
        members=len(members),
        quorum=predictor.newest.quorum,
        policy=predictor.decides,
        synthetic=predictor.manifest.synthetic or any(candles.synthetic for candles in service.candles.known),
        refused="" if refused is None else refused.reason,
    )


def _csrf(request: Request) -> str:
    """The CSRF token of a login, for forms; empty for a caller with the service's token, which needs none."""
    session = caller_of(request).session_id
    return csrf_token(session) if session else ""


def _scheme(request: Request) -> str:
    found = request.cookies.get(SCHEME_COOKIE, "")
    return found if found in ("light", "dark") else ""
