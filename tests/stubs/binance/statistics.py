"""Market statistics that the stub makes up: every value follows from its time."""

from __future__ import annotations

from typing import Any

#: The exchange keeps these for 30 days.
KEPT_MS = 30 * 86_400_000
PERIODS = ("5m", "15m", "30m", "1h", "2h", "4h", "6h", "12h", "1d")

_STEP_MS = 300_000
_SHIFTS = {"globalLongShortAccountRatio": 0, "topLongShortAccountRatio": 7, "topLongShortPositionRatio": 11}

ENDPOINTS = ("openInterestHist", "takerlongshortRatio", *_SHIFTS)


def open_interest_at(time: int) -> float:
    return 1000.0 + time // _STEP_MS % 97


def ratio_at(endpoint: str, time: int) -> float:
    return 0.5 + (time // _STEP_MS + _SHIFTS[endpoint]) % 31 / 16


def taker_share_at(time: int) -> float:
    return 0.25 + time // _STEP_MS % 13 / 32


def premium_at(time: int) -> float:
    return (time // _STEP_MS % 41 - 20) / 8192


def statistic_rows(endpoint: str, name: str, times: list[int]) -> list[dict[str, Any]]:
    """Rows of an endpoint, as the exchange documents them: numbers are texts."""
    if endpoint == "openInterestHist":
        return [
            {
                "symbol": name,
                "sumOpenInterest": f"{open_interest_at(time):.8f}",
                "sumOpenInterestValue": f"{100 * open_interest_at(time):.8f}",
                "timestamp": time,
            }
            for time in times
        ]
    if endpoint == "takerlongshortRatio":
        return [
            {
                "buySellRatio": f"{taker_share_at(time) / (1 - taker_share_at(time)):.4f}",
                "buyVol": f"{100 * taker_share_at(time):.4f}",
                "sellVol": f"{100 * (1 - taker_share_at(time)):.4f}",
                "timestamp": time,
            }
            for time in times
        ]
    return [
        {
            "symbol": name,
            "longShortRatio": f"{ratio_at(endpoint, time):.4f}",
            "longAccount": f"{ratio_at(endpoint, time) / (1 + ratio_at(endpoint, time)):.4f}",
            "shortAccount": f"{1 / (1 + ratio_at(endpoint, time)):.4f}",
            "timestamp": time,
        }
        for time in times
    ]
