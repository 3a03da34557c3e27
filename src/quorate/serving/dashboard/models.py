"""The page "Models": how well the members and the ensemble do, live against what training promised."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from quorate.core.clock import parse_ms
from quorate.core.errors import DataError, UnknownAccountError
from quorate.evaluation.live_performance import ENSEMBLE
from quorate.serving.caller import address
from quorate.serving.dashboard.page import HOME, Pages
from quorate.serving.dashboard.rows.bundle_rows import member_figures
from quorate.serving.newest_check import newest_bench, newest_check, newest_selection

PATH = f"{HOME}/models"


def add_models(router: APIRouter, pages: Pages) -> None:
    """Add the page and the data of its plots."""
    service = pages.service

    checks: dict[str, Callable[[], dict[str, Any] | None]] = {
        "drift": lambda: newest_check(service.champion, service.settings, service.clock()),
        "selection": lambda: newest_selection(service.champion, service.settings),
        "bench": lambda: newest_bench(service.champion, service.settings),
    }

    def read_checks() -> dict[str, Any]:
        """The newest of each check; `..._error` says why one cannot be read."""
        found: dict[str, Any] = {}
        for name, read in checks.items():
            found[name], found[f"{name}_error"] = None, ""
            try:
                found[name] = read()
            except DataError as failed:
                found[f"{name}_error"] = str(failed)
        return found

    @router.get(PATH)
    async def models(request: Request) -> Response:
        account = service.account
        error = account.error or account.performance_error
        found = account.performance
        checked = await service.work.run(address(request), read_checks)
        return pages.render(
            request,
            "models.html",
            **checked,
            found=None if found is None else found.to_json(),
            missing=isinstance(account.error, UnknownAccountError),
            error="" if error is None or isinstance(error, UnknownAccountError) else str(error),
            account=account.view.account.name,
            manifest=service.champion.predictor.manifest,
            figures=member_figures(service.champion.predictor.manifest),
        )

    @router.get(f"{PATH}/plots")
    async def plots() -> Response:
        found = service.account.performance
        return JSONResponse({} if found is None else plots_of(found.to_json()))


def plots_of(found: dict[str, Any]) -> dict[str, Any]:
    """What the page draws: the ensemble's skill by day, and by the day's week with its interval; times in s."""
    days = found["by_day"]
    if len(days) < 2:
        return {}
    weeks = [(parse_ms(row["from"]), row["models"][ENSEMBLE]) for row in found["by_week"]]
    starts = [parse_ms(row["from"]) for row in days]
    of_day = [next(skill for start, skill in reversed(weeks) if start <= day) for day in starts]
    by_day = {
        "label": "By day",
        "colour": "hold",
        "values": [row["models"][ENSEMBLE]["skill_vs_prior"] for row in days],
    }
    by_week = {
        "label": "By week",
        "colour": "accent",
        "values": [skill["skill_vs_prior"] for skill in of_day],
        "low": [_end(skill, 0) for skill in of_day],
        "high": [_end(skill, 1) for skill in of_day],
    }
    time = [start // 1_000 for start in starts]
    return {"skill": {"time": time, "unit": "share", "level": 0, "series": [by_day, by_week]}}


def _end(skill: dict[str, Any], place: int) -> float | None:
    """An end of a skill's interval; None without one."""
    ends = skill.get("skill_vs_prior_ci")
    return None if ends is None else float(ends[place])
