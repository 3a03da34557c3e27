"""Addresses of the dashboard."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from quorate.serving.dashboard import account, bundles, guards, journal, market, models
from quorate.serving.dashboard.assets import PREFIX, Assets
from quorate.serving.dashboard.newest import NewestSignals
from quorate.serving.dashboard.now import add_now
from quorate.serving.dashboard.page import HOME, NavigationEntry, Pages, page_route
from quorate.serving.service import Service

_NAVIGATION = (
    NavigationEntry("Now", HOME),
    NavigationEntry("Market", market.PATH),
    NavigationEntry("Models", models.PATH),
    NavigationEntry("Account", account.PATH),
    NavigationEntry("Guards", guards.PATH),
    NavigationEntry("Journal", journal.PATH),
    NavigationEntry("Bundles", bundles.PATH),
)


def dashboard_routes(service: Service) -> APIRouter:
    """The pages, their files, and the way to them from the root."""
    assets = Assets()
    pages = Pages(service, assets, _NAVIGATION)
    router = APIRouter(route_class=page_route(pages), include_in_schema=False)

    @router.get("/")
    async def root() -> Response:
        return RedirectResponse(HOME, 303)

    @router.get(PREFIX + "/{version}/{name:path}")
    async def asset(request: Request, version: str, name: str) -> Response:
        return assets.response(request, version, name)

    newest = NewestSignals(service)
    add_now(router, pages, newest)
    market.add_market(router, pages, newest)
    models.add_models(router, pages)
    account.add_account(router, pages)
    guards.add_guards(router, pages)
    journal.add_journal(router, pages)
    bundles.add_bundles(router, pages)
    return router
