"""Documents of `/health`."""

from __future__ import annotations

from typing import Literal

from quorate.serving.documents.document import Document


class Live(Document):
    """The process answers."""

    status: Literal["ok"]


class ReadyPrediction(Document):
    """The prediction that was made to answer."""

    symbol: str
    time: str | None
    action: Literal["SELL", "HOLD", "BUY"]
    seconds: float


class RefusedChampion(Document):
    """A new champion that could not be used, and why."""

    bundle: str | None
    time: str
    reason: str


class ReadyMarkets(Document):
    """The served markets, and the newest bar of any of them."""

    served: int
    without_candles: list[str]
    newest: str


class Ready(Document):
    """The service predicts. "degraded": with the bundle before the champion, which was refused."""

    status: Literal["ready", "degraded"]
    bundle: str
    mode: Literal["full", "partial", "none"]
    members: dict[str, bool]
    prediction: ReadyPrediction
    refused: RefusedChampion | None
    markets: ReadyMarkets
