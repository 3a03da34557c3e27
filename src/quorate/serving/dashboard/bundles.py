"""The page "Bundles": the champion, the others, their cards, the history, and changes of the champion."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any, Literal

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from quorate.core.errors import BundleError, JournalError, QuorateError, UnknownAccountError
from quorate.ensemble.bundle.champion_log import champion_lineage
from quorate.evaluation.cards.model_card import ModelCard
from quorate.evaluation.cards.write_card import read_card
from quorate.lifecycle.challenge import ChallengeStatus
from quorate.lifecycle.retrain import retraining_status
from quorate.serving.access.form import parse_form
from quorate.serving.caller import address, caller
from quorate.serving.dashboard.page import HOME, Pages
from quorate.serving.dashboard.rows.bundle_rows import differences, member_figures
from quorate.serving.errors import status_of
from quorate.workflows.bundles import list_bundles

_log = logging.getLogger(__name__)

PATH = f"{HOME}/bundles"

# Entries of the history that are shown.
_SHOWN = 50
_MOST_WHY = 1_000


@dataclass(frozen=True, slots=True)
class WantedChange:
    """A change of the champion that a page asks for, or a person confirmed.

    Attributes:
        action: promote, or rollback to the champion before this one.
        bundle: id of the bundle that becomes champion.
        before: id of the champion that the person saw.
        why: the reason, for the history.
    """

    action: Literal["promote", "rollback"]
    bundle: str
    before: str = ""
    why: str = ""


def add_bundles(router: APIRouter, pages: Pages) -> None:
    """Add the page, the cards of the bundles, the confirmation of a change, and the change."""
    service = pages.service
    champion = service.champion

    @router.get(PATH)
    async def bundles(request: Request) -> Response:
        shown = await service.work.run(address(request), found)
        challenge = await service.reading.run(address(request), challenged)
        return pages.render(request, "bundles.html", **shown, challenge=challenge)

    def challenged() -> ChallengeStatus | None:
        try:
            return service.challenge.status()
        except UnknownAccountError:
            return None
        except JournalError as error:
            # The page is about the bundles, and works without the journal.
            _log.warning("the page of the bundles without the challenge: %s", error)
            return None

    def found() -> dict[str, Any]:
        store = champion.store
        if store is None:
            return {"bundles": (), "history": (), "earlier": None, "current": _loaded(), "retraining": ""}
        history = store.history()
        listed = tuple(reversed(list_bundles(store)))
        lineage = champion_lineage(history)
        return {
            "bundles": [(each, member_figures(each.manifest) if each.manifest else []) for each in listed],
            "history": history[::-1][:_SHOWN],
            "earlier": lineage[-2] if len(lineage) > 1 else None,
            "current": _loaded(),
            "retraining": retraining_status(store.folder).line,
        }

    def _loaded() -> dict[str, Any]:
        predictor = champion.predictor
        return {
            "manifest": predictor.manifest,
            "policy": predictor.decides,
            "figures": member_figures(predictor.manifest),
        }

    @router.get(f"{PATH}/card")
    async def card(request: Request) -> Response:
        def read() -> ModelCard:
            wanted = request.query_params.get("bundle", "")[:64]
            if champion.store is None:
                return read_card(champion.predictor.newest.folder or champion.path)
            return read_card(champion.store.path(wanted or champion.predictor.newest.id))

        return pages.render(request, "card.html", card=await service.work.run(address(request), read))

    @router.get(f"{PATH}/change")
    async def confirm(request: Request) -> Response:
        query = request.query_params
        wanted = _wanted(query.get("action", ""), query.get("bundle", ""))
        return await shown(request, wanted)

    @router.post(f"{PATH}/change")
    async def change(request: Request) -> Response:
        form = parse_form(await request.body())
        wanted = _wanted(
            form.get("action", ""), form.get("bundle", ""), form.get("before", ""), form.get("why", "").strip()
        )
        by = caller(request)
        try:
            await service.work.run(address(request), lambda: make(wanted, by))
        except BundleError as error:
            return await shown(request, wanted, error)
        return RedirectResponse(PATH, 303)

    async def shown(request: Request, wanted: WantedChange, error: QuorateError | None = None) -> Response:
        def compare() -> dict[str, Any]:
            after = champion.require_store("change the champion").manifest(wanted.bundle)
            before = champion.predictor.manifest
            return {"before": before.id, "after": after, "rows": differences(before, after)}

        compared = await service.work.run(address(request), compare)
        status = 200 if error is None else status_of(error)
        return pages.render(request, "change.html", status, wanted=wanted, error=error, **compared)

    def make(wanted: WantedChange, by: str) -> None:
        store = champion.require_store("change the champion")
        now = store.champion()
        if wanted.before != now:
            raise BundleError(
                "change the champion",
                found=f"the champion {now}, which is another than the one shown ({wanted.before[:16] or 'none'})",
                expected="the change that was confirmed",
                remedy="Look at the change again: it is shown anew.",
            )
        if wanted.action == "promote":
            champion.promote(wanted.bundle, why=wanted.why, by=by)
            return
        earlier = champion_lineage(store.history())[-2:-1]
        if earlier != (wanted.bundle,):
            raise BundleError(
                "roll back the champion",
                found=f"{earlier[0] if earlier else 'no bundle'} as the champion before {now}",
                expected=wanted.bundle,
                remedy="Look at the bundles again.",
            )
        champion.rollback(why=wanted.why, by=by)


def _wanted(action: str, bundle: str, before: str = "", why: str = "") -> WantedChange:
    if action not in ("promote", "rollback") or len(why) > _MOST_WHY:
        raise BundleError(
            "change the champion",
            found=f"the action {action[:20]!a}, and a reason of {len(why)} characters",
            expected=f"promote or rollback, and at most {_MOST_WHY:,} characters",
        )
    return WantedChange("promote" if action == "promote" else "rollback", bundle[:64], before[:64], why)
