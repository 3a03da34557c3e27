"""The page "Guards": what limits the account, the ladder, and requests of a person to both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from quorate.core.errors import ArgumentError, GuardError, JournalError, QuorateError
from quorate.serving.access.form import parse_form
from quorate.serving.caller import address, caller
from quorate.serving.dashboard.page import HOME, Pages
from quorate.serving.dashboard.rows.account_rows import GUARD_NAMES, ShownAccount
from quorate.serving.errors import status_of

PATH = f"{HOME}/guards"

_MOST_NOTE = 1_000

Action = Literal["rearm", "promote"]


def add_guards(router: APIRouter, pages: Pages) -> None:
    """Add the page, and the confirmation and the recording of a request."""
    service = pages.service
    view = service.account.view

    @router.get(PATH)
    async def guards(request: Request) -> Response:
        return pages.render(request, "guards.html", account=await read(request))

    async def read(request: Request) -> ShownAccount:
        return await service.reading.run(address(request), lambda: ShownAccount.read(service))

    @router.get(f"{PATH}/request")
    async def confirm(request: Request) -> Response:
        return await shown(request, _wanted(request.query_params))

    @router.post(f"{PATH}/request")
    async def record(request: Request) -> Response:
        form = parse_form(await request.body())
        wanted, note, who = _wanted(form), form.get("note", "").strip(), caller(request)

        def work() -> None:
            if not note or len(note) > _MOST_NOTE:
                raise ArgumentError(
                    "record the request",
                    found=f"a reason of {len(note)} characters",
                    expected=f"one of 1 to {_MOST_NOTE:,}, which stands in the journal",
                )
            if wanted[0] == "rearm":
                view.rearm(wanted[1], who=who, note=note)
            else:
                view.promote(who=who, note=note)

        try:
            await service.reading.run(address(request), work)
        except (ArgumentError, GuardError, JournalError) as error:
            return await shown(request, wanted, note, error)
        service.account.look()
        return RedirectResponse(PATH, 303)

    async def shown(
        request: Request, wanted: tuple[Action, str], note: str = "", error: QuorateError | None = None
    ) -> Response:
        account = await read(request)
        return pages.render(
            request,
            "request.html",
            200 if error is None else status_of(error),
            account=account,
            action=wanted[0],
            guard=next((guard for guard in account.guards if guard.guard == wanted[1]), None),
            note=note[:_MOST_NOTE],
            error=error,
        )


def _wanted(fields: Mapping[str, Any]) -> tuple[Action, str]:
    """The request: its action, and the guard of a re-arming."""
    action, guard = str(fields.get("action", "")), str(fields.get("guard", ""))
    if action == "promote":
        return "promote", ""
    if action == "rearm" and guard in GUARD_NAMES:
        return "rearm", guard
    raise GuardError(
        "ask the account for something",
        found=f"the action {action[:20]!a} and the guard {guard[:20]!a}",
        expected=f"promote, or rearm with one of {', '.join(GUARD_NAMES)}",
    )
